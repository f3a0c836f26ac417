// The rows of a store as LMDB gives them, without storage/: what a scrub would compare. A row whose
// check fails shows its damage itself; here it is about what no row shows.

#include <assert.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "tests/rot/rot.h"

// FREE: LMDB's own list of unused pages.
static const char *const names[] = {
    "meta",   "community", "entry",    "body",  "chain",        "run",    "tree",
    "device", "contact",   "live",     "cover", "about",        "apart",  "invitation",
    "token",  "secret",    "progress", "name",  "role",         "quota",  "erased",
    "closed", "keep",      "evidence", "carry", "dropped",      "stance", "heard",
    "link",   "sum",       "order",    "count", "(free pages)",
};

enum { TABLES = sizeof names / sizeof *names, FREE = TABLES - 1 };

struct row {
    uint64_t hash; // of key and value
    size_t place;  // in the order of the walk
    bool fails;    // its check
};

struct table_rows {
    struct row *rows; // sorted by hash
    size_t n;
    size_t cap;
    bool is_whole; // was read to its end
};

struct rows {
    struct table_rows tables[TABLES];
};

const char *rows_table_name(unsigned i)
{
    return i < TABLES ? names[i] : NULL;
}

// As docs/disk-format.md says it. What is not in a table of ours has none.
static bool check_fails(unsigned table, const MDB_val *key, const MDB_val *value)
{
    const char *name = table == 0 ? "" : names[table];
    uint64_t of_table = *name ? XXH3_64bits(name, strlen(name)) : 0;
    uint64_t seed = XXH3_64bits_withSeed(key->mv_data, key->mv_size, of_table);
    if (value->mv_size < 4)
        return true;
    size_t n = value->mv_size - 4;
    return be32_get((const uint8_t *)value->mv_data + n) !=
           (uint32_t)XXH3_64bits_withSeed(value->mv_data, n, seed);
}

static void add(struct table_rows *rows, uint64_t hash, bool fails)
{
    if (rows->n == rows->cap) {
        rows->cap = rows->cap ? 2 * rows->cap : 64;
        rows->rows = realloc(rows->rows, rows->cap * sizeof *rows->rows);
        assert(rows->rows);
    }
    rows->rows[rows->n] = (struct row){hash, rows->n, fails};
    rows->n++;
}

static int by_hash(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_place(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

static void read_table(MDB_txn *txn, MDB_dbi dbi, unsigned table, struct table_rows *rows)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0)
        return;
    int result;
    // What is damaged may go in circles.
    while ((result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0 && rows->n < 100000) {
        if (key.mv_size > 511 || value.mv_size > 2 << 20)
            continue;
        add(rows,
            XXH3_64bits_withSeed(value.mv_data, value.mv_size,
                                 XXH3_64bits(key.mv_data, key.mv_size)),
            check_fails(table, &key, &value));
    }
    rows->is_whole = result == MDB_NOTFOUND;
    mdb_cursor_close(cursor);
    if (rows->n)
        qsort(rows->rows, rows->n, sizeof *rows->rows, by_hash);
}

// In a transaction of its own, for LMDB reads nothing more in one that met damage.
static void read_one(MDB_env *env, unsigned i, struct table_rows *rows)
{
    MDB_txn *txn;
    MDB_dbi dbi = 0;
    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return;
    if (i == FREE || mdb_dbi_open(txn, names[i], 0, &dbi) == 0)
        read_table(txn, dbi, i, rows);
    mdb_txn_abort(txn);
}

// under_way: whoever crashes has said in which table.
static void read_all(MDB_env *env, struct rows *rows, uint64_t *under_way)
{
    for (unsigned i = 0; i < TABLES; i++) {
        *under_way |= UINT64_C(1) << i;
        read_one(env, i, &rows->tables[i]);
        *under_way &= ~(UINT64_C(1) << i);
    }
}

static struct rows *read_rows(const char *path, uint64_t *under_way)
{
    MDB_env *env;
    struct rows *rows = calloc(1, sizeof *rows);
    int failed = mdb_env_create(&env);
    assert(rows && !failed);
    (void)mdb_env_set_maxdbs(env, TABLES);
    (void)mdb_env_set_mapsize(env, 256 << 20);
    if (mdb_env_open(env, path, MDB_RDONLY | MDB_NOTLS, 0600) == 0)
        read_all(env, rows, under_way);
    mdb_env_close(env);
    return rows;
}

struct rows *rows_read(const char *path)
{
    uint64_t under_way = 0;
    return read_rows(path, &under_way);
}

void rows_free(struct rows **rows)
{
    for (unsigned i = 0; i < TABLES; i++)
        free((*rows)->tables[i].rows);
    free(*rows);
    *rows = NULL;
}

static const struct row *find(const struct table_rows *among, const struct row *row)
{
    return among->n ? bsearch(row, among->rows, among->n, sizeof *row, by_hash) : NULL;
}

static size_t count_strange(const struct table_rows *rows, const struct table_rows *among)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += !find(among, &rows->rows[i]);
    return n;
}

// Whether those rows that are sound come in the order in which they were.
static bool is_in_order(const struct table_rows *sound, struct table_rows *rows)
{
    size_t last = 0;
    bool good = true;
    if (rows->n)
        qsort(rows->rows, rows->n, sizeof *rows->rows, by_place);
    for (size_t i = 0; good && i < rows->n; i++) {
        const struct row *row = find(sound, &rows->rows[i]);
        good = !row || row->place >= last;
        last = row ? row->place : last;
    }
    return good;
}

static size_t count_failing(const struct table_rows *rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += rows->rows[i].fails;
    return n;
}

// A row that was altered where it stands fails its check. More rows are missing than fail: they are
// gone, or other sound rows (some of an earlier time) stand in their place, or in no order. Nobody
// checks LMDB's own rows.
static bool is_lost(const struct table_rows *sound, struct table_rows *rows, bool is_free)
{
    size_t missing = count_strange(sound, rows);
    if (is_free)
        return missing > 0 || rows->n != sound->n || !rows->is_whole;
    return missing > count_failing(rows) || rows->n > sound->n || !rows->is_whole ||
           !is_in_order(sound, rows);
}

// --- one byte of a row ---

struct row_place {
    uint8_t bytes[4096]; // key and value as they stand one after the other in a page
    size_t n;
    size_t at; // of the byte
};

static bool draw_row(MDB_txn *txn, MDB_dbi dbi, uint64_t *dice, struct row_place *place)
{
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val value;
    MDB_stat stat;
    if (mdb_stat(txn, dbi, &stat) != 0 || stat.ms_entries == 0 ||
        mdb_cursor_open(txn, dbi, &cursor) != 0)
        return false;
    size_t wanted = (size_t)(dice_next(dice) % stat.ms_entries);
    int result = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (size_t i = 0; i < wanted && result == 0; i++)
        result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    bool found = result == 0 && key.mv_size + value.mv_size <= sizeof place->bytes;
    if (found) {
        memcpy(place->bytes, key.mv_data, key.mv_size);
        memcpy(place->bytes + key.mv_size, value.mv_data, value.mv_size);
        place->n = key.mv_size + value.mv_size;
        place->at = key.mv_size + value.mv_size / 2;
    }
    mdb_cursor_close(cursor);
    return found;
}

static bool find_row(const char *path, unsigned table, uint64_t *dice, struct row_place *place)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    int failed = mdb_env_create(&env);
    assert(!failed);
    (void)mdb_env_set_maxdbs(env, TABLES);
    (void)mdb_env_set_mapsize(env, 256 << 20);
    bool found = false;
    if (mdb_env_open(env, path, MDB_RDONLY | MDB_NOTLS, 0600) == 0 &&
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
        found = mdb_dbi_open(txn, names[table], 0, &dbi) == 0 && draw_row(txn, dbi, dice, place);
        mdb_txn_abort(txn);
    }
    mdb_env_close(env);
    return found;
}

bool rows_flip(const char *path, unsigned table, uint64_t *dice)
{
    struct row_place place;
    size_t n;
    unsigned found = 0;
    if (table == FREE || !find_row(path, table, dice, &place))
        return false;
    uint8_t *file = file_read_all(path, "data.mdb", &n);
    // Pages that are no longer used may have it, too.
    for (size_t at = 0; at + place.n <= n; at++) {
        if (memcmp(file + at, place.bytes, place.n) == 0) {
            file[at + place.at] ^= 1;
            found++;
        }
    }
    file_write_all(path, "data.mdb", file, n);
    free(file);
    return found > 0;
}

void rows_lost(const struct rows *sound, const char *path, uint64_t *lost)
{
    *lost = 0;
    struct rows *rows = read_rows(path, lost);
    for (unsigned i = 0; i < TABLES; i++) {
        if (is_lost(&sound->tables[i], &rows->tables[i], i == FREE))
            *lost |= UINT64_C(1) << i;
    }
    rows_free(&rows);
}
