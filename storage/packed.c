#include "storage/packed.h"

#include <pthread.h>
#include <xxhash.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "proto/dictionary.h"

// A level that costs less time than the smaller page saves.
enum { LEVEL = 1, WORTH = 64, FIELDS_MAX = 1 << 20, CHECK_SIZE = 4, MAGIC_SIZE = 4 };
// What the check is seeded with.
enum form { AS_THEY_ARE, PACKED };

// Every frame begins with this (RFC 8878 section 3.1.1), so it is not stored.
static const uint8_t magic[MAGIC_SIZE] = {0x28, 0xb5, 0x2f, 0xfd};

static struct {
    pthread_once_t once;
    ZSTD_CDict *make;
    ZSTD_DDict *open;
} shared = {.once = PTHREAD_ONCE_INIT};

static void read_dictionary(void)
{
    shared.make = ZSTD_createCDict(dictionary, dictionary_n, LEVEL);
    shared.open = ZSTD_createDDict(dictionary, dictionary_n);
}

void packer_done(struct packer *packer)
{
    (void)ZSTD_freeCCtx(packer->make);
    (void)ZSTD_freeDCtx(packer->open);
    if (packer->opened.p)
        bytes_wipe(packer->opened.p, packer->opened.cap);
    buf_done(&packer->opened);
    *packer = (struct packer){.make = NULL};
}

static uint32_t check_of(struct bytes plain, enum form form)
{
    return (uint32_t)XXH3_64bits_withSeed(plain.p, plain.n, form);
}

// --- putting ---

static ZSTD_CCtx *context(struct packer *packer)
{
    (void)pthread_once(&shared.once, read_dictionary);
    if (packer->make || !shared.make)
        return packer->make;
    ZSTD_CCtx *made = ZSTD_createCCtx();
    if (made && !ZSTD_isError(ZSTD_CCtx_setParameter(made, ZSTD_c_dictIDFlag, 0)) &&
        !ZSTD_isError(ZSTD_CCtx_refCDict(made, shared.make))) {
        packer->make = made;
        return made;
    }
    (void)ZSTD_freeCCtx(made);
    return NULL;
}

// Appends a frame that is shorter than the fields; false: there is none, and nothing was appended.
static bool pack(struct packer *packer, struct bytes fields, struct buf *plain)
{
    if (fields.n < WORTH)
        return false;
    ZSTD_CCtx *zstd = context(packer);
    uint8_t *room = zstd ? buf_room(plain, fields.n) : NULL;
    if (!room)
        return false;
    size_t n = ZSTD_compress2(zstd, room, fields.n, fields.p, fields.n);
    if (ZSTD_isError(n) || n <= MAGIC_SIZE || memcmp(room, magic, MAGIC_SIZE) != 0)
        return false;
    memmove(room, room + MAGIC_SIZE, n - MAGIC_SIZE);
    plain->n += n - MAGIC_SIZE;
    return true;
}

void packed_put(struct packer *packer, const struct log_body *body, struct buf *plain)
{
    size_t begin = plain->n;
    buf_put(plain, BYTES(body->salt));
    enum form form = pack(packer, body->fields, plain) ? PACKED : AS_THEY_ARE;
    if (form == AS_THEY_ARE)
        buf_put(plain, body->fields);
    if (!plain->err)
        buf_put_be32(plain, check_of(bytes_of(plain->p + begin, plain->n - begin), form));
}

// --- taking ---

static enum err open_frame(struct packer *packer, struct bytes frame)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame.p, frame.n);
    if (size > FIELDS_MAX) // or is not said
        return ERR_DAMAGED;
    (void)pthread_once(&shared.once, read_dictionary);
    if (!packer->open)
        packer->open = ZSTD_createDCtx();
    buf_reset(&packer->opened);
    uint8_t *room = packer->open && shared.open ? buf_room(&packer->opened, size + 1) : NULL;
    if (!room)
        return ERR_NOMEM;
    size_t n = ZSTD_decompress_usingDDict(packer->open, room, size, frame.p, frame.n, shared.open);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return ERR_NOMEM;
    if (n != size)
        return ERR_DAMAGED;
    packer->opened.n = n;
    return OK;
}

enum err packed_take(struct packer *packer, struct buf *plain, struct log_body *body)
{
    if (plain->n < SALT_SIZE + CHECK_SIZE)
        return ERR_DAMAGED;
    size_t n = plain->n - CHECK_SIZE;
    uint32_t check = be32_get(plain->p + n);
    memcpy(body->salt, plain->p, SALT_SIZE);
    body->fields = bytes_of(plain->p + SALT_SIZE, n - SALT_SIZE);
    if (check == check_of(bytes_of(plain->p, n), AS_THEY_ARE))
        return OK;
    if (check != check_of(bytes_of(plain->p, n), PACKED))
        return ERR_DAMAGED;
    // Where the salt ended.
    uint8_t *frame = plain->p + SALT_SIZE - MAGIC_SIZE;
    memcpy(frame, magic, MAGIC_SIZE);
    enum err err = open_frame(packer, bytes_of(frame, n - SALT_SIZE + MAGIC_SIZE));
    if (err)
        return err;
    struct buf taken = *plain;
    *plain = packer->opened;
    packer->opened = taken;
    body->fields = buf_bytes(plain);
    return OK;
}
