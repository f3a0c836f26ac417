// The environment and its transactions. LMDB must not be opened twice in a process (its file locks
// would fall off at the first close), so this file keeps the list of what is open.

#include "storage/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "storage/community.h"
#include "storage/counts.h"
#include "storage/create.h"
#include "storage/erasure.h"
#include "storage/log.h"
#include "storage/orders.h"
#include "storage/pages.h"
#include "storage/txn_private.h"

#if SIZE_MAX > UINT32_MAX
#define MAP_SIZE_DEFAULT ((size_t)16 << 30)
#else
#define MAP_SIZE_DEFAULT ((size_t)1 << 30)
#endif

enum { MAP_SIZE_UNIT = 64 << 10 };

static pthread_mutex_t open_lock = PTHREAD_MUTEX_INITIALIZER;
static struct store *open_stores;

const char *txn_table_name(enum table table)
{
    static const char *const names[TABLE_COUNT] = {
        [TABLE_META] = "meta",         [TABLE_COMMUNITY] = "community",
        [TABLE_ENTRY] = "entry",       [TABLE_BODY] = "body",
        [TABLE_CHAIN] = "chain",       [TABLE_RUN] = "run",
        [TABLE_TREE] = "tree",         [TABLE_DEVICE] = "device",
        [TABLE_CONTACT] = "contact",   [TABLE_LIVE] = "live",
        [TABLE_COVER] = "cover",       [TABLE_ABOUT] = "about",
        [TABLE_APART] = "apart",       [TABLE_INVITATION] = "invitation",
        [TABLE_TOKEN] = "token",       [TABLE_SECRET] = "secret",
        [TABLE_PROGRESS] = "progress", [TABLE_NAME] = "name",
        [TABLE_ROLE] = "role",         [TABLE_QUOTA] = "quota",
        [TABLE_ERASED] = "erased",     [TABLE_CLOSED] = "closed",
        [TABLE_KEEP] = "keep",         [TABLE_EVIDENCE] = "evidence",
        [TABLE_CARRY] = "carry",       [TABLE_DROPPED] = "dropped",
        [TABLE_STANCE] = "stance",     [TABLE_HEARD] = "heard",
        [TABLE_LINK] = "link",         [TABLE_SUM] = "sum",
        [TABLE_ORDER] = "order",       [TABLE_COUNTS] = "count",
    };
    return names[table];
}

enum err txn_err_of(int result)
{
    switch (result) {
    case MDB_SUCCESS:
        return OK;
    case MDB_NOTFOUND:
        return ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case MDB_TXN_FULL:
        return ERR_LIMIT;
    case MDB_READERS_FULL:
        return ERR_BUSY;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INCOMPATIBLE:
        return ERR_DAMAGED;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

static size_t rounded_map_size(size_t map_size)
{
    size_t size = map_size ? map_size : MAP_SIZE_DEFAULT;
    size_t unit = MAP_SIZE_UNIT;
    return size > SIZE_MAX - unit ? size / unit * unit : (size + unit - 1) / unit * unit;
}

enum err txn_env_new(size_t map_size, MDB_env **env, struct fault *fault)
{
    int result = mdb_env_create(env);
    if (result)
        return fault_set(fault, txn_err_of(result), "cannot set up the database: %s",
                         mdb_strerror(result));
    result = mdb_env_set_maxdbs(*env, TABLE_COUNT);
    if (!result)
        result = mdb_env_set_mapsize(*env, rounded_map_size(map_size));
    if (!result)
        return OK;
    mdb_env_close(*env);
    return fault_set(fault, txn_err_of(result), "cannot set up the database: %s",
                     mdb_strerror(result));
}

enum err txn_env_open(MDB_env *env, const char *path, unsigned flags, struct fault *fault)
{
    // MDB_NOTLS: a thread may have several read transactions, and a reader's slot goes with its
    // transaction.
    int result = mdb_env_open(env, path, flags | MDB_NOTLS, 0600);
    if (!result)
        return OK;
    if (result == MDB_INVALID || result == MDB_VERSION_MISMATCH)
        return fault_set(fault, ERR_DAMAGED,
                         "%s/data.mdb is not a database of Folkmoot, or its beginning is damaged: "
                         "restore a backup, or choose another place",
                         path);
    return fault_set(fault, txn_err_of(result), "cannot open the database in %s: %s", path,
                     mdb_strerror(result));
}

// --- What is open in this process ---

static enum err register_store(struct store *store, const char *path, struct fault *fault)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return fault_set(fault, ERR_IO, "cannot find %s: %s", path, mdb_strerror(errno));
    store->device = st.st_dev;
    store->inode = st.st_ino;
    pthread_mutex_lock(&open_lock);
    struct store *other = open_stores;
    while (other && (other->device != st.st_dev || other->inode != st.st_ino))
        other = other->next;
    if (!other) {
        store->next = open_stores;
        open_stores = store;
    }
    pthread_mutex_unlock(&open_lock);
    if (!other)
        return OK;
    return fault_set(fault, ERR_WRONG_STATE, "%s is open already in this process", path);
}

static void unregister_store(struct store *store)
{
    pthread_mutex_lock(&open_lock);
    struct store **at = &open_stores;
    while (*at && *at != store)
        at = &(*at)->next;
    if (*at)
        *at = store->next;
    pthread_mutex_unlock(&open_lock);
}

// --- Opening ---

// Whether there is a database; makes one when there is none and this may be written.
static enum err find_or_create(const char *path, const struct store_options *options,
                               struct fault *fault)
{
    BUF_CLEANUP struct buf file = {0};
    buf_put_format(&file, "%s/data.mdb", path);
    buf_put_u8(&file, 0);
    if (file.err)
        return fault_set(fault, file.err, "out of memory");
    struct stat st;
    if (stat((const char *)file.p, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            return fault_set(fault, ERR_IO, "cannot open %s: %s", path, mdb_strerror(errno));
        if (options->read_only)
            return fault_set(fault, ERR_NOT_FOUND, "there is no database in %s", path);
        return create_store(path, options->map_size, fault);
    }
    // LMDB would take an empty file for a new environment.
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return fault_set(fault, ERR_DAMAGED, "%s/data.mdb is empty or no file: restore a backup",
                         path);
    return options->read_only ? OK : create_settle(path, fault);
}

static enum err read_format(struct txn *txn, uint32_t *format)
{
    struct bytes value;
    enum err err = table_get(txn, TABLE_META, bytes_of_text(FORMAT_KEY), &value);
    if (err)
        return err;
    if (value.n != 4)
        return ERR_DAMAGED;
    *format = be32_get(value.p);
    return OK;
}

// What LMDB takes for the last commit must have been one. A copy counts from the beginning.
static enum err check_commit(struct txn *txn, const char *path, struct fault *fault)
{
    uint64_t last;
    enum err err = txn_number(txn, COMMIT_KEY, &last);
    if (!err && last < mdb_txn_id(txn->mdb))
        err = ERR_DAMAGED;
    return err ? fault_set(fault, err, "the database in %s is not at its last commit: %s", path,
                           err_text(err))
               : OK;
}

static int open_table(struct txn *txn, enum table table)
{
    return mdb_dbi_open(txn->mdb, txn_table_name(table), 0, &txn->store->tables[table]);
}

static enum err check_format(struct txn *txn, const char *path, uint32_t *found,
                             struct fault *fault)
{
    uint32_t format = 0;
    enum err err = txn_err_of(open_table(txn, TABLE_META));
    if (!err)
        err = read_format(txn, &format);
    *found = format;
    if (err == ERR_NOT_FOUND || err == ERR_DAMAGED)
        return fault_set(fault, ERR_DAMAGED,
                         "the database in %s does not say its format: it is none of Folkmoot, or "
                         "it is damaged; restore a backup",
                         path);
    if (err)
        return fault_set(fault, err, "cannot read the database in %s: %s", path, err_text(err));
    if (format < FORMAT_BEFORE_COUNTS)
        return fault_set(fault, ERR_VERSION,
                         "the database in %s has format %u, which no released version wrote: begin "
                         "in another place",
                         path, (unsigned)format);
    if (format > FORMAT_VERSION)
        return fault_set(fault, ERR_VERSION,
                         "the database in %s has format %u, this version knows up to %u: install "
                         "the newer version that wrote it",
                         path, (unsigned)format, (unsigned)FORMAT_VERSION);
    return OK;
}

// Opens the tables from `first` on, and where they are to be made, makes them.
static enum err open_tables(struct txn *txn, const char *path, enum table first, unsigned flags,
                            struct fault *fault)
{
    for (int i = (int)first; i < TABLE_COUNT; i++) {
        enum err err = txn_err_of(
            mdb_dbi_open(txn->mdb, txn_table_name((enum table)i), flags, &txn->store->tables[i]));
        if (err == ERR_NOT_FOUND)
            err = ERR_DAMAGED;
        if (err)
            return fault_set(fault, err, "the database in %s has no sound table %s: %s", path,
                             txn_table_name((enum table)i), err_text(err));
    }
    return OK;
}

static enum err open_checked(struct txn *txn, const char *path, uint32_t *format,
                             struct fault *fault)
{
    if (txn_error(txn))
        return fault_set(fault, txn_error(txn), "cannot read the database in %s: %s", path,
                         err_text(txn_error(txn)));
    enum err err = check_format(txn, path, format, fault);
    if (!err)
        err = check_commit(txn, path, fault);
    return !err && *format == FORMAT_VERSION ? open_tables(txn, path, TABLE_META, 0, fault) : err;
}

// --- a database of the format before ---

static bool ask_for_counts(const struct community *community, void *arg)
{
    counts_keep(arg, community->number, false);
    return true;
}

static void renew_tree(struct txn *txn)
{
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, TABLE_TREE, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        if (walk.err || !log_is_node_before(walk.key))
            continue;
        struct key before = {0};
        key_bytes(&before, walk.key);
        log_put_node_before(txn, walk.key, walk.value);
        table_delete(txn, TABLE_TREE, key_of(&before));
    }
}

// In one transaction. What is counted in the new tables is made by whoever opened the store.
static enum err upgrade(struct store *store, const char *path, struct fault *fault)
{
    uint8_t format[4];
    if (store->read_only)
        return fault_set(fault, ERR_VERSION,
                         "the database in %s is of an older version: start this one with it once, "
                         "which brings it up to date",
                         path);
    struct txn *txn = txn_begin_write(store);
    for (int i = 0; i < TABLE_STANCE && !txn_error(txn); i++)
        txn_fail(txn, txn_err_of(open_table(txn, (enum table)i)));
    if (!txn_error(txn))
        txn_fail(txn, open_tables(txn, path, TABLE_STANCE, MDB_CREATE, fault));
    community_each(txn, ask_for_counts, txn);
    renew_tree(txn);
    be32_put(format, FORMAT_VERSION);
    table_put(txn, TABLE_META, bytes_of_text(FORMAT_KEY), BYTES(format));
    enum err err = txn_commit(&txn);
    return err ? fault_set(fault, err, "the database in %s cannot be brought up to date: %s", path,
                           err_text(err))
               : OK;
}

static enum err open_env(struct store *store, const char *path, const struct store_options *options,
                         struct fault *fault)
{
    enum err err = txn_env_new(options->map_size, &store->env, fault);
    if (err) {
        store->env = NULL;
        return err;
    }
    err = pages_check(path, fault);
    if (!err)
        err = txn_env_open(store->env, path, options->read_only ? MDB_RDONLY : 0, fault);
    if (err)
        return err;
    MDB_stat stat;
    if (mdb_env_stat(store->env, &stat) == 0)
        store->page_size = stat.ms_psize;
    store_check_readers(store);
    uint32_t format = 0;
    struct txn *txn = txn_begin_read(store);
    err = open_checked(txn, path, &format, fault);
    // Handles stay only when the transaction that opened them is committed, a reader's too.
    if (err)
        txn_abort(&txn);
    else if ((err = txn_commit(&txn)))
        fault_set(fault, err, "cannot read the database in %s: %s", path, err_text(err));
    return !err && format < FORMAT_VERSION ? upgrade(store, path, fault) : err;
}

// What an erasure was to destroy and a crash came before.
static enum err settle(struct store *store, const char *path, struct fault *fault)
{
    struct txn *txn = txn_begin_read(store);
    enum err err = erased_settle(txn);
    if (!err)
        err = log_settle(txn);
    if (!err)
        err = txn_error(txn);
    txn_abort(&txn);
    return err ? fault_set(fault, err, "keys of erased words in %s/keys could not be destroyed: %s",
                           path, err_text(err))
               : OK;
}

enum err store_orders_each(struct store *store, bool (*each)(const struct store_order *, void *),
                           void *arg)
{
    uint64_t n;
    bool fits;
    struct txn *txn = txn_begin_read(store);
    enum err err = txn_orders(txn, &n, &fits);
    txn_abort(&txn);
    // Orders are given even where it is not known how many there should be; those of another file
    // than the database knows are all new to it.
    enum err found = orders_each(store->path, err || !fits ? 0 : n, each, arg);
    if (!err && !fits)
        err = ERR_DAMAGED;
    return found ? found : err;
}

enum err store_open(const char *path, const struct store_options *options, struct store **store,
                    struct fault *fault)
{
    static const struct store_options defaults = {0};
    options = options ? options : &defaults;
    enum err err = find_or_create(path, options, fault);
    if (err)
        return err;
    struct store *opened = calloc(1, sizeof *opened);
    if (!opened)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    opened->read_only = options->read_only;
    opened->keeps_orders = options->keeps_orders;
    err = register_store(opened, path, fault);
    if (err) {
        free(opened);
        return err;
    }
    opened->path = strdup(path);
    opened->seal = seal_new(path, options->random, options->random_arg);
    err = opened->path && opened->seal ? OK : fault_set(fault, ERR_NOMEM, "out of memory");
    if (!err)
        err = open_env(opened, path, options, fault);
    if (!err && !options->read_only)
        err = settle(opened, path, fault);
    if (err) {
        store_close(&opened);
        return err;
    }
    *store = opened;
    return OK;
}

void store_close(struct store **store)
{
    if (!*store)
        return;
    if ((*store)->env)
        mdb_env_close((*store)->env);
    unregister_store(*store);
    seal_free(&(*store)->seal);
    free((char *)(*store)->path);
    free(*store);
    *store = NULL;
}

void store_check_readers(struct store *store)
{
    // When it fails, dead readers keep their slots until the next time.
    int dead;
    (void)mdb_reader_check(store->env, &dead);
}

// --- Size ---

// Pages that LMDB will use again: each value of its own table 0 begins with their count.
static uint64_t free_pages(MDB_txn *txn)
{
    MDB_cursor *cursor;
    if (mdb_cursor_open(txn, 0, &cursor) != 0)
        return 0;
    uint64_t pages = 0;
    MDB_val key;
    MDB_val value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        size_t n = 0;
        if (value.mv_size >= sizeof n)
            memcpy(&n, value.mv_data, sizeof n);
        pages += n;
    }
    mdb_cursor_close(cursor);
    return pages;
}

void store_size(struct store *store, uint64_t *used, uint64_t *max)
{
    MDB_envinfo info = {0};
    MDB_stat stat = {0};
    struct txn *txn = txn_begin_read(store);
    uint64_t unused = txn->mdb ? free_pages(txn->mdb) : 0;
    txn_abort(&txn);
    mdb_env_info(store->env, &info);
    mdb_env_stat(store->env, &stat);
    uint64_t pages = (uint64_t)info.me_last_pgno + 1;
    *used = (pages > unused ? pages - unused : 0) * stat.ms_psize;
    *max = info.me_mapsize;
}
