#include <criterion/criterion.h>

#include "storage/record.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;

static void set_up(void)
{
    scratch_init(&scratch);
    store = scratch_open(&scratch);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(record, .init = set_up, .fini = tear_down);

static struct record_key record_of(uint32_t kind, uint8_t id)
{
    struct record_key record = {.kind = kind};
    memset(record.id, id, sizeof record.id);
    return record;
}

static struct edit_key edit_of(struct record_key record, uint32_t class, uint8_t device,
                               uint32_t seq, uint8_t index)
{
    struct edit_key key = {.record = record, .class = class, .seq = seq, .index = index};
    memset(key.device, device, sizeof key.device);
    return key;
}

static struct live live_of(struct edit_key key)
{
    return (struct live){
        .key = key, .tag = 0x01020304, .field = 536870911, .time = -7, .position = 1ull << 40};
}

static void put_live(struct txn *txn, struct edit_key key)
{
    struct live live = live_of(key);
    live_put(txn, 1, &live);
}

static bool same_edit(const struct edit_key *a, const struct edit_key *b)
{
    return a->record.kind == b->record.kind && !memcmp(a->record.id, b->record.id, ID_SIZE) &&
           a->class == b->class && !memcmp(a->device, b->device, HANDLE_SIZE) && a->seq == b->seq &&
           a->index == b->index;
}

// --- Live edits ---

Test(record, gives_a_live_edit_as_it_was_put_until_it_is_deleted)
{
    struct record_key record = record_of(KIND_MAX, 0xff);
    struct edit_key key = edit_of(record, CLASS_PERSONAL, 0xff, UINT32_MAX, 255);
    struct txn *txn = txn_begin_write(store);
    put_live(txn, key);
    struct live got;
    cr_assert_eq(live_get(txn, 1, &key, &got), OK);
    cr_assert(same_edit(&got.key, &key));
    cr_assert_eq(got.tag, 0x01020304);
    cr_assert_eq(got.field, 536870911);
    cr_assert_eq(got.time, -7);
    cr_assert_eq(got.position, 1ull << 40);
    cr_assert_eq(live_get(txn, 2, &key, &got), ERR_NOT_FOUND);
    live_delete(txn, 2, &key);
    cr_assert_eq(live_get(txn, 1, &key, &got), OK);
    live_delete(txn, 1, &key);
    live_delete(txn, 1, &key);
    cr_assert_eq(live_get(txn, 1, &key, &got), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

struct lives {
    struct txn *txn; // to delete each in; may be NULL
    size_t n;
    size_t max;
    struct live all[16];
};

static bool see_live(const struct live *live, void *arg)
{
    struct lives *lives = arg;
    lives->all[lives->n++] = *live;
    if (lives->txn)
        live_delete(lives->txn, 1, &live->key);
    return lives->n < lives->max;
}

Test(record, gives_its_live_edits_in_order_and_no_others)
{
    struct record_key record = record_of(5, 0xff);
    const struct edit_key order[] = {
        edit_of(record, 0, 1, 1, 0),   edit_of(record, 0, 1, 1, 1),
        edit_of(record, 0, 1, 256, 0), edit_of(record, 0, 0xff, 1, 255),
        edit_of(record, 1, 0, 1, 0),   edit_of(record, UINT32_MAX, 0, 1, 0),
    };
    enum { COUNT = sizeof order / sizeof *order };
    struct txn *txn = txn_begin_write(store);
    for (size_t i = COUNT; i-- > 0;)
        put_live(txn, order[i]);
    put_live(txn, edit_of(record_of(5, 0xfe), 0, 1, 1, 0));
    put_live(txn, edit_of(record_of(4, 0xff), 0, 1, 1, 0));
    put_live(txn, edit_of(record_of(6, 0), 0, 1, 1, 0));
    struct lives lives = {.max = 16};
    cr_assert_eq(live_each(txn, 1, &record, see_live, &lives), OK);
    cr_assert_eq(lives.n, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert(same_edit(&lives.all[i].key, &order[i]), "number %zu", i);
    lives = (struct lives){.max = 2};
    cr_assert_eq(live_each(txn, 1, &record, see_live, &lives), OK);
    cr_assert_eq(lives.n, 2);
    lives = (struct lives){.txn = txn, .max = 16};
    cr_assert_eq(live_each(txn, 1, &record, see_live, &lives), OK);
    cr_assert_eq(lives.n, COUNT, "each may delete");
    lives = (struct lives){.max = 16};
    cr_assert_eq(live_each(txn, 1, &record, see_live, &lives), OK);
    cr_assert_eq(lives.n, 0);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

static uint8_t next_id(struct txn *txn, uint32_t kind, const uint8_t *after)
{
    struct record_key record = record_of(0, 0xee);
    enum err err = live_next_record(txn, 1, kind, after, &record);
    if (err) {
        cr_assert_eq(err, ERR_NOT_FOUND);
        return 0xee;
    }
    cr_assert_eq(record.kind, kind);
    cr_assert_eq(record.id[0], record.id[ID_SIZE - 1]);
    return record.id[0];
}

Test(record, follows_another_of_its_kind)
{
    struct txn *txn = txn_begin_write(store);
    cr_assert_eq(next_id(txn, 5, NULL), 0xee);
    static const uint8_t ids[] = {0, 7, 0xff};
    for (uint32_t kind = 4; kind <= 6; kind += 2)
        put_live(txn, edit_of(record_of(kind, 9), 0, 1, 1, 0));
    for (size_t i = 0; i < 3; i++) {
        put_live(txn, edit_of(record_of(5, ids[i]), 0, 1, 1, 0));
        put_live(txn, edit_of(record_of(5, ids[i]), UINT32_MAX, 0xff, UINT32_MAX, 255));
    }
    uint8_t after[ID_SIZE];
    cr_assert_eq(next_id(txn, 5, NULL), 0);
    memset(after, 0, sizeof after);
    cr_assert_eq(next_id(txn, 5, after), 7);
    memset(after, 6, sizeof after);
    cr_assert_eq(next_id(txn, 5, after), 7);
    memset(after, 7, sizeof after);
    cr_assert_eq(next_id(txn, 5, after), 0xff);
    memset(after, 0xff, sizeof after);
    cr_assert_eq(next_id(txn, 5, after), 0xee, "there is none behind the last");
    txn_abort(&txn);
}

Test(record, of_a_kind_that_cannot_be_is_not_found)
{
    struct record_key beyond = record_of(KIND_MAX + 5 + 1, 1);
    struct edit_key key = edit_of(beyond, 0, 1, 1, 0);
    struct txn *txn = txn_begin_write(store);
    put_live(txn, edit_of(record_of(5, 1), 0, 1, 1, 0));
    struct lives lives = {.max = 16};
    struct live live;
    cr_assert_eq(live_get(txn, 1, &key, &live), ERR_NOT_FOUND);
    cr_assert_eq(live_each(txn, 1, &beyond, see_live, &lives), OK);
    cr_assert_eq(lives.n, 0);
    cr_assert_eq(next_id(txn, KIND_MAX + 5 + 1, NULL), 0xee);
    txn_abort(&txn);
}

Test(record, knows_whether_an_edit_of_a_change_is_live)
{
    struct record_key record = record_of(5, 1);
    uint8_t device[HANDLE_SIZE];
    uint8_t other[HANDLE_SIZE];
    memset(device, 9, sizeof device);
    memset(other, 8, sizeof other);
    struct edit_key key = edit_of(record, 1, 9, 77, 200);
    struct txn *txn = txn_begin_write(store);
    cr_assert_not(live_any_of_change(txn, 1, &record, 1, device, 77));
    put_live(txn, key);
    cr_assert(live_any_of_change(txn, 1, &record, 1, device, 77));
    cr_assert_not(live_any_of_change(txn, 1, &record, 0, device, 77));
    cr_assert_not(live_any_of_change(txn, 1, &record, 1, device, 76));
    cr_assert_not(live_any_of_change(txn, 1, &record, 1, other, 77));
    live_delete(txn, 1, &key);
    cr_assert_not(live_any_of_change(txn, 1, &record, 1, device, 77));
    txn_abort(&txn);
}

// Damages the value of every row whose key ends with the twelve bytes 'd', seq and index 0.
static void damage_behind(uint32_t seq)
{
    struct bytes device = bytes_of_text("dddddddddddd");
    uint8_t key_end[HANDLE_SIZE + 4];
    memcpy(key_end, device.p, device.n);
    be32_put(key_end + HANDLE_SIZE, seq);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(key_end), HANDLE_SIZE + 4 + 1), 1);
    store = scratch_open(&scratch);
}

Test(record, tells_of_a_damaged_edit_and_gives_the_others)
{
    struct record_key record = record_of(5, 1);
    struct txn *txn = txn_begin_write(store);
    for (uint32_t seq = 100; seq < 103; seq++)
        put_live(txn, edit_of(record, 0, 'd', seq, 0));
    cr_assert_eq(txn_commit(&txn), OK);
    damage_behind(101);
    txn = txn_begin_read(store);
    struct lives lives = {.max = 16};
    cr_assert_eq(live_each(txn, 1, &record, see_live, &lives), ERR_DAMAGED);
    cr_assert_eq(lives.n, 2);
    cr_assert_eq(lives.all[0].key.seq, 100);
    cr_assert_eq(lives.all[1].key.seq, 102);
    cr_assert_eq(txn_commit(&txn), OK);
}

// --- Covers ---

static struct cover cover_of(struct edit_key target, uint32_t tag, uint8_t by, uint32_t by_seq)
{
    struct cover cover = {.target = target, .tag = tag, .by_seq = by_seq, .time = -(int64_t)by_seq};
    memset(cover.by_device, by, sizeof cover.by_device);
    return cover;
}

static void put_cover(struct txn *txn, struct cover cover)
{
    cover_put(txn, 1, &cover);
}

struct covers {
    struct txn *txn; // to delete each in; may be NULL
    size_t n;
    size_t max;
    struct cover all[16];
};

static bool see_cover(const struct cover *cover, void *arg)
{
    struct covers *covers = arg;
    covers->all[covers->n++] = *cover;
    if (covers->txn)
        cover_delete(covers->txn, 1, cover);
    return covers->n < covers->max;
}

Test(record, gives_the_covers_of_an_edit_and_tag_and_those_of_all_its_edits)
{
    struct record_key record = record_of(5, 0xff);
    struct edit_key target = edit_of(record, 0, 1, 1, 255);
    struct txn *txn = txn_begin_write(store);
    put_cover(txn, cover_of(target, 0xffffffff, 0xff, 2));
    put_cover(txn, cover_of(target, 0xffffffff, 3, 2));
    put_cover(txn, cover_of(target, 0xfffffffe, 3, 2));
    put_cover(txn, cover_of(edit_of(record, 0, 1, 2, 0), 0xffffffff, 3, 2));
    put_cover(txn, cover_of(edit_of(record_of(5, 0xfe), 0, 1, 1, 255), 0xffffffff, 3, 2));
    put_cover(txn, cover_of(edit_of(record_of(6, 0), 0, 1, 1, 255), 0xffffffff, 3, 2));

    struct covers covers = {.max = 16};
    cover_each(txn, 1, &target, 0xffffffff, see_cover, &covers);
    cr_assert_eq(covers.n, 2);
    cr_assert(same_edit(&covers.all[0].target, &target));
    cr_assert_eq(covers.all[0].tag, 0xffffffff);
    cr_assert_eq(covers.all[0].by_device[HANDLE_SIZE - 1], 3);
    cr_assert_eq(covers.all[0].by_seq, 2);
    cr_assert_eq(covers.all[1].by_device[0], 0xff);
    covers = (struct covers){.max = 16};
    cover_each_of_record(txn, 1, &record, see_cover, &covers);
    cr_assert_eq(covers.n, 4);
    covers = (struct covers){.max = 1};
    cover_each_of_record(txn, 1, &record, see_cover, &covers);
    cr_assert_eq(covers.n, 1);
    covers = (struct covers){.txn = txn, .max = 16};
    cover_each(txn, 1, &target, 0xffffffff, see_cover, &covers);
    covers = (struct covers){.max = 16};
    cover_each_of_record(txn, 1, &record, see_cover, &covers);
    cr_assert_eq(covers.n, 2, "each may delete");
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

Test(record, keeps_the_time_of_a_cover)
{
    struct edit_key target = edit_of(record_of(5, 1), 0, 1, 1, 0);
    struct cover cover = cover_of(target, 1, 2, 3);
    cover.time = INT64_MIN;
    struct covers covers = {.max = 16};
    struct txn *txn = txn_begin_write(store);
    put_cover(txn, cover);
    cover_each(txn, 1, &target, 1, see_cover, &covers);
    cr_assert_eq(covers.n, 1);
    cr_assert_eq(covers.all[0].time, INT64_MIN);
    txn_abort(&txn);
}

Test(record, builds_nothing_on_a_damaged_cover)
{
    struct record_key record = record_of(5, 1);
    struct edit_key target = edit_of(record, 0, 1, 1, 0);
    struct txn *txn = txn_begin_write(store);
    put_cover(txn, cover_of(target, 1, 'd', 100));
    put_cover(txn, cover_of(target, 1, 'd', 101));
    cr_assert_eq(txn_commit(&txn), OK);
    damage_behind(100);
    txn = txn_begin_read(store);
    struct covers covers = {.max = 16};
    cover_each_of_record(txn, 1, &record, see_cover, &covers);
    cr_assert_eq(covers.n, 1);
    cr_assert_eq(covers.all[0].by_seq, 101);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED);
}

// --- What refers to what ---

struct abouts {
    struct txn *txn;
    struct record_key to;
    size_t n;
    size_t max;
    struct record_key from[16];
    size_t extra_n[16];
    uint8_t extra[16];
};

static bool see_about(const struct record_key *from, struct bytes extra, void *arg)
{
    struct abouts *abouts = arg;
    // A write first: what was given must not be borrowed from what it moves.
    if (abouts->txn)
        about_put(abouts->txn, 1, &abouts->to, from, bytes_of(NULL, 0));
    abouts->from[abouts->n] = *from;
    abouts->extra_n[abouts->n] = extra.n;
    abouts->extra[abouts->n] = extra.n ? extra.p[extra.n - 1] : 0;
    abouts->n++;
    return abouts->n < abouts->max;
}

Test(record, gives_what_refers_to_it_of_one_kind_or_of_any)
{
    struct record_key to = record_of(KIND_NEED, 0xff);
    struct record_key other = record_of(KIND_NEED, 0xfe);
    struct record_key voices[] = {record_of(KIND_VOICE, 1), record_of(KIND_VOICE, 2)};
    struct record_key remark = record_of(KIND_REMARK, 0);
    uint8_t person[ID_SIZE] = {[ID_SIZE - 1] = 'p'};
    struct txn *txn = txn_begin_write(store);
    about_put(txn, 1, &to, &remark, bytes_of(NULL, 0));
    about_put(txn, 1, &to, &voices[1], BYTES(person));
    about_put(txn, 1, &to, &voices[0], BYTES(person));
    about_put(txn, 1, &other, &voices[0], BYTES(person));

    struct abouts abouts = {.max = 16};
    cr_assert_eq(about_each(txn, 1, &to, 0, see_about, &abouts), OK);
    cr_assert_eq(abouts.n, 3);
    cr_assert_eq(abouts.from[0].id[0], 1);
    cr_assert_eq(abouts.from[1].id[0], 2);
    cr_assert_eq(abouts.from[2].kind, KIND_REMARK);
    cr_assert_eq(abouts.extra_n[0], ID_SIZE);
    cr_assert_eq(abouts.extra[0], 'p');
    cr_assert_eq(abouts.extra_n[2], 0);
    abouts = (struct abouts){.max = 16};
    cr_assert_eq(about_each(txn, 1, &to, KIND_REMARK, see_about, &abouts), OK);
    cr_assert_eq(abouts.n, 1);
    abouts = (struct abouts){.max = 16};
    cr_assert_eq(about_each(txn, 1, &to, KIND_MAX + 1 + KIND_VOICE, see_about, &abouts), OK);
    cr_assert_eq(abouts.n, 0);
    abouts = (struct abouts){.max = 1};
    cr_assert_eq(about_each(txn, 1, &to, KIND_VOICE, see_about, &abouts), OK);
    cr_assert_eq(abouts.n, 1);
    abouts = (struct abouts){.txn = txn, .to = to, .max = 16};
    cr_assert_eq(about_each(txn, 1, &to, KIND_VOICE, see_about, &abouts), OK);
    cr_assert_eq(abouts.n, 2);
    cr_assert_eq(abouts.extra[1], 'p');
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}
