#include "sync/verify.h"

#include <stdlib.h>

#include "storage/erasure.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/lineage.h"
#include "sync/signed.h"
#include "sync/tree.h"

enum { ENTRIES_A_COMMIT = 1000 };

struct verifying {
    struct store *scratch;
    struct txn *txn;
    struct txn *made;
    const struct scrub *scrub;
    struct community community; // as it is
    struct community folded;    // as far as it was folded anew
    bool is_broken;             // its log: what follows from it cannot be told
};

static void tell(struct verifying *v, const char *table, uint64_t position,
                 const struct log_entry *entry, enum row_fault fault)
{
    struct row row = {.table = table, .community = v->community.number, .position = position};
    if (entry) {
        memcpy(row.device, entry->device, HANDLE_SIZE);
        row.seq = entry->seq;
    }
    v->is_broken = true;
    // What could not be looked at is no fault of the row's: the error is told.
    if (!txn_error(v->txn))
        v->scrub->told(v->scrub->arg, &row, fault);
}

// --- one change ---

// The key that the handle is made of; what else is known of the device follows from the log.
static bool know(struct verifying *v, const uint8_t handle[HANDLE_SIZE], struct device *device)
{
    uint8_t made_of[HANDLE_SIZE];
    struct device known;
    if (device_get(v->made, v->folded.number, handle, device) == OK)
        return true;
    if (device_get(v->txn, v->folded.number, handle, &known))
        return false;
    digest_handle(v->community.id, known.key, made_of);
    *device = (struct device){.role = ROLE_NONE};
    memcpy(device->handle, handle, HANDLE_SIZE);
    memcpy(device->key, known.key, KEY_SIZE);
    return memcmp(made_of, handle, HANDLE_SIZE) == 0;
}

// Whether the leaf is that of envelope and words, as far as both are here.
static bool leaf_holds(const struct log_entry *entry, const struct log_body *body)
{
    static const uint8_t none[HASH_SIZE];
    uint8_t body_hash[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];
    if (entry->form == LOG_BARE ||
        (entry->form == LOG_HUSK && memcmp(entry->body_hash, none, HASH_SIZE) == 0))
        return true;
    if (body)
        digest_body(body->salt, body->fields, body_hash);
    else
        memcpy(body_hash, entry->body_hash, HASH_SIZE);
    digest_leaf(entry->envelope, body_hash, leaf);
    return memcmp(leaf, entry->leaf, HASH_SIZE) == 0;
}

// At the end of a run its signature says that the whole chain up to there is the author's. What a
// hub decides is vouched for by the heads that it signs, and by its incarnation.
static void check_run(struct verifying *v, uint64_t position, const struct log_entry *entry,
                      const struct device *device)
{
    struct log_run run;
    struct buf transcript BUF_CLEANUP = {0};
    enum err err = log_run_from(v->txn, v->community.number, entry->device, entry->seq, &run);
    if (device->role == ROLE_HUB && err == ERR_NOT_FOUND)
        return;
    if (!err && run.last > entry->seq)
        return;
    struct log_head seen = {
        .log = BYTES(run.seen_log), .size = run.seen_size, .root = BYTES(run.seen_root)};
    if (!err)
        digest_run_transcript(v->community.id, device->key, run.last, device->head, &seen,
                              &transcript);
    if (err || memcmp(run.head, device->head, HASH_SIZE) != 0 ||
        !signed_by(v->txn, device->key, &transcript, BYTES(run.signature)))
        tell(v, "run", position, entry, ROW_FORGED);
}

// What the change did to its own device's row stays, but for the end of the chain.
static void keep_end(struct verifying *v, const struct device *device)
{
    struct device stored;
    enum err err = device_get(v->made, v->folded.number, device->handle, &stored);
    if (err == ERR_NOT_FOUND) {
        stored = *device;
    } else if (err) {
        txn_fail(v->made, err);
        return;
    }
    stored.seq = device->seq;
    memcpy(stored.head, device->head, HASH_SIZE);
    chain_store(v->made, &v->folded, &stored);
}

static void fold_one(struct verifying *v, uint64_t position, const struct log_entry *entry)
{
    struct device device;
    struct log_body body;
    bool is_whole = entry->form == LOG_WHOLE;
    if (is_whole && log_get_body(v->txn, v->community.number, position, &body)) {
        v->is_broken = true;
        // A row that is damaged was told by scrub_rows.
        if (!log_has_body(v->txn, v->community.number, position))
            tell(v, "body", position, entry, ROW_MISSING);
        return;
    }
    if (!know(v, entry->device, &device) || entry->seq != device.seq + 1 ||
        !leaf_holds(entry, is_whole ? &body : NULL)) {
        tell(v, "entry", position, entry, ROW_FORGED);
        return;
    }
    chain_append(v->made, &v->folded, &device, entry, is_whole ? &body : NULL);
    keep_end(v, &device);
    check_run(v, position, entry, &device);
}

static void fold_again_one(struct verifying *v, uint64_t position, const struct log_entry *entry)
{
    struct log_entry first;
    if (entry->first >= position || log_get(v->txn, v->community.number, entry->first, &first) ||
        first.seq != entry->seq || memcmp(first.device, entry->device, HANDLE_SIZE) != 0 ||
        memcmp(first.leaf, entry->leaf, HASH_SIZE) != 0) {
        tell(v, "entry", position, entry, ROW_FORGED);
        return;
    }
    v->folded.size++;
    log_put(v->made, v->folded.number, position, entry, NULL);
    tree_append(v->made, v->folded.number, position);
    struct community stored = v->folded;
    community_put(v->made, &stored);
}

// --- once the log is folded ---

// What its author had seen of the hub's log, of as much as the log still goes back to.
static bool seen_holds(struct verifying *v, const struct log_run *run)
{
    uint64_t size;
    uint8_t root[HASH_SIZE];
    if (run->seen_size == 0 || !lineage_reaches(v->made, &v->folded, run->seen_log, &size) ||
        run->seen_size > size)
        return true;
    return run->seen_size <= v->folded.size &&
           tree_root(v->made, v->folded.number, run->seen_size, root) == OK &&
           memcmp(root, run->seen_root, HASH_SIZE) == 0;
}

// Runs follow one another and end where the chain does: else changes would stand there that nobody
// has signed.
static bool check_runs(const struct device *device, void *arg)
{
    struct verifying *v = arg;
    struct log_run run;
    struct log_entry of = {.seq = 0};
    bool is_sound = true;
    memcpy(of.device, device->handle, HANDLE_SIZE);
    while (is_sound &&
           log_run_from(v->txn, v->community.number, device->handle, of.seq + 1, &run) == OK) {
        is_sound = run.first == of.seq + 1 && run.last >= run.first && run.last <= device->seq &&
                   seen_holds(v, &run);
        of.seq = run.last;
        if (run.last == UINT32_MAX)
            break;
    }
    if (device->role != ROLE_HUB && (!is_sound || of.seq != device->seq))
        tell(v, "run", 0, &of, ROW_FORGED);
    return !txn_error(v->txn);
}

// Words go by a decision alone.
static void check_husks(struct verifying *v)
{
    struct log_entry entry;
    for (uint64_t position = 1; position <= v->community.size; position++) {
        if (log_get(v->txn, v->community.number, position, &entry) == OK &&
            entry.form == LOG_HUSK &&
            !erased_get(v->made, v->folded.number, entry.device, entry.seq, log_tag(&entry), NULL))
            tell(v, "body", position, &entry, ROW_MISSING);
    }
}

// --- a community ---

static enum err commit(struct verifying *v)
{
    enum err err = txn_commit(&v->made);
    if (!err)
        v->made = txn_begin_write(v->scratch);
    return err ? err : txn_error(v->made);
}

static enum err fold_log(struct verifying *v)
{
    enum err err = OK;
    for (uint64_t position = 1; position <= v->community.size && !err && !v->is_broken;
         position++) {
        struct log_entry entry;
        if (log_get(v->txn, v->community.number, position, &entry))
            tell(v, "entry", position, NULL, ROW_MISSING);
        else if (entry.form == LOG_AGAIN)
            fold_again_one(v, position, &entry);
        else
            fold_one(v, position, &entry);
        err = txn_error(v->txn) ? txn_error(v->txn) : txn_error(v->made);
        if (!err && position % ENTRIES_A_COMMIT == 0) {
            v->scrub->read(v->scrub->arg, ENTRIES_A_COMMIT);
            err = commit(v);
        }
    }
    v->scrub->read(v->scrub->arg, v->community.size % ENTRIES_A_COMMIT);
    return err ? err : commit(v);
}

static enum err verify_community(struct verifying *v)
{
    v->is_broken = false;
    v->folded = v->community;
    v->folded.size = 0;
    struct community stored = v->folded;
    community_put(v->made, &stored);
    enum err err = fold_log(v);
    if (err || v->is_broken)
        return err;
    device_each(v->made, v->folded.number, check_runs, v);
    check_husks(v);
    return scrub_compare(v->txn, v->made, v->community.number, v->scrub);
}

static bool gather(const struct community *community, void *arg)
{
    struct buf *all = arg;
    buf_put(all, bytes_of(community, sizeof *community));
    return !all->err;
}

static int by_number(const void *a, const void *b)
{
    const struct community *x = a;
    const struct community *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

// In the order of their numbers, which the scratch gives them, too: from 1, without a gap.
static enum err verify_communities(struct verifying *v, const struct buf *all)
{
    const struct community *communities = (const struct community *)(const void *)all->p;
    struct community found;
    enum err err = txn_error(v->txn) ? txn_error(v->txn) : all->err;
    for (uint32_t i = 0; i < all->n / sizeof *communities && !err; i++) {
        v->community = communities[i];
        if (v->community.number != i + 1 || community_get_number(v->txn, i + 1, &found) ||
            memcmp(found.id, v->community.id, COMMUNITY_SIZE) != 0) {
            tell(v, "meta", 0, NULL, ROW_OTHER);
            return txn_error(v->txn);
        }
        err = verify_community(v);
    }
    return err;
}

static enum err verify_all(struct verifying *v)
{
    struct community none;
    struct buf all BUF_CLEANUP = {0};
    community_each(v->txn, gather, &all);
    size_t n = all.n / sizeof(struct community);
    if (n)
        qsort(all.p, n, sizeof(struct community), by_number);
    enum err err = verify_communities(v, &all);
    if (!err && community_get_number(v->txn, (uint32_t)n + 1, &none) != ERR_NOT_FOUND)
        tell(v, "community", 0, NULL, ROW_MISSING);
    return err;
}

enum err verify_store(struct store *store, struct store *scratch, const struct scrub *scrub,
                      struct fault *fault)
{
    struct verifying v = {.scratch = scratch, .scrub = scrub};
    v.txn = txn_begin_read(store);
    v.made = txn_begin_write(scratch);
    enum err err = scrub_rows(v.txn, scrub);
    if (!err)
        err = verify_all(&v);
    txn_abort(&v.made);
    txn_abort(&v.txn);
    return err ? fault_set(fault, err, "not everything could be verified: %s", err_text(err)) : OK;
}
