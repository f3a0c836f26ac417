#include "tests/sync/forge.h"

#include "base/sign.h"
#include "proto/schema.h"
#include "sync/chain.h"
#include "tests/sync/network.h"

// --- what is honest ---

void forge_start(struct forge *f, struct handmade *run, size_t device)
{
    handmade_init(run, &f->world, device, FORGE_ROOM, &f->arena);
}

static void write_run(struct handmade *run)
{
    static const char *const titles[FORGE_RUN] = {"a bench", "a roof", "a lamp"};
    for (size_t i = 0; i < FORGE_RUN; i++)
        handmade_need(run, titles[i], NULL);
}

void forge_next(struct forge *f)
{
    handmade_done(&f->past);
    f->past = f->made;
    forge_start(f, &f->made, FORGE_AUTHOR);
    write_run(&f->made);
}

struct run *forge_run(struct sync_request *request)
{
    return LIST_AT(struct run, request->push, 0);
}

enum err forge_push(struct forge *f, struct sync_request *request, struct receipt *receipt)
{
    struct list receipts;
    f->fault = (struct fault){0};
    enum err err = network_push(&f->world, FORGE_AUTHOR, request, &f->arena, &receipts, &f->fault);
    *receipt = receipts.n ? *LIST_AT(struct receipt, receipts, 0) : (struct receipt){0};
    return err;
}

void forge_begin(struct forge *f)
{
    struct sync_request first;
    struct receipt receipt;
    *f = (struct forge){0};
    world_open(&f->world, FORGE_DEVICES);
    world_begin(&f->world, 31);
    arena_init(&f->arena, WORLD_ARENA_MAX);
    forge_next(f);
    handmade_close(&f->made, &first);
    world_must(!forge_push(f, &first, &receipt), f->fault.text);
    forge_next(f);
}

void forge_end(struct forge *f)
{
    handmade_done(&f->past);
    handmade_done(&f->made);
    arena_done(&f->arena);
    world_close(&f->world);
}

// --- forging: a copy of the honest run is spoiled, and bears the signature that it had ---

struct handmade forge_copy(struct forge *f, const struct handmade *from)
{
    struct handmade copy = *from;
    copy.changes = arena_alloc(&f->arena, FORGE_ROOM, sizeof *copy.changes);
    world_must(copy.changes != NULL, "no room for a run");
    memcpy(copy.changes, from->changes, from->n * sizeof *copy.changes);
    copy.salts = (struct buf){0};
    buf_put(&copy.salts, buf_bytes(&from->salts));
    return copy;
}

// Packs what the copy has become, with what another run was signed with.
static void close_under(struct forge *f, struct handmade *copy, const struct handmade *signed_as)
{
    struct handmade signer = forge_copy(f, signed_as);
    struct sync_request honest;
    handmade_close(&signer, &honest);
    handmade_close(copy, &f->forged);
    forge_run(&f->forged)->signature = forge_run(&honest)->signature;
    f->n = (uint32_t)copy->n;
    handmade_done(&signer);
    handmade_done(copy);
}

static void sign_by_another_key(struct forge *f)
{
    handmade_close(&f->made, &f->forged);
    handmade_sign(&f->made, f->world.devices[FORGE_OTHER].seed, forge_run(&f->forged));
}

static void sign_by_nobody(struct forge *f)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {5};
    handmade_close(&f->made, &f->forged);
    handmade_sign(&f->made, seed, forge_run(&f->forged));
}

static void leave_unsigned(struct forge *f)
{
    handmade_close(&f->made, &f->forged);
    forge_run(&f->forged)->signature = (struct bytes){0};
}

static void sign_for_another_community(struct forge *f)
{
    struct handmade run;
    forge_start(f, &run, FORGE_AUTHOR);
    run.community[0] ^= 1;
    write_run(&run);
    handmade_close(&run, &f->forged);
    handmade_done(&run);
}

static void name_another_community(struct forge *f)
{
    static const uint8_t other[COMMUNITY_SIZE] = {7};
    handmade_close(&f->made, &f->forged);
    f->forged.community = BYTES(other);
}

// As the other device would push it.
static void replay_of_another_device(struct forge *f)
{
    struct handmade run;
    forge_start(f, &run, FORGE_OTHER);
    write_run(&run);
    handmade_close(&run, &f->forged);
    handmade_done(&run);
}

static void replay_named(struct forge *f)
{
    replay_of_another_device(f);
    forge_run(&f->forged)->device = BYTES(f->world.devices[FORGE_OTHER].handle);
}

static void replay_moved(struct forge *f)
{
    replay_of_another_device(f);
    forge_run(&f->forged)->first = f->made.first;
}

static void splice_to_a_head(struct forge *f, const uint8_t head[HASH_SIZE])
{
    struct handmade run;
    forge_start(f, &run, FORGE_AUTHOR);
    memcpy(run.head, head, HASH_SIZE);
    write_run(&run);
    handmade_close(&run, &f->forged);
    handmade_done(&run);
}

static void splice_to_another_chain(struct forge *f)
{
    struct handmade run;
    forge_start(f, &run, FORGE_OTHER);
    write_run(&run);
    splice_to_a_head(f, run.head);
    handmade_done(&run);
}

static void splice_to_an_older_head(struct forge *f)
{
    uint8_t head[HASH_SIZE];
    struct hub_caller caller = world_caller(&f->world, FORGE_AUTHOR);
    struct txn *txn = txn_begin_read(f->world.hub);
    world_must(!chain_head_at(txn, &caller.community, &caller.device, f->made.first - 2, head),
               "no head");
    txn_abort(&txn);
    splice_to_a_head(f, head);
}

static void cut_salt(struct handmade *run, size_t i)
{
    struct buf salts = {0};
    buf_put(&salts, bytes_of(run->salts.p, i * SALT_SIZE));
    buf_put(&salts, bytes_of(run->salts.p + (i + 1) * SALT_SIZE, (FORGE_RUN - 1 - i) * SALT_SIZE));
    buf_done(&run->salts);
    run->salts = salts;
}

static void leave_out(struct forge *f, size_t i)
{
    struct handmade run = forge_copy(f, &f->made);
    cut_salt(&run, i);
    memmove(&run.changes[i], &run.changes[i + 1], (FORGE_RUN - 1 - i) * sizeof *run.changes);
    run.n--;
    close_under(f, &run, &f->made);
}

static void leave_out_the_middle(struct forge *f)
{
    leave_out(f, 1);
}

static void leave_out_the_end(struct forge *f)
{
    leave_out(f, FORGE_RUN - 1);
}

struct run forge_next_run(struct handmade *run)
{
    struct sync_request one;
    run->first += (uint32_t)run->n;
    run->n = 0;
    buf_reset(&run->salts);
    write_run(run);
    handmade_close(run, &one);
    return *forge_run(&one);
}

static void leave_out_a_run(struct forge *f)
{
    static struct run runs[2];
    struct handmade run = forge_copy(f, &f->made);
    handmade_close(&run, &f->forged);
    runs[0] = *forge_run(&f->forged);
    (void)forge_next_run(&run);
    runs[1] = forge_next_run(&run);
    handmade_done(&run);
    f->forged.push = (struct list){runs, 2};
}

static void swap_two(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    struct change first = run.changes[0];
    run.changes[0] = run.changes[1];
    run.changes[1] = first;
    close_under(f, &run, &f->made);
}

static void say_other_words(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    run.changes[1].fields = handmade_text(&f->arena, FIELD_TITLE, bytes_of_text("a throne"));
    close_under(f, &run, &f->made);
}

static void say_it_as_another_kind(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    struct envelope envelope = {.kind = KIND_SOLUTION, .time = 1};
    run.changes[1].envelope = handmade_envelope(&f->arena, &envelope);
    close_under(f, &run, &f->made);
}

static void say_it_at_another_time(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    struct envelope envelope = {.kind = KIND_NEED, .time = 2};
    run.changes[1].envelope = handmade_envelope(&f->arena, &envelope);
    close_under(f, &run, &f->made);
}

static void alter_a_salt(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    run.salts.p[SALT_SIZE] ^= 1;
    close_under(f, &run, &f->made);
}

static void erase_other_words(struct forge *f)
{
    static const uint8_t hash[HASH_SIZE] = {9};
    struct handmade run = forge_copy(f, &f->made);
    cut_salt(&run, 1);
    run.changes[1].fields = (struct bytes){0};
    run.changes[1].body_hash = BYTES(hash);
    close_under(f, &run, &f->made);
}

static void keep_another_leaf(struct forge *f)
{
    static const uint8_t leaf[HASH_SIZE] = {9};
    struct handmade run = forge_copy(f, &f->made);
    cut_salt(&run, 1);
    run.changes[1] = (struct change){.leaf = BYTES(leaf)};
    close_under(f, &run, &f->made);
}

static void add_to_the_end(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    handmade_need(&run, "one more", NULL);
    close_under(f, &run, &f->made);
}

// The hub has the honest run, and its signature.
static void add_to_what_is_known(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->past);
    handmade_need(&run, "one more", NULL);
    close_under(f, &run, &f->past);
}

static void move_back(struct forge *f)
{
    handmade_close(&f->made, &f->forged);
    forge_run(&f->forged)->first--;
}

static void see_another_log(struct forge *f)
{
    static const uint8_t root[HASH_SIZE] = {1};
    static struct log_head head;
    head = (struct log_head){BYTES(f->world.devices[FORGE_OTHER].handle), 4, BYTES(root)};
    handmade_close(&f->made, &f->forged);
    forge_run(&f->forged)->seen = &head;
}

static void spoil_a_change(struct forge *f)
{
    struct handmade run = forge_copy(f, &f->made);
    run.changes[1].envelope = bytes_of("\x08", 1);
    close_under(f, &run, &f->made);
}

static void own_anothers_chain(struct forge *f)
{
    static struct chain_point own;
    own = (struct chain_point){.device = BYTES(f->world.devices[FORGE_OTHER].handle), .seq = 1};
    handmade_close(&f->made, &f->forged);
    f->forged.own = &own;
}

// --- the list ---

const struct forgery forgeries[FORGERIES] = {
    {"signed by another device", sign_by_another_key, ERR_MALFORMED, "does not fit",
     FORGE_NAMES_RUN},
    {"signed by nobody", sign_by_nobody, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"not signed", leave_unsigned, ERR_MALFORMED, "not signed", FORGE_NAMES_RUN},
    {"made for another community", sign_for_another_community, ERR_MALFORMED, "does not fit",
     FORGE_NAMES_RUN},
    {"sent to another community", name_another_community, ERR_FORBIDDEN, "another community",
     FORGE_NAMES_NOTHING},
    {"another device's", replay_named, ERR_FORBIDDEN, "of another device", FORGE_NAMES_OTHER},
    {"another device's, unnamed", replay_of_another_device, ERR_MALFORMED, "does not fit",
     FORGE_NAMES_RUN},
    {"another device's, moved", replay_moved, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"spliced to another chain", splice_to_another_chain, ERR_MALFORMED, "go on from",
     FORGE_NAMES_RUN},
    {"spliced to an older head", splice_to_an_older_head, ERR_MALFORMED, "go on from",
     FORGE_NAMES_RUN},
    {"without its middle", leave_out_the_middle, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"without its end", leave_out_the_end, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"without the run between", leave_out_a_run, ERR_MALFORMED, "do not follow",
     FORGE_NAMES_NEIGHBOURS},
    {"in another order", swap_two, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with other words", say_other_words, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"of another kind", say_it_as_another_kind, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"of another time", say_it_at_another_time, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with another salt", alter_a_salt, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with other words erased", erase_other_words, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with another leaf", keep_another_leaf, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"longer than was signed", add_to_the_end, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"longer than what is known", add_to_what_is_known, ERR_MALFORMED,
     "is that of its run up to seq", FORGE_NAMES_RUN},
    {"moved back", move_back, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with another log seen", see_another_log, ERR_MALFORMED, "does not fit", FORGE_NAMES_RUN},
    {"with a change that is none", spoil_a_change, ERR_MALFORMED, "Envelope", FORGE_NAMES_CHANGE},
    {"with another's end of chain", own_anothers_chain, ERR_FORBIDDEN, "own is another device's",
     FORGE_NAMES_NOTHING},
};
