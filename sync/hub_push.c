// Taking what a device pushed, in the one writer's transaction.

#include "proto/pack.h"
#include "proto/schema.h"
#include "storage/erasure.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/hub_plan.h"
#include "sync/hub_private.h"
#include "sync/merge.h"

struct taking {
    struct txn *txn;
    const struct hub_caller *caller;
    struct community community;
    struct device device;
    struct hub_decider decider;
    struct arena *arena;
    struct receipt *receipt;
    size_t room;         // of receipt->set_apart, and of changes that may be new
    uint32_t *tags;      // of those set apart
    uint32_t known;      // the end of the chain before this push
    uint64_t *positions; // in the log, of what is new
    size_t bytes;        // of what is new, about
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
    if (change->entry.form == LOG_BARE)
        return REASON_NONE;
    enum role role = role_at(t->txn, t->community.number, t->device.handle, change->entry.seq);
    if (role == ROLE_NONE)
        return REASON_REVOKED;
    // A husk says nothing, but it goes over what others said.
    bool has_words = change->entry.form == LOG_WHOLE;
    enum reason reason =
        schema_check(&change->envelope, has_words ? change->body.fields : (struct bytes){NULL, 0});
    return reason ? reason : role_judge(role, t->community.id, &t->device, &change->envelope);
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
        t->positions[seq - t->known - 1] = t->community.size;
        note_set_apart(t, change);
    }
    t->bytes += run->bytes;
    store_run(t, run, first);
}

static enum err receipt_room(struct taking *t, const struct hub_push_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        t->room += plan->runs[i].last - plan->runs[i].first + 1;
    t->receipt->set_apart.p = arena_alloc(t->arena, t->room + 1, sizeof(struct set_apart));
    t->tags = arena_alloc(t->arena, t->room + 1, sizeof *t->tags);
    t->positions = arena_alloc(t->arena, t->room + 1, sizeof *t->positions);
    return t->receipt->set_apart.p && t->tags && t->positions ? OK : ERR_NOMEM;
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

// --- the other branch of a fork, kept as evidence ---

static void put_husk(struct buf *changes, const struct planned_change *change)
{
    uint8_t body_hash[HASH_SIZE];
    struct change husk = {.envelope = change->entry.envelope};
    if (change->entry.form == LOG_BARE)
        husk = (struct change){.leaf = BYTES(change->entry.leaf)};
    else if (change->entry.form == LOG_HUSK)
        husk.body_hash = BYTES(change->entry.body_hash);
    if (change->entry.form == LOG_WHOLE) {
        digest_body(change->body.salt, change->body.fields, body_hash);
        husk.body_hash = BYTES(body_hash);
    }
    size_t mark = wire_open(changes, 1);
    message_encode(&change_message, &husk, changes);
    wire_close(changes, mark);
}

static enum err encode_branch(struct taking *t, const struct planned_run *run, struct buf *out)
{
    struct buf changes BUF_CLEANUP = {0};
    struct pack pack = {0};
    for (uint32_t i = 0; i <= run->last - run->first; i++)
        put_husk(&changes, &run->changes[i]);
    enum err err = changes.err;
    if (!err && changes.n <= PACK_MAX)
        err = pack_make(buf_bytes(&changes), &(struct pack_wish){.packings = 1 << PACKING_ZSTD},
                        t->arena, &pack);
    struct run branch = {.first = run->first,
                         .packs = {&pack, changes.n <= PACK_MAX ? 1 : 0},
                         .signature = BYTES(run->signature),
                         .seen = run->seen};
    if (!err)
        message_encode(&run_message, &branch, out);
    return err ? err : out->err;
}

static enum err keep_branch(struct taking *t, const struct planned_run *run)
{
    struct buf encoded BUF_CLEANUP = {0};
    const uint8_t *head = run->changes[run->last - run->first].head;
    enum err err = encode_branch(t, run, &encoded);
    if (err ||
        !evidence_put(t->txn, t->community.number, t->device.handle, head, buf_bytes(&encoded)))
        return err;
    struct fork fork = {.device = BYTES(t->device.handle),
                        .last = run->last,
                        .head = bytes_of(head, HASH_SIZE),
                        .signature = BYTES(run->signature),
                        .seen = run->seen};
    struct hub_edits edits = {.decider = &t->decider};
    hub_edits_put(&edits, FIELD_FORK, &fork_message, &fork);
    return hub_edits_end(&edits);
}

// --- what follows from what is new ---

static uint32_t first_new(const struct taking *t, const struct planned_run *run)
{
    return t->known + 1 > run->first ? t->known + 1 : run->first;
}

// Words that their author erased before anybody saw them: that they are missing is no alteration.
static enum err decide_husks(struct taking *t, const struct planned_run *run)
{
    struct hub_edits edits = {.decider = &t->decider};
    for (uint32_t seq = first_new(t, run); seq <= run->last; seq++) {
        const struct planned_change *change = &run->changes[seq - run->first];
        struct change_ref ref = {BYTES(t->device.handle), seq, log_tag(&change->entry)};
        if (change->entry.form == LOG_HUSK)
            hub_edits_put(&edits, FIELD_ERASURE, &change_ref_message, &ref);
    }
    return hub_edits_end(&edits);
}

static bool asks(const struct planned_change *change)
{
    return change->entry.form == LOG_WHOLE &&
           (change->envelope.kind == KIND_MEMBERSHIP || change->envelope.kind == KIND_REQUEST);
}

static enum err act_on(struct taking *t, struct hub_acting *acting, const struct planned_run *run)
{
    enum err err = OK;
    for (uint32_t seq = first_new(t, run); !err && seq <= run->last; seq++) {
        const struct planned_change *change = &run->changes[seq - run->first];
        struct record_key record;
        uint32_t tag = log_tag(&change->entry);
        if (!asks(change) ||
            apart_get(t->txn, t->community.number, t->device.handle, seq, tag) != REASON_NONE)
            continue;
        merge_record(&change->envelope, t->device.handle, seq, tag, &record);
        struct device asker = t->device;
        asker.role = role_at(t->txn, t->community.number, t->device.handle, seq);
        err = hub_act(acting, &asker, &record, change->body.fields);
    }
    return err;
}

static void note_quota(struct taking *t)
{
    struct quota quota = hub_quota_of(t->txn, t->caller, t->decider.now);
    quota.changes += t->device.seq - t->known;
    quota.bytes += t->bytes;
    quota_put(t->txn, t->community.number, t->device.handle, &quota);
}

static enum err follow_up(struct taking *t, const struct hub_push_plan *plan, size_t taken)
{
    size_t n = t->device.seq - t->known;
    if (n == 0)
        return OK;
    chain_store(t->txn, &t->community, &t->device);
    note_quota(t);
    enum err err = decide_refusals(t);
    if (!err)
        err = hub_erase_arrived(&t->decider, t->positions, n);
    for (size_t i = 0; i < taken && !err; i++)
        err = decide_husks(t, &plan->runs[i]);
    struct hub_acting acting;
    hub_act_begin(&acting, &t->decider);
    for (size_t i = 0; i < taken && !err; i++)
        err = act_on(t, &acting, &plan->runs[i]);
    return hub_act_end(&acting, err);
}

static enum err take_plan(struct taking *t, const struct hub_push_plan *plan)
{
    size_t taken = 0;
    enum err err = receipt_room(t, plan);
    if (err)
        return err;
    for (; taken < plan->n; taken++) {
        t->receipt->standing = (uint32_t)run_standing(t, &plan->runs[taken]);
        if (t->receipt->standing)
            break;
        take_run(t, &plan->runs[taken]);
    }
    err = follow_up(t, plan, taken);
    if (!err && t->receipt->standing == STANDING_FORK)
        err = keep_branch(t, &plan->runs[taken]);
    if (!t->receipt->standing)
        t->receipt->standing = (uint32_t)plan->standing;
    return err ? err : finish_receipt(t);
}

enum err hub_push(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const uint8_t random[32], struct hub_push_plan *plan, struct arena *arena,
                  struct list *receipts, struct hub_effects *effects, struct fault *fault)
{
    struct taking t = {.txn = txn, .caller = caller, .arena = arena};
    t.decider = (struct hub_decider){
        .txn = txn, .community = &t.community, .now = now, .random = random, .fault = fault};
    *receipts = (struct list){0};
    enum err err = community_get_number(txn, caller->community.number, &t.community);
    if (!err)
        err = device_get(txn, t.community.number, caller->device.handle, &t.device);
    if (err)
        return err;
    t.known = t.device.seq;
    t.receipt = arena_alloc(arena, 1, sizeof *t.receipt);
    if (!t.receipt)
        return ERR_NOMEM;
    err = take_plan(&t, plan);
    if (!err)
        *receipts = (struct list){t.receipt, 1};
    *effects = t.decider.effects;
    effects->taken = t.device.seq - t.known;
    effects->apart = (uint32_t)t.receipt->set_apart.n;
    return err ? err : txn_error(txn);
}

void hub_add_contact(struct contact *to, const struct contact *since)
{
    to->bytes_in += since->bytes_in;
    to->bytes_out += since->bytes_out;
    to->error = since->error;
    to->error_time = since->error_time;
    if (since->app[0])
        memcpy(to->app, since->app, sizeof to->app);
    if (since->last_sync)
        to->last_sync = since->last_sync;
    if (since->written)
        to->written = since->written;
}

void hub_note_contact(struct txn *txn, const struct hub_caller *caller, const struct contact *since)
{
    struct contact contact;
    contact_get(txn, caller->community.number, caller->device.handle, &contact);
    hub_add_contact(&contact, since);
    contact_put(txn, caller->community.number, caller->device.handle, &contact);
}
