#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/text.h"
#include "client/alarm.h"
#include "client/state.h"
#include "client/titles.h"
#include "proto/schema.h"
#include "storage/carry.h"
#include "sync/counts.h"
#include "sync/exchange.h"

enum { PUSH_FIRST = 128 << 10, ANSWER_FIRST = 64 << 10 };

static int64_t system_now(void *arg)
{
    (void)arg;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void system_random(void *arg, void *out, size_t n)
{
    (void)arg;
    uint8_t *p = out;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            // Without randomness a key would be guessable: there is nothing sane to go on with.
            if (errno != EINTR)
                __builtin_trap();
            continue;
        }
        p += got;
        n -= (size_t)got;
    }
}

// Looks for the i-th joined community, or counts them all.
struct search {
    struct txn *txn;
    size_t i;
    size_t count;
    uint32_t number; // 0: not found
    bool damaged;    // some could not be read
    enum err err;    // it could not be searched at the moment
};

static bool look(const struct community *community, void *arg)
{
    struct search *search = arg;
    struct secret secret;
    enum err err = secret_get(search->txn, community->number, &secret);
    // Both rows are written at once.
    if (err == ERR_NOT_FOUND)
        (void)txn_damaged(search->txn);
    bool joined = !err && state_is_joined(community, &secret);
    bytes_wipe(&secret, sizeof secret);
    if (!joined)
        return true;
    if (search->count++ == search->i)
        search->number = community->number;
    return search->number == 0;
}

static struct search search_communities(struct folkmoot *fm, size_t i)
{
    struct search search = {.i = i};
    struct txn *txn = fm->batch ? fm->batch : state_txn(fm, false);
    // A store that cannot be opened again after a failed commit.
    search.err = txn ? OK : ERR_IO;
    if (!txn)
        return search;
    search.txn = txn;
    uint64_t damage = txn_damage(txn);
    community_each(txn, look, &search);
    // Numbers are given from 1 on: what the first is given to must be there.
    struct community first;
    bool is_missing = community_get_number(txn, 1, &first) == ERR_DAMAGED;
    search.damaged = is_missing || txn_damage(txn) != damage;
    search.err = txn_error(txn) == ERR_DAMAGED ? OK : txn_error(txn);
    if (!fm->batch)
        txn_abort(&txn);
    return search;
}

void folkmoot_close(struct folkmoot **fm)
{
    if (!*fm)
        return;
    if ((*fm)->batch)
        txn_abort(&(*fm)->batch);
    titles_free(&(*fm)->titles);
    if ((*fm)->store)
        store_close(&(*fm)->store);
    free((*fm)->path);
    free(*fm);
    *fm = NULL;
}

static enum err open_store(struct folkmoot *fm, const char *path, struct fault *fault)
{
    fm->path = strdup(path);
    if (!fm->path)
        return ERR_NOMEM;
    struct store_options options = {0};
    enum err err = store_open(path, &options, &fm->store, fault);
    // Where they cannot be made there is no picture, and all else goes on.
    enum err counted = err ? OK : counts_make(fm->store);
    (void)counted;
    return err;
}

enum folkmoot_code folkmoot_open(const char *path, const struct folkmoot_host *host,
                                 struct folkmoot **fm, struct folkmoot_error *error)
{
    state_clear(error);
    struct folkmoot *made = calloc(1, sizeof *made);
    if (!made)
        return state_fail_err(error, ERR_NOMEM, NULL);
    made->host = host ? *host : (struct folkmoot_host){system_now, system_random, NULL};
    made->sizes = (struct sizes){PUSH_FIRST, ANSWER_FIRST};
    struct fault fault = {0};
    enum err err = open_store(made, path, &fault);
    if (err) {
        folkmoot_close(&made);
        return state_fail_err(error, err, &fault);
    }
    struct search found = search_communities(made, 0);
    if (found.err) {
        folkmoot_close(&made);
        return state_fail_err(error, found.err, NULL);
    }
    made->chosen = found.number;
    made->damaged = found.damaged;
    *fm = made;
    return FOLKMOOT_OK;
}

// --- communities ---

size_t folkmoot_community_count(struct folkmoot *fm)
{
    return search_communities(fm, SIZE_MAX).count;
}

static void describe(struct scope *scope, struct folkmoot_community *out)
{
    *out =
        (struct folkmoot_community){.written = scope->device.seq, .known = scope->community.size};
    memcpy(out->id, scope->community.id, sizeof out->id);
    memcpy(out->name, scope->community.name, scope->community.name_n);
    memcpy(out->address, scope->secret.address, sizeof out->address);
    memcpy(out->device, scope->device.handle, sizeof out->device);
    const struct schema_field *role = schema_field_by_name(schema_kind(KIND_MEMBERSHIP), "role");
    if (scope->device.role <= ROLE_HUB)
        snprintf(out->role, sizeof out->role, "%s", role->values[scope->device.role]);
    out->unsent = exchange_unsent(scope->txn, &scope->community, &scope->device);
    struct progress progress;
    progress_get(scope->txn, scope->community.number, &progress);
    out->forked = progress.forked;
    out->revoked = progress.revoked;
    out->carried = carry_count(scope->txn, scope->community.number);
    out->unsent += out->carried;
    struct checked checked;
    checked_get(scope->txn, scope->community.number, &checked);
    out->checked = checked.frontier.size;
    out->proved = checked.proved;
    alarm_text(&checked, out->alarm, sizeof out->alarm);
}

enum folkmoot_code folkmoot_acknowledge(struct folkmoot *fm, struct folkmoot_error *error)
{
    struct scope scope;
    struct checked checked;
    state_clear(error);
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    checked_get(scope.txn, scope.community.number, &checked);
    checked.alarm = ALARM_NONE;
    checked_put(scope.txn, scope.community.number, &checked);
    return state_end(fm, &scope, true, error);
}

enum folkmoot_code folkmoot_community_at(struct folkmoot *fm, size_t i,
                                         struct folkmoot_community *community)
{
    struct search found = search_communities(fm, i);
    uint32_t number = found.number;
    if (number == 0)
        return found.damaged || found.err ? FOLKMOOT_STORE : FOLKMOOT_NOT_FOUND;
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, number, false, &scope, NULL);
    if (code)
        return code;
    uint64_t damage = txn_damage(scope.txn);
    describe(&scope, community);
    community->damaged = found.damaged || txn_damage(scope.txn) != damage;
    return state_end(fm, &scope, false, NULL);
}

uint32_t folkmoot_written(struct folkmoot *fm)
{
    struct scope scope;
    if (state_begin(fm, 0, false, &scope, NULL) != FOLKMOOT_OK)
        return 0;
    uint32_t seq = scope.device.seq;
    (void)state_end(fm, &scope, false, NULL);
    return seq;
}

enum folkmoot_code folkmoot_choose(struct folkmoot *fm, const uint8_t *id)
{
    struct txn *txn = fm->batch ? fm->batch : state_txn(fm, false);
    if (!txn)
        return FOLKMOOT_STORE;
    struct community community;
    struct secret secret;
    enum err err = community_get(txn, id, &community);
    if (!err)
        err = secret_get(txn, community.number, &secret);
    if (!err && !state_is_joined(&community, &secret))
        err = ERR_NOT_FOUND;
    bytes_wipe(&secret, sizeof secret);
    if (!fm->batch)
        txn_abort(&txn);
    if (err)
        return state_fail_err(NULL, err, NULL);
    if (fm->chosen != community.number)
        titles_free(&fm->titles);
    fm->chosen = community.number;
    return FOLKMOOT_OK;
}

// --- many writes in one commit ---

enum folkmoot_code folkmoot_begin(struct folkmoot *fm, struct folkmoot_error *error)
{
    state_clear(error);
    if (fm->batch)
        return state_fail(error, FOLKMOOT_INVALID, "folkmoot_begin was called twice");
    struct txn *txn = state_txn(fm, true);
    if (!txn)
        return state_fail(error, FOLKMOOT_STORE, "the store cannot be opened again");
    enum err err = txn_error(txn);
    if (err) {
        txn_abort(&txn);
        return state_fail_err(error, err, NULL);
    }
    fm->batch = txn;
    return FOLKMOOT_OK;
}

enum folkmoot_code folkmoot_end(struct folkmoot *fm, bool commit, struct folkmoot_error *error)
{
    state_clear(error);
    if (!fm->batch)
        return state_fail(error, FOLKMOOT_INVALID, "folkmoot_end without folkmoot_begin");
    enum folkmoot_code code = FOLKMOOT_OK;
    if (commit)
        code = state_commit(fm, &fm->batch, error);
    else
        txn_abort(&fm->batch);
    if (!commit || code)
        titles_free(&fm->titles);
    return code;
}
