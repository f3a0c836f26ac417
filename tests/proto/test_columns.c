#include <criterion/criterion.h>

#include "proto/pack.h"
#include "proto/wire.h"
#include "tests/leaks.h"
#include "tests/sync/dice.h"

enum { ROUNDS = 3000, MAX = 1 << 20 };

static struct dice dice = {7};

// --- messages of any shape ---

static uint64_t any_number(void)
{
    return dice_next(&dice) >> dice_below(&dice, 64);
}

static void put_any_bytes(struct buf *out, uint32_t number)
{
    static const size_t sizes[] = {0, 1, 2, 12, 15, 16, 17, 20, 127, 128, 300};
    uint8_t bytes[300];
    size_t n = sizes[dice_below(&dice, sizeof sizes / sizeof *sizes)];
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)dice_below(&dice, 4);
    wire_put_bytes(out, number, bytes_of(bytes, n));
}

static void put_any(struct buf *out, uint32_t number)
{
    switch (dice_below(&dice, 4)) {
    case 0:
        wire_put_uint(out, number, any_number());
        break;
    case 1:
        wire_put_fixed32(out, number, (uint32_t)dice_next(&dice));
        break;
    case 2:
        wire_put_varint(out, (uint64_t)number << 3 | WIRE_FIXED64);
        buf_put_be64(out, dice_next(&dice));
        break;
    default:
        put_any_bytes(out, number);
    }
}

static void put_flat(struct buf *out)
{
    for (size_t i = dice_below(&dice, 6); i > 0; i--)
        put_any(out, (uint32_t)(50 + any_number() % 536870000));
}

static void put_envelope(struct buf *out)
{
    wire_put_uint(out, 1, 1 + dice_below(&dice, 15));
    for (size_t i = dice_below(&dice, 3); i > 0; i--)
        put_any_bytes(out, 3);
    wire_put_uint(out, 4, any_number());
    for (size_t i = dice_below(&dice, 3); i > 0; i--) {
        size_t mark = wire_open(out, 6);
        put_flat(out);
        wire_close(out, mark);
    }
    put_flat(out);
}

static void put_change(struct buf *out, enum columns_of of)
{
    size_t change = wire_open(out, of == COLUMNS_OF_CHANGES ? 1 : 2);
    size_t envelope = wire_open(out, of == COLUMNS_OF_CHANGES ? 1 : 4);
    put_envelope(out);
    wire_close(out, envelope);
    size_t fields = wire_open(out, of == COLUMNS_OF_CHANGES ? 2 : 5);
    put_flat(out);
    wire_close(out, fields);
    if (of == COLUMNS_OF_ENTRIES)
        wire_put_uint(out, 2, dice_below(&dice, 1000));
    wire_close(out, change);
}

static void put_message(struct buf *out, enum columns_of of)
{
    for (size_t i = dice_below(&dice, 8); i > 0; i--) {
        if (dice_percent(&dice, 80))
            put_change(out, of);
        else
            put_any(out, (uint32_t)(10 + dice_below(&dice, 40)));
    }
}

// --- there and back ---

static enum err open_max(struct bytes columns, size_t max, struct bytes expected)
{
    struct buf message BUF_CLEANUP = {0};
    enum err err = columns_open(columns, max, &message);
    cr_assert(err || bytes_equal(buf_bytes(&message), expected));
    return err;
}

Test(columns, give_a_message_of_any_shape_back_byte_for_byte)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct buf message BUF_CLEANUP = {0};
        struct buf columns BUF_CLEANUP = {0};
        enum columns_of of = i % 2 ? COLUMNS_OF_CHANGES : COLUMNS_OF_ENTRIES;
        put_message(&message, of);
        cr_assert_eq(columns_make(buf_bytes(&message), of, &columns), OK);
        cr_assert_eq(open_max(buf_bytes(&columns), MAX, buf_bytes(&message)), OK, "round %d", i);
        if (message.n > 1)
            cr_assert_eq(open_max(buf_bytes(&columns), message.n - 1, buf_bytes(&message)),
                         ERR_LIMIT);
    }
    expect_no_leaks();
}

// What the page on the protocol shows, so that whoever reads it finds the same.
Test(columns, are_what_the_protocol_says)
{
    static const uint8_t message[] = {
        0x0a, 0x28, 0x0a, 0x04, 0x08, 0x01, 0x20, 0x0a, 0x12, 0x20, 0x3a, 0x1a, 'T',
        'h',  'e',  ' ',  't',  'a',  'p',  ' ',  'i',  's',  ' ',  'd',  'r',  'y',
        ' ',  's',  'i',  'n',  'c',  'e',  ' ',  'J',  'u',  'n',  'e',  '.',  0x4a,
        0x02, 'e',  'n',  0x0a, 0x08, 0x0a, 0x06, 0x08, 0x02, 0x20, 0x07, 0x28, 0x01};
    static const uint8_t columns[] = {
        0x01, 0x1a, 0x01, 0x13, 0x02, 0x00, 0x03, 0x02, 0x00, 0x00, 'T',  'h',  'e',
        ' ',  't',  'a',  'p',  ' ',  'i',  's',  ' ',  'd',  'r',  'y',  ' ',  's',
        'i',  'n',  'c',  'e',  ' ',  'J',  'u',  'n',  'e',  '.',  0x0a, 0x0a, 0x0a,
        0x08, 0x20, 0x00, 0x12, 0x3a, 0x10, 0x4a, 0x02, 0x00, 0x00, 0x0a, 0x0a, 0x08,
        0x20, 0x28, 0x00, 0x00, 0x14, 0x05, 0x01, 0x02, 0x01, 'e',  'n'};
    struct buf made BUF_CLEANUP = {0};
    cr_assert_eq(columns_make(BYTES(message), COLUMNS_OF_CHANGES, &made), OK);
    cr_expect(bytes_equal(buf_bytes(&made), BYTES(columns)));
    cr_expect_eq(open_max(BYTES(columns), MAX, BYTES(message)), OK);
}

// --- what is not of the form ---

Test(columns, are_not_made_of_what_they_could_not_give_back)
{
    static const struct {
        uint8_t bytes[8];
        size_t n;
    } messages[] = {
        {{0x08, 0x81, 0x00}, 3},       // a value that is longer than need be
        {{0x88, 0x00, 0x01}, 3},       // so a key
        {{0x0a, 0x81, 0x00, 0x08}, 4}, // so a length
        {{0x0b, 0x0c}, 2},             // a group
        {{0x0a, 0x05, 0x08}, 3},       // cut
        {{0x0a, 0x02, 0x0a, 0x05}, 4}, // cut inside
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct buf columns BUF_CLEANUP = {0};
        cr_expect_neq(
            columns_make(bytes_of(messages[i].bytes, messages[i].n), COLUMNS_OF_CHANGES, &columns),
            OK, "message %zu", i);
    }
    struct buf columns BUF_CLEANUP = {0};
    cr_expect_eq(columns_make(bytes_of_text(""), COLUMNS_OF_NONE, &columns), ERR_MALFORMED);
    expect_no_leaks();
}

Test(columns, that_are_cut_or_altered_are_refused_or_give_another_message)
{
    struct buf message BUF_CLEANUP = {0};
    struct buf columns BUF_CLEANUP = {0};
    unsigned refused = 0;
    for (int i = 0; i < 5; i++)
        put_change(&message, COLUMNS_OF_CHANGES);
    cr_assert_eq(columns_make(buf_bytes(&message), COLUMNS_OF_CHANGES, &columns), OK);
    for (size_t n = 0; n < columns.n; n++)
        cr_expect_neq(open_max(bytes_of(columns.p, n), MAX, buf_bytes(&message)), OK, "%zu", n);
    for (size_t at = 0; at < columns.n; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct buf other BUF_CLEANUP = {0};
            columns.p[at] ^= (uint8_t)(1 << bit);
            enum err err = columns_open(buf_bytes(&columns), MAX, &other);
            cr_assert(err == OK || err == ERR_MALFORMED);
            cr_assert(err || !bytes_equal(buf_bytes(&other), buf_bytes(&message)));
            refused += err != OK;
            columns.p[at] ^= (uint8_t)(1 << bit);
        }
    }
    cr_expect_gt(refused, columns.n);
    expect_no_leaks();
}

Test(columns, that_say_what_cannot_be_are_refused)
{
    static const struct {
        uint8_t bytes[24];
        size_t n;
    } rows[] = {
        {{0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10},                   // of another message
        {{0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x00}, 11},             // an end where nothing is open
        {{0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x0a}, 11},             // a beginning without an end
        {{0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x18}, 11},             // a number that is not there
        {{0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x18}, 11},             // one that nobody asks for
        {{0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x1b}, 11},             // a group
        {{0x01, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0x1a, 0x11}, 12},       // a length that is none
        {{0x01, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0x7f, 0x1a, 0x10}, 13}, // longer than what there is
        {{0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00}, 11},             // something behind
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf message BUF_CLEANUP = {0};
        cr_expect_eq(columns_open(bytes_of(rows[i].bytes, rows[i].n), MAX, &message), ERR_MALFORMED,
                     "row %zu", i);
    }
}

// --- in packs ---

static void expect_packed(struct bytes message, enum columns_of of, enum pack_effort effort)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    struct bytes opened;
    const struct pack_wish wish = {PACKINGS_KNOWN, of, effort};
    arena_init(&arena, 8 << 20);
    cr_assert_eq(pack_make(message, &wish, &arena, &pack), OK);
    cr_assert_leq(pack.data.n, message.n);
    cr_assert_eq(pack_open(&pack, &arena, &opened, NULL), OK);
    cr_assert(bytes_equal(opened, message));
}

Test(columns, in_packs_give_any_message_back)
{
    for (int i = 0; i < 300; i++) {
        struct buf message BUF_CLEANUP = {0};
        enum columns_of of = i % 2 ? COLUMNS_OF_CHANGES : COLUMNS_OF_ENTRIES;
        put_message(&message, of);
        expect_packed(buf_bytes(&message), of, i % 3 ? PACK_QUICK : PACK_WELL);
    }
}

// The least that is sent gains most: this is why there is a dictionary.
Test(columns, of_one_short_need_take_less_than_two_thirds)
{
    struct arena arena ARENA_CLEANUP;
    struct buf message BUF_CLEANUP = {0};
    struct pack pack;
    const struct pack_wish wish = {PACKINGS_KNOWN, COLUMNS_OF_CHANGES, PACK_WELL};
    arena_init(&arena, 1 << 20);
    size_t change = wire_open(&message, 1);
    size_t envelope = wire_open(&message, 1);
    wire_put_uint(&message, 1, 1);
    wire_put_uint(&message, 4, 1795000000000);
    wire_close(&message, envelope);
    size_t fields = wire_open(&message, 2);
    wire_put_bytes(&message, 7,
                   bytes_of_text("The lift in our building has been broken since the spring and "
                                 "older people cannot get to the clinic."));
    wire_close(&message, fields);
    wire_close(&message, change);
    cr_assert_eq(pack_make(buf_bytes(&message), &wish, &arena, &pack), OK);
    cr_expect_eq(pack.packing, PACKING_COLUMNS);
    cr_expect_lt(3 * pack.data.n, 2 * message.n, "%zu bytes of %zu", pack.data.n, message.n);
}

Test(columns, that_claim_another_size_are_refused)
{
    struct arena arena ARENA_CLEANUP;
    struct buf message BUF_CLEANUP = {0};
    struct pack pack;
    struct bytes opened;
    struct fault fault = {0};
    const struct pack_wish wish = {PACKINGS_KNOWN, COLUMNS_OF_CHANGES, PACK_WELL};
    arena_init(&arena, 8 << 20);
    for (int i = 0; i < 50; i++)
        put_change(&message, COLUMNS_OF_CHANGES);
    cr_assert_eq(pack_make(buf_bytes(&message), &wish, &arena, &pack), OK);
    cr_assert_eq(pack.packing, PACKING_COLUMNS);
    for (int by = -1; by <= 1; by += 2) {
        struct pack other = pack;
        other.size += (uint32_t)by;
        cr_expect_eq(pack_open(&other, &arena, &opened, &fault), ERR_MALFORMED);
    }
    pack.packing = PACKING_ZSTD;
    cr_expect_eq(pack_open(&pack, &arena, &opened, &fault), ERR_MALFORMED);
}
