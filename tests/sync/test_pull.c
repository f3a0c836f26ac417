#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/pack.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/tree.h"
#include "sync/view.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"

enum { GOT_MAX = 4096, COORDINATOR = 0, AUTHOR = 1, OTHER = 2 };

struct got {
    struct bytes device;
    struct entry entry;
    uint32_t packing;
    size_t piece;
};

static struct world world;
static struct arena arena;
static struct sync_request request;
static struct sync_response response;
static struct got got[GOT_MAX];
static size_t got_n;
static struct fault fault;

static void set_up(void)
{
    world_open(&world, 3);
    world_begin(&world, 4);
    arena_init(&arena, 512 << 20);
    request = (struct sync_request){.version = PROTOCOL_VERSION, .packings = PACKINGS_KNOWN};
}

static void tear_down(void)
{
    arena_done(&arena);
    world_close(&world);
}

TestSuite(pull, .init = set_up, .fini = tear_down);

static void unpack(const struct piece *piece, size_t n)
{
    struct bytes bytes;
    struct entries entries = {0};
    if (!piece->pack)
        return;
    cr_assert_eq(pack_open(piece->pack, &arena, &bytes, &fault), OK, "%s", fault.text);
    cr_assert_eq(message_decode(&entries_message, bytes, &arena, &entries, &fault), OK);
    for (size_t i = 0; i < entries.entries.n; i++) {
        const struct entry *entry = LIST_AT(struct entry, entries.entries, i);
        cr_assert_lt(entry->device, entries.devices.n);
        cr_assert_lt(got_n, GOT_MAX);
        got[got_n++] = (struct got){*LIST_AT(struct bytes, entries.devices, entry->device), *entry,
                                    piece->pack->packing, n};
    }
}

// Pulls as this device; what came is in got.
static void pull(size_t device)
{
    got_n = 0;
    enum err err =
        network_pull(&world, device, &request, (struct list){0}, &arena, &response, &fault);
    cr_assert_eq(err, OK, "%s", fault.text);
    for (size_t i = 0; i < response.pieces.n; i++)
        unpack(LIST_AT(struct piece, response.pieces, i), i);
}

// The entries of one device among what came.
static size_t count_of(size_t device)
{
    size_t n = 0;
    for (size_t i = 0; i < got_n; i++)
        n += bytes_equal(got[i].device, BYTES(world.devices[device].handle));
    return n;
}

static const struct got *find(size_t device, uint32_t seq)
{
    for (size_t i = 0; i < got_n; i++) {
        if (got[i].entry.seq == seq &&
            bytes_equal(got[i].device, BYTES(world.devices[device].handle)))
            return &got[i];
    }
    return NULL;
}

static struct world_change write_text(size_t device, struct envelope envelope, const char *words)
{
    struct world_change change;
    struct buf fields BUF_CLEANUP = {0};
    if (words)
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text(words));
    cr_assert_eq(world_write(&world, device, &envelope, buf_bytes(&fields), &change), OK);
    return change;
}

static struct world_change write_need(size_t device, const char *words)
{
    return write_text(device, (struct envelope){.kind = KIND_NEED, .time = 1}, words);
}

Test(pull, leaves_the_callers_own_out_unless_it_asks)
{
    write_need(AUTHOR, "so");
    write_need(OTHER, "cy");
    network_settle(&world);
    pull(AUTHOR);
    cr_expect_eq(count_of(AUTHOR), 0);
    cr_expect_eq(count_of(OTHER), 1);
    request.own_too = true;
    pull(AUTHOR);
    cr_expect_eq(count_of(AUTHOR), 1);
    cr_expect_eq(count_of(OTHER), 1);
    expect_no_leaks();
}

Test(pull, gives_a_change_whole_while_any_edit_lives_and_then_as_a_husk)
{
    struct buf fields BUF_CLEANUP = {0};
    struct world_change need;
    struct envelope envelope = {.kind = KIND_NEED, .time = 1};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("a bench"));
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("so"));
    cr_assert_eq(world_write(&world, AUTHOR, &envelope, buf_bytes(&fields), &need), OK);
    for (uint32_t i = 0; i < 2; i++) {
        network_settle(&world);
        pull(OTHER);
        const struct got *whole = find(AUTHOR, 1);
        cr_assert_not_null(whole);
        cr_expect(bytes_equal(whole->entry.fields, buf_bytes(&fields)));
        cr_expect_eq(whole->entry.tag, need.tag);
        struct dot dot = {.seq = 1, .index = i, .tag = need.tag};
        write_text(
            AUTHOR,
            (struct envelope){
                .kind = KIND_NEED, .id = BYTES(need.record.id), .time = 2, .over = {&dot, 1}},
            NULL);
    }
    network_settle(&world);
    pull(OTHER);
    const struct got *husk = find(AUTHOR, 1);
    cr_assert_not_null(husk);
    cr_expect_null(husk->entry.fields.p);
    cr_expect_eq(husk->entry.tag, need.tag);
    cr_expect_not_null(find(AUTHOR, 3), "a change that only goes over others is told, too");
}

// --- pages ---

static void write_many(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char words[32];
        snprintf(words, sizeof words, "words %zu", i);
        write_need(AUTHOR, words);
    }
    network_settle(&world);
}

static void set_cursor(const struct sync_response *from)
{
    static struct cursor cursor;
    const struct piece *last = LIST_AT(struct piece, from->pieces, from->pieces.n - 1);
    if (from->head && from->head->log.n)
        cursor.log = from->head->log;
    cursor.position = last->position;
    cursor.root = last->root;
    cursor.view = from->view;
    request.cursor = &cursor;
}

static void expect_pages(uint32_t answer_max, size_t pages_least)
{
    bool seen[201] = {false};
    size_t pages = 0;
    uint64_t position = 0;
    request.has_answer_max = true;
    request.answer_max = answer_max;
    request.cursor = NULL;
    do {
        pull(OTHER);
        cr_assert_eq(response.cursor_lost, false);
        cr_assert_gt(response.pieces.n, 0);
        for (size_t i = 0; i < got_n; i++) {
            if (!bytes_equal(got[i].device, BYTES(world.devices[AUTHOR].handle)))
                continue;
            cr_assert(!seen[got[i].entry.seq], "%u came twice", got[i].entry.seq);
            seen[got[i].entry.seq] = true;
        }
        set_cursor(&response);
        cr_assert_gt(request.cursor->position, position, "no progress");
        position = request.cursor->position;
        pages++;
    } while (response.more);
    for (size_t i = 1; i <= 200; i++)
        cr_assert(seen[i], "%zu never came", i);
    cr_expect_geq(pages, pages_least);
    pull(OTHER);
    cr_expect_eq(got_n, 0);
    cr_expect_eq(response.pieces.n, 0);
    cr_expect_null(response.head, "nothing new, nothing said");
}

Test(pull, comes_to_the_end_in_pages_of_any_size_and_gives_nothing_twice)
{
    write_many(200);
    expect_pages(1, 5);
    expect_pages(300, 3);
    expect_pages(3000, 1);
    expect_pages(1 << 20, 1);
}

Test(pull, gives_nothing_and_says_that_there_is_more_when_nothing_is_wanted)
{
    write_many(3);
    request.has_answer_max = true;
    pull(OTHER);
    cr_expect_eq(response.pieces.n, 0);
    cr_expect(response.more);
}

Test(pull, has_pieces_each_with_the_root_at_its_position)
{
    write_many(200);
    struct envelope personal = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    write_text(AUTHOR, personal, "x");
    write_need(AUTHOR, "last");
    network_settle(&world);
    pull(COORDINATOR);
    cr_assert_geq(response.pieces.n, 3);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    for (size_t i = 0; i < response.pieces.n; i++) {
        const struct piece *piece = LIST_AT(struct piece, response.pieces, i);
        uint8_t root[HASH_SIZE];
        cr_assert_eq(tree_root(txn, world.community, piece->position, root), OK);
        cr_expect(bytes_equal(piece->root, bytes_of(root, CUT_SIZE)));
    }
}

// --- lost cursors ---

static void expect_lost(bool lost)
{
    pull(OTHER);
    cr_expect_eq(response.cursor_lost, lost);
    cr_expect_eq(response.more, lost);
    cr_expect_eq(response.pieces.n, 0);
    cr_expect((response.head != NULL) == lost);
}

Test(pull, says_so_when_log_root_position_or_view_of_the_cursor_do_not_hold)
{
    uint8_t other[HASH_SIZE] = {1};
    write_many(3);
    pull(OTHER);
    set_cursor(&response);
    struct cursor sound = *request.cursor;
    expect_lost(false);
    request.cursor->log = bytes_of(other, HANDLE_SIZE);
    expect_lost(true);
    *request.cursor = sound;
    request.cursor->root = bytes_of(other, CUT_SIZE);
    expect_lost(true);
    *request.cursor = sound;
    request.cursor->root = (struct bytes){0};
    expect_lost(true);
    *request.cursor = sound;
    request.cursor->position++;
    expect_lost(true);
    *request.cursor = sound;
    request.cursor->position = UINT64_MAX;
    expect_lost(true);
    *request.cursor = sound;
    request.cursor->view = 2;
    expect_lost(true);
}

Test(pull, leaves_out_what_the_vector_says)
{
    write_many(20);
    write_need(COORDINATOR, "so");
    network_settle(&world);
    struct chain_point points[2] = {{.device = BYTES(world.devices[AUTHOR].handle), .seq = 17},
                                    {.device = BYTES(world.devices[OTHER].handle), .seq = 9}};
    request.vector = (struct list){points, 2};
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 3);
    cr_expect_null(find(AUTHOR, 17));
    cr_expect_not_null(find(AUTHOR, 18));
    cr_expect_eq(count_of(COORDINATOR), 1);
}

// The tag of this change on the hub.
static uint32_t tag_of(size_t device, uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(log_find(txn, world.community, world.devices[device].handle, seq, &position), OK);
    cr_assert_eq(log_get(txn, world.community, position, &entry), OK);
    return log_tag(&entry);
}

Test(pull, by_vector_gives_a_chain_whole_of_which_another_change_is_known)
{
    write_many(20);
    struct chain_point points[2] = {
        {.device = BYTES(world.devices[COORDINATOR].handle), .seq = 1, .tag = 1},
        {.device = BYTES(world.devices[AUTHOR].handle), .seq = 17, .tag = tag_of(AUTHOR, 17)}};
    request.vector = (struct list){points, 2};
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 3);
    points[1].tag ^= 1;
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 20);
    points[1].tag = tag_of(AUTHOR, 16);
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 20);
    points[1] = (struct chain_point){
        .device = BYTES(world.devices[AUTHOR].handle), .seq = 20, .tag = tag_of(AUTHOR, 20)};
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 0);
    cr_expect_eq(points[1].seq, 20, "the request itself is left as it is");
}

Test(pull, of_a_device_whose_cursor_was_lost_goes_on_by_vector_and_doubles_nothing)
{
    write_many(50);
    struct world_device *device = &world.devices[OTHER];
    struct progress progress;
    struct txn *txn = txn_begin_write(device->store);
    progress_get(txn, device->community, &progress);
    progress.root[0] ^= 1;
    progress_put(txn, device->community, &progress);
    cr_assert_eq(txn_commit(&txn), OK);
    write_need(AUTHOR, "new");
    network_sync(&world, AUTHOR);
    struct exchange_report report = network_sync(&world, OTHER);
    cr_expect(report.more);
    cr_expect_eq(report.pulled, 0);
    report = network_sync(&world, OTHER);
    cr_expect_eq(report.pulled, 1);
    cr_expect(!report.more);
    network_sync(&world, OTHER);
    txn = txn_begin_read(device->store);
    progress_get(txn, device->community, &progress);
    cr_expect(!progress.by_vector);
    txn_abort(&txn);
}

// A device that lost its cursor, and then most of an answer by vector, does not start anew.
Test(pull, by_vector_that_was_cut_goes_on_by_vector)
{
    struct buf asked BUF_CLEANUP = {0};
    struct buf answer BUF_CLEANUP = {0};
    struct exchange_report report = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    struct sync_request decoded = {0};
    write_many(50);
    struct world_device *device = &world.devices[OTHER];
    struct progress progress;
    struct txn *txn = txn_begin_write(device->store);
    progress_get(txn, device->community, &progress);
    progress.root[0] ^= 1;
    progress_put(txn, device->community, &progress);
    cr_assert_eq(txn_commit(&txn), OK);
    write_need(AUTHOR, "new");
    network_sync(&world, AUTHOR);
    network_sync(&world, OTHER);
    network_ask(&world, OTHER, &options, &asked);
    cr_assert_eq(network_serve(&world, OTHER, buf_bytes(&asked), &answer, &fault), OK);
    cr_assert_eq(network_hear(&world, OTHER, buf_bytes(&answer), 0, &report, &fault), OK);
    buf_reset(&asked);
    network_ask(&world, OTHER, &options, &asked);
    cr_assert_eq(message_decode(&sync_request_message, buf_bytes(&asked), &arena, &decoded, &fault),
                 OK);
    cr_expect_gt(decoded.vector.n, 0);
    cr_expect_eq(network_sync(&world, OTHER).pulled, 1);
}

// --- class personal ---

Test(pull, gives_personal_changes_to_coordinators_and_their_author_alone_and_in_plain_packs)
{
    char words[200];
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = 0;
    struct envelope personal = {.kind = KIND_CONTACT, .class = CLASS_PERSONAL, .time = 1};
    struct envelope later = {.kind = 900, .class = 7, .time = 1};
    write_need(AUTHOR, words);
    struct world_change contact = write_text(AUTHOR, personal, words);
    write_need(AUTHOR, words);
    write_text(AUTHOR, later, words);
    network_settle(&world);
    pull(OTHER);
    cr_expect_eq(count_of(AUTHOR), 2);
    cr_expect_null(find(AUTHOR, 2));
    cr_expect_null(find(AUTHOR, 4), "an unknown class is personal");
    request.own_too = true;
    pull(AUTHOR);
    cr_expect_not_null(find(AUTHOR, 2));
    pull(COORDINATOR);
    cr_expect_eq(response.view, 2);
    cr_assert_eq(count_of(AUTHOR), 4);
    cr_expect_eq(find(AUTHOR, 1)->packing, PACKING_COLUMNS);
    cr_expect_eq(find(AUTHOR, 2)->packing, PACKING_PLAIN);
    cr_expect_eq(find(AUTHOR, 4)->packing, PACKING_PLAIN);
    cr_expect_neq(find(AUTHOR, 1)->piece, find(AUTHOR, 2)->piece);
    cr_expect_neq(find(AUTHOR, 3)->piece, find(AUTHOR, 2)->piece);
    cr_expect_neq(find(AUTHOR, 3)->piece, find(AUTHOR, 4)->piece);
    personal.id = BYTES(contact.record.id);
    write_text(COORDINATOR, personal, "added by the coordinator");
    network_settle(&world);
    pull(AUTHOR);
    cr_expect_eq(count_of(COORDINATOR), 1, "the record's author is told");
    pull(OTHER);
    cr_expect_eq(count_of(COORDINATOR), 0);
}

// --- a hub from a backup ---

static size_t needs_of(struct store *store, uint32_t number, struct buf *out)
{
    struct community community;
    struct record_key record;
    size_t n = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    cr_assert_eq(community_get_number(txn, number, &community), OK);
    struct eye eye = {.role = ROLE_COORDINATOR, .device = world.devices[0].handle};
    uint8_t after[ID_SIZE];
    for (bool begun = false;
         live_next_record(txn, number, KIND_NEED, begun ? after : NULL, &record) == OK;
         begun = true) {
        struct record_view view;
        cr_assert_eq(view_record(txn, &community, &record, &eye, &arena, &view), OK);
        buf_put(out, BYTES(record.id));
        buf_put(out, view.record);
        memcpy(after, record.id, ID_SIZE);
        n++;
    }
    return n;
}

Test(pull, of_and_by_a_restored_hub_brings_everything_back)
{
    struct buf hub BUF_CLEANUP = {0};
    write_many(5);
    write_need(OTHER, "before");
    network_settle(&world);
    world_save_hub(&world, "backup");
    write_many(7);
    write_need(OTHER, "after");
    write_need(COORDINATOR, "after");
    network_settle(&world);
    world.may_alarm = true;
    world_restore_hub(&world, "backup");
    write_need(OTHER, "on the restored hub");
    network_settle(&world);
    cr_assert_eq(needs_of(world.hub, world.community, &hub), 16);
    for (size_t i = 0; i < 3; i++) {
        struct buf device BUF_CLEANUP = {0};
        needs_of(world.devices[i].store, world.devices[i].community, &device);
        cr_expect(bytes_equal(buf_bytes(&hub), buf_bytes(&device)), "device %zu", i);
    }
}

// --- one change at a time ---

Test(pull, costs_a_round_trip_and_some_bytes_when_there_is_nothing_new)
{
    struct buf asked BUF_CLEANUP = {0};
    struct buf answer BUF_CLEANUP = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    write_many(20);
    network_ask(&world, OTHER, &options, &asked);
    cr_assert_eq(network_serve(&world, OTHER, buf_bytes(&asked), &answer, &fault), OK);
    cr_expect_lt(asked.n, 100);
    cr_expect_lt(answer.n, 40);
}
