// Taking what a device pushes: checked on any thread against a read transaction, taken by the one
// writer. The checks of form and signature need only the chain's head before the run; what moved in
// between is compared again, by heads, when the plan is taken.

#include "base/sign.h"
#include "proto/change.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/hub.h"
#include "sync/hub_private.h"

struct planned_change {
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    uint8_t head[HASH_SIZE]; // of the chain after this change
};

struct planned_run {
    uint32_t first;
    uint32_t last;
    uint8_t start[HASH_SIZE]; // head before the first
    struct planned_change *changes;
    uint8_t signature[SIGN_SIZE];
    struct log_head *seen;
};

struct hub_push_plan {
    struct planned_run *runs;
    size_t n;
    enum standing standing;
    bool own_differs; // the caller's idea of its chain is not the hub's: it gets a receipt
};

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
    if (change->leaf.n || change->body_hash.n)
        return fault_set(c->fault, ERR_MALFORMED,
                         "Change: neither whole nor a bare leaf (husks are for hubs)");
    if (change->envelope.n + change->fields.n > CHANGE_MAX)
        return fault_set(c->fault, ERR_LIMIT, "Change: over %d bytes", CHANGE_MAX);
    if (salts->n < SALT_SIZE)
        return fault_set(c->fault, ERR_MALFORMED, "Run: fewer salts than whole changes");
    enum err err = envelope_decode(change->envelope, c->arena, &planned->envelope, c->fault);
    if (!err)
        err = fields_check(change->fields, &edits, c->fault);
    if (err)
        return err;
    c->edits += edits + planned->envelope.over.n;
    if (c->edits > REQUEST_EDITS_MAX)
        return fault_set(c->fault, ERR_LIMIT, "SyncRequest: over %d edits and dots",
                         REQUEST_EDITS_MAX);
    planned->entry.form = LOG_WHOLE;
    planned->entry.envelope = change->envelope;
    planned->body.fields = change->fields;
    memcpy(planned->body.salt, salts->p, SALT_SIZE);
    *salts = bytes_of(salts->p + SALT_SIZE, salts->n - SALT_SIZE);
    digest_body(planned->body.salt, change->fields, body_hash);
    digest_leaf(change->envelope, body_hash, planned->entry.leaf);
    return OK;
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
        for (size_t k = 0; k < opened[i].changes.n && !err; k++, change++) {
            err = check_change(c, LIST_AT(struct change, opened[i].changes, k), &salts, change);
            change->entry.seq = run->first + (uint32_t)(change - planned->changes);
            memcpy(change->entry.device, c->caller->device.handle, HANDLE_SIZE);
        }
    }
    if (!err && salts.n)
        err = fault_set(c->fault, ERR_MALFORMED, "Run: more salts than whole changes");
    return err;
}

// --- chain and signature ---

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
    if (transcript.err)
        return transcript.err;
    if (run->signature.n != SIGN_SIZE ||
        !sign_check(device->key, buf_bytes(&transcript), run->signature.p))
        return fault_set(c->fault, ERR_MALFORMED,
                         "Run: the signature does not fit the changes from seq %u to %u",
                         planned->first, planned->last);
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

static enum err check_run(struct checking *c, const struct run *run, struct planned_run *planned)
{
    const struct device *device = &c->caller->device;
    if (run->device.n && !bytes_equal(run->device, BYTES(device->handle)))
        return fault_set(c->fault, ERR_FORBIDDEN, "Run: of another device than the caller's");
    if (run->first == 0)
        return fault_set(c->fault, ERR_MALFORMED, "Run: first is missing");
    if (c->last && (uint64_t)run->first != (uint64_t)c->last + 1)
        return fault_set(c->fault, ERR_MALFORMED,
                         "SyncRequest: runs that do not follow each other");
    planned->first = run->first;
    enum err err = check_changes(c, run, planned);
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
    if (!err && request->own)
        err = check_own(&c, request->own);
    if (!err && (c.plan->n || c.plan->standing || c.plan->own_differs))
        *plan = c.plan;
    return err;
}

// --- taking ---

struct taking {
    struct txn *txn;
    struct community community;
    struct device device;
    struct hub_decider decider;
    struct arena *arena;
    struct receipt *receipt;
    size_t room;    // of receipt->set_apart
    uint32_t *tags; // of those
};

static bool is_at(struct taking *t, uint32_t seq, const uint8_t expected[HASH_SIZE])
{
    uint8_t head[HASH_SIZE];
    enum err err = chain_head_at(t->txn, &t->community, &t->device, seq, head);
    if (err)
        txn_fail(t->txn, err);
    return !err && memcmp(head, expected, HASH_SIZE) == 0;
}

// Whether what the hub holds lies on the run's own path.
static enum standing run_standing(struct taking *t, const struct planned_run *run)
{
    uint32_t end = t->device.seq;
    if (run->first - 1 > end)
        return STANDING_GAP;
    if (!is_at(t, run->first - 1, run->start))
        return STANDING_FORK;
    uint32_t common = end < run->last ? end : run->last;
    if (common >= run->first && !is_at(t, common, run->changes[common - run->first].head))
        return STANDING_FORK;
    return STANDING_OK;
}

// The role that the author had at this seq, as decided; ROLE_NONE: revoked.
static enum reason judge(struct taking *t, const struct planned_change *change)
{
    if (change->entry.form != LOG_WHOLE)
        return REASON_NONE;
    enum role role = role_at(t->txn, t->community.number, t->device.handle, change->entry.seq);
    if (role == ROLE_NONE)
        return REASON_REVOKED;
    enum reason reason = schema_check(&change->envelope, change->body.fields);
    return reason ? reason : role_judge(role, t->community.id, t->device.handle, &change->envelope);
}

static void note_set_apart(struct taking *t, const struct planned_change *change)
{
    enum reason reason = judge(t, change);
    if (reason == REASON_NONE || t->receipt->set_apart.n == t->room)
        return;
    t->tags[t->receipt->set_apart.n] = log_tag(&change->entry);
    struct set_apart *set_apart =
        LIST_AT(struct set_apart, t->receipt->set_apart, t->receipt->set_apart.n++);
    *set_apart = (struct set_apart){change->entry.seq, (uint32_t)reason};
}

static void store_run(struct taking *t, const struct planned_run *run, uint32_t first)
{
    struct log_run stored = {.first = first, .last = run->last};
    memcpy(stored.head, t->device.head, HASH_SIZE);
    memcpy(stored.signature, run->signature, SIGN_SIZE);
    // As it was signed: what is absent is zeros.
    if (run->seen) {
        if (run->seen->log.n)
            memcpy(stored.seen_log, run->seen->log.p, HANDLE_SIZE);
        if (run->seen->root.n)
            memcpy(stored.seen_root, run->seen->root.p, HASH_SIZE);
        stored.seen_size = run->seen->size;
    }
    log_put_run(t->txn, t->community.number, t->device.handle, &stored);
}

static void take_run(struct taking *t, const struct planned_run *run)
{
    uint32_t first = t->device.seq + 1;
    if (first > run->last)
        return;
    for (uint32_t seq = first; seq <= run->last; seq++) {
        const struct planned_change *change = &run->changes[seq - run->first];
        chain_append(t->txn, &t->community, &t->device, &change->entry,
                     change->entry.form == LOG_WHOLE ? &change->body : NULL);
        note_set_apart(t, change);
    }
    store_run(t, run, first);
}

static enum err receipt_room(struct taking *t, const struct hub_push_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        t->room += plan->runs[i].last - plan->runs[i].first + 1;
    t->receipt->set_apart.p = arena_alloc(t->arena, t->room + 1, sizeof(struct set_apart));
    t->tags = arena_alloc(t->arena, t->room + 1, sizeof *t->tags);
    return t->receipt->set_apart.p && t->tags ? OK : ERR_NOMEM;
}

static enum err decide_refusals(struct taking *t)
{
    struct list apart = t->receipt->set_apart;
    struct hub_edits edits = {.decider = &t->decider};
    for (size_t i = 0; i < apart.n; i++) {
        const struct set_apart *one = LIST_AT(struct set_apart, apart, i);
        struct refusal refusal = {BYTES(t->device.handle), one->seq, one->reason, t->tags[i]};
        hub_edits_put(&edits, FIELD_REFUSAL, &refusal_message, &refusal);
    }
    return hub_edits_end(&edits);
}

static const char *standing_message(enum standing standing)
{
    switch (standing) {
    case STANDING_GAP:
        return "the run begins after a gap: push again from the seq after this receipt's";
    case STANDING_FORK:
        return "this hub holds other changes under the same seqs: this installation was copied or "
               "restored; join anew and write again what is missing";
    case STANDING_OK:
        break;
    }
    return "";
}

static enum err finish_receipt(struct taking *t)
{
    struct receipt *receipt = t->receipt;
    receipt->seq = t->device.seq;
    receipt->head = arena_copy(t->arena, bytes_of(t->device.head, t->device.seq ? CUT_SIZE : 0));
    receipt->message = bytes_of_text(standing_message((enum standing)receipt->standing));
    return receipt->head.p ? OK : ERR_NOMEM;
}

static enum err take_plan(struct taking *t, const struct hub_push_plan *plan)
{
    bool grew = false;
    enum err err = receipt_room(t, plan);
    if (err)
        return err;
    for (size_t i = 0; i < plan->n && !t->receipt->standing; i++) {
        t->receipt->standing = (uint32_t)run_standing(t, &plan->runs[i]);
        if (t->receipt->standing)
            break;
        take_run(t, &plan->runs[i]);
        grew = true;
    }
    if (grew)
        chain_store(t->txn, &t->community, &t->device);
    if (!t->receipt->standing)
        t->receipt->standing = (uint32_t)plan->standing;
    err = decide_refusals(t);
    return err ? err : finish_receipt(t);
}

enum err hub_push(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const uint8_t random[32], struct hub_push_plan *plan, struct arena *arena,
                  struct list *receipts, struct fault *fault)
{
    struct taking t = {.txn = txn, .arena = arena};
    t.decider = (struct hub_decider){
        .txn = txn, .community = &t.community, .now = now, .random = random, .fault = fault};
    *receipts = (struct list){0};
    enum err err = community_get_number(txn, caller->community.number, &t.community);
    if (!err)
        err = device_get(txn, t.community.number, caller->device.handle, &t.device);
    if (err)
        return err;
    t.receipt = arena_alloc(arena, 1, sizeof *t.receipt);
    if (!t.receipt)
        return ERR_NOMEM;
    err = take_plan(&t, plan);
    if (!err)
        *receipts = (struct list){t.receipt, 1};
    return err ? err : txn_error(txn);
}

void hub_note_contact(struct txn *txn, const struct hub_caller *caller, int64_t now,
                      uint64_t bytes_in, uint64_t bytes_out)
{
    struct contact contact;
    contact_get(txn, caller->community.number, caller->device.handle, &contact);
    contact.last_sync = now;
    contact.bytes_in += bytes_in;
    contact.bytes_out += bytes_out;
    contact_put(txn, caller->community.number, caller->device.handle, &contact);
}
