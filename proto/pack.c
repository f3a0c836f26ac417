#include "proto/pack.h"

#include <zstd.h>
#include <zstd_errors.h>

enum { ZSTD_LEVEL = 6, PACK_WORTH = 64 };

static enum err pack_plain(struct bytes bytes, struct arena *arena, struct pack *pack)
{
    *pack = (struct pack){PACKING_PLAIN, (uint32_t)bytes.n, arena_copy(arena, bytes)};
    return pack->data.p ? OK : ERR_NOMEM;
}

static enum err pack_zstd(struct bytes bytes, struct arena *arena, struct pack *pack)
{
    size_t room = ZSTD_compressBound(bytes.n);
    void *data = arena_alloc(arena, 1, room);
    if (!data)
        return ERR_NOMEM;
    size_t n = ZSTD_compress(data, room, bytes.p, bytes.n, ZSTD_LEVEL);
    if (ZSTD_isError(n) || n >= bytes.n)
        return pack_plain(bytes, arena, pack);
    *pack = (struct pack){PACKING_ZSTD, (uint32_t)bytes.n, bytes_of(data, n)};
    return OK;
}

enum err pack_make(struct bytes bytes, bool zstd, struct arena *arena, struct pack *pack)
{
    if (bytes.n > PACK_MAX)
        return ERR_LIMIT;
    return zstd && bytes.n >= PACK_WORTH ? pack_zstd(bytes, arena, pack)
                                         : pack_plain(bytes, arena, pack);
}

enum err pack_open(const struct pack *pack, struct arena *arena, struct bytes *bytes,
                   struct fault *fault)
{
    if (pack->size > PACK_MAX)
        return fault_set(fault, ERR_LIMIT, "Pack: over %d bytes unpacked", PACK_MAX);
    if (pack->packing == PACKING_PLAIN && pack->data.n == pack->size) {
        *bytes = pack->data;
        return OK;
    }
    if (pack->packing != PACKING_ZSTD)
        return fault_set(fault, ERR_MALFORMED, "Pack: packing %u of another size or unknown",
                         pack->packing);
    if (ZSTD_getFrameContentSize(pack->data.p, pack->data.n) != pack->size)
        return fault_set(fault, ERR_MALFORMED, "Pack: the frame does not say its size");
    // More frames could follow that add nothing: the same bytes in two forms.
    if (ZSTD_findFrameCompressedSize(pack->data.p, pack->data.n) != pack->data.n)
        return fault_set(fault, ERR_MALFORMED, "Pack: not one whole zstd frame");
    void *p = arena_alloc(arena, 1, pack->size ? pack->size : 1);
    if (!p)
        return fault_set(fault, ERR_NOMEM, "Pack: too large");
    size_t n = ZSTD_decompress(p, pack->size, pack->data.p, pack->data.n);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return fault_set(fault, ERR_NOMEM, "Pack: no memory to open it");
    if (n != pack->size)
        return fault_set(fault, ERR_MALFORMED, "Pack: not one whole zstd frame");
    *bytes = bytes_of(p, pack->size);
    return OK;
}
