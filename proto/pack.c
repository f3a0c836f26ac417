#include "proto/pack.h"

#include <pthread.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proto/dictionary.h"

enum { LARGE_BYTES = 128 << 10, PACK_WORTH = 32 };

// --- the dictionary, read once for each level ---

enum level { QUICK, WELL, LARGE, LEVELS };

static const int levels[LEVELS] = {[QUICK] = 6, [WELL] = 19, [LARGE] = 16};

static struct {
    pthread_once_t once;
    ZSTD_CDict *make[LEVELS];
    ZSTD_DDict *open;
} shared = {.once = PTHREAD_ONCE_INIT};

static void read_dictionary(void)
{
    for (int i = 0; i < LEVELS; i++)
        shared.make[i] = ZSTD_createCDict(dictionary, dictionary_n, levels[i]);
    shared.open = ZSTD_createDDict(dictionary, dictionary_n);
}

static const ZSTD_CDict *packs_by(enum level level)
{
    (void)pthread_once(&shared.once, read_dictionary);
    return shared.make[level];
}

// What would take a phone seconds is packed less well.
static enum level level_for(size_t n, enum pack_effort effort)
{
    if (effort == PACK_QUICK)
        return QUICK;
    return n > LARGE_BYTES ? LARGE : WELL;
}

static const ZSTD_DDict *opens_by(void)
{
    (void)pthread_once(&shared.once, read_dictionary);
    return shared.open;
}

// --- packing ---

static enum err pack_plain(struct bytes bytes, struct arena *arena, struct pack *pack)
{
    *pack = (struct pack){PACKING_PLAIN, (uint32_t)bytes.n, arena_copy(arena, bytes)};
    return pack->data.p ? OK : ERR_NOMEM;
}

// Into `room`, which holds ZSTD_compressBound; 0: not.
static size_t compress(struct bytes bytes, const ZSTD_CDict *dict, enum level level, void *room,
                       size_t max)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t n = 0;
    if (zstd) {
        (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_dictIDFlag, 0);
        (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, levels[level]);
        if (dict)
            (void)ZSTD_CCtx_refCDict(zstd, dict);
        n = ZSTD_compress2(zstd, room, max, bytes.p, bytes.n);
    }
    (void)ZSTD_freeCCtx(zstd);
    return ZSTD_isError(n) ? 0 : n;
}

// Keeps what is smaller than what there is.
static enum err try(struct bytes bytes, const ZSTD_CDict *dict, const struct pack_wish *wish,
                    enum packing packing, struct arena *arena, struct pack *pack)
{
    size_t max = ZSTD_compressBound(bytes.n);
    void *room = arena_alloc(arena, 1, max);
    if (!room)
        return ERR_NOMEM;
    size_t n = compress(bytes, dict, level_for(bytes.n, wish->effort), room, max);
    if (n > 0 && n < pack->data.n) {
        pack->packing = packing;
        pack->data = bytes_of(room, n);
    }
    return OK;
}

static enum err try_columns(struct bytes bytes, const struct pack_wish *wish, struct arena *arena,
                            struct pack *pack)
{
    BUF_CLEANUP struct buf columns = {.max = COLUMNS_MAX};
    const ZSTD_CDict *dict = packs_by(level_for(bytes.n, wish->effort));
    if (!dict)
        return ERR_NOMEM;
    enum err err = columns_make(bytes, wish->of, &columns);
    if (err)
        return err == ERR_NOMEM ? err : OK;
    return try(buf_bytes(&columns), dict, wish, PACKING_COLUMNS, arena, pack);
}

enum err pack_make(struct bytes bytes, const struct pack_wish *wish, struct arena *arena,
                   struct pack *pack)
{
    if (bytes.n > PACK_MAX)
        return ERR_LIMIT;
    *pack = (struct pack){PACKING_PLAIN, (uint32_t)bytes.n, bytes};
    enum err err = OK;
    if (bytes.n >= PACK_WORTH && (wish->packings >> PACKING_COLUMNS & 1))
        err = try_columns(bytes, wish, arena, pack);
    if (!err && bytes.n >= PACK_WORTH && pack->packing == PACKING_PLAIN &&
        (wish->packings >> PACKING_ZSTD & 1))
        err = try(bytes, NULL, wish, PACKING_ZSTD, arena, pack);
    return !err && pack->packing == PACKING_PLAIN ? pack_plain(bytes, arena, pack) : err;
}

// --- opening ---

static enum err say(struct fault *fault, const char *what)
{
    return fault_set(fault, ERR_MALFORMED, "Pack: %s", what);
}

// One whole frame that says its size.
static enum err check_frame(const struct pack *pack, uint64_t max, uint64_t *size,
                            struct fault *fault)
{
    *size = ZSTD_getFrameContentSize(pack->data.p, pack->data.n);
    if (*size == ZSTD_CONTENTSIZE_UNKNOWN || *size == ZSTD_CONTENTSIZE_ERROR || *size > max)
        return say(fault, "the frame does not say its size");
    // More frames could follow that add nothing: the same bytes in two forms.
    if (ZSTD_findFrameCompressedSize(pack->data.p, pack->data.n) != pack->data.n)
        return say(fault, "not one whole zstd frame");
    return OK;
}

static enum err decompress(struct bytes data, const ZSTD_DDict *dict, void *room, uint64_t size,
                           struct fault *fault)
{
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    if (!zstd)
        return fault_set(fault, ERR_NOMEM, "Pack: no memory to open it");
    size_t n = dict ? ZSTD_decompress_usingDDict(zstd, room, size, data.p, data.n, dict)
                    : ZSTD_decompressDCtx(zstd, room, size, data.p, data.n);
    (void)ZSTD_freeDCtx(zstd);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return fault_set(fault, ERR_NOMEM, "Pack: no memory to open it");
    return n == size ? OK : say(fault, "not one whole zstd frame");
}

static enum err open_zstd(const struct pack *pack, struct arena *arena, struct bytes *bytes,
                          struct fault *fault)
{
    uint64_t size;
    enum err err = check_frame(pack, PACK_MAX, &size, fault);
    if (!err && size != pack->size)
        err = say(fault, "the frame does not say its size");
    if (err)
        return err;
    void *p = arena_alloc(arena, 1, pack->size ? pack->size : 1);
    if (!p)
        return fault_set(fault, ERR_NOMEM, "Pack: too large");
    err = decompress(pack->data, NULL, p, size, fault);
    if (!err)
        *bytes = bytes_of(p, pack->size);
    return err;
}

static enum err restore(const struct pack *pack, struct bytes columns, struct arena *arena,
                        struct bytes *bytes, struct fault *fault)
{
    BUF_CLEANUP struct buf message = {0};
    enum err err = columns_open(columns, (size_t)pack->size + 1, &message);
    if (!err && message.n != pack->size)
        err = ERR_MALFORMED;
    if (err == ERR_NOMEM)
        return fault_set(fault, err, "Pack: no memory to open it");
    if (err)
        return say(fault, "its columns are not of the size or the form that they should be");
    *bytes = arena_copy(arena, buf_bytes(&message));
    return bytes->p ? OK : fault_set(fault, ERR_NOMEM, "Pack: too large");
}

static enum err open_columns(const struct pack *pack, struct arena *arena, struct bytes *bytes,
                             struct fault *fault)
{
    BUF_CLEANUP struct buf columns = {0};
    uint64_t size;
    const ZSTD_DDict *dict = opens_by();
    enum err err = check_frame(pack, COLUMNS_MAX, &size, fault);
    if (err)
        return err;
    uint8_t *room = dict ? buf_room(&columns, (size_t)size + 1) : NULL;
    if (!room)
        return fault_set(fault, ERR_NOMEM, "Pack: no memory to open it");
    err = decompress(pack->data, dict, room, size, fault);
    columns.n = (size_t)size;
    return err ? err : restore(pack, buf_bytes(&columns), arena, bytes, fault);
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
    if (pack->packing == PACKING_ZSTD)
        return open_zstd(pack, arena, bytes, fault);
    if (pack->packing == PACKING_COLUMNS)
        return open_columns(pack, arena, bytes, fault);
    return fault_set(fault, ERR_MALFORMED, "Pack: packing %u of another size or unknown",
                     pack->packing);
}
