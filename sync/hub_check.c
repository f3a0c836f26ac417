// Checking what a device pushes, on any thread against a read transaction: form, limits, chain and
// signature need only the chain's head before the run. What moves in between is compared again, by
// heads, when the plan is taken.

#include "base/text.h"
#include "proto/pack.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/hub_plan.h"
#include "sync/signed.h"

struct checking {
    struct txn *txn;
    const struct hub_caller *caller;
    struct arena *arena;
    struct fault *fault;
    struct hub_push_plan *plan;
    size_t unpacked;
    size_t edits;  // and dots, of the whole request
    uint32_t end;  // of the chain as the runs so far would leave it
    uint32_t last; // of the run before
};

// --- form ---

static enum err check_change(struct checking *c, const struct change *change, struct bytes *salts,
                             struct planned_change *planned)
{
    uint32_t edits;
    uint8_t body_hash[HASH_SIZE];
    if (change->leaf.n && !change->envelope.n && !change->fields.n && !change->body_hash.n) {
        planned->entry.form = LOG_BARE;
        memcpy(planned->entry.leaf, change->leaf.p, HASH_SIZE);
        return OK;
    }
    if (change->leaf.n || (change->body_hash.n && change->fields.n))
        return fault_set(c->fault, ERR_MALFORMED,
                         "Change: neither whole nor a husk nor a bare leaf");
    if (change->envelope.n + change->fields.n > CHANGE_MAX)
        return fault_set(c->fault, ERR_LIMIT, "Change: over %d bytes", CHANGE_MAX);
    enum err err = envelope_decode(change->envelope, c->arena, &planned->envelope, c->fault);
    if (!err)
        err = fields_check(change->fields, &edits, c->fault);
    if (err)
        return err;
    c->edits += edits + planned->envelope.over.n;
    if (c->edits > REQUEST_EDITS_MAX)
        return fault_set(c->fault, ERR_LIMIT, "SyncRequest: over %d edits and dots",
                         REQUEST_EDITS_MAX);
    planned->entry.envelope = change->envelope;
    if (change->body_hash.n) {
        planned->entry.form = LOG_HUSK;
        memcpy(planned->entry.body_hash, change->body_hash.p, HASH_SIZE);
        digest_leaf(change->envelope, change->body_hash.p, planned->entry.leaf);
        return OK;
    }
    if (salts->n < SALT_SIZE)
        return fault_set(c->fault, ERR_MALFORMED, "Run: fewer salts than whole changes");
    planned->entry.form = LOG_WHOLE;
    planned->body.fields = change->fields;
    memcpy(planned->body.salt, salts->p, SALT_SIZE);
    *salts = bytes_of(salts->p + SALT_SIZE, salts->n - SALT_SIZE);
    digest_body(planned->body.salt, change->fields, body_hash);
    digest_leaf(change->envelope, body_hash, planned->entry.leaf);
    return OK;
}

// Says which change the fault is of.
static enum err name_change(struct checking *c, enum err err, uint32_t seq)
{
    struct fault of = c->fault ? *c->fault : (struct fault){0};
    return fault_set(c->fault, err, "seq %u: %s", seq, of.err == err ? of.text : err_text(err));
}

// The changes of all packs of a run, decoded: lists of struct change.
static enum err open_packs(struct checking *c, const struct run *run, struct changes **opened,
                           size_t *count)
{
    *opened = arena_alloc(c->arena, run->packs.n + 1, sizeof **opened);
    *count = 0;
    if (!*opened)
        return fault_set(c->fault, ERR_NOMEM, "Run: too large");
    for (size_t i = 0; i < run->packs.n; i++) {
        const struct pack *pack = LIST_AT(struct pack, run->packs, i);
        struct bytes bytes;
        c->unpacked += pack->size;
        if (c->unpacked > REQUEST_UNPACKED_MAX)
            return fault_set(c->fault, ERR_LIMIT, "SyncRequest: over %d bytes unpacked",
                             REQUEST_UNPACKED_MAX);
        enum err err = pack_open(pack, c->arena, &bytes, c->fault);
        if (!err)
            err = message_decode(&changes_message, bytes, c->arena, &(*opened)[i], c->fault);
        if (err)
            return err;
        *count += (*opened)[i].changes.n;
        if (*count > RUN_CHANGES_MAX)
            return fault_set(c->fault, ERR_LIMIT, "Run: more than %d changes", RUN_CHANGES_MAX);
    }
    if (*count == 0)
        return fault_set(c->fault, ERR_MALFORMED, "Run: no change");
    return OK;
}

static enum err check_changes(struct checking *c, const struct run *run,
                              struct planned_run *planned)
{
    struct changes *opened;
    size_t count;
    struct bytes salts = run->salts;
    enum err err = open_packs(c, run, &opened, &count);
    if (err)
        return err;
    if (count - 1 > UINT32_MAX - run->first)
        return fault_set(c->fault, ERR_LIMIT, "Run: seq over 32 bits");
    planned->last = run->first + (uint32_t)(count - 1);
    planned->changes = arena_alloc(c->arena, count, sizeof *planned->changes);
    if (!planned->changes)
        return fault_set(c->fault, ERR_NOMEM, "Run: too large");
    struct planned_change *change = planned->changes;
    for (size_t i = 0; i < run->packs.n; i++) {
        for (size_t k = 0; k < opened[i].changes.n; k++, change++) {
            const struct change *in = LIST_AT(struct change, opened[i].changes, k);
            change->entry.seq = run->first + (uint32_t)(change - planned->changes);
            err = check_change(c, in, &salts, change);
            if (err)
                return name_change(c, err, change->entry.seq);
            planned->bytes += in->envelope.n + in->fields.n;
            memcpy(change->entry.device, c->caller->device.handle, HANDLE_SIZE);
        }
    }
    if (salts.n)
        return fault_set(c->fault, ERR_MALFORMED, "Run: more salts than whole changes");
    return OK;
}

// --- chain and signature ---

// Of whom and of what the signature is not, as far as can be told.
static enum err wrong_signature(struct checking *c, const struct run *run,
                                const struct planned_run *planned)
{
    const struct device *device = &c->caller->device;
    char handle[2 * HANDLE_SIZE + 1];
    struct log_run known;
    text_hex(BYTES(device->handle), handle);
    enum err err =
        log_run_from(c->txn, c->caller->community.number, device->handle, planned->first, &known);
    if (run->signature.n == 0)
        return fault_set(c->fault, ERR_MALFORMED,
                         "Run: the changes from seq %u to %u of device %s are not signed",
                         planned->first, planned->last, handle);
    if (!err && bytes_equal(run->signature, BYTES(known.signature)))
        return fault_set(
            c->fault, ERR_MALFORMED,
            "Run: the signature of device %s is that of its run up to seq %u, and does "
            "not fit the changes from seq %u to %u",
            handle, known.last, planned->first, planned->last);
    return fault_set(c->fault, ERR_MALFORMED,
                     "Run: the signature does not fit the changes from seq %u to %u of device %s, "
                     "as they go on from its seq %u here",
                     planned->first, planned->last, handle, planned->first - 1);
}

static enum err check_signature(struct checking *c, const struct run *run,
                                struct planned_run *planned)
{
    const struct device *device = &c->caller->device;
    uint8_t head[HASH_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    memcpy(head, planned->start, HASH_SIZE);
    for (uint32_t i = 0; i <= planned->last - planned->first; i++) {
        struct planned_change *change = &planned->changes[i];
        digest_head(c->caller->community.id, device->key, planned->first + i, change->entry.leaf,
                    head);
        memcpy(change->head, head, HASH_SIZE);
    }
    digest_run_transcript(c->caller->community.id, device->key, planned->last, head, run->seen,
                          &transcript);
    if (!signed_by(c->txn, device->key, &transcript, run->signature))
        return txn_error(c->txn) ? txn_error(c->txn) : wrong_signature(c, run, planned);
    memcpy(planned->signature, run->signature.p, SIGN_SIZE);
    planned->seen = run->seen;
    return OK;
}

// The head before the run: where the run before it ended, or what the hub holds there.
static enum err start_of(struct checking *c, struct planned_run *planned)
{
    if (planned == c->plan->runs)
        return chain_head_at(c->txn, &c->caller->community, &c->caller->device, planned->first - 1,
                             planned->start);
    const struct planned_run *before = &planned[-1];
    memcpy(planned->start, before->changes[before->last - before->first].head, HASH_SIZE);
    return OK;
}

// Whose run it is, and where it stands.
static enum err check_place(struct checking *c, const struct run *run)
{
    char handle[2 * HANDLE_SIZE + 1];
    if (run->device.n && !bytes_equal(run->device, BYTES(c->caller->device.handle))) {
        text_hex(run->device, handle);
        return fault_set(c->fault, ERR_FORBIDDEN,
                         "Run: of another device than the caller's: from seq %u of device %s",
                         run->first, handle);
    }
    if (run->first == 0)
        return fault_set(c->fault, ERR_MALFORMED, "Run: first is missing");
    if (c->last && (uint64_t)run->first != (uint64_t)c->last + 1)
        return fault_set(c->fault, ERR_MALFORMED,
                         "SyncRequest: runs that do not follow each other: from seq %u after %u",
                         run->first, c->last);
    return OK;
}

static enum err check_run(struct checking *c, const struct run *run, struct planned_run *planned)
{
    enum err err = check_place(c, run);
    if (err)
        return err;
    planned->first = run->first;
    err = check_changes(c, run, planned);
    if (err)
        return err;
    c->last = planned->last;
    if (run->first - 1 > c->end) {
        c->plan->standing = STANDING_GAP;
        c->plan->n--;
        return OK;
    }
    err = start_of(c, planned);
    if (!err)
        err = check_signature(c, run, planned);
    if (!err && planned->last > c->end)
        c->end = planned->last;
    return err;
}

// --- the caller's own point ---

static enum err check_own(struct checking *c, const struct chain_point *own)
{
    const struct device *device = &c->caller->device;
    uint8_t head[HASH_SIZE] = {0};
    if (own->device.n && !bytes_equal(own->device, BYTES(device->handle)))
        return fault_set(c->fault, ERR_FORBIDDEN, "SyncRequest: own is another device's");
    if (own->seq > device->seq || (own->seq && !own->head.n)) {
        c->plan->own_differs = true;
        return OK;
    }
    enum err err = chain_head_at(c->txn, &c->caller->community, device, own->seq, head);
    if (err)
        return err;
    bool same = own->seq == 0 || bytes_equal(own->head, bytes_of(head, CUT_SIZE));
    if (!same)
        c->plan->standing = STANDING_FORK;
    if (!same || own->seq < device->seq)
        c->plan->own_differs = true;
    return OK;
}

// --- the day's quota ---

enum { DAY_MS = 24 * 60 * 60 * 1000 };

struct quota hub_quota_of(struct txn *txn, const struct hub_caller *caller, int64_t now)
{
    struct quota quota;
    uint32_t day = (uint32_t)(now / DAY_MS);
    quota_get(txn, caller->community.number, caller->device.handle, &quota);
    return quota.day == day ? quota : (struct quota){.day = day};
}

enum { SMALL_PUSH = 16 << 10 };

// What is new is all of the plan, but for what the hub holds already.
static uint32_t new_changes(const struct checking *c)
{
    return c->end - c->caller->device.seq;
}

// A small push is held up by the number of the device's changes alone.
static enum err check_quota(struct checking *c)
{
    const struct hub_policy *policy = &c->caller->policy;
    size_t bytes = 0;
    for (size_t i = 0; i < c->plan->n; i++)
        bytes += c->plan->runs[i].bytes;
    if (new_changes(c) == 0)
        return OK;
    struct quota quota = hub_quota_of(c->txn, c->caller, c->caller->now);
    uint64_t changes = (uint64_t)quota.changes + new_changes(c);
    if (policy->changes_a_day && changes > policy->changes_a_day)
        return fault_set(c->fault, ERR_QUOTA,
                         "this device may push %u changes a day, and %u are there: the others are "
                         "taken tomorrow (UTC)",
                         policy->changes_a_day, quota.changes);
    if (policy->bytes_a_day && bytes > SMALL_PUSH && quota.bytes + bytes > policy->bytes_a_day)
        return fault_set(c->fault, ERR_QUOTA,
                         "this device has pushed its %llu bytes of today: small pushes are taken, "
                         "large ones tomorrow (UTC)",
                         (unsigned long long)policy->bytes_a_day);
    return OK;
}

static enum err check_top(const struct hub_caller *caller, const struct sync_request *request,
                          struct fault *fault)
{
    if (request->version != PROTOCOL_VERSION)
        return fault_set(fault, ERR_VERSION, "SyncRequest: version %u; this hub speaks version %d",
                         request->version, PROTOCOL_VERSION);
    if (request->community.n && !bytes_equal(request->community, BYTES(caller->community.id)))
        return fault_set(fault, ERR_FORBIDDEN,
                         "SyncRequest: the token is for another community than the request");
    return OK;
}

enum err hub_check_push(struct txn *txn, const struct hub_caller *caller,
                        const struct sync_request *request, struct arena *arena,
                        struct hub_push_plan **plan, struct fault *fault)
{
    *plan = NULL;
    struct checking c = {.txn = txn, .caller = caller, .arena = arena, .fault = fault};
    enum err err = check_top(caller, request, fault);
    if (err)
        return err;
    c.plan = arena_alloc(arena, 1, sizeof *c.plan);
    if (c.plan)
        c.plan->runs = arena_alloc(arena, request->push.n + 1, sizeof *c.plan->runs);
    if (!c.plan || !c.plan->runs)
        return fault_set(fault, ERR_NOMEM, "SyncRequest: too large");
    c.end = caller->device.seq;
    for (size_t i = 0; i < request->push.n && !err; i++) {
        struct planned_run *planned = &c.plan->runs[c.plan->n++];
        err = check_run(&c, LIST_AT(struct run, request->push, i), planned);
    }
    if (!err)
        err = check_quota(&c);
    if (!err && request->own)
        err = check_own(&c, request->own);
    if (!err && (c.plan->n || c.plan->standing || c.plan->own_differs))
        *plan = c.plan;
    return err;
}
