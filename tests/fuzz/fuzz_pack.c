// Packs: opened within bounds, whatever they claim; what was packed comes back.

#include "proto/pack.h"
#include "tests/fuzz/fuzz.h"

static void check_open(const struct pack *pack)
{
    struct arena arena ARENA_CLEANUP;
    struct bytes bytes;
    struct fault fault = {0};
    arena_init(&arena, PACK_MAX + 64);
    enum err err = pack_open(pack, &arena, &bytes, &fault);
    assert(err == OK || err == ERR_MALFORMED || err == ERR_LIMIT);
    assert(err == OK || (fault.err == err && fault.text[0]));
    assert(err != OK || (bytes.n == pack->size && bytes.n <= PACK_MAX));
    // What a small pack asks for is not more than it holds.
    assert(arena.used <= pack->size + 64);
}

static void check_made(struct bytes bytes, const struct pack_wish *wish)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    struct bytes opened;
    arena_init(&arena, (size_t)4 * PACK_MAX);
    enum err err = pack_make(bytes, wish, &arena, &pack);
    assert(!err && pack.size == bytes.n && pack.data.n <= bytes.n);
    assert((wish->packings | 1 << PACKING_PLAIN) >> pack.packing & 1);
    err = pack_open(&pack, &arena, &opened, NULL);
    assert(!err && bytes_equal(bytes, opened));
}

// Whatever columns give is a message that gives columns again, which give the same.
static void check_columns(struct bytes bytes)
{
    struct buf message = {0}, columns = {0}, again = {0};
    enum err err = columns_open(bytes, PACK_MAX, &message);
    assert(err == OK || err == ERR_MALFORMED || err == ERR_LIMIT);
    if (!err && columns_make(buf_bytes(&message), (enum columns_of)bytes.p[0], &columns) == OK) {
        assert(columns_open(buf_bytes(&columns), PACK_MAX, &again) == OK);
        assert(bytes_equal(buf_bytes(&message), buf_bytes(&again)));
    }
    buf_done(&message);
    buf_done(&columns);
    buf_done(&again);
}

static void check_message(struct bytes bytes)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack = {0};
    arena_init(&arena, PACK_MAX);
    if (message_decode(&pack_message, bytes, &arena, &pack, NULL) == OK)
        check_open(&pack);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = script_of(data, size);
    struct pack pack = {.packing = script_u8(&script), .size = script_be32(&script)};
    pack.data = bytes_of(script.p, script.n);
    check_open(&pack);
    check_message(bytes_of(data, size));
    for (unsigned i = 0; i < 6; i++)
        check_made(bytes_of(data, size), &(struct pack_wish){.packings = i % 2 ? PACKINGS_KNOWN : 0,
                                                             .of = (enum columns_of)(i / 2)});
    check_columns(bytes_of(data, size));
    return 0;
}
