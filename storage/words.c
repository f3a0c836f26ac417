#include "storage/words.h"

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

void words_done(struct words *words)
{
    (void)ZSTD_freeCCtx(words->packer);
    (void)ZSTD_freeDCtx(words->opener);
    if (words->opened.p)
        bytes_wipe(words->opened.p, words->opened.cap);
    buf_done(&words->opened);
    *words = (struct words){.packer = NULL};
}

static uint32_t check_of(struct bytes plain, enum form form)
{
    return (uint32_t)XXH3_64bits_withSeed(plain.p, plain.n, form);
}

// --- putting ---

static ZSTD_CCtx *packer(struct words *words)
{
    (void)pthread_once(&shared.once, read_dictionary);
    if (words->packer || !shared.make)
        return words->packer;
    ZSTD_CCtx *made = ZSTD_createCCtx();
    if (made && !ZSTD_isError(ZSTD_CCtx_setParameter(made, ZSTD_c_dictIDFlag, 0)) &&
        !ZSTD_isError(ZSTD_CCtx_refCDict(made, shared.make))) {
        words->packer = made;
        return made;
    }
    (void)ZSTD_freeCCtx(made);
    return NULL;
}

// Appends a frame that is shorter than the fields; false: there is none, and nothing was appended.
static bool pack(struct words *words, struct bytes fields, struct buf *plain)
{
    if (fields.n < WORTH)
        return false;
    ZSTD_CCtx *zstd = packer(words);
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

void words_put(struct words *words, const struct log_body *body, struct buf *plain)
{
    size_t begin = plain->n;
    buf_put(plain, BYTES(body->salt));
    enum form form = pack(words, body->fields, plain) ? PACKED : AS_THEY_ARE;
    if (form == AS_THEY_ARE)
        buf_put(plain, body->fields);
    if (!plain->err)
        buf_put_be32(plain, check_of(bytes_of(plain->p + begin, plain->n - begin), form));
}

// --- taking ---

static enum err open_frame(struct words *words, struct bytes frame)
{
    unsigned long long size = ZSTD_getFrameContentSize(frame.p, frame.n);
    if (size > FIELDS_MAX) // or is not said
        return ERR_DAMAGED;
    (void)pthread_once(&shared.once, read_dictionary);
    if (!words->opener)
        words->opener = ZSTD_createDCtx();
    buf_reset(&words->opened);
    uint8_t *room = words->opener && shared.open ? buf_room(&words->opened, size + 1) : NULL;
    if (!room)
        return ERR_NOMEM;
    size_t n = ZSTD_decompress_usingDDict(words->opener, room, size, frame.p, frame.n, shared.open);
    if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
        return ERR_NOMEM;
    if (n != size)
        return ERR_DAMAGED;
    words->opened.n = n;
    return OK;
}

enum err words_take(struct words *words, struct buf *plain, struct log_body *body)
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
    enum err err = open_frame(words, bytes_of(frame, n - SALT_SIZE + MAGIC_SIZE));
    if (err)
        return err;
    struct buf taken = *plain;
    *plain = words->opened;
    words->opened = taken;
    body->fields = buf_bytes(plain);
    return OK;
}
