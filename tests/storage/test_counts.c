// Counts as they lie on disk, and what is not of their form.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/counts.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;
static struct txn *txn;

static void set_up(void)
{
    scratch_init(&scratch);
    store = scratch_open(&scratch);
    txn = txn_begin_write(store);
}

static void tear_down(void)
{
    if (txn)
        txn_abort(&txn);
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(counts, .init = set_up, .fini = tear_down);

#define X4(x)       x x x x
#define ID(x)       X4(x x x x)
#define COMMUNITY_1 "00000001"
#define NEED        "0001" ID("1d")
#define SOLUTION    "0004" ID("50")

static struct record_key need(void)
{
    struct record_key record = {.kind = KIND_NEED};
    memset(record.id, 0x1d, ID_SIZE);
    return record;
}

static struct record_key solution(void)
{
    struct record_key record = {.kind = KIND_SOLUTION};
    memset(record.id, 0x50, ID_SIZE);
    return record;
}

// Rows say where a text stands, and not what it is.
static struct counts_text stands(uint64_t position, uint8_t index)
{
    return (struct counts_text){.position = position, .index = index};
}

static struct counts_text text(const char *of)
{
    struct counts_text made = {.position = 5, .n = (uint8_t)strlen(of)};
    memcpy(made.p, of, made.n);
    return made;
}

static void put_hex(struct buf *out, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        buf_put_format(out, "%02x", bytes.p[i]);
}

static void expect_rows(enum table table, const char *expected)
{
    BUF_CLEANUP struct buf out = {0};
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        put_hex(&out, walk.key);
        buf_put_text(&out, " ");
        put_hex(&out, walk.value);
        buf_put_text(&out, "\n");
    }
    buf_put_u8(&out, 0);
    cr_assert_eq(out.err, OK);
    cr_expect_str_eq((const char *)out.p, expected);
}

static const uint8_t person[ID_SIZE] = {0x9e};

Test(counts, of_stances_and_whoever_was_heard)
{
    struct record_key record = need();
    struct heard heard = {.party = 3, .place = stands(7, 2)};
    struct record_key other = solution();
    struct stance_row row = {.stance = STANCE_AGAINST, .party = 3};
    struct stance_row none = {.stance = STANCE_NONE};
    memcpy(row.root, record.id, ID_SIZE);
    stance_put(txn, 1, person, &record, &row);
    row.root[0] = 7;
    stance_put(txn, 2, person, &record, &row);
    stance_put(txn, 2, person, &other, &none);
    heard_put(txn, 1, person, &heard);
    expect_rows(TABLE_STANCE, COMMUNITY_1 "9e000000000000000000000000000000" NEED " 0203\n"
                                          "00000002"
                                          "9e000000000000000000000000000000" NEED " 020307"
                                          "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d\n"
                                          "00000002"
                                          "9e000000000000000000000000000000" SOLUTION " \n");
    expect_rows(TABLE_HEARD, COMMUNITY_1 "9e000000000000000000000000000000 03000000000000000702\n");
    struct stance_row back;
    struct heard got;
    cr_expect_eq(stance_get(txn, 2, person, &record, &back), OK);
    cr_expect(memcmp(&back, &row, sizeof row) == 0);
    cr_expect_eq(stance_get(txn, 1, person, &record, &back), OK);
    cr_expect(memcmp(back.root, record.id, ID_SIZE) == 0);
    cr_expect_eq(heard_get(txn, 1, person, &got), OK);
    cr_expect(got.party == 3 && got.place.position == 7 && got.place.index == 2);
    stance_delete(txn, 1, person, &record);
    heard_delete(txn, 1, person);
    cr_expect_eq(stance_get(txn, 1, person, &record, &back), ERR_NOT_FOUND);
    cr_expect_eq(heard_get(txn, 1, person, &got), ERR_NOT_FOUND);
    expect_no_leaks();
}

static bool is_need(const struct record_key *other, void *arg)
{
    struct record_key expected = need();
    *(int *)arg += memcmp(other, &expected, sizeof expected) == 0;
    return true;
}

Test(counts, of_links_both_ways)
{
    struct record_key answer = solution();
    struct record_key to = need();
    int ups = 0;
    int downs = 0;
    link_put(txn, 1, &answer, &to);
    expect_rows(TABLE_LINK,
                COMMUNITY_1 "00" NEED SOLUTION " \n" COMMUNITY_1 "01" SOLUTION NEED " \n");
    cr_expect_eq(link_each(txn, 1, &answer, true, is_need, &ups), OK);
    cr_expect_eq(link_each(txn, 1, &answer, false, is_need, &downs), OK);
    cr_expect(ups == 1 && downs == 0);
    link_delete(txn, 1, &answer, &to);
    expect_rows(TABLE_LINK, "");
    expect_no_leaks();
}

static struct sum some_sum(void)
{
    struct sum sum = {.marks = SUM_THERE | SUM_STRENGTHS, .since = -1, .place = stands(7, 2)};
    sum.cells[SUM_VOICES + 2 * COUNTS_STANCES] = 7; // for
    sum.cells[SUM_VOICES + 2 * COUNTS_STANCES + 1] = 2;
    sum.cells[SUM_VOICES + 3] = 9; // taken back
    sum.cells[SUM_NATURES + 1] = 3;
    sum.cells[SUM_ANSWERS] = 1;
    sum.answered[0] = 5;
    sum.categories_n = 1;
    sum.categories[0] = stands(9, 1);
    return sum;
}

Test(counts, of_sums)
{
    struct record_key record = need();
    struct sum sum = some_sum();
    struct sum got;
    struct sum none = {.marks = 0};
    sum_put(txn, 1, &record, &sum);
    expect_rows(TABLE_SUM, COMMUNITY_1 NEED " 05"
                                            "0300000009"
                                            "0800000007"
                                            "0900000002"
                                            "1d00000003"
                                            "2000000001"
                                            "0005ffffffffffffffff"
                                            "0000000000000005"
                                            "00000000000000000000000000000000"
                                            "0000000000"
                                            "000000000000000702"
                                            "01"
                                            "000000000000000901\n");
    cr_expect_eq(sum_get(txn, 1, &record, &got), OK);
    cr_expect(memcmp(got.cells, sum.cells, sizeof got.cells) == 0);
    cr_expect(got.place.position == 7 && got.categories[0].position == 9 && got.since == -1);
    cr_expect_eq(sum_state(&sum), 1);
    cr_expect_eq(sum_persons(&sum, 0), 9);
    cr_expect_eq(sum_persons(&sum, STANCE_FOR), 7);
    sum_put(txn, 1, &record, &none);
    cr_expect_eq(sum_get(txn, 1, &record, &got), ERR_NOT_FOUND);
    expect_no_leaks();
}

Test(counts, of_lists)
{
    struct record_key record = need();
    struct sum sum = some_sum();
    order_move(txn, 1, &record, NULL, &sum);
    expect_rows(TABLE_ORDER,
                COMMUNITY_1 "000101fffffff6" ID("1d") " \n" COMMUNITY_1 "000104fffffffd" ID(
                    "1d") " \n" COMMUNITY_1
                          "000106fffffff6" ID("1d") " \n" COMMUNITY_1
                                                    "000107fffffff6" ID("1d") " \n");
    order_move(txn, 1, &record, &sum, NULL);
    expect_rows(TABLE_ORDER, "");
    struct sum promise = {.marks = SUM_THERE | SUM_DUE, .due = -2};
    record.kind = KIND_COMMITMENT;
    order_move(txn, 1, &record, NULL, &promise);
    struct sum done = promise;
    done.progress = 3;
    order_move(txn, 1, &record, &promise, &done);
    expect_rows(TABLE_ORDER, COMMUNITY_1 "000500ffffffff" ID("1d") " \n");
    uint32_t number;
    cr_expect(sum_is_in(&promise, KIND_COMMITMENT, LIST_DUE, &number));
    cr_expect_eq(number, 0x7ffffffe);
    expect_no_leaks();
}

Test(counts, of_what_adds_up)
{
    struct counts_text none = {.n = 0};
    struct counts_text place = text("ab");
    struct count count = {.place = stands(5, 0)};
    struct sum sum = some_sum();
    struct count got;
    count_of_sum(&sum, count.cells);
    struct count_key key = count_key_of(KIND_NEED, &place, &none);
    count_put(txn, 1, &key, &count);
    // SHA-256 of "folkmoot count v1", a zero byte, "ab".
    expect_rows(TABLE_COUNTS,
                COMMUNITY_1 "0001"
                            "ef51185d20ddf7526015f6906d99f21f" ID("00") " 07"
                                                                        "1b00000007"
                                                                        "1c00000002"
                                                                        "5500000001"
                                                                        "5800000001"
                                                                        "5a00000001"
                                                                        "5c00000003"
                                                                        "5f00000001"
                                                                        "000000000000000500"
                                                                        "000000000000000000\n");
    cr_expect_eq(count_get(txn, 1, &key, &got), OK);
    cr_expect(memcmp(got.cells, count.cells, sizeof got.cells) == 0);
    expect_no_leaks();
}

// --- what is not of their form ---

static void put_bad(enum table table, const char *key, struct bytes value)
{
    uint8_t bytes[64];
    size_t n = strlen(key) / 2;
    for (size_t i = 0; i < n; i++) {
        const char digits[3] = {key[2 * i], key[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    table_put(txn, table, bytes_of(bytes, n), value);
}

Test(counts, of_another_form_are_damage)
{
    static const uint8_t six[] = {6};
    static const uint8_t cell_past_the_end[60] = {1, SUM_CELLS, 0, 0, 0, 1};
    static const uint8_t party_seven[10] = {7};
    struct record_key record = need();
    struct sum sum;
    struct heard heard;
    struct count count;
    struct count_key key = {.kind = KIND_NEED};
    struct stance_row stance;
    put_bad(TABLE_STANCE, COMMUNITY_1 "9e000000000000000000000000000000" NEED, BYTES(six));
    put_bad(TABLE_SUM, COMMUNITY_1 NEED, BYTES(cell_past_the_end));
    put_bad(TABLE_HEARD, COMMUNITY_1 "9e000000000000000000000000000000", BYTES(party_seven));
    put_bad(TABLE_COUNTS, COMMUNITY_1 "0001" ID("00") ID("00"), BYTES(six));
    cr_expect_eq(stance_get(txn, 1, person, &record, &stance), ERR_DAMAGED);
    cr_expect_eq(sum_get(txn, 1, &record, &sum), ERR_DAMAGED);
    cr_expect_eq(heard_get(txn, 1, person, &heard), ERR_DAMAGED);
    cr_expect_eq(count_get(txn, 1, &key, &count), ERR_DAMAGED);
    cr_expect_eq(txn_error(txn), OK);
    expect_no_leaks();
}

Test(counts, are_cleared_of_one_community_in_as_many_steps_as_are_allowed)
{
    struct record_key record = need();
    struct record_key answer = solution();
    struct sum sum = some_sum();
    for (uint32_t community = 1; community <= 2; community++) {
        struct stance_row row = {.stance = STANCE_FOR};
        stance_put(txn, community, person, &record, &row);
        link_put(txn, community, &answer, &record);
        sum_put(txn, community, &record, &sum);
        order_move(txn, community, &record, NULL, &sum);
    }
    unsigned steps = 1;
    while (!counts_clear(txn, 1, 3))
        steps++;
    cr_expect_eq(steps, 3, "%u", steps); // 8 rows
    expect_rows(TABLE_SUM, "00000002" NEED " 05"
                           "0300000009"
                           "0800000007"
                           "0900000002"
                           "1d00000003"
                           "2000000001"
                           "0005ffffffffffffffff"
                           "0000000000000005"
                           "00000000000000000000000000000000"
                           "0000000000"
                           "000000000000000702"
                           "01"
                           "000000000000000901\n");
    cr_expect(counts_are_kept(txn, 1));
    counts_keep(txn, 1, false);
    cr_expect_not(counts_are_kept(txn, 1));
    counts_keep(txn, 1, true);
    cr_expect(counts_are_kept(txn, 1));
    expect_no_leaks();
}
