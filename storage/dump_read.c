#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "storage/community.h"
#include "storage/counts.h"
#include "storage/dump_private.h"
#include "storage/log.h"

enum {
    WINDOW_LOG_MAX = 23,
    VALUE_MAX = 1 << 20,
    WORDS_MAX = VALUE_MAX - 4, // a check goes with them
    BYTES_A_COMMIT = 8 << 20,
    BLOCKS_FREE = 64,
    BODIES_A_BLOCK = 16,
};

struct reader {
    int fd;
    ZSTD_DCtx *zstd;
    uint8_t *part;
    ZSTD_inBuffer in;
    bool is_ended; // the frame
    enum err err;
    struct store *store;
    struct txn *txn;
    enum dump_use use;
    uint64_t format;
    uint8_t number[4]; // of the community in an import
    size_t pending;    // bytes that are put and not committed
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
        n = read(r->fd, r->part, DUMP_PART);
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

// In an import: the one community, which gets a number of its own here.
static void put_community(struct reader *r, struct bytes key, struct bytes value)
{
    struct community community;
    enum err err = r->dump->number ? ERR_WRONG_STATE : OK;
    if (!err && (key.n != COMMUNITY_SIZE || community_decode(key.p, value, &community) ||
                 !community.is_hub))
        err = ERR_DAMAGED;
    if (!err) {
        err = community_get(r->txn, key.p, &(struct community){0});
        err = err == ERR_NOT_FOUND ? OK : err ? err : ERR_EXISTS;
    }
    if (err) {
        fail(r, err);
        return;
    }
    be32_put(r->number, community.number);
    community_put(r->txn, &community);
    r->dump->number = community.number;
}

// In an import: under the number that its community has here.
static bool renumber(struct reader *r, struct bytes key, uint8_t *renumbered)
{
    if (r->dump->number == 0 || key.n < 4 || memcmp(key.p, r->number, 4) != 0)
        return false;
    memcpy(renumbered, key.p, key.n);
    be32_put(renumbered, r->dump->number);
    return true;
}

static void put_loaded(struct reader *r, enum table table, struct bytes key)
{
    struct bytes value = buf_bytes(&r->value);
    uint8_t renumbered[TABLE_KEY_MAX];
    if (!r->txn)
        r->txn = txn_begin_write(r->store);
    if (r->use == DUMP_IMPORT && table != TABLE_COMMUNITY) {
        if (!renumber(r, key, renumbered)) {
            fail(r, ERR_WRONG_STATE);
            return;
        }
        key = bytes_of(renumbered, key.n);
    }
    struct row row = row_of(txn_table_name(table), key);
    if (r->use == DUMP_IMPORT && table == TABLE_COMMUNITY)
        put_community(r, key, value);
    else if (table == TABLE_TREE && log_is_node_before(key))
        log_put_node_before(r->txn, key, value);
    else if (table != TABLE_BODY)
        table_append(r->txn, table, key, value);
    else if (value.n < SALT_SIZE || value.n > WORDS_MAX || key.n != 4 + 8)
        fail(r, ERR_DAMAGED);
    else
        put_words_of(r, &row, value);
    fail(r, txn_error(r->txn));
    r->pending += key.n + value.n;
    if (r->dump->rows % DUMP_ROWS == 0 || r->pending > BYTES_A_COMMIT)
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

static bool is_left_out(const struct reader *r, enum table table, struct bytes key)
{
    return dump_is_of_file(table, key) ||
           (r->use != DUMP_ALL && (dump_lets_in(table) || dump_is_counts(table))) ||
           (r->use == DUMP_IMPORT && table == TABLE_META);
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
        dump_count(r->dump, table);
        if (!is_left_out(r, table, buf_bytes(&key)))
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
    char head[sizeof DUMP_MAGIC - 1];
    get(r, head, sizeof head);
    if (r->err == ERR_DAMAGED || (!r->err && memcmp(head, DUMP_MAGIC, sizeof head) != 0))
        r->err = fault_set(fault, ERR_MALFORMED, "it is no backup of folkmootctl");
    uint64_t version = get_number(r, 4);
    uint64_t format = get_number(r, 4);
    r->format = format;
    if (!r->err &&
        (version != DUMP_VERSION || format < FORMAT_BEFORE_COUNTS || format > FORMAT_VERSION))
        r->err = fault_set(fault, ERR_VERSION,
                           "it has version %u and the database's format %u, this version of "
                           "folkmootctl knows %d and %d to %d",
                           (unsigned)version, (unsigned)format, DUMP_VERSION, FORMAT_BEFORE_COUNTS,
                           FORMAT_VERSION);
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

static bool ask_for_counts_of(const struct community *community, void *arg)
{
    struct reader *r = arg;
    if (r->dump->number == 0 || r->dump->number == community->number)
        counts_keep(r->txn, community->number, false);
    return true;
}

static void ask_for_counts(struct reader *r)
{
    if (r->err || (r->use == DUMP_ALL && r->format == FORMAT_VERSION))
        return;
    if (!r->txn)
        r->txn = txn_begin_write(r->store);
    community_each(r->txn, ask_for_counts_of, r);
    fail(r, txn_error(r->txn));
}

enum err dump_read(struct store *store, int fd, enum dump_use use, struct dump *dump,
                   struct fault *fault)
{
    struct reader r = {.fd = fd,
                       .zstd = ZSTD_createDCtx(),
                       .part = malloc(DUMP_PART),
                       .store = store,
                       .use = use,
                       .dump = dump};
    *dump = (struct dump){.rows = 0};
    if (!r.zstd || !r.part ||
        ZSTD_isError(ZSTD_DCtx_setParameter(r.zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        r.err = ERR_NOMEM;
    get_head(&r, fault);
    if (!r.err)
        get_tables(&r, fault);
    check_end(&r);
    if (!r.err && use == DUMP_IMPORT && dump->number == 0)
        r.err = ERR_WRONG_STATE;
    ask_for_counts(&r);
    commit(&r);
    (void)ZSTD_freeDCtx(r.zstd);
    free(r.part);
    bytes_wipe(r.value.p, r.value.cap);
    buf_done(&r.value);
    if (r.err == ERR_EXISTS)
        fault_set(fault, r.err, "its community is on this hub already");
    else if (r.err == ERR_WRONG_STATE)
        fault_set(fault, r.err, "it is not of one community: \"folkmootctl export\" writes such");
    else if (r.err && !(fault && fault->err == r.err && fault->text[0]))
        fault_set(fault, r.err, "the copy could not be read: %s", err_text(r.err));
    return r.err;
}
