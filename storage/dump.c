#include "storage/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "storage/log.h"
#include "storage/txn_private.h"

// "folkmoot backup\n", u32 its version, u32 the database's format; then tables: u8 length and name,
// rows (u16 length and key, u32 length and value), u16 0; then u8 0 and u64, how many rows there
// were. All of it one zstd frame with its checksum.
static const char magic[] = "folkmoot backup\n";

enum {
    DUMP_VERSION = 1,
    LEVEL = 3,
    WINDOW_LOG_MAX = 23,
    PART = 128 << 10,
    VALUE_MAX = 1 << 20,
    WORDS_MAX = VALUE_MAX - 4, // a check goes with them
    TRIES_MAX = 10,
    ROWS_A_COMMIT = 4096,
    BYTES_A_COMMIT = 8 << 20,
    BLOCKS_FREE = 64,
    BODIES_A_BLOCK = 16,
};

// What a copy has of its own.
static bool is_of_file(enum table table, struct bytes key)
{
    return table == TABLE_META && (bytes_equal(key, bytes_of_text(FORMAT_KEY)) ||
                                   bytes_equal(key, bytes_of_text(COMMIT_KEY)));
}

static void count(struct dump *dump, enum table table)
{
    dump->rows++;
    dump->communities += table == TABLE_COMMUNITY;
    dump->changes += table == TABLE_ENTRY;
}

// --- writing ---

struct writer {
    int fd;
    ZSTD_CCtx *zstd;
    uint8_t *part;
    enum err err;
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
        ZSTD_outBuffer out = {w->part, PART, 0};
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

static void put_row(struct writer *w, enum table table, struct bytes key, struct bytes value)
{
    put_sized(w, 2, key);
    put_sized(w, 4, value);
    count(w->dump, table);
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
        put_sized(w, 2, key);
        put_number(w, SALT_SIZE + body.fields.n, 4);
        put(w, BYTES(body.salt));
        put(w, body.fields);
        count(w->dump, TABLE_BODY);
    }
}

static void put_table(struct writer *w, struct txn *txn, enum table table)
{
    struct walk walk WALK_CLEANUP;
    put_sized(w, 1, bytes_of_text(txn_table_name(table)));
    walk_begin(&walk, txn, table, bytes_of(NULL, 0), bytes_of(NULL, 0));
    for (uint64_t rows = 1; !w->err && walk_next(&walk); rows++) {
        if (walk.err)
            tell(w, table, walk.key);
        else if (table == TABLE_BODY)
            put_words(w, txn, walk.key);
        else if (!is_of_file(table, walk.key))
            put_row(w, table, walk.key, walk.value);
        if (rows % ROWS_A_COMMIT == 0)
            w->scrub->read(w->scrub->arg, ROWS_A_COMMIT);
    }
    put_number(w, 0, 2);
}

static enum err write_snapshot(struct writer *w, struct store *store)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    put(w, bytes_of_text(magic));
    put_number(w, DUMP_VERSION, 4);
    put_number(w, FORMAT_VERSION, 4);
    for (int i = 0; i < TABLE_COUNT; i++)
        put_table(w, txn, (enum table)i);
    put_number(w, 0, 1);
    uint8_t rows[8];
    be64_put(rows, w->dump->rows);
    compress(w, BYTES(rows), ZSTD_e_end);
    return w->err ? w->err : txn_error(txn);
}

static bool writer_init(struct writer *w)
{
    w->zstd = ZSTD_createCCtx();
    w->part = malloc(PART);
    return w->zstd && w->part &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1));
}

enum err dump_write(struct store *store, int fd, const struct scrub *scrub, struct dump *dump,
                    struct fault *fault)
{
    enum err err = ERR_BUSY;
    for (int tries = 0; err == ERR_BUSY && tries < TRIES_MAX; tries++) {
        struct writer writer = {.fd = fd, .scrub = scrub, .dump = dump};
        *dump = (struct dump){.rows = 0};
        err = lseek(fd, 0, SEEK_SET) == 0 && ftruncate(fd, 0) == 0 ? OK : ERR_IO;
        if (!err)
            err = writer_init(&writer) ? write_snapshot(&writer, store) : ERR_NOMEM;
        (void)ZSTD_freeCCtx(writer.zstd);
        free(writer.part);
    }
    if (!err && fsync(fd) != 0)
        err = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    if (err == ERR_BUSY)
        return fault_set(fault, err, "words are being erased again and again: try later");
    return err ? fault_set(fault, err, "the copy could not be written: %s", err_text(err)) : OK;
}

// --- reading ---

struct reader {
    int fd;
    ZSTD_DCtx *zstd;
    uint8_t *part;
    ZSTD_inBuffer in;
    bool is_ended; // the frame
    enum err err;
    struct store *store;
    struct txn *txn;
    bool is_copy;
    size_t pending; // bytes that are put and not committed
    uint64_t bodies;
    uint64_t blocks; // of keys that they take
    uint64_t block;
    uint32_t community;
    struct buf value;
    struct dump *dump;
};

static void refill(struct reader *r)
{
    ssize_t n;
    do
        n = read(r->fd, r->part, PART);
    while (n < 0 && errno == EINTR);
    r->in = (ZSTD_inBuffer){r->part, n > 0 ? (size_t)n : 0, 0};
    if (n <= 0)
        r->err = n < 0 ? ERR_IO : ERR_CUT;
}

// Exactly n bytes.
static void get(struct reader *r, void *out, size_t n)
{
    ZSTD_outBuffer to = {out, n, 0};
    while (!r->err && to.pos < n) {
        if (r->is_ended)
            r->err = ERR_CUT;
        else if (r->in.pos == r->in.size)
            refill(r);
        if (r->err)
            break;
        size_t left = ZSTD_decompressStream(r->zstd, &to, &r->in);
        if (ZSTD_isError(left))
            r->err = ERR_DAMAGED;
        r->is_ended = left == 0;
    }
    if (r->err)
        memset(out, 0, n);
}

static uint64_t get_number(struct reader *r, size_t size)
{
    uint8_t bytes[8] = {0};
    get(r, bytes + 8 - size, size);
    return be64_get(bytes);
}

static void get_sized(struct reader *r, size_t size, size_t max, struct buf *out)
{
    size_t n = (size_t)get_number(r, size);
    buf_reset(out);
    if (!r->err && n > max)
        r->err = ERR_DAMAGED;
    uint8_t *room = r->err ? NULL : buf_room(out, n + 1);
    if (!r->err && !room)
        r->err = ERR_NOMEM;
    if (r->err)
        return;
    get(r, room, n);
    out->n = n;
}

static void fail(struct reader *r, enum err err)
{
    if (!r->err)
        r->err = err;
}

static void commit(struct reader *r)
{
    if (r->txn)
        fail(r, txn_commit(&r->txn));
    r->pending = 0;
}

// Each file of keys takes 128 KiB, though there be one body in it: who sends few bytes does not
// fill the disk by them.
static bool may_have_keys(struct reader *r, const struct row *row)
{
    uint64_t block = row->position / SEAL_BLOCK;
    r->blocks += r->bodies++ == 0 || block != r->block || row->community != r->community;
    r->block = block;
    r->community = row->community;
    return r->blocks <= BLOCKS_FREE + r->bodies / BODIES_A_BLOCK;
}

static void put_words_of(struct reader *r, const struct row *row, struct bytes value)
{
    struct log_entry entry;
    struct log_body body = {.fields = bytes_of(value.p + SALT_SIZE, value.n - SALT_SIZE)};
    // Of an entry that was damaged the words are of nobody.
    if (log_get(r->txn, row->community, row->position, &entry) || entry.form != LOG_WHOLE)
        return;
    if (!may_have_keys(r, row)) {
        fail(r, ERR_LIMIT);
    } else {
        memcpy(body.salt, value.p, SALT_SIZE);
        log_put_body(r->txn, row->community, row->position, &body);
    }
}

static void put_loaded(struct reader *r, enum table table, struct bytes key)
{
    struct bytes value = buf_bytes(&r->value);
    struct row row = row_of(txn_table_name(table), key);
    if (!r->txn)
        r->txn = txn_begin_write(r->store);
    if (table != TABLE_BODY)
        table_append(r->txn, table, key, value);
    else if (value.n < SALT_SIZE || value.n > WORDS_MAX || key.n != 4 + 8)
        fail(r, ERR_DAMAGED);
    else
        put_words_of(r, &row, value);
    fail(r, txn_error(r->txn));
    r->pending += key.n + value.n;
    if (r->dump->rows % ROWS_A_COMMIT == 0 || r->pending > BYTES_A_COMMIT)
        commit(r);
}

static bool find_table(struct bytes name, enum table *table)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        *table = (enum table)i;
        if (bytes_equal(name, bytes_of_text(txn_table_name(*table))))
            return true;
    }
    return false;
}

// What may have been taken back since: a token of a device that was revoked, an invitation that was
// used up by it.
static bool lets_in(enum table table)
{
    return table == TABLE_TOKEN || table == TABLE_INVITATION;
}

static void get_rows(struct reader *r, enum table table)
{
    BUF_CLEANUP struct buf key = {0};
    for (;;) {
        get_sized(r, 2, TABLE_KEY_MAX, &key);
        if (r->err || key.n == 0)
            return;
        get_sized(r, 4, VALUE_MAX, &r->value);
        if (r->err)
            return;
        count(r->dump, table);
        bool is_left_out = is_of_file(table, buf_bytes(&key)) || (r->is_copy && lets_in(table));
        if (!is_left_out)
            put_loaded(r, table, buf_bytes(&key));
    }
}

static void get_tables(struct reader *r, struct fault *fault)
{
    BUF_CLEANUP struct buf name = {0};
    enum table table;
    for (;;) {
        get_sized(r, 1, UINT8_MAX, &name);
        if (r->err || name.n == 0)
            return;
        if (!find_table(buf_bytes(&name), &table))
            r->err = fault_set(fault, ERR_VERSION,
                               "it holds what this version does not know: install the newer "
                               "version that wrote it");
        else
            get_rows(r, table);
    }
}

static void get_head(struct reader *r, struct fault *fault)
{
    char head[sizeof magic - 1];
    get(r, head, sizeof head);
    if (r->err == ERR_DAMAGED || (!r->err && memcmp(head, magic, sizeof head) != 0))
        r->err = fault_set(fault, ERR_MALFORMED, "it is no backup of folkmootctl");
    uint64_t version = get_number(r, 4);
    uint64_t format = get_number(r, 4);
    if (!r->err && (version != DUMP_VERSION || format != FORMAT_VERSION))
        r->err = fault_set(fault, ERR_VERSION,
                           "it has version %u and the database's format %u, this version of "
                           "folkmootctl knows %d and %d",
                           (unsigned)version, (unsigned)format, DUMP_VERSION, FORMAT_VERSION);
}

// The checksum stands behind the last byte.
static void check_end(struct reader *r)
{
    uint8_t more;
    uint64_t rows = get_number(r, 8);
    if (!r->err && rows != r->dump->rows)
        r->err = ERR_DAMAGED;
    while (!r->err && !r->is_ended) {
        ZSTD_outBuffer out = {&more, 1, 0};
        if (r->in.pos == r->in.size)
            refill(r);
        size_t left = r->err ? 1 : ZSTD_decompressStream(r->zstd, &out, &r->in);
        if (!r->err && (ZSTD_isError(left) || out.pos))
            r->err = ERR_DAMAGED;
        r->is_ended = left == 0;
    }
}

enum err dump_read(struct store *store, int fd, bool is_copy, struct dump *dump,
                   struct fault *fault)
{
    struct reader r = {.fd = fd,
                       .zstd = ZSTD_createDCtx(),
                       .part = malloc(PART),
                       .store = store,
                       .is_copy = is_copy,
                       .dump = dump};
    *dump = (struct dump){.rows = 0};
    if (!r.zstd || !r.part ||
        ZSTD_isError(ZSTD_DCtx_setParameter(r.zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        r.err = ERR_NOMEM;
    get_head(&r, fault);
    if (!r.err)
        get_tables(&r, fault);
    check_end(&r);
    commit(&r);
    (void)ZSTD_freeDCtx(r.zstd);
    free(r.part);
    bytes_wipe(r.value.p, r.value.cap);
    buf_done(&r.value);
    if (r.err && !(fault && fault->err == r.err && fault->text[0]))
        fault_set(fault, r.err, "the copy could not be read: %s", err_text(r.err));
    return r.err;
}
