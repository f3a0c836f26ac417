#include "storage/scrub.h"

#include "storage/counts.h"
#include "storage/log.h"
#include "storage/stored.h"
#include "storage/txn_private.h"

enum { ROWS_AT_ONCE = 4096 };

uint64_t scrub_count(struct txn *txn)
{
    uint64_t rows = 0;
    for (int i = 0; i < TABLE_COUNT && !txn->err; i++) {
        MDB_stat stat = {0};
        txn_fail(txn, txn_err_of(mdb_stat(txn->mdb, txn->store->tables[i], &stat)));
        rows += stat.ms_entries;
    }
    return rows;
}

static void tell(const struct scrub *scrub, enum table table, struct bytes key,
                 enum row_fault fault)
{
    struct row row = row_of(txn_table_name(table), key);
    scrub->told(scrub->arg, &row, fault);
}

// --- every row ---

static bool words_are_sound(struct txn *txn, struct bytes key)
{
    struct log_body body;
    struct row row = row_of(txn_table_name(TABLE_BODY), key);
    return log_get_body(txn, row.community, row.position, &body) == OK;
}

static void read_table(struct txn *txn, enum table table, const struct scrub *scrub)
{
    uint64_t rows = 0;
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        if (walk.err || (table == TABLE_BODY && !words_are_sound(txn, walk.key)))
            tell(scrub, table, walk.key, ROW_DAMAGED);
        if (++rows % ROWS_AT_ONCE == 0)
            scrub->read(scrub->arg, ROWS_AT_ONCE);
    }
    scrub->read(scrub->arg, rows % ROWS_AT_ONCE);
}

enum err scrub_rows(struct txn *txn, const struct scrub *scrub)
{
    for (int i = 0; i < TABLE_COUNT; i++)
        read_table(txn, (enum table)i, scrub);
    return txn_error(txn);
}

// --- what follows from the log ---

struct compared {
    enum table table;
    bool may_stay;    // when what it points to is gone
    bool by_key;      // the value says more than the log does
    size_t value_max; // so many bytes of the value follow from the log; 0: all
    size_t tail;      // so many bytes at its end do not
};

static const struct compared compared_tables[] = {
    // What they say is compared by hashes (sync/verify.h).
    {.table = TABLE_ENTRY, .by_key = true},
    {.table = TABLE_BODY, .by_key = true},
    {.table = TABLE_CHAIN},
    {.table = TABLE_TREE},
    // Behind it stands the label, which is the hub's own.
    {.table = TABLE_DEVICE, .value_max = 2 * KEY_SIZE + HANDLE_SIZE + 1 + 4 + HASH_SIZE + 4},
    {.table = TABLE_LIVE},
    {.table = TABLE_COVER},
    {.table = TABLE_ABOUT, .may_stay = true},
    {.table = TABLE_APART},
    {.table = TABLE_ROLE},
    {.table = TABLE_ERASED, .by_key = true},
    {.table = TABLE_CLOSED},
    {.table = TABLE_KEEP},
    {.table = TABLE_STANCE},
    {.table = TABLE_HEARD},
    {.table = TABLE_LINK},
    {.table = TABLE_SUM},
    {.table = TABLE_ORDER},
    // Which record is an example of it, at the end, is the store's own.
    {.table = TABLE_COUNTS, .tail = 8 + 1 + 8 + 1},
};

static bool has_same_value(const struct compared *of, struct bytes a, struct bytes b)
{
    if (of->by_key)
        return true;
    if (of->value_max && a.n > of->value_max)
        a.n = of->value_max;
    if (of->value_max && b.n > of->value_max)
        b.n = of->value_max;
    if (a.n < of->tail || b.n < of->tail)
        return false;
    return bytes_equal(bytes_of(a.p, a.n - of->tail), bytes_of(b.p, b.n - of->tail));
}

// Both walks go on in the order of keys. What is damaged was told by scrub_rows.
static void compare_table(struct walk *is, struct walk *should, const struct compared *of,
                          const struct scrub *scrub)
{
    bool has_is = walk_next(is);
    bool has_should = walk_next(should);
    while (has_is || has_should) {
        int order = !has_is ? 1 : !has_should ? -1 : bytes_compare(is->key, should->key);
        if (has_is && is->key.n == 0)
            order = -1;
        else if (order < 0 && !is->err && !of->may_stay)
            tell(scrub, of->table, is->key, ROW_FALSE);
        else if (order > 0)
            tell(scrub, of->table, should->key, ROW_MISSING);
        else if (order == 0 && !is->err && !has_same_value(of, is->value, should->value))
            tell(scrub, of->table, is->key, ROW_OTHER);
        if (order <= 0)
            has_is = walk_next(is);
        if (order >= 0)
            has_should = walk_next(should);
    }
}

enum err scrub_compare(struct txn *txn, struct txn *made, uint32_t community,
                       const struct scrub *scrub)
{
    struct key prefix = {0};
    bool are_kept = counts_are_kept(txn, community);
    key_u32(&prefix, community);
    for (size_t i = 0; i < sizeof compared_tables / sizeof *compared_tables; i++) {
        const struct compared *of = &compared_tables[i];
        // Counts that are to be made anew say nothing.
        if (!are_kept && of->table >= TABLE_STANCE)
            continue;
        struct walk is WALK_CLEANUP;
        struct walk should WALK_CLEANUP;
        walk_begin(&is, txn, of->table, key_of(&prefix), bytes_of(NULL, 0));
        walk_begin(&should, made, of->table, key_of(&prefix), bytes_of(NULL, 0));
        compare_table(&is, &should, of, scrub);
    }
    return txn_error(txn) ? txn_error(txn) : txn_error(made);
}
