#include "bench/raw_lmdb.h"

#include <lmdb.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "bench/cost.h"
#include "tests/e2e/check.h"

enum { VALUE = 505, PATH_BYTES = 192 };

static const size_t map_bytes = (size_t)1 << 30;

static void must(int code)
{
    CHECK(code == 0, "%s", mdb_strerror(code));
}

static void put_one(MDB_txn *txn, MDB_dbi table, uint64_t number)
{
    uint8_t key[8], value[VALUE] = {0};
    be64_put(key, number);
    be64_put(value, number * 0x9e3779b97f4a7c15u);
    MDB_val k = {sizeof key, key}, v = {sizeof value, value};
    must(mdb_put(txn, table, &k, &v, 0));
}

double raw_lmdb_seconds(const char *folder, size_t n, size_t a_commit)
{
    char path[PATH_BYTES];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    (void)snprintf(path, sizeof path, "%s/raw.mdb", folder);
    (void)remove(path);
    must(mdb_env_create(&env));
    must(mdb_env_set_mapsize(env, map_bytes));
    must(mdb_env_open(env, path, MDB_NOSUBDIR, 0600));
    double begun = cost_now_seconds();
    for (size_t i = 0; i < n;) {
        must(mdb_txn_begin(env, NULL, 0, &txn));
        must(mdb_dbi_open(txn, NULL, 0, &table));
        for (size_t j = 0; j < a_commit && i < n; j++)
            put_one(txn, table, i++);
        must(mdb_txn_commit(txn));
    }
    double seconds = cost_now_seconds() - begun;
    mdb_env_close(env);
    return seconds;
}
