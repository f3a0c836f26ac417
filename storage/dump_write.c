#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "storage/community.h"
#include "storage/dump_private.h"
#include "storage/log.h"

enum { LEVEL = 3, TRIES_MAX = 10 };

struct writer {
    int fd;
    ZSTD_CCtx *zstd;
    uint8_t *part;
    enum err err;
    const struct community *only; // NULL: all
    const struct scrub *scrub;
    struct dump *dump;
};

static void write_part(struct writer *w, size_t n)
{
    for (size_t at = 0; at < n && !w->err;) {
        ssize_t written = write(w->fd, w->part + at, n - at);
        if (written > 0)
            at += (size_t)written;
        else if (errno != EINTR)
            w->err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    }
}

static void compress(struct writer *w, struct bytes bytes, ZSTD_EndDirective directive)
{
    ZSTD_inBuffer in = {bytes.p, bytes.n, 0};
    size_t left = 1;
    while (!w->err && (in.pos < in.size || (directive == ZSTD_e_end && left))) {
        ZSTD_outBuffer out = {w->part, DUMP_PART, 0};
        left = ZSTD_compressStream2(w->zstd, &out, &in, directive);
        if (ZSTD_isError(left))
            w->err = ERR_NOMEM;
        else
            write_part(w, out.pos);
    }
}

static void put(struct writer *w, struct bytes bytes)
{
    compress(w, bytes, ZSTD_e_continue);
}

static void put_number(struct writer *w, uint64_t number, size_t size)
{
    uint8_t bytes[8];
    be64_put(bytes, number);
    put(w, bytes_of(bytes + 8 - size, size));
}

static void put_sized(struct writer *w, size_t size, struct bytes bytes)
{
    put_number(w, bytes.n, size);
    put(w, bytes);
}

// Alone, a community is the first: where its number stands in keys and values.
static void put_numbered(struct writer *w, size_t size, struct bytes bytes, size_t at)
{
    static const uint8_t first[4] = {0, 0, 0, 1};
    if (!w->only || bytes.n < at + 4) {
        put_sized(w, size, bytes);
        return;
    }
    put_number(w, bytes.n, size);
    put(w, bytes_of(bytes.p, at));
    put(w, BYTES(first));
    put(w, bytes_of(bytes.p + at + 4, bytes.n - at - 4));
}

static void put_key(struct writer *w, enum table table, struct bytes key)
{
    if (table == TABLE_COMMUNITY)
        put_sized(w, 2, key);
    else
        put_numbered(w, 2, key, table == TABLE_META ? key.n - 4 : 0);
}

static void put_row(struct writer *w, enum table table, struct bytes key, struct bytes value)
{
    put_key(w, table, key);
    if (table == TABLE_COMMUNITY)
        put_numbered(w, 4, value, 0);
    else
        put_sized(w, 4, value);
    dump_count(w->dump, table);
}

static void tell(const struct writer *w, enum table table, struct bytes key)
{
    struct row row = row_of(txn_table_name(table), key);
    w->scrub->told(w->scrub->arg, &row, ROW_DAMAGED);
}

// Whether they were erased since the snapshot.
static bool is_erased_now(struct store *store, const struct row *row)
{
    struct log_entry entry;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    return log_get(txn, row->community, row->position, &entry) == OK && entry.form != LOG_WHOLE;
}

// The words without their seal: the copy gives them another.
static void put_words(struct writer *w, struct txn *txn, struct bytes key)
{
    struct log_body body;
    struct row row = row_of(txn_table_name(TABLE_BODY), key);
    enum err err = log_get_body(txn, row.community, row.position, &body);
    if (err == ERR_DAMAGED && is_erased_now(txn->store, &row)) {
        w->err = ERR_BUSY;
    } else if (err) {
        tell(w, TABLE_BODY, key);
    } else {
        put_key(w, TABLE_BODY, key);
        put_number(w, SALT_SIZE + body.fields.n, 4);
        put(w, BYTES(body.salt));
        put(w, body.fields);
        dump_count(w->dump, TABLE_BODY);
    }
}

// The rows of one community in a table, by how their keys begin. False: none is passed on.
static bool only_of(const struct community *community, enum table table, struct key *prefix)
{
    if (table == TABLE_META)
        *prefix = community_number_key(community->number);
    else if (table == TABLE_COMMUNITY)
        key_bytes(prefix, BYTES(community->id));
    else
        key_u32(prefix, community->number);
    return !dump_lets_in(table);
}

static void put_table(struct writer *w, struct txn *txn, enum table table)
{
    struct key prefix = {.n = 0};
    struct walk walk WALK_CLEANUP;
    put_sized(w, 1, bytes_of_text(txn_table_name(table)));
    bool is_wanted = !w->only || only_of(w->only, table, &prefix);
    walk_begin(&walk, txn, table, key_of(&prefix), bytes_of(NULL, 0));
    for (uint64_t rows = 1; is_wanted && !w->err && walk_next(&walk); rows++) {
        if (walk.err)
            tell(w, table, walk.key);
        else if (table == TABLE_BODY)
            put_words(w, txn, walk.key);
        else if (!dump_is_of_file(table, walk.key))
            put_row(w, table, walk.key, walk.value);
        if (rows % DUMP_ROWS == 0)
            w->scrub->read(w->scrub->arg, DUMP_ROWS);
    }
    put_number(w, 0, 2);
}

static enum err write_snapshot(struct writer *w, struct store *store, uint32_t number)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    w->only = number ? &community : NULL;
    enum err err = number ? community_get_number(txn, number, &community) : OK;
    if (err) {
        w->only = NULL;
        return err;
    }
    put(w, bytes_of_text(DUMP_MAGIC));
    put_number(w, DUMP_VERSION, 4);
    put_number(w, FORMAT_VERSION, 4);
    for (int i = 0; i < TABLE_COUNT; i++)
        put_table(w, txn, (enum table)i);
    put_number(w, 0, 1);
    uint8_t rows[8];
    be64_put(rows, w->dump->rows);
    compress(w, BYTES(rows), ZSTD_e_end);
    w->only = NULL;
    return w->err ? w->err : txn_error(txn);
}

static bool writer_init(struct writer *w)
{
    w->zstd = ZSTD_createCCtx();
    w->part = malloc(DUMP_PART);
    return w->zstd && w->part &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1));
}

enum err dump_write(struct store *store, int fd, uint32_t community, const struct scrub *scrub,
                    struct dump *dump, struct fault *fault)
{
    enum err err = ERR_BUSY;
    for (int tries = 0; err == ERR_BUSY && tries < TRIES_MAX; tries++) {
        struct writer writer = {.fd = fd, .scrub = scrub, .dump = dump};
        *dump = (struct dump){.rows = 0};
        err = lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0 ? OK : ERR_IO;
        if (!err)
            err = writer_init(&writer) ? write_snapshot(&writer, store, community) : ERR_NOMEM;
        (void)ZSTD_freeCCtx(writer.zstd);
        free(writer.part);
    }
    if (!err && fsync(fd) != 0)
        err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    if (err == ERR_BUSY)
        return fault_set(fault, err, "words are being erased again and again: try later");
    return err ? fault_set(fault, err, "the copy could not be written: %s", err_text(err)) : OK;
}
