#include <criterion/criterion.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/text.h"
#include "storage/packed.h"
#include "tests/leaks.h"

static struct packer packer;
static struct buf plain;

static void tear_down(void)
{
    packer_done(&packer);
    buf_done(&plain);
}

TestSuite(packed, .fini = tear_down);

static const char need[] = "The bus stop on our road has no bench and no roof. People who cannot "
                           "stand for long stay at home when it rains, and miss the doctor.";

static void put(struct bytes fields)
{
    struct log_body body = {.fields = fields};
    memset(body.salt, 's', sizeof body.salt);
    buf_reset(&plain);
    packed_put(&packer, &body, &plain);
    cr_assert_eq(plain.err, OK);
}

static void expect_back(struct bytes fields)
{
    struct log_body body;
    uint8_t salt[SALT_SIZE];
    memset(salt, 's', sizeof salt);
    cr_assert_eq(packed_take(&packer, &plain, &body), OK);
    cr_assert(bytes_equal(body.fields, fields));
    cr_assert_eq(memcmp(body.salt, salt, sizeof salt), 0);
}

Test(packed, words_of_people_are_shorter_and_come_back)
{
    for (int times = 0; times < 3; times++) {
        put(bytes_of_text(need));
        cr_assert_lt(plain.n, SALT_SIZE + sizeof need - 1);
        expect_back(bytes_of_text(need));
    }
    tear_down();
    expect_no_leaks();
}

// As a database says that was written when this form was new: the dictionary may never change.
Test(packed, words_that_were_packed_long_ago_come_back)
{
    static const char stored[] =
        "737373737373737373737373737373732084bd02008402726f61646e6f6e6f77686f73746e6720737461792061"
        "74206974207261696e6d69646f63746f722e0efc58680a35620a95d4b3221a55b0e8307b88f66d93201604b0a3"
        "60c0e9dccf4c49c427e5b451e68dfc97440845633f30";
    uint8_t bytes[256];
    size_t n = (sizeof stored - 1) / 2;
    cr_assert_leq(n, sizeof bytes);
    cr_assert_eq(text_unhex(bytes_of_text(stored), bytes, n), OK);
    buf_put(&plain, bytes_of(bytes, n));
    expect_back(bytes_of_text(need));
}

Test(packed, words_that_packing_makes_no_shorter_stay_as_they_are)
{
    uint8_t noise[600];
    uint32_t state = 7;
    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * 1664525 + 1013904223;
        noise[i] = (uint8_t)(state >> 24);
    }
    for (size_t n = 0; n <= sizeof noise; n += 50) {
        put(bytes_of(noise, n));
        cr_assert_eq(plain.n, SALT_SIZE + n + 4);
        expect_back(bytes_of(noise, n));
    }
    put(bytes_of_text("a few words"));
    cr_assert_eq(plain.n, SALT_SIZE + strlen("a few words") + 4);
    expect_back(bytes_of_text("a few words"));
}

Test(packed, words_that_were_altered_are_damaged)
{
    struct log_body body;
    BUF_CLEANUP struct buf whole = {0};
    put(bytes_of_text(need));
    buf_put(&whole, buf_bytes(&plain));
    for (size_t bit = 0; bit < whole.n * 8; bit++) {
        buf_reset(&plain);
        buf_put(&plain, buf_bytes(&whole));
        plain.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_eq(packed_take(&packer, &plain, &body), ERR_DAMAGED, "bit %zu", bit);
    }
    for (size_t n = 0; n < whole.n; n++) {
        buf_reset(&plain);
        buf_put(&plain, bytes_of(whole.p, n));
        cr_assert_eq(packed_take(&packer, &plain, &body), ERR_DAMAGED, "%zu bytes", n);
    }
}

// What somebody writes who knows how the check is made.
static void expect_no_frame(struct bytes frame)
{
    enum { PACKED = 1 };
    struct log_body body;
    buf_reset(&plain);
    for (int i = 0; i < SALT_SIZE; i++)
        buf_put_u8(&plain, 's');
    buf_put(&plain, frame);
    buf_put_be32(&plain, (uint32_t)XXH3_64bits_withSeed(plain.p, plain.n, PACKED));
    cr_assert_eq(packed_take(&packer, &plain, &body), ERR_DAMAGED);
}

Test(packed, words_in_frames_that_are_none_or_too_large_are_damaged)
{
    enum { MAGIC = 4 };
    static uint8_t zeros[(1 << 20) + 1];
    uint8_t packed[4096];
    expect_no_frame(bytes_of_text(""));
    expect_no_frame(bytes_of_text("no frame of zstd at all"));
    size_t n = ZSTD_compress(packed, sizeof packed, zeros, sizeof zeros, 3);
    cr_assert_not(ZSTD_isError(n));
    expect_no_frame(bytes_of(packed + MAGIC, n - MAGIC));
}

Test(packed, words_say_so_when_there_is_no_room_for_them)
{
    struct log_body body = {.fields = bytes_of_text(need)};
    plain.max = SALT_SIZE + 8;
    packed_put(&packer, &body, &plain);
    cr_assert_eq(plain.err, ERR_LIMIT);
}
