// A hub that deceives: 10,000 mutations of its files and of its answers, with every check, hash and
// signature that the hub itself can make made anew. Whatever concerns the device's own changes or a
// head that it has seen is noticed at its next sync.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/schema.h"
#include "sync/digest.h"
#include "sync/tree.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

enum { VICTIM = 1, OTHER = 2, DEVICES = 3, OWN_LEAST = 4 };
enum { FILE_ROUNDS = 2500, ANSWER_ROUNDS = 7500 };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 11);
    world.may_alarm = true;
    for (int i = 0; i < OWN_LEAST; i++) {
        said_need(&world, VICTIM, "mine", NULL);
        said_need(&world, OTHER, "theirs", NULL);
        network_settle(&world);
    }
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(malicious, .init = set_up, .fini = tear_down);

static uint32_t below(size_t n)
{
    return (uint32_t)dice_below(&world.dice, n);
}

// --- the hub's files ---

struct hub_state {
    struct txn *txn;
    struct community community;
};

// Puts an entry's row without touching what points to it.
static void put_entry(struct hub_state *hub, uint64_t position, struct log_entry *entry)
{
    struct log_body body;
    struct buf envelope BUF_CLEANUP = {0};
    bool whole = entry->form == LOG_WHOLE;
    buf_put(&envelope, entry->envelope);
    entry->envelope = buf_bytes(&envelope);
    if (whole && log_get_body(hub->txn, hub->community.number, position, &body)) {
        memset(&body, 0, sizeof body);
        body.fields = bytes_of_text("x");
    }
    log_put(hub->txn, hub->community.number, position, entry, whole ? &body : NULL);
}

// The tree of what now stands in the log.
static void plant_again(struct hub_state *hub)
{
    for (uint64_t position = 1; position <= hub->community.size; position++)
        tree_append(hub->txn, hub->community.number, position);
}

static uint64_t own_position(struct hub_state *hub, uint32_t seq)
{
    uint64_t position;
    cr_assert_eq(
        log_find(hub->txn, hub->community.number, world.devices[VICTIM].handle, seq, &position),
        OK);
    return position;
}

static void alter_leaf(struct hub_state *hub)
{
    struct log_entry entry;
    uint64_t position = 1 + below(hub->community.size);
    cr_assert_eq(log_get(hub->txn, hub->community.number, position, &entry), OK);
    entry.leaf[below(HASH_SIZE)] ^= (uint8_t)(1u << below(8));
    put_entry(hub, position, &entry);
}

static void alter_own(struct hub_state *hub)
{
    struct log_entry entry;
    uint64_t position = own_position(hub, 1 + below(OWN_LEAST));
    cr_assert_eq(log_get(hub->txn, hub->community.number, position, &entry), OK);
    entry.leaf[below(HASH_SIZE)] ^= (uint8_t)(1u << below(8));
    put_entry(hub, position, &entry);
}

static void swap_two(struct hub_state *hub)
{
    struct log_entry a;
    struct log_entry b;
    uint64_t first = 1 + below(hub->community.size - 1);
    uint64_t second = first + 1 + below(hub->community.size - first);
    cr_assert_eq(log_get(hub->txn, hub->community.number, first, &a), OK);
    struct buf envelope BUF_CLEANUP = {0};
    buf_put(&envelope, a.envelope);
    a.envelope = buf_bytes(&envelope);
    cr_assert_eq(log_get(hub->txn, hub->community.number, second, &b), OK);
    struct log_entry copy = b;
    put_entry(hub, first, &copy);
    put_entry(hub, second, &a);
}

// One entry is left out, those behind it move up.
static void drop_one(struct hub_state *hub)
{
    uint64_t gone = 1 + below(hub->community.size - 1);
    for (uint64_t position = gone; position < hub->community.size; position++) {
        struct log_entry entry;
        cr_assert_eq(log_get(hub->txn, hub->community.number, position + 1, &entry), OK);
        put_entry(hub, position, &entry);
    }
    hub->community.size--;
}

static void roll_back(struct hub_state *hub)
{
    hub->community.size -= 1 + below(hub->community.size / 2);
}

static void put_in_one(struct hub_state *hub)
{
    uint64_t at = 1 + below(hub->community.size);
    hub->community.size++;
    for (uint64_t position = hub->community.size; position > at; position--) {
        struct log_entry entry;
        cr_assert_eq(log_get(hub->txn, hub->community.number, position - 1, &entry), OK);
        put_entry(hub, position, &entry);
    }
    struct log_entry made = {.form = LOG_BARE, .seq = 999};
    dice_bytes(&world.dice, made.leaf, sizeof made.leaf);
    put_entry(hub, at, &made);
}

struct file_mutation {
    const char *name;
    void (*mutate)(struct hub_state *hub);
};

static const struct file_mutation file_mutations[] = {
    {"alters an entry", alter_leaf}, {"alters a change of the device's own", alter_own},
    {"swaps two entries", swap_two}, {"drops an entry", drop_one},
    {"goes back", roll_back},        {"puts an entry in", put_in_one},
};

enum { FILE_MUTATIONS = sizeof file_mutations / sizeof *file_mutations };

// What the hub answers to a request, in a transaction that is given up in the end.
static enum err answer_in(struct hub_state *hub, struct bytes asked, struct arena *arena,
                          struct sync_response *response)
{
    struct sync_request request = {0};
    struct hub_push_plan *plan = NULL;
    struct hub_caller caller;
    struct list receipts = {NULL, 0};
    struct hub_effects effects;
    struct fault fault = {0};
    static const uint8_t random[32];
    enum err err = message_decode(&sync_request_message, asked, arena, &request, &fault);
    if (!err)
        err = hub_authenticate(hub->txn, world.devices[VICTIM].token, CALL_SYNC,
                               &(struct hub_policy){0}, world.now, &caller, &fault);
    if (!err)
        err = hub_check_push(hub->txn, &caller, &request, arena, &plan, &fault);
    if (!err && plan)
        err = hub_push(hub->txn, &caller, world.now, random, plan, arena, &receipts, &effects,
                       &fault);
    return err ? err
               : hub_pull(hub->txn, &caller, world.now, &request, receipts, arena, NULL, response,
                          &fault);
}

// What the device makes of it, given up as well. Noticed: an alarm, a fork, a gap that cannot be,
// or an answer that is not understood.
static bool is_noticed(const struct sync_response *response, const struct proof_asked *asked,
                       struct arena *arena)
{
    struct community community;
    struct device own;
    struct exchange_report report = {0};
    struct proof_report proof = {.alarm = ALARM_NONE};
    struct fault fault = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[VICTIM].store);
    world_self(txn, &world.devices[VICTIM], &community, &own);
    enum err err = OK;
    for (size_t i = 0; i < response->receipts.n && !err; i++)
        err = exchange_take_receipt(txn, &community, &own,
                                    LIST_AT(struct receipt, response->receipts, i), &report);
    if (!err)
        err = exchange_take_top(txn, &community, &own, response, &report);
    for (size_t i = 0; i < response->pieces.n && !err; i++)
        err = exchange_take_piece(txn, &community, &own, LIST_AT(struct piece, response->pieces, i),
                                  arena, &report, &fault);
    if (!err)
        err = proof_check_answer(txn, &community, &own, asked, response, report.receipt, world.now,
                                 &proof);
    return err || proof.alarm || report.forked || report.gap;
}

// As if it could not be sent, so that the next round asks the same.
static void ask(struct buf *asked, struct proof_asked *seen)
{
    struct exchange_options options = {1 << 16, 1 << 16};
    struct community community;
    struct device own;
    network_ask(&world, VICTIM, &options, asked);
    *seen = world.devices[VICTIM].asked;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[VICTIM].store);
    world_self(txn, &world.devices[VICTIM], &community, &own);
    exchange_note_sent(txn, &community, false);
    cr_assert_eq(txn_commit(&txn), OK);
}

static bool file_round(const struct file_mutation *mutation)
{
    struct buf asked BUF_CLEANUP = {0};
    struct proof_asked seen;
    struct sync_response response;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 8 << 20);
    ask(&asked, &seen);
    struct hub_state hub = {.txn = txn_begin_write(world.hub)};
    cr_assert_eq(community_get_number(hub.txn, world.community, &hub.community), OK);
    if (mutation) {
        mutation->mutate(&hub);
        community_put(hub.txn, &hub.community);
        plant_again(&hub);
    }
    enum err err = answer_in(&hub, buf_bytes(&asked), &arena, &response);
    bool noticed = err || is_noticed(&response, &seen, &arena);
    txn_abort(&hub.txn);
    return noticed;
}

Test(malicious, hub_that_changes_its_files_is_noticed_every_time)
{
    size_t noticed[FILE_MUTATIONS] = {0};
    size_t rounds[FILE_MUTATIONS] = {0};
    // Something to push, so that the hub has to show a head.
    said_need(&world, VICTIM, "one more", NULL);
    cr_assert_not(file_round(NULL), "an honest hub is not");
    for (size_t i = 0; i < FILE_ROUNDS; i++) {
        size_t which = i % FILE_MUTATIONS;
        rounds[which]++;
        bool good = file_round(&file_mutations[which]);
        noticed[which] += good;
        cr_expect(good, "round %zu: a hub that %s was not noticed", i, file_mutations[which].name);
    }
    for (size_t i = 0; i < FILE_MUTATIONS; i++)
        printf("%5zu of %5zu noticed: a hub that %s\n", noticed[i], rounds[i],
               file_mutations[i].name);
    cr_assert_not(file_round(NULL), "and an honest hub still is not");
}

// --- the hub's answers ---

struct lie {
    struct sync_response *response;
    struct arena *arena;
    const struct hub_state *hub;
};

static uint8_t *own_copy(const struct lie *lie, struct bytes *bytes)
{
    *bytes = arena_copy(lie->arena, *bytes);
    return (uint8_t *)bytes->p;
}

static void flip(const struct lie *lie, struct bytes *bytes)
{
    uint8_t *p = own_copy(lie, bytes);
    p[below(bytes->n)] ^= (uint8_t)(1u << below(8));
}

// With the hub's own key: whatever it says now bears its signature.
static void sign_again(const struct lie *lie)
{
    struct secret secret;
    uint8_t signature[SIGN_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    const struct log_head *head = lie->response->head;
    cr_assert_eq(secret_get(lie->hub->txn, world.community, &secret), OK);
    digest_head_transcript(world.id, lie->hub->community.log, head->size, head->root.p,
                           &transcript);
    cr_assert_eq(sign_make(secret.seed, buf_bytes(&transcript), signature), OK);
    lie->response->head_signature = arena_copy(lie->arena, BYTES(signature));
}

static void lie_signature(const struct lie *lie)
{
    flip(lie, &lie->response->head_signature);
}

static void lie_unsigned(const struct lie *lie)
{
    lie->response->head_signature = (struct bytes){0};
}

static void lie_root(const struct lie *lie)
{
    flip(lie, &lie->response->head->root);
    sign_again(lie);
}

static void lie_size(const struct lie *lie)
{
    uint64_t *size = &lie->response->head->size;
    *size = below(2) ? *size + 1 + below(100) : *size - 1 - below(*size - 1);
    sign_again(lie);
}

static void lie_log(const struct lie *lie)
{
    uint8_t log[HANDLE_SIZE];
    dice_bytes(&world.dice, log, sizeof log);
    lie->response->head->log = arena_copy(lie->arena, BYTES(log));
}

static void lie_node(const struct lie *lie)
{
    struct list *nodes = &lie->response->growth->nodes;
    flip(lie, LIST_AT(struct bytes, *nodes, below(nodes->n)));
}

static void lie_node_less(const struct lie *lie)
{
    lie->response->growth->nodes.n--;
}

static void lie_node_more(const struct lie *lie)
{
    struct list *nodes = &lie->response->growth->nodes;
    struct bytes *more = arena_alloc(lie->arena, nodes->n + 1, sizeof *more);
    memcpy(more, nodes->p, nodes->n * sizeof *more);
    more[nodes->n] = more[0];
    *nodes = (struct list){more, nodes->n + 1};
}

static void lie_no_growth(const struct lie *lie)
{
    lie->response->growth = NULL;
}

static void lie_no_head(const struct lie *lie)
{
    lie->response->head = NULL;
    lie->response->head_signature = (struct bytes){0};
    lie->response->growth = NULL;
}

static struct own_entries *some_own(const struct lie *lie)
{
    struct list *own = &lie->response->growth->own;
    struct own_entries *copy = arena_alloc(lie->arena, own->n, sizeof *copy);
    memcpy(copy, own->p, own->n * sizeof *copy);
    own->p = copy;
    return &copy[below(own->n)];
}

static void lie_own_position(const struct lie *lie)
{
    some_own(lie)->position += below(2) ? 1 : (uint64_t)-1;
}

static void lie_own_seq(const struct lie *lie)
{
    some_own(lie)->seq += below(2) ? 1 : (uint32_t)-1;
}

static void lie_own_count(const struct lie *lie)
{
    struct own_entries *own = some_own(lie);
    own->count = below(2) ? own->count + 1 + below(1000) : own->count - 1;
}

static void lie_own_left_out(const struct lie *lie)
{
    lie->response->growth->own.n = 0;
}

// What is said to be the device's is a stranger's: a word that was changed on its way.
static void lie_own_as_others(const struct lie *lie)
{
    uint8_t node[HASH_SIZE];
    dice_bytes(&world.dice, node, sizeof node);
    lie_node_more(lie);
    struct list *nodes = &lie->response->growth->nodes;
    *LIST_AT(struct bytes, *nodes, nodes->n - 1) = arena_copy(lie->arena, BYTES(node));
    lie->response->growth->own.n = 0;
}

static void lie_receipt_beyond(const struct lie *lie)
{
    LIST_AT(struct receipt, lie->response->receipts, 0)->seq += 1 + below(5);
}

static void lie_receipt_head(const struct lie *lie)
{
    flip(lie, &LIST_AT(struct receipt, lie->response->receipts, 0)->head);
}

static void lie_piece_root(const struct lie *lie)
{
    struct list *pieces = &lie->response->pieces;
    flip(lie, &LIST_AT(struct piece, *pieces, pieces->n - 1)->root);
}

static const struct {
    const char *name;
    void (*tell)(const struct lie *lie);
} lies[] = {
    {"signs wrongly", lie_signature},
    {"does not sign", lie_unsigned},
    {"signs another root", lie_root},
    {"signs another size", lie_size},
    {"names another log", lie_log},
    {"alters a node", lie_node},
    {"leaves a node out", lie_node_less},
    {"adds a node", lie_node_more},
    {"shows no growth", lie_no_growth},
    {"shows no head", lie_no_head},
    {"moves the device's changes", lie_own_position},
    {"numbers them otherwise", lie_own_seq},
    {"counts them otherwise", lie_own_count},
    {"leaves them out", lie_own_left_out},
    {"puts something else in their place", lie_own_as_others},
    {"gives a receipt for what was not written", lie_receipt_beyond},
    {"gives a receipt for another chain", lie_receipt_head},
    {"says otherwise in the pieces", lie_piece_root},
};

enum { LIES = sizeof lies / sizeof *lies };

static bool answer_round(size_t which)
{
    struct buf asked BUF_CLEANUP = {0};
    struct proof_asked seen;
    struct sync_response response;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 8 << 20);
    ask(&asked, &seen);
    struct hub_state hub = {.txn = txn_begin_write(world.hub)};
    cr_assert_eq(community_get_number(hub.txn, world.community, &hub.community), OK);
    cr_assert_eq(answer_in(&hub, buf_bytes(&asked), &arena, &response), OK);
    cr_assert(response.head && response.growth);
    cr_assert_gt(response.growth->own.n, 0);
    cr_assert_gt(response.growth->nodes.n, 0);
    cr_assert_gt(response.receipts.n, 0);
    cr_assert_gt(response.pieces.n, 0);
    struct lie lie = {&response, &arena, &hub};
    if (which < LIES)
        lies[which].tell(&lie);
    bool noticed = is_noticed(&response, &seen, &arena);
    txn_abort(&hub.txn);
    return noticed;
}

Test(malicious, hub_that_lies_in_an_answer_is_noticed_every_time)
{
    size_t rounds[LIES] = {0};
    size_t noticed[LIES] = {0};
    // Something of the device's own, and something of another's that it has not heard of.
    said_need(&world, OTHER, "news", NULL);
    network_sync(&world, OTHER);
    said_need(&world, VICTIM, "one more", NULL);
    said_need(&world, VICTIM, "and another", NULL);
    cr_assert_not(answer_round(LIES), "an honest hub is not");
    for (size_t i = 0; i < ANSWER_ROUNDS; i++) {
        size_t which = i % LIES;
        bool good = answer_round(which);
        rounds[which]++;
        noticed[which] += good;
        cr_expect(good, "round %zu: a hub that %s was not noticed", i, lies[which].name);
    }
    for (size_t i = 0; i < LIES; i++)
        printf("%5zu of %5zu noticed: a hub that %s\n", noticed[i], rounds[i], lies[i].name);
    cr_assert_not(answer_round(LIES), "and an honest hub still is not");
}
