#include "tests/power/work.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client/state.h"
#include "daemon/certificate.h"
#include "daemon/file.h"
#include "daemon/identity.h"
#include "storage/log.h"
#include "tests/client/hub_double.h"
#include "tests/sync/dice.h"

enum { PHONES = 2, ROUNDS = 12, NEEDS = 4 };

static const int64_t begun = 1790000000000;

// --- promises ---

static struct work_promise *promise(struct work *work, enum work_what what)
{
    if (work->n == work->cap) {
        work->cap = work->cap ? 2 * work->cap : 64;
        work->promises = realloc(work->promises, work->cap * sizeof *work->promises);
        assert(work->promises);
    }
    struct work_promise *made = &work->promises[work->n++];
    *made = (struct work_promise){.what = what, .from = trace_mark()};
    return made;
}

static void promise_change(struct work *work, enum work_what what, const uint8_t handle[12],
                           uint32_t seq)
{
    struct work_promise *made = promise(work, what);
    memcpy(made->handle, handle, sizeof made->handle);
    made->seq = seq;
}

void work_done(struct work *work)
{
    free(work->promises);
    *work = (struct work){.n = 0};
}

// --- a phone ---

struct phone {
    struct folkmoot *fm;
    char path[600];
    struct dice dice;
    int64_t now;
    uint8_t needs[ROUNDS][16];
    uint32_t seqs[ROUNDS]; // that created them
};

static int64_t phone_now(void *arg)
{
    return ++((struct phone *)arg)->now;
}

static void phone_random(void *arg, void *out, size_t n)
{
    dice_bytes(&((struct phone *)arg)->dice, out, n);
}

static void phone_start(struct phone *phone)
{
    struct folkmoot_error error;
    const struct folkmoot_host host = {phone_now, phone_random, phone};
    enum folkmoot_code code = folkmoot_open(phone->path, &host, &phone->fm, &error);
    assert(!code);
}

static void turn(struct hub_double *hub, struct folkmoot_session *session)
{
    enum folkmoot_next next = hub_double_run(hub, session, NULL);
    assert(next == FOLKMOOT_DONE);
    folkmoot_session_done(&session);
}

static void phone_join(struct phone *phone, struct hub_double *hub)
{
    char link[LINK_MAX];
    struct folkmoot_session *session;
    hub_double_invite(hub, ROLE_VOLUNTEER, link);
    enum folkmoot_code code = folkmoot_join(phone->fm, link, &session, NULL);
    assert(!code);
    turn(hub, session);
}

static void phone_sync(struct phone *phone, struct hub_double *hub)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_sync(phone->fm, &session, NULL);
    assert(!code);
    turn(hub, session);
}

static struct folkmoot_community own_of(struct phone *phone)
{
    struct folkmoot_community community;
    enum folkmoot_code code = folkmoot_community_at(phone->fm, 0, &community);
    assert(!code);
    return community;
}

// --- rounds of it ---

struct scene {
    struct work *work;
    struct hub_double *hub;
    struct phone phones[PHONES];
    bool is_hub; // what is watched
};

// What a call of the watched phone has done is durable when it returns.
static void promise_written(struct scene *scene, struct phone *phone)
{
    struct folkmoot_community own = own_of(phone);
    if (!scene->is_hub && phone == &scene->phones[0])
        promise_change(scene->work, WORK_CHAIN, own.device, own.written);
}

static void write_some(struct scene *scene, struct phone *phone, unsigned round)
{
    uint8_t person[16] = {1, (uint8_t)round};
    char text[300];
    struct folkmoot_put put = {"title", text};
    memset(text, 'a' + (int)round % 26, sizeof text - 1);
    text[20 + dice_below(&phone->dice, 270)] = 0;
    text[sizeof text - 1] = 0;
    enum folkmoot_code code =
        folkmoot_add(phone->fm, "need", &put, 1, 0, phone->needs[round], NULL);
    assert(!code);
    phone->seqs[round] = own_of(phone).written;
    promise_written(scene, phone);
    if (round > 0) {
        put.value = "said otherwise";
        code = folkmoot_edit(phone->fm, "need", phone->needs[round - 1], &put, 1, 0, NULL);
        assert(!code);
        promise_written(scene, phone);
    }
    code =
        folkmoot_voice(phone->fm, "need", phone->needs[round], person, "for", NULL, NULL, 0, NULL);
    assert(!code);
    promise_written(scene, phone);
}

static void erase_one(struct scene *scene, struct phone *phone, unsigned round)
{
    struct folkmoot_community own = own_of(phone);
    enum folkmoot_code code =
        folkmoot_erase(phone->fm, "need", phone->needs[round], true, NULL, NULL);
    assert(!code);
    if (!scene->is_hub && phone == &scene->phones[0])
        promise_change(scene->work, WORK_ERASED, own.device, phone->seqs[round]);
    phone_sync(phone, scene->hub);
    if (scene->is_hub)
        promise_change(scene->work, WORK_ERASED, own.device, phone->seqs[round]);
}

static void sync_one(struct scene *scene, struct phone *phone)
{
    phone_sync(phone, scene->hub);
    struct folkmoot_community own = own_of(phone);
    assert(own.unsent == 0);
    if (scene->is_hub)
        promise_change(scene->work, WORK_CHAIN, own.device, own.written);
}

// Each end is closed and opened again in the middle.
static void restart(struct scene *scene, const char *hub_path)
{
    hub_double_close(scene->hub);
    hub_double_open(scene->hub, hub_path);
    folkmoot_close(&scene->phones[0].fm);
    phone_start(&scene->phones[0]);
}

static void play(struct scene *scene, const char *hub_path)
{
    scene->hub = hub_double_new(hub_path, 7, begun);
    for (unsigned i = 0; i < PHONES; i++) {
        struct phone *phone = &scene->phones[i];
        phone->dice.state = 100 + i;
        phone->now = begun;
        phone_start(phone);
        phone_join(phone, scene->hub);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 2)
            restart(scene, hub_path);
        for (unsigned i = 0; i < PHONES; i++) {
            write_some(scene, &scene->phones[i], round);
            sync_one(scene, &scene->phones[i]);
            if (round % 3 == 2)
                erase_one(scene, &scene->phones[i], round - 2);
        }
    }
}

static struct trace work_stores(struct work *work, bool is_hub)
{
    static struct scene scene;
    char hub_path[600];
    scene = (struct scene){.work = work, .is_hub = is_hub};
    (void)snprintf(hub_path, sizeof hub_path, "%s/store", is_hub ? work->root : work->aside);
    for (unsigned i = 0; i < PHONES; i++)
        (void)snprintf(scene.phones[i].path, sizeof scene.phones[i].path,
                       i == 0 && !is_hub ? "%s/store" : "%s/phone%u",
                       i == 0 && !is_hub ? work->root : work->aside, i);
    trace_begin(work->root);
    play(&scene, hub_path);
    struct trace trace = trace_end();
    for (unsigned i = 0; i < PHONES; i++)
        folkmoot_close(&scene.phones[i].fm);
    hub_double_free(&scene.hub);
    return trace;
}

struct trace work_hub(struct work *work)
{
    return work_stores(work, true);
}

struct trace work_phone(struct work *work)
{
    return work_stores(work, false);
}

// --- what a crash left of a store ---

static char wrong[300];

#define WRONG(...) ((void)snprintf(wrong, sizeof wrong, __VA_ARGS__), wrong)

static void zeros(void *arg, void *out, size_t n)
{
    (void)arg;
    memset(out, 7, n);
}

struct checking {
    struct txn *txn;
    const struct community *community;
    const char *found;
};

// Whatever is in the log can be read, and stands where its chain says.
static const char *check_log(struct txn *txn, const struct community *community)
{
    for (uint64_t position = 1; position <= community->size; position++) {
        struct log_entry entry;
        struct log_body body;
        uint64_t at;
        enum err err = log_get(txn, community->number, position, &entry);
        if (err)
            return WRONG("entry %llu: %s", (unsigned long long)position, err_text(err));
        if (entry.form == LOG_WHOLE)
            err = log_get_body(txn, community->number, position, &body);
        if (err)
            return WRONG("the words of entry %llu: %s", (unsigned long long)position,
                         err_text(err));
        err = log_find(txn, community->number, entry.device, entry.seq, &at);
        if (err || at != position)
            return WRONG("entry %llu is not in its chain", (unsigned long long)position);
    }
    return NULL;
}

static const char *check_promise(struct txn *txn, const struct community *community,
                                 const struct work_promise *promised)
{
    struct device device;
    struct log_entry entry;
    struct log_body body;
    uint64_t position;
    enum err err = device_get(txn, community->number, promised->handle, &device);
    if (err || device.seq < promised->seq)
        return WRONG("change %u is lost: the chain ends at %u", promised->seq,
                     err ? 0 : device.seq);
    err = log_find(txn, community->number, promised->handle, promised->seq, &position);
    if (!err)
        err = log_get(txn, community->number, position, &entry);
    if (err)
        return WRONG("change %u: %s", promised->seq, err_text(err));
    if (promised->what == WORK_ERASED &&
        (entry.form != LOG_HUSK || !log_get_body(txn, community->number, position, &body)))
        return WRONG("the words of change %u are back", promised->seq);
    return NULL;
}

static const char *check_opened(const struct work *work, struct store *store, size_t taken)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    bool is_there = community_get_number(txn, 1, &community) == OK;
    const char *found = is_there ? check_log(txn, &community) : NULL;
    for (size_t i = 0; i < work->n && !found && work->promises[i].from <= taken; i++)
        found = is_there ? check_promise(txn, &community, &work->promises[i])
                         : WRONG("the community is lost");
    return found || !txn_error(txn) ? found : WRONG("%s", err_text(txn_error(txn)));
}

static const char *check_going_on(struct store *store)
{
    struct contact contact = {.last_sync = 1};
    uint8_t handle[12] = {0};
    struct txn *txn = txn_begin_write(store);
    contact_put(txn, 1, handle, &contact);
    enum err err = txn_commit(&txn);
    return err ? WRONG("it does not go on: %s", err_text(err)) : NULL;
}

const char *work_check_store(const struct work *work, const char *path, size_t taken, bool writes)
{
    char store_path[600];
    struct store *store;
    struct fault fault = {0};
    struct store_options options = {.map_size = 16 << 20, .keeps_orders = true, .random = zeros};
    (void)snprintf(store_path, sizeof store_path, "%s/store", path);
    enum err err = store_open(store_path, &options, &store, &fault);
    if (err)
        return WRONG("it does not open: %s", fault.text);
    const char *found = check_opened(work, store, taken);
    if (!found && writes)
        found = check_going_on(store);
    store_close(&store);
    return found;
}

// --- a daemon's files ---

static void promise_key(struct work *work, enum work_what what, const uint8_t key[32])
{
    memcpy(promise(work, what)->key, key, 32);
}

static void renew(struct work *work, const char *path, bool first)
{
    uint8_t hash[32];
    struct fault fault = {0};
    enum err err = first ? certificate_ensure(path, &fault) : certificate_renew(path, &fault);
    assert(!err);
    err = certificate_key_hash(path, hash, &fault);
    assert(!err);
    promise_key(work, WORK_TLS, hash);
}

struct trace work_files(struct work *work)
{
    char dir[600];
    char path[700];
    struct identity identity;
    struct fault fault = {0};
    bool made;
    trace_begin(work->root);
    (void)snprintf(dir, sizeof dir, "%s/state", work->root);
    enum err err = file_make_directory(dir, &fault);
    assert(!err);
    (void)snprintf(path, sizeof path, "%s/identity", dir);
    err = identity_open(path, &identity, &made, &fault);
    assert(!err && made);
    promise_key(work, WORK_IDENTITY, identity.key);
    identity_done(&identity);
    (void)snprintf(path, sizeof path, "%s/tls.pem", dir);
    for (int i = 0; i < 5; i++)
        renew(work, path, i == 0);
    return trace_end();
}

static const char *check_identity(const struct work_promise *promised, const char *path)
{
    struct identity identity;
    struct fault fault = {0};
    bool made;
    enum err err = identity_open(path, &identity, &made, &fault);
    if (err)
        return WRONG("no identity: %s", fault.text);
    bool is_same = !promised || memcmp(identity.key, promised->key, 32) == 0;
    identity_done(&identity);
    return is_same ? NULL : WRONG("another identity");
}

// One that was renewed is the last that was promised, or the next one.
static const char *check_tls(const struct work *work, size_t last, const char *path)
{
    uint8_t hash[32];
    struct fault fault = {0};
    enum err err = certificate_ensure(path, &fault);
    if (!err)
        err = certificate_key_hash(path, hash, &fault);
    if (err)
        return WRONG("no certificate: %s", fault.text);
    bool is_known = last == 0;
    for (size_t i = last; last && i < work->n && i <= last + 1; i++)
        is_known |= memcmp(work->promises[i].key, hash, 32) == 0;
    return is_known ? NULL : WRONG("an older certificate, or another");
}

const char *work_check_files(const struct work *work, const char *path, size_t taken, bool writes)
{
    char dir[600];
    char file[700];
    struct fault fault = {0};
    size_t last = 0;
    (void)writes;
    (void)snprintf(dir, sizeof dir, "%s/state", path);
    enum err err = file_make_directory(dir, &fault);
    if (err)
        return WRONG("no directory: %s", fault.text);
    for (size_t i = 1; i < work->n; i++)
        last = work->promises[i].from <= taken ? i : last;
    (void)snprintf(file, sizeof file, "%s/identity", dir);
    const char *found =
        check_identity(work->promises[0].from <= taken ? &work->promises[0] : NULL, file);
    (void)snprintf(file, sizeof file, "%s/tls.pem", dir);
    return found ? found : check_tls(work, last, file);
}
