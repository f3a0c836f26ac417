#include "tests/sync/trust.h"

#include <stdio.h>

#include "base/sign.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "sync/merge.h"
#include "tests/sync/network.h"

// Of the devices of each side.
enum { OTHER, SELF, DEVICES };
enum { SUBJECT_SIZE = 4 + ID_SIZE, RUN_ROOM = 100, SUBJECT_LATER = 99 };

static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;
static const char *const place_names[] = {"own", "other", "public"};
static const char *const author_names[] = {"other", "self"};

// --- which record a change is about ---

struct address {
    struct envelope envelope;
    uint8_t part[2][SUBJECT_SIZE];
    struct bytes parts[2];
    uint8_t id[ID_SIZE];
};

static void put_subject(const struct trust_side *side, uint8_t n, int place,
                        uint8_t part[SUBJECT_SIZE])
{
    memset(part, 0, SUBJECT_SIZE);
    be32_put(part, KIND_NEED);
    part[4] = (uint8_t)side->letter;
    part[5] = n;
    part[6] = (uint8_t)place;
}

static void person_of(const struct trust_side *side, enum trust_place place, uint8_t id[ID_SIZE])
{
    memset(id, 0, ID_SIZE);
    id[0] = (uint8_t)side->letter;
    if (place != PLACE_PUBLIC)
        digest_member(side->world.id, side->world.devices[place == PLACE_OWN ? SELF : OTHER].handle,
                      id);
}

// A record whose id comes from what it is about; n makes it another one.
static void name_it(const struct trust_side *side, enum trust_place place, uint8_t n,
                    struct address *a)
{
    person_of(side, place, a->id);
    if (a->envelope.kind == KIND_PERSON) {
        a->envelope.id = BYTES(a->id);
        return;
    }
    put_subject(side, n, (int)place, a->part[0]);
    put_subject(side, n, (int)place + TRUST_PLACES, a->part[1]);
    a->parts[0] = BYTES(a->part[0]);
    a->parts[1] = a->envelope.kind == KIND_VOICE ? BYTES(a->id) : BYTES(a->part[1]);
    a->envelope.parts = (struct list){a->parts, 2};
}

// The address of a row's record: `known` is its key where it was made before.
static void address(const struct trust_side *side, const struct trust_row *row,
                    enum trust_place place, const struct record_key *known, uint8_t n,
                    struct address *a)
{
    *a = (struct address){.envelope = {.kind = row->kind, .class = row->class, .time = 1}};
    if (row->is_named) {
        name_it(side, place, n, a);
    } else if (known) {
        memcpy(a->id, known->id, ID_SIZE);
        a->envelope.id = BYTES(a->id);
    }
}

// --- saying ---

struct bytes trust_needle(const struct trust *trust, const struct trust_side *side, size_t row,
                          enum trust_place place, enum trust_author author,
                          char text[TRUST_NEEDLE_MAX])
{
    if (trust->rows[row].kind == KIND_DECISION && place == PLACE_OTHER && author == BY_OTHER)
        return BYTES(side->world.identity_key);
    int n = snprintf(text, TRUST_NEEDLE_MAX, "<%c %s, %s, %s>", side->letter, trust->rows[row].name,
                     place_names[place], author_names[author]);
    world_must(n > 0 && n < TRUST_NEEDLE_MAX, "a needle is too long");
    return bytes_of_text(text);
}

static struct bytes words_of(struct arena *arena, bool is_public, struct bytes words)
{
    struct buf fields BUF_CLEANUP = {0};
    if (is_public)
        wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    wire_put_bytes(&fields, FIELD_WORDS, words);
    world_must(!fields.err, "no fields");
    return arena_copy(arena, buf_bytes(&fields));
}

static void run_begin(struct trust *trust, const struct trust_side *in, size_t device,
                      const uint8_t community[COMMUNITY_SIZE], struct handmade *run)
{
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_read(in->world.hub);
    world_must(!device_get(txn, in->world.community, in->world.devices[device].handle, &own),
               "no device");
    *run = (struct handmade){.world = (struct world *)&in->world,
                             .device = device,
                             .arena = &trust->arena,
                             .max = RUN_ROOM,
                             .first = own.seq + 1};
    memcpy(run->head, own.head, HASH_SIZE);
    memcpy(run->community, community, COMMUNITY_SIZE);
    run->changes = arena_alloc(&trust->arena, RUN_ROOM, sizeof *run->changes);
    world_must(run->changes != NULL, "no room for a run");
}

static struct record_key say(struct handmade *run, const struct envelope *envelope,
                             struct bytes fields)
{
    struct record_key record;
    uint32_t seq = run->first + (uint32_t)run->n;
    uint32_t tag = handmade_add(run, handmade_envelope(run->arena, envelope), fields);
    merge_record(envelope, run->world->devices[run->device].handle, seq, tag, &record);
    return record;
}

static bool is_hubs(const struct trust_row *row, enum trust_place place)
{
    return row->kind == KIND_DECISION && place == PLACE_OTHER;
}

// One change of a record, which the first one makes.
static void say_one(struct trust *trust, struct trust_side *side, struct handmade *run, size_t i,
                    enum trust_place place, enum trust_author author)
{
    struct address a;
    char text[TRUST_NEEDLE_MAX];
    const struct trust_row *row = &trust->rows[i];
    struct trust_record *record = &side->records[i][place];
    bool is_first = record->seq[!author] == 0;
    struct bytes words = trust_needle(trust, side, i, place, author, text);
    if (author == BY_OTHER && is_hubs(row, place))
        return;
    record->seq[author] = run->first + (uint32_t)run->n;
    address(side, row, place, is_first ? NULL : &record->key, 0, &a);
    struct record_key key =
        say(run, &a.envelope, words_of(&trust->arena, is_first && place == PLACE_PUBLIC, words));
    if (is_first)
        record->key = key;
}

static void push(struct trust *trust, struct trust_side *side, struct handmade *run)
{
    struct sync_request request;
    struct list receipts;
    struct fault fault = {0};
    uint32_t last = run->first + (uint32_t)run->n - 1;
    handmade_close(run, &request);
    handmade_done(run);
    world_must(!network_push(&side->world, run->device, &request, &trust->arena, &receipts, &fault),
               fault.text);
    world_must(receipts.n == 1 && LIST_AT(struct receipt, receipts, 0)->seq == last, "not taken");
}

static void say_all(struct trust *trust, struct trust_side *side, enum trust_author author,
                    unsigned places)
{
    struct handmade run;
    run_begin(trust, side, author == BY_SELF ? SELF : OTHER, side->world.id, &run);
    for (size_t i = 0; i < TRUST_ROWS; i++) {
        for (int place = 0; place < TRUST_PLACES; place++) {
            if (places >> place & 1)
                say_one(trust, side, &run, i, (enum trust_place)place, author);
        }
    }
    push(trust, side, &run);
}

// The hub's first change, its Incarnation, is what stands for decisions.
static void find_decision(struct trust *trust, struct trust_side *side)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(side->world.hub);
    for (size_t i = 0; i < TRUST_ROWS; i++) {
        struct trust_record *record = &side->records[i][PLACE_OTHER];
        if (trust->rows[i].kind != KIND_DECISION)
            continue;
        world_must(!live_next_record(txn, side->world.community, KIND_DECISION, NULL, &record->key),
                   "no decision");
        record->seq[BY_OTHER] = 1;
    }
}

// --- roles and states ---

struct granting {
    const uint8_t *handle;
    enum role role;
};

static enum err grant(struct hub_decider *decider, void *arg)
{
    const struct granting *granting = arg;
    return granting->role == ROLE_NONE ? hub_revoke(decider, NULL, granting->handle)
                                       : hub_grant(decider, NULL, granting->handle, granting->role);
}

static void decide(struct trust_side *side, enum role role)
{
    struct granting granting = {side->world.devices[SELF].handle, role};
    world_decide(&side->world, grant, &granting);
}

// A hub gives none to itself: this is one stolen from its store.
static void take_hubs_token(struct trust *trust)
{
    struct community community;
    uint8_t hash[HASH_SIZE];
    struct world *world = &trust->ours.world;
    dice_bytes(&world->dice, trust->token, TOKEN_SIZE);
    digest_token(trust->token, hash);
    struct txn *txn TXN_CLEANUP = txn_begin_write(world->hub);
    world_must(!community_get_number(txn, world->community, &community), "no community");
    token_put(txn, hash, community.number, community.log, world->now);
    world_must(!txn_commit(&txn), "a token was not kept");
}

static void log_in(struct trust *trust)
{
    struct world *world = &trust->ours.world;
    const struct world_device *self = &world->devices[SELF];
    uint8_t key[KEY_SIZE];
    uint8_t challenge[16];
    uint8_t signature[SIGN_SIZE];
    uint8_t random[32] = {0};
    int64_t expires = world->now + 1000;
    struct buf message BUF_CLEANUP = {0};
    struct admission admission;
    struct fault fault = {0};
    world_must(!sign_public_key(self->seed, key), "no key");
    hub_challenge(world->challenge_secret, expires, challenge);
    struct enrol_transcript transcript = {PURPOSE_LOGIN, world->identity_key, world->id, key,
                                          NULL,          BYTES(challenge),    expires};
    digest_enrol_transcript(&transcript, &message);
    world_must(!sign_make(self->seed, buf_bytes(&message), signature), "unsigned");
    struct login_request request = {BYTES(world->id), BYTES(key), BYTES(challenge), expires,
                                    BYTES(signature)};
    dice_bytes(&world->dice, trust->token, TOKEN_SIZE);
    struct hub_admitting admitting = {world->identity_key, world->challenge_secret, world->now,
                                      trust->token, random};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world->hub);
    world_must(!hub_login(txn, &admitting, &request, &trust->arena, &admission, &fault),
               fault.text);
    world_must(!txn_commit(&txn), "a token was not kept");
}

void trust_come_to(struct trust *trust, enum role role, enum trust_state state)
{
    trust->role = role;
    trust->state = state;
    bool is_revoked = role != ROLE_HUB && (state == STATE_VOIDED || state == STATE_REVOKED);
    memcpy(trust->token, trust->ours.world.devices[SELF].token, TOKEN_SIZE);
    if (role == ROLE_HUB)
        take_hubs_token(trust);
    else
        decide(&trust->ours, role);
    if (is_revoked)
        decide(&trust->ours, ROLE_NONE);
    if (is_revoked && state == STATE_REVOKED)
        log_in(trust);
    if (state == STATE_UNKNOWN)
        dice_bytes(&trust->ours.world.dice, trust->token, TOKEN_SIZE);
    trust->now = trust->ours.world.now + (state == STATE_EXPIRED ? 3 * day_ms : 0);
}

// --- all of it ---

static void begin_side(struct trust *trust, struct trust_side *side, char letter)
{
    side->letter = letter;
    decide(side, ROLE_COORDINATOR);
    find_decision(trust, side);
    say_all(trust, side, BY_SELF, 1u << PLACE_OWN);
    say_all(trust, side, BY_OTHER, 1u << PLACE_OWN | 1u << PLACE_OTHER | 1u << PLACE_PUBLIC);
    say_all(trust, side, BY_SELF, 1u << PLACE_OTHER | 1u << PLACE_PUBLIC);
}

void trust_begin(struct trust *trust, const struct trust_row *rows, enum role role,
                 enum trust_state state)
{
    *trust = (struct trust){.rows = rows};
    arena_init(&trust->arena, WORLD_ARENA_MAX);
    world_open(&trust->ours.world, DEVICES);
    world_begin(&trust->ours.world, 20);
    trust->theirs.world = trust->ours.world;
    world_begin(&trust->ours.world, 21);
    begin_side(trust, &trust->theirs, 'B');
    begin_side(trust, &trust->ours, 'A');
    trust->policy.token_ms = day_ms;
    hub_observer_secret(trust->ours.world.identity_seed, trust->policy.observer_secret);
    trust_come_to(trust, role, state);
}

void trust_end(struct trust *trust)
{
    arena_done(&trust->arena);
    world_close(&trust->ours.world);
}

// --- a run of the caller's ---

void trust_run(struct trust *trust, const struct trust_side *side, struct handmade *run)
{
    run_begin(trust, &trust->ours, SELF, side->world.id, run);
}

struct trust_change trust_say(struct trust *trust, struct handmade *run, size_t i,
                              enum trust_write write)
{
    struct address a;
    const struct trust_row *row = &trust->rows[i];
    enum trust_place place = write == WRITE_FOREIGN ? PLACE_OTHER : PLACE_OWN;
    const struct record_key *known = write == WRITE_NEW ? NULL : &trust->ours.records[i][place].key;
    struct trust_change change = {.class = row->class, .seq = run->first + (uint32_t)run->n};
    address(&trust->ours, row, place, known, write == WRITE_NEW ? SUBJECT_LATER : 0, &a);
    change.record =
        say(run, &a.envelope, words_of(&trust->arena, false, bytes_of_text("said later")));
    return change;
}

bool trust_counts(struct trust *trust, const struct trust_change *change)
{
    const struct world *world = &trust->ours.world;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world->hub);
    return live_any_of_change(txn, world->community, &change->record, change->class,
                              world->devices[SELF].handle, change->seq);
}

struct trust_sizes trust_sizes(struct trust *trust)
{
    struct device self;
    const struct world *world = &trust->ours.world;
    struct txn *txn = txn_begin_read(world->hub);
    world_must(!device_get(txn, world->community, world->devices[SELF].handle, &self), "no device");
    txn_abort(&txn);
    return (struct trust_sizes){self.seq, world_log_size(&trust->ours.world),
                                world_log_size(&trust->theirs.world)};
}
