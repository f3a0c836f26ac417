// An export goes over all records, each once, whatever a page holds; what cannot be given is named
// and the others are.

#include <criterion/criterion.h>

#include "daemon/export_walk.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "storage/log.h"
#include "storage/table.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/street.h"

enum { AUTHOR = 1, NEEDS = 700, SEEN_MAX = 2000 };

static struct world world;
static struct arena arena;
static struct crowd author;
static struct export_walk walk;
static uint8_t seen[SEEN_MAX][ID_SIZE];
static size_t seen_n;
static size_t pages;
static const char *why;
static uint8_t left_out_id[ID_SIZE];
static size_t left_out_n;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 33);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&author, &world, AUTHOR, &arena);
}

static void tear_down(void)
{
    crowd_done(&author);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(export_walk, .init = set_up, .fini = tear_down);

static void note_left_out(void *arg, uint32_t kind, const uint8_t *id, const char *reason)
{
    (void)arg;
    cr_expect_eq(kind, KIND_NEED);
    memcpy(left_out_id, id, ID_SIZE);
    why = reason;
    left_out_n++;
}

static void begin(enum audience audience)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    walk = (struct export_walk){.store = world.hub, .left_out = note_left_out};
    walk.to.audience = audience;
    cr_assert_eq(community_get_number(txn, world.community, &walk.to.community), OK);
    digest_export(walk.to.community.id, audience, walk.to.handle);
    seen_n = pages = left_out_n = 0;
    why = "";
}

static void see(const struct given *given)
{
    cr_assert_lt(seen_n, (size_t)SEEN_MAX);
    memcpy(seen[seen_n], given->view.id.p, ID_SIZE);
    if (seen_n > 0)
        cr_expect_lt(memcmp(seen[seen_n - 1], seen[seen_n], ID_SIZE), 0, "ascending, so once");
    seen_n++;
}

// All needs, in the order in which they come.
static void go_over(enum audience audience)
{
    begin(audience);
    for (export_walk_kind(&walk, KIND_NEED); !walk.is_over; pages++) {
        struct export_page page;
        cr_assert_eq(export_walk_page(&walk, &page), OK);
        for (size_t i = 0; i < page.n; i++)
            see(&page.records[i]);
        export_page_done(&page);
    }
    export_walk_done(&walk);
}

// Puts n times 16 KiB of words side by side.
static void grow(const struct record_key *record, size_t n)
{
    enum { WORDS = 16384, AT_ONCE = 100 };
    static char words[WORDS];
    for (size_t i = 0; i < n; i++) {
        struct buf fields = {0};
        memset(words, 'a' + (int)(i % 26), WORDS);
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of(words, WORDS));
        (void)street_say(&author, KIND_NEED, record, (int64_t)i, &fields);
        if (i % AT_ONCE == AT_ONCE - 1)
            crowd_push(&author);
    }
    crowd_push(&author);
}

static void lose_body(uint32_t seq)
{
    struct key key = {.n = 0};
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_write(world.hub);
    cr_assert_eq(log_find(txn, world.community, world.devices[AUTHOR].handle, seq, &position), OK);
    key_u32(&key, world.community);
    key_u64(&key, position);
    table_delete(txn, TABLE_BODY, key_of(&key));
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(export_walk, gives_each_record_once_on_many_pages)
{
    for (int i = 0; i < NEEDS; i++)
        (void)street_need(&author, "a bench", NULL, NULL,
                          i % 7 ? AUDIENCE_PUBLIC : AUDIENCE_COMMUNITY);
    crowd_push(&author);
    go_over(AUDIENCE_COMMUNITY);
    cr_expect_eq(seen_n, (size_t)NEEDS);
    cr_expect_gt(pages, 2);
    cr_expect_eq(walk.closed, 0);
    go_over(AUDIENCE_PUBLIC);
    cr_expect_eq(seen_n, (size_t)(NEEDS - NEEDS / 7));
    cr_expect_eq(walk.closed, (uint64_t)(NEEDS / 7));
    cr_expect_eq(left_out_n, 0);
    expect_no_leaks();
}

Test(export_walk, ends_at_once_where_there_is_nothing)
{
    go_over(AUDIENCE_COMMUNITY);
    cr_expect(seen_n == 0 && pages == 1);
    go_over(AUDIENCE_PUBLIC);
    cr_expect(seen_n == 0 && pages == 1);
    expect_no_leaks();
}

Test(export_walk, names_what_is_damaged_and_gives_the_others)
{
    (void)crowd_need(&author, "a bench");
    struct world_change lost = crowd_need(&author, "a lamp");
    (void)crowd_need(&author, "a tree");
    crowd_push(&author);
    lose_body(lost.seq);
    go_over(AUDIENCE_COMMUNITY);
    cr_expect_eq(seen_n, 2);
    cr_expect(walk.damaged);
    cr_assert_eq(left_out_n, 1);
    cr_expect_str_eq(why, "damaged");
    cr_expect_arr_eq(left_out_id, lost.record.id, ID_SIZE);
    expect_no_leaks();
}

Test(export_walk, names_what_is_too_large_and_gives_the_others)
{
    (void)crowd_need(&author, "a bench");
    struct world_change large = crowd_need(&author, "a lamp");
    struct world_change fits = crowd_need(&author, "a tree");
    crowd_push(&author);
    grow(&large.record, 1200);
    grow(&fits.record, 300);
    go_over(AUDIENCE_COMMUNITY);
    cr_expect_eq(seen_n, 2);
    cr_expect_not(walk.damaged);
    cr_assert_eq(left_out_n, 1);
    cr_expect_str_eq(why, "too large");
    cr_expect_arr_eq(left_out_id, large.record.id, ID_SIZE);
    expect_no_leaks();
}
