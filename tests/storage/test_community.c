#include <criterion/criterion.h>

#include "storage/community.h"
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

TestSuite(community, .init = set_up, .fini = tear_down);

static struct community named(uint8_t id, const char *name)
{
    struct community community = {.size = 1000 + id, .is_hub = id % 2};
    memset(community.id, id, sizeof community.id);
    memset(community.log, id + 1, sizeof community.log);
    community.name_n = (uint32_t)strlen(name);
    memcpy(community.name, name, community.name_n);
    return community;
}

static void expect_same(const struct community *a, const struct community *b)
{
    cr_assert_eq(a->number, b->number);
    cr_assert_eq(memcmp(a->id, b->id, sizeof a->id), 0);
    cr_assert_eq(a->size, b->size);
    cr_assert_eq(memcmp(a->log, b->log, sizeof a->log), 0);
    cr_assert_eq(a->is_hub, b->is_hub);
    cr_assert_eq(a->name_n, b->name_n);
    cr_assert_str_eq(a->name, b->name);
}

Test(community, comes_back_as_it_was_put_by_id_and_by_number)
{
    struct community a = named(0xf0, "Kibera, north");
    struct community b = named(0x0f, "");
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &a);
    community_put(txn, &b);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_assert_eq(a.number, 1);
    cr_assert_eq(b.number, 2);
    txn = txn_begin_read(store);
    struct community got;
    cr_assert_eq(community_get(txn, a.id, &got), OK);
    expect_same(&got, &a);
    cr_assert_eq(community_get_number(txn, 2, &got), OK);
    expect_same(&got, &b);
    cr_assert_eq(community_get_number(txn, 3, &got), ERR_NOT_FOUND);
    cr_assert_eq(community_get_number(txn, 0, &got), ERR_NOT_FOUND);
    expect_same(&got, &b);
    txn_abort(&txn);
    expect_no_leaks();
}

Test(community, keeps_its_number_when_it_is_put_again)
{
    struct community a = named(1, "before");
    struct community b = named(2, "other");
    struct community later = named(1, "after");
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &a);
    community_put(txn, &b);
    later.number = 77;
    community_put(txn, &later);
    cr_assert_eq(later.number, 1);
    struct community got;
    cr_assert_eq(community_get_number(txn, 1, &got), OK);
    cr_assert_str_eq(got.name, "after");
    cr_assert_eq(community_get_number(txn, 3, &got), ERR_NOT_FOUND);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(community, may_have_the_longest_name)
{
    struct community a = named(1, "");
    memset(a.name, 'n', NAME_MAX_BYTES);
    a.name_n = NAME_MAX_BYTES;
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &a);
    struct community got;
    cr_assert_eq(community_get(txn, a.id, &got), OK);
    expect_same(&got, &a);
    txn_abort(&txn);
}

struct seen {
    struct txn *txn;
    int n;
    int max;
    uint8_t ids[8];
};

static bool see(const struct community *community, void *arg)
{
    struct seen *seen = arg;
    seen->ids[seen->n++] = community->id[0];
    struct community again = *community;
    again.size++;
    if (seen->txn)
        community_put(seen->txn, &again);
    return seen->n < seen->max;
}

Test(community, is_given_with_all_others_and_may_be_put_meanwhile)
{
    struct txn *txn = txn_begin_write(store);
    for (uint8_t i = 0; i < 3; i++) {
        struct community a = named((uint8_t)(0xff - i), "x");
        community_put(txn, &a);
    }
    struct seen seen = {.txn = txn, .max = 8};
    community_each(txn, see, &seen);
    cr_assert_eq(seen.n, 3);
    cr_assert_eq(memcmp(seen.ids, "\xfd\xfe\xff", 3), 0);
    struct community got;
    cr_assert_eq(community_get_number(txn, 1, &got), OK);
    cr_assert_eq(got.size, 1000 + 0xff + 1);
    seen = (struct seen){.max = 2};
    community_each(txn, see, &seen);
    cr_assert_eq(seen.n, 2);
    cr_assert_eq(txn_commit(&txn), OK);
    expect_no_leaks();
}

Test(community, that_is_damaged_is_told_and_the_others_are_given)
{
    struct community a = named(1, "the damaged one");
    struct community b = named(2, "the sound one");
    struct txn *txn = txn_begin_write(store);
    community_put(txn, &a);
    community_put(txn, &b);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, bytes_of_text("the damaged one"), 3), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
    struct community got;
    cr_assert_eq(community_get(txn, a.id, &got), ERR_DAMAGED);
    cr_assert_eq(txn_error(txn), OK);
    struct seen seen = {.max = 8};
    community_each(txn, see, &seen);
    cr_assert_eq(seen.n, 1);
    cr_assert_eq(seen.ids[0], 2);
    cr_assert_eq(txn_error(txn), ERR_DAMAGED);
    txn_abort(&txn);
    txn = txn_begin_write(store);
    community_put(txn, &a);
    cr_assert_eq(txn_commit(&txn), ERR_DAMAGED, "no second number for it");
}

Test(community, keeps_its_secret)
{
    struct secret put = {.address = "hub.example.org:8443"};
    memset(put.seed, 1, sizeof put.seed);
    memset(put.token, 2, sizeof put.token);
    memset(put.hub_key, 3, sizeof put.hub_key);
    memset(put.tls_key, 4, sizeof put.tls_key);
    struct txn *txn = txn_begin_write(store);
    secret_put(txn, 7, &put);
    memset(put.address, 'a', ADDRESS_MAX);
    put.address[ADDRESS_MAX] = 0;
    secret_put(txn, 8, &put);
    cr_assert_eq(txn_commit(&txn), OK);
    txn = txn_begin_read(store);
    struct secret got;
    cr_assert_eq(secret_get(txn, 8, &got), OK);
    cr_assert_eq(memcmp(&got, &put, sizeof got), 0);
    cr_assert_eq(secret_get(txn, 7, &got), OK);
    cr_assert_str_eq(got.address, "hub.example.org:8443");
    cr_assert_eq(memcmp(got.tls_key, put.tls_key, sizeof got.tls_key), 0);
    cr_assert_eq(secret_get(txn, 9, &got), ERR_NOT_FOUND);
    txn_abort(&txn);
    expect_no_leaks();
}

static struct progress some_progress(void)
{
    struct progress progress = {.receipt_seq = 0x01020304,
                                .position = 0x1112131415161718,
                                .view = 0x21222324,
                                .seen_size = 0x3132333435363738};
    memset(progress.log, 'l', sizeof progress.log);
    memset(progress.root, 'r', sizeof progress.root);
    memset(progress.seen_log, 's', sizeof progress.seen_log);
    memset(progress.seen_root, 't', sizeof progress.seen_root);
    return progress;
}

static void expect_same_progress(const struct progress *a, const struct progress *b)
{
    cr_assert_eq(a->receipt_seq, b->receipt_seq);
    cr_assert_eq(memcmp(a->log, b->log, sizeof a->log), 0);
    cr_assert_eq(a->position, b->position);
    cr_assert_eq(memcmp(a->root, b->root, sizeof a->root), 0);
    cr_assert_eq(a->view, b->view);
    cr_assert_eq(memcmp(a->seen_log, b->seen_log, sizeof a->seen_log), 0);
    cr_assert_eq(a->seen_size, b->seen_size);
    cr_assert_eq(memcmp(a->seen_root, b->seen_root, sizeof a->seen_root), 0);
    cr_assert_eq(a->by_vector, b->by_vector);
    cr_assert_eq(a->forked, b->forked);
    cr_assert_eq(a->unanswered, b->unanswered);
}

Test(community, keeps_its_progress_with_each_state)
{
    struct txn *txn = txn_begin_write(store);
    struct progress got;
    struct progress put = some_progress();
    struct progress none = {0};
    progress_get(txn, 7, &got);
    expect_same_progress(&got, &none);
    for (int state = 0; state < 8; state++) {
        put.by_vector = state & 1;
        put.forked = state & 2;
        put.unanswered = state & 4;
        progress_put(txn, 7, &put);
        progress_get(txn, 7, &got);
        expect_same_progress(&got, &put);
    }
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(community, compares_by_vector_when_its_progress_is_damaged)
{
    struct progress put = some_progress();
    struct txn *txn = txn_begin_write(store);
    progress_put(txn, 7, &put);
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    cr_assert_geq(scratch_flip(&scratch, BYTES(put.seen_root), 5), 1);
    store = scratch_open(&scratch);
    txn = txn_begin_read(store);
    struct progress got;
    struct progress expected = {.by_vector = true};
    progress_get(txn, 7, &got);
    expect_same_progress(&got, &expected);
    cr_assert_eq(txn_commit(&txn), OK);
}

Test(community, knows_records_by_the_names_of_an_import)
{
    static uint8_t long_name[5000];
    memset(long_name, 'n', sizeof long_name);
    static const size_t lengths[] = {0, 1, 95, 96, 97, 124, 200, 4999, 5000};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    struct txn *txn = txn_begin_write(store);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t id[ID_SIZE] = {(uint8_t)(i + 1)};
        name_put(txn, 7, bytes_of(long_name, lengths[i]), (uint32_t)(KIND_MAX - i), id);
    }
    cr_assert_eq(txn_error(txn), OK);
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t id[ID_SIZE];
        uint32_t kind;
        struct bytes name = bytes_of(long_name, lengths[i]);
        cr_assert_eq(name_get(txn, 7, name, &kind, id), OK, "length %zu", lengths[i]);
        cr_assert_eq(kind, KIND_MAX - i);
        cr_assert_eq(id[0], i + 1);
        cr_assert_eq(name_get(txn, 8, name, &kind, id), ERR_NOT_FOUND);
    }
    cr_assert_eq(txn_commit(&txn), OK);
}
