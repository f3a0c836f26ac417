// What a hostile or broken hub may say to a device, and what remains of it.

#include <criterion/criterion.h>

#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/handmade.h"
#include "tests/sync/network.h"

static struct world world;
static struct arena arena;
static struct fault fault;
static struct piece piece;
static const uint8_t root[CUT_SIZE] = {1, 2};
static const uint8_t stranger[HANDLE_SIZE] = {7, 7};

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 7);
    network_settle(&world);
    arena_init(&arena, 64 << 20);
    piece = (struct piece){.position = 50, .root = BYTES(root)};
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(exchange, .init = set_up, .fini = tear_down);

static enum err take(const struct piece *what)
{
    struct community community;
    struct device own;
    struct exchange_report report = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[1].store);
    world_self(txn, &world.devices[1], &community, &own);
    enum err err = exchange_take_piece(txn, &community, &own, what, &arena, &report, &fault);
    // Committed all the same: a piece that is not sound must not have touched anything.
    cr_assert_eq(txn_commit(&txn), OK);
    return err;
}

static void expect_nothing_kept(enum err expected, const char *what)
{
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(world.devices[1].store, &before);
    fault = (struct fault){0};
    enum err err = take(&piece);
    world_dump(world.devices[1].store, &after);
    cr_expect_eq(err, expected, "%s: %s", what, err_text(err));
    cr_expect_gt(strlen(fault.text), 5, "%s", what);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "%s: the store was changed",
              what);
}

static struct entry sound_entry(uint32_t seq)
{
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    return (struct entry){.seq = seq,
                          .tag = 9,
                          .envelope = handmade_envelope(&arena, &envelope),
                          .fields = handmade_text(&arena, FIELD_TITLE, bytes_of_text("x"))};
}

// A piece of two entries of one device: a sound one, then this.
static void put_entry(const struct entry *entry, struct bytes device)
{
    struct entry both[2] = {sound_entry(1), *entry};
    struct entries entries = {{&device, 1}, {both, 2}};
    struct buf buf BUF_CLEANUP = {0};
    message_encode(&entries_message, &entries, &buf);
    cr_assert_eq(buf.err, OK);
    piece.pack = handmade_pack(&arena, arena_copy(&arena, buf_bytes(&buf)));
}

static bool has(struct bytes device, uint32_t seq)
{
    uint64_t position;
    struct world_device *d = &world.devices[1];
    struct txn *txn TXN_CLEANUP = txn_begin_read(d->store);
    return log_find(txn, d->community, device.p, seq, &position) == OK;
}

Test(exchange, takes_a_sound_piece)
{
    struct entry entry = sound_entry(2);
    put_entry(&entry, BYTES(stranger));
    cr_assert_eq(take(&piece), OK, "%s", fault.text);
    cr_expect(has(BYTES(stranger), 1));
    cr_expect(has(BYTES(stranger), 2));
    expect_no_leaks();
}

Test(exchange, takes_a_piece_once)
{
    struct buf once BUF_CLEANUP = {0};
    struct buf twice BUF_CLEANUP = {0};
    struct entry entry = sound_entry(2);
    put_entry(&entry, BYTES(stranger));
    cr_assert_eq(take(&piece), OK);
    world_dump(world.devices[1].store, &once);
    cr_assert_eq(take(&piece), OK);
    world_dump(world.devices[1].store, &twice);
    cr_expect(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
}

Test(exchange, keeps_nothing_of_a_piece_with_one_bad_entry)
{
    struct bytes device = BYTES(stranger);
    struct entry entry = sound_entry(0);
    put_entry(&entry, device);
    expect_nothing_kept(ERR_MALFORMED, "seq 0");
    entry = sound_entry(2);
    entry.device = 1;
    put_entry(&entry, device);
    expect_nothing_kept(ERR_MALFORMED, "a device that is not in the list");
    entry = sound_entry(2);
    entry.envelope = bytes_of("\x20\x01\x08\x01", 4);
    put_entry(&entry, device);
    expect_nothing_kept(ERR_MALFORMED, "an envelope that is not canonical");
    entry.envelope = (struct bytes){0};
    put_entry(&entry, device);
    expect_nothing_kept(ERR_LIMIT, "no envelope");
    entry = sound_entry(2);
    entry.fields = bytes_of("\x0b", 1);
    put_entry(&entry, device);
    expect_nothing_kept(ERR_MALFORMED, "fields with a group");
    entry.fields = bytes_of("\x42\x05x", 3);
    put_entry(&entry, device);
    expect_nothing_kept(ERR_MALFORMED, "fields that are cut off");
    entry.fields = bytes_of(arena_alloc(&arena, 1, CHANGE_MAX + 1), CHANGE_MAX + 1);
    put_entry(&entry, device);
    expect_nothing_kept(ERR_LIMIT, "fields over the limit");
    put_entry(&entry, bytes_of(stranger, 5));
    expect_nothing_kept(ERR_MALFORMED, "a handle that is too short");
}

Test(exchange, refuses_a_change_over_64_kib)
{
    struct envelope envelope = {.kind = 900, .parts = {0}};
    struct bytes text = {arena_alloc(&arena, 1, CHANGE_MAX), CHANGE_MAX - 4};
    struct entry entry = sound_entry(2);
    entry.envelope = handmade_envelope(&arena, &envelope);
    entry.fields = handmade_text(&arena, 1, text);
    cr_assert_leq(entry.fields.n, CHANGE_MAX);
    cr_assert_gt(entry.fields.n + entry.envelope.n, CHANGE_MAX);
    put_entry(&entry, BYTES(stranger));
    expect_nothing_kept(ERR_LIMIT, "envelope and fields over the limit together");
}

Test(exchange, keeps_nothing_of_packs_that_lie_and_of_bombs)
{
    struct bytes zeros = {arena_alloc(&arena, 1, PACK_MAX), PACK_MAX};
    struct pack sound;
    piece.pack = handmade_pack(&arena, bytes_of_text("no message at all"));
    expect_nothing_kept(ERR_MALFORMED, "other bytes");
    cr_assert_eq(
        pack_make(zeros, &(struct pack_wish){.packings = 1 << PACKING_ZSTD}, &arena, &sound), OK);
    cr_assert_lt(sound.data.n, 1000);
    struct pack pack = sound;
    piece.pack = &pack;
    expect_nothing_kept(ERR_MALFORMED, "a MiB of zeros");
    pack.size = PACK_MAX + 1;
    expect_nothing_kept(ERR_LIMIT, "a pack over the limit");
    pack.size = 10;
    expect_nothing_kept(ERR_MALFORMED, "a bomb that claims to be small");
    pack = sound;
    pack.packing = 0;
    expect_nothing_kept(ERR_MALFORMED, "no packing");
    pack.packing = 77;
    expect_nothing_kept(ERR_MALFORMED, "an unknown packing");
}

Test(exchange, keeps_nothing_of_a_piece_without_its_root)
{
    struct entry entry = sound_entry(2);
    put_entry(&entry, BYTES(stranger));
    piece.root = (struct bytes){0};
    expect_nothing_kept(ERR_MALFORMED, "no root");
}

// What a device wrote itself it knows better than any hub.
Test(exchange, takes_no_word_about_its_own_changes)
{
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    struct world_device *device = &world.devices[1];
    struct txn *txn = txn_begin_read(device->store);
    world_dump_merge(txn, &before);
    txn_abort(&txn);
    struct entry entry = sound_entry(2);
    put_entry(&entry, BYTES(device->handle));
    cr_assert_eq(take(&piece), OK);
    txn = txn_begin_read(device->store);
    world_dump_merge(txn, &after);
    txn_abort(&txn);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
    cr_expect(!has(BYTES(device->handle), 1));
    cr_expect(!has(BYTES(device->handle), 2));
}

// --- receipts ---

static struct exchange_report hear(const struct receipt *receipt)
{
    struct community community;
    struct device own;
    struct exchange_report report = {0};
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.devices[1].store);
    world_self(txn, &world.devices[1], &community, &own);
    cr_assert_eq(exchange_take_receipt(txn, &community, &own, receipt, &report), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    return report;
}

static uint32_t unsent(void)
{
    struct community community;
    struct device own;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[1].store);
    world_self(txn, &world.devices[1], &community, &own);
    return exchange_unsent(txn, &community, &own);
}

static void own_head(uint32_t back, uint8_t head[CUT_SIZE], uint32_t *seq)
{
    for (uint32_t i = 0; i < 3; i++) {
        struct envelope envelope = {.kind = KIND_NEED, .time = 1};
        struct world_change change;
        struct community community;
        struct device own;
        cr_assert_eq(world_write(&world, 1, &envelope, (struct bytes){0}, &change), OK);
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[1].store);
        world_self(txn, &world.devices[1], &community, &own);
        if (i + back == 2) {
            memcpy(head, own.head, CUT_SIZE);
            *seq = own.seq;
        }
    }
}

Test(exchange, counts_as_sent_what_a_receipt_on_its_own_chain_names)
{
    uint8_t head[CUT_SIZE];
    struct receipt receipt = {.head = BYTES(head)};
    own_head(1, head, &receipt.seq);
    cr_expect_eq(unsent(), 3);
    struct exchange_report report = hear(&receipt);
    cr_expect_eq(report.pushed, 2);
    cr_expect(!report.forked);
    cr_expect_eq(unsent(), 1);
    receipt = (struct receipt){.seq = 0};
    report = hear(&receipt);
    cr_expect(!report.forked);
    cr_expect_eq(unsent(), 3, "a restored hub asks for all of it");
}

Test(exchange, knows_itself_for_a_copy_by_a_receipt_off_its_chain)
{
    uint8_t head[CUT_SIZE];
    struct receipt receipt = {.head = BYTES(head)};
    own_head(0, head, &receipt.seq);
    head[0] ^= 1;
    cr_expect(hear(&receipt).forked);
    cr_expect_eq(unsent(), 3);
}

Test(exchange, knows_itself_for_a_copy_by_a_receipt_beyond_its_end)
{
    uint8_t head[CUT_SIZE];
    struct receipt receipt = {.head = BYTES(head)};
    own_head(0, head, &receipt.seq);
    receipt.seq++;
    cr_expect(hear(&receipt).forked);
}

Test(exchange, leaves_receipts_for_others_alone)
{
    uint8_t head[CUT_SIZE];
    struct receipt receipt = {.head = BYTES(head), .device = BYTES(stranger)};
    own_head(0, head, &receipt.seq);
    cr_expect_eq(hear(&receipt).pushed, 0);
    cr_expect_eq(unsent(), 3);
}

Test(exchange, of_a_cloned_phone_ends_with_one_of_the_two_told_so)
{
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct world_change change;
    cr_assert_eq(world_write(&world, 1, &envelope, (struct bytes){0}, &change), OK);
    network_settle(&world);
    size_t copy = world_clone(&world, 1);
    cr_assert_eq(world_write(&world, 1, &envelope, (struct bytes){0}, &change), OK);
    cr_expect(!network_sync(&world, 1).forked);
    cr_assert_eq(world_write(&world, copy, &envelope, (struct bytes){0}, &change), OK);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect(!network_sync(&world, 1).forked);
}

// However much waits, a request stays within what a hub takes.
Test(exchange, asks_with_no_more_than_a_request_may_have)
{
    struct buf request BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    struct world_change change;
    struct exchange_options options = {UINT32_MAX, 1 << 16};
    struct envelope envelope = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    uint8_t words[15000];
    memset(words, 'w', sizeof words);
    for (int i = 0; i < 4; i++)
        wire_put_bytes(&fields, FIELD_WORDS, BYTES(words));
    for (int i = 0; i < 30; i++)
        cr_assert_eq(world_write(&world, 1, &envelope, buf_bytes(&fields), &change), OK);
    network_ask(&world, 1, &options, &request);
    cr_expect_leq(request.n, REQUEST_MAX);
    cr_expect_gt(request.n, REQUEST_MAX / 2);
}

// --- answers that come twice, or late ---

static void write_needs(size_t device, size_t n)
{
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    struct world_change change;
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(world_write(&world, device, &envelope,
                                 handmade_text(&arena, FIELD_TITLE, bytes_of_text("a bench")),
                                 &change),
                     OK);
}

static void ask_and_serve(struct buf *answer)
{
    struct buf asked BUF_CLEANUP = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    network_ask(&world, 1, &options, &asked);
    cr_assert_eq(network_serve(&world, 1, buf_bytes(&asked), answer, &fault), OK, "%s", fault.text);
}

static struct exchange_report hear_all(const struct buf *answer)
{
    struct exchange_report report = {0};
    cr_assert_eq(network_hear(&world, 1, buf_bytes(answer), SIZE_MAX, &report, &fault), OK, "%s",
                 fault.text);
    return report;
}

static struct progress progress_of(uint64_t *size)
{
    struct progress progress;
    struct community community;
    struct world_device *device = &world.devices[1];
    struct txn *txn TXN_CLEANUP = txn_begin_read(device->store);
    progress_get(txn, device->community, &progress);
    cr_assert_eq(community_get_number(txn, device->community, &community), OK);
    *size = community.size;
    return progress;
}

// What the device holds is what the hub's log holds, and nothing waits.
static void expect_all_here(void)
{
    uint64_t size;
    struct exchange_report report = network_sync(&world, 1);
    cr_expect_eq(report.pulled, 0);
    cr_expect(!report.more);
    uint64_t log = world_caller(&world, 1).community.size;
    cr_expect_eq(progress_of(&size).position, log);
    cr_expect_eq(size, log);
}

Test(exchange, takes_an_answer_twice_as_if_it_came_once)
{
    struct buf answer BUF_CLEANUP = {0};
    uint64_t once;
    uint64_t twice;
    write_needs(0, 5);
    network_sync(&world, 0);
    ask_and_serve(&answer);
    cr_expect_eq(hear_all(&answer).pulled, 5);
    struct progress before = progress_of(&once);
    struct exchange_report report = hear_all(&answer);
    cr_expect_eq(report.pulled, 0);
    cr_expect(!report.advanced);
    struct progress after = progress_of(&twice);
    cr_expect_eq(before.position, after.position);
    cr_expect_eq(once, twice);
    expect_all_here();
}

Test(exchange, takes_an_older_answer_without_going_back_and_loses_nothing)
{
    struct buf first BUF_CLEANUP = {0};
    struct buf second BUF_CLEANUP = {0};
    uint64_t size;
    write_needs(0, 5);
    network_sync(&world, 0);
    ask_and_serve(&first);
    write_needs(0, 4);
    network_sync(&world, 0);
    ask_and_serve(&second);
    cr_expect_eq(hear_all(&second).pulled, 9);
    struct progress before = progress_of(&size);
    struct exchange_report report = hear_all(&first);
    cr_expect_eq(report.pulled, 0);
    cr_expect(!report.advanced);
    cr_expect_eq(progress_of(&size).position, before.position);
    expect_all_here();
    write_needs(0, 1);
    network_sync(&world, 0);
    cr_expect_eq(network_sync(&world, 1).pulled, 1);
    expect_all_here();
    expect_no_leaks();
}

// The size of what is here must be on disk even where the cursor stays: else the next change would
// be put where another one is.
Test(exchange, keeps_what_is_new_in_an_older_piece_and_puts_nothing_on_top_of_it)
{
    struct buf first BUF_CLEANUP = {0};
    struct world_change own;
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    write_needs(0, 3);
    network_sync(&world, 0);
    ask_and_serve(&first);
    hear_all(&first);
    struct entry entry = sound_entry(2);
    piece.position = 1; // behind the cursor, with entries that are new
    put_entry(&entry, BYTES(stranger));
    uint64_t before;
    uint64_t after;
    struct progress progress = progress_of(&before);
    cr_assert_eq(take(&piece), OK);
    cr_expect_eq(progress_of(&after).position, progress.position);
    cr_expect_eq(after, before + 2);
    cr_assert_eq(world_write(&world, 1, &envelope, (struct bytes){0}, &own), OK);
    cr_expect(has(BYTES(stranger), 1) && has(BYTES(stranger), 2));
    cr_expect(has(BYTES(world.devices[1].handle), own.seq));
    cr_expect_eq(progress_of(&after).position, progress.position);
    cr_expect_eq(after, before + 3);
}
