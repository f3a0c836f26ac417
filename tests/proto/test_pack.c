#include <criterion/criterion.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proto/pack.h"
#include "tests/leaks.h"

enum { ARENA_MAX = 16 << 20 };

static const uint8_t zeros[PACK_MAX + 1];

// Zstd as a peer may make it; heap.
static struct pack zstd_of(const void *p, size_t n)
{
    size_t room = ZSTD_compressBound(n);
    void *data = malloc(room);
    cr_assert(data);
    size_t size = ZSTD_compress(data, room, p, n, 1);
    cr_assert(!ZSTD_isError(size));
    return (struct pack){PACKING_ZSTD, (uint32_t)n, bytes_of(data, size)};
}

static void zstd_free(struct pack *pack)
{
    free((void *)(uintptr_t)pack->data.p);
}

static enum err open_in(const struct pack *pack, size_t arena_max)
{
    struct arena arena ARENA_CLEANUP;
    struct bytes bytes;
    struct fault fault = {0};
    arena_init(&arena, arena_max);
    enum err err = pack_open(pack, &arena, &bytes, &fault);
    cr_expect(!err || strlen(fault.text) > 0);
    return err;
}

static void there_and_back(size_t n, bool zstd, enum packing packing)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    struct bytes bytes = {0};
    uint8_t *text = malloc(n + 1);
    cr_assert(text);
    for (size_t i = 0; i < n; i++)
        text[i] = (uint8_t) "the tap is dry "[i % 15];
    arena_init(&arena, ARENA_MAX);
    cr_assert_eq(pack_make(bytes_of(text, n),
                           &(struct pack_wish){.packings = zstd ? 1 << PACKING_ZSTD : 0}, &arena,
                           &pack),
                 OK, "%zu bytes", n);
    cr_expect_eq(pack.packing, packing, "%zu bytes", n);
    cr_expect_eq(pack.size, n);
    cr_assert_eq(pack_open(&pack, &arena, &bytes, NULL), OK);
    cr_expect(bytes_equal(bytes, bytes_of(text, n)));
    free(text);
}

Test(pack, what_was_packed_is_opened_alike)
{
    there_and_back(0, true, PACKING_PLAIN);
    there_and_back(10, true, PACKING_PLAIN);
    there_and_back(5000, false, PACKING_PLAIN);
    there_and_back(5000, true, PACKING_ZSTD);
    there_and_back(PACK_MAX, true, PACKING_ZSTD);
    expect_no_leaks();
}

Test(pack, what_zstd_makes_no_smaller_stays_plain)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    uint8_t noise[200];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
    arena_init(&arena, ARENA_MAX);
    cr_assert_eq(pack_make(BYTES(noise),
                           &(struct pack_wish){.packings = true ? 1 << PACKING_ZSTD : 0}, &arena,
                           &pack),
                 OK);
    cr_expect_eq(pack.packing, PACKING_PLAIN);
}

Test(pack, more_than_1_mib_is_not_packed)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    arena_init(&arena, ARENA_MAX);
    cr_expect_eq(pack_make(BYTES(zeros),
                           &(struct pack_wish){.packings = true ? 1 << PACKING_ZSTD : 0}, &arena,
                           &pack),
                 ERR_LIMIT);
}

// A bomb: some forty bytes that would be a megabyte and more.
Test(pack, a_frame_over_1_mib_is_refused_whatever_it_says)
{
    struct pack bomb = zstd_of(zeros, sizeof zeros);
    cr_assert_lt(bomb.data.n, 200);
    cr_expect_eq(open_in(&bomb, ARENA_MAX), ERR_LIMIT, "it tells the truth");
    bomb.size = 100;
    cr_expect_eq(open_in(&bomb, ARENA_MAX), ERR_MALFORMED, "it claims to be small");
    zstd_free(&bomb);
    expect_no_leaks();
}

// The frame's header says less than its blocks hold: RFC 8878, an RLE block of 128 KiB.
Test(pack, a_frame_that_lies_about_itself_is_refused)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 10, 0, 0, 0, 0x03, 0x00, 0x10, 0};
    struct pack pack = {PACKING_ZSTD, 10, BYTES(frame)};
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
}

Test(pack, a_frame_without_a_size_is_refused)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x09, 0, 0, 'a'};
    struct pack pack = {PACKING_ZSTD, 1, BYTES(frame)};
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
}

Test(pack, a_wrong_size_is_refused)
{
    struct pack pack = zstd_of("three taps for nine hundred people", 34);
    cr_expect_eq(open_in(&pack, ARENA_MAX), OK);
    pack.size = 33;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    pack.size = 35;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    pack.size = 0;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    zstd_free(&pack);
}

// Bytes after the frame, and whole frames that add nothing (an empty one, a skippable one): each
// would be another form of the same pack.
Test(pack, whatever_follows_the_frame_is_refused)
{
    static const uint8_t empty[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00};
    static const uint8_t skippable[] = {0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 'x'};
    const struct bytes tails[] = {bytes_of("x", 1), BYTES(empty), BYTES(skippable)};
    struct pack pack = zstd_of("three taps for nine hundred people", 34);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct buf both BUF_CLEANUP = {0};
        struct pack longer = pack;
        buf_put(&both, pack.data);
        buf_put(&both, tails[i]);
        longer.data = buf_bytes(&both);
        cr_expect_eq(open_in(&longer, ARENA_MAX), ERR_MALFORMED, "tail %zu", i);
    }
    zstd_free(&pack);
    expect_no_leaks();
}

Test(pack, a_frame_cut_at_any_byte_is_refused)
{
    struct pack pack = zstd_of("three taps for nine hundred people", 34);
    for (size_t n = 0; n < pack.data.n; n++) {
        struct buf part BUF_CLEANUP = {0};
        buf_put(&part, bytes_of(pack.data.p, n));
        struct pack cut = {PACKING_ZSTD, pack.size, buf_bytes(&part)};
        cr_expect_eq(open_in(&cut, ARENA_MAX), ERR_MALFORMED, "cut at %zu", n);
    }
    zstd_free(&pack);
    expect_no_leaks();
}

Test(pack, plain_of_another_size_and_unknown_packings_are_refused)
{
    struct pack pack = {PACKING_PLAIN, 4, bytes_of_text("taps")};
    cr_expect_eq(open_in(&pack, ARENA_MAX), OK);
    pack.size = 3;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    pack.size = 4;
    pack.packing = 0;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    pack.packing = 4;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
    pack.packing = UINT32_MAX;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_MALFORMED);
}

static bool no_memory;

size_t __real_ZSTD_decompressDCtx(ZSTD_DCtx *zstd, void *out, size_t room, const void *in,
                                  size_t n);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *zstd, void *out, size_t room, const void *in,
                                  size_t n);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *zstd, void *out, size_t room, const void *in, size_t n)
{
    return no_memory ? (size_t)-ZSTD_error_memory_allocation
                     : __real_ZSTD_decompressDCtx(zstd, out, room, in, n);
}

Test(pack, is_not_called_malformed_because_there_was_no_memory_to_open_it)
{
    struct pack pack = zstd_of(zeros, 100000);
    no_memory = true;
    cr_expect_eq(open_in(&pack, ARENA_MAX), ERR_NOMEM);
    no_memory = false;
    cr_expect_eq(open_in(&pack, ARENA_MAX), OK);
    zstd_free(&pack);
}

Test(pack, a_full_arena_opens_nothing)
{
    struct pack pack = zstd_of(zeros, 100000);
    cr_expect_eq(open_in(&pack, 1000), ERR_NOMEM);
    zstd_free(&pack);
    expect_no_leaks();
}
