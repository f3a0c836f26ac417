// What a known kind refuses: it keeps its place in the chain and has no effect, and the rest of its
// run counts.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/merge.h"
#include "tests/leaks.h"
#include "tests/sync/crowd.h"
#include "tests/sync/network.h"

static struct world world;
static struct arena arena;
static struct handmade made;
static struct sync_request request;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 1);
    arena_init(&arena, 512 << 20);
    handmade_init(&made, &world, 1, 1000, &arena);
}

static void tear_down(void)
{
    handmade_done(&made);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(apart, .init = set_up, .fini = tear_down);

// Pushes as device 1; the receipt, if there is one.
static enum err push(struct receipt *receipt)
{
    struct list receipts;
    enum err err = network_push(&world, 1, &request, &arena, &receipts, &fault);
    *receipt = receipts.n ? *LIST_AT(struct receipt, receipts, 0) : (struct receipt){0};
    return err;
}

struct apart_row {
    const char *what;
    uint32_t kind;
    uint32_t class;
    const char *part;
    const char *title;
    enum reason reason;
};

static const struct apart_row apart_rows[] = {
    {"text that is no UTF-8", KIND_NEED, CLASS_ORDINARY, NULL, "\xc3\x28", REASON_MALFORMED_FIELD},
    {"a need with parts", KIND_NEED, CLASS_ORDINARY, "part", "x", REASON_WRONG_ID},
    {"a voice without its parts", KIND_VOICE, CLASS_ORDINARY, NULL, "x", REASON_WRONG_ID},
    {"sameness of one part", KIND_SAME_AS, CLASS_ORDINARY, "part", "x", REASON_WRONG_ID},
    {"a personal need", KIND_NEED, CLASS_PERSONAL, NULL, "x", REASON_WRONG_CLASS},
    {"an ordinary contact", KIND_CONTACT, CLASS_ORDINARY, NULL, "x", REASON_WRONG_CLASS},
    {"a volunteer's decision", KIND_DECISION, CLASS_ORDINARY, NULL, "x", REASON_NOT_PERMITTED},
};

// Whether device 1's change of this seq is live in the store.
static bool is_live(struct store *store, uint32_t community, const struct apart_row *row,
                    uint32_t seq, uint32_t tag)
{
    struct bytes part = row->part ? bytes_of_text(row->part) : (struct bytes){0};
    struct envelope envelope = {.kind = row->kind, .parts = {&part, row->part != NULL}};
    struct record_key record;
    merge_record(&envelope, world.devices[1].handle, seq, tag, &record);
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    return live_any_of_change(txn, community, &record, row->class, world.devices[1].handle, seq);
}

static uint32_t add_row(struct handmade *run, const struct apart_row *row, const struct dot *over)
{
    struct dot dot = *over;
    struct bytes part = row->part ? bytes_of_text(row->part) : (struct bytes){0};
    struct envelope envelope = {.kind = row->kind,
                                .class = row->class,
                                .parts = {&part, row->part != NULL},
                                .over = {&dot, 1}};
    return handmade_add(run, handmade_envelope(&arena, &envelope),
                        handmade_text(&arena, FIELD_TITLE, bytes_of_text(row->title)));
}

static void expect_apart(const struct apart_row *row, uint32_t seq, uint32_t tag, uint32_t sound,
                         uint32_t sound_tag)
{
    static const struct apart_row need = {.kind = KIND_NEED};
    cr_expect(is_live(world.hub, world.community, &need, sound, sound_tag), "%s", row->what);
    cr_expect(!is_live(world.hub, world.community, row, seq, tag), "%s", row->what);
    for (size_t i = 0; i < 2; i++) {
        struct world_device *device = &world.devices[i];
        struct txn *txn TXN_CLEANUP = txn_begin_read(device->store);
        cr_expect_eq(apart_get(txn, device->community, world.devices[1].handle, seq, tag),
                     row->reason, "%s", row->what);
    }
    struct world_device *other = &world.devices[0];
    cr_expect(is_live(other->store, other->community, &need, sound, sound_tag), "%s", row->what);
    cr_expect(!is_live(other->store, other->community, row, seq, tag), "%s", row->what);
}

Test(apart, sets_apart_what_a_known_kind_refuses_and_takes_the_rest)
{
    for (size_t i = 0; i < sizeof apart_rows / sizeof *apart_rows; i++) {
        const struct apart_row *row = &apart_rows[i];
        struct handmade run;
        struct receipt receipt;
        handmade_init(&run, &world, 1, 4, &arena);
        uint32_t seq = run.first;
        uint32_t tag = handmade_need(&run, "a bench", NULL);
        struct dot over = {.seq = seq, .tag = tag};
        uint32_t bad_tag = add_row(&run, row, &over);
        handmade_need(&run, "a roof", NULL);
        handmade_close(&run, &request);
        handmade_done(&run);
        cr_assert_eq(push(&receipt), OK, "%s: %s", row->what, fault.text);
        cr_assert_eq(receipt.seq, seq + 2);
        cr_assert_eq(receipt.set_apart.n, 1, "%s", row->what);
        struct set_apart *named = LIST_AT(struct set_apart, receipt.set_apart, 0);
        cr_expect_eq(named->seq, seq + 1, "%s", row->what);
        cr_expect_eq(named->reason, row->reason, "%s", row->what);
        while (network_sync(&world, 0).more || network_sync(&world, 1).more) {
        }
        expect_apart(row, seq + 1, bad_tag, seq, tag);
    }
}

Test(apart, gives_back_what_a_change_that_is_set_apart_had_gone_over)
{
    struct receipt receipt;
    static const struct apart_row need = {.kind = KIND_NEED};
    uint8_t id[ID_SIZE];
    uint32_t tag = handmade_need(&made, "a bench", NULL);
    memcpy(id, world.devices[1].handle, 8);
    be32_put(id + 8, 1);
    be32_put(id + 12, tag);
    struct dot dot = {.seq = 1, .tag = tag};
    struct envelope envelope = {.kind = KIND_NEED, .id = BYTES(id), .over = {&dot, 1}};
    handmade_add(&made, handmade_envelope(&arena, &envelope),
                 handmade_text(&arena, FIELD_TITLE, bytes_of_text("\xff")));
    handmade_close(&made, &request);
    cr_assert_eq(push(&receipt), OK, "%s", fault.text);
    cr_expect_eq(receipt.set_apart.n, 1);
    cr_expect(is_live(world.hub, world.community, &need, 1, tag));
}

Test(apart, refuses_many_changes_in_decisions_that_fit_the_limits)
{
    struct receipt receipt;
    struct envelope envelope = {.kind = KIND_NEED};
    struct bytes bytes = handmade_envelope(&arena, &envelope);
    uint32_t tags[601];
    for (size_t i = 1; i <= 600; i++)
        tags[i] =
            handmade_add(&made, bytes, handmade_text(&arena, FIELD_TITLE, bytes_of_text("\xff")));
    handmade_close(&made, &request);
    cr_assert_eq(push(&receipt), OK, "%s", fault.text);
    cr_expect_eq(receipt.set_apart.n, 600);
    struct txn *txn = txn_begin_read(world.hub);
    cr_expect_eq(apart_get(txn, world.community, world.devices[1].handle, 1, tags[1]),
                 REASON_MALFORMED_FIELD);
    cr_expect_eq(apart_get(txn, world.community, world.devices[1].handle, 600, tags[600]),
                 REASON_MALFORMED_FIELD);
    txn_abort(&txn);
    network_settle(&world);
    struct world_device *other = &world.devices[0];
    txn = txn_begin_read(other->store);
    cr_expect_eq(apart_get(txn, other->community, world.devices[1].handle, 600, tags[600]),
                 REASON_MALFORMED_FIELD);
    txn_abort(&txn);
    expect_no_leaks();
}

// Whether anything that device 1's change put is live in the hub and on device 0.
static bool lives_everywhere(const struct world_change *change)
{
    struct world_device *other = &world.devices[0];
    const uint8_t *author = world.devices[1].handle;
    network_settle(&world);
    struct txn *hub TXN_CLEANUP = txn_begin_read(world.hub);
    struct txn *txn TXN_CLEANUP = txn_begin_read(other->store);
    bool here = live_any_of_change(hub, world.community, &change->record, CLASS_ORDINARY, author,
                                   change->seq);
    bool there = live_any_of_change(txn, other->community, &change->record, CLASS_ORDINARY, author,
                                    change->seq);
    cr_expect_eq(here, there, "hub and device do not agree");
    return here;
}

// Of a forked device two changes bear one seq. A refusal means the one whose tag it names.
Test(apart, is_the_change_whose_tag_the_decision_names_and_no_other)
{
    struct crowd crowd;
    crowd_init(&crowd, &world, 1, &arena);
    struct world_change bench = crowd_need(&crowd, "a bench");
    struct envelope envelope = {.kind = KIND_NEED, .id = BYTES(bench.record.id), .time = 2};
    struct world_change edit =
        crowd_add(&crowd, &envelope, handmade_text(&arena, FIELD_WORDS, bytes_of_text("so")));
    crowd_push(&crowd);
    struct world_change another = edit;
    another.tag ^= 1;
    crowd_refuse(&crowd, &another);
    cr_expect(lives_everywhere(&edit));
    struct txn *txn = txn_begin_read(world.hub);
    cr_expect_eq(apart_get(txn, world.community, world.devices[1].handle, edit.seq, another.tag),
                 REASON_NOT_PERMITTED);
    txn_abort(&txn);
    crowd_refuse(&crowd, &edit);
    cr_expect(!lives_everywhere(&edit));
    cr_expect(lives_everywhere(&bench));
    crowd_done(&crowd);
}

Test(apart, is_a_change_that_arrives_after_the_decision_about_it)
{
    struct crowd crowd;
    crowd_init(&crowd, &world, 1, &arena);
    struct world_change bench = crowd_need(&crowd, "a bench");
    struct world_change roof = crowd_need(&crowd, "a roof");
    crowd_refuse(&crowd, &bench);
    crowd_push(&crowd);
    crowd_done(&crowd);
    cr_expect(!lives_everywhere(&bench));
    cr_expect(lives_everywhere(&roof));
}
