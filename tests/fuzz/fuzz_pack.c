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

static void check_made(struct bytes bytes, bool zstd)
{
    struct arena arena ARENA_CLEANUP;
    struct pack pack;
    struct bytes opened;
    arena_init(&arena, (size_t)4 * PACK_MAX);
    enum err err = pack_make(bytes, zstd, &arena, &pack);
    assert(!err && pack.size == bytes.n && pack.data.n <= bytes.n);
    assert(zstd || pack.packing == PACKING_PLAIN);
    err = pack_open(&pack, &arena, &opened, NULL);
    assert(!err && bytes_equal(bytes, opened));
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
    check_made(bytes_of(data, size), true);
    check_made(bytes_of(data, size), false);
    return 0;
}
