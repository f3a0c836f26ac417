#include "sync/proof.h"

#include "proto/change.h"
#include "sync/digest.h"
#include "sync/eye.h"
#include "sync/frontier.h"
#include "sync/lineage.h"
#include "sync/merge.h"
#include "sync/signed.h"

enum err proof_request(struct txn *txn, uint32_t community, const struct cursor *cursor,
                       struct arena *arena, struct log_head **seen, struct proof_asked *asked)
{
    struct checked checked;
    struct progress progress;
    checked_get(txn, community, &checked);
    progress_get(txn, community, &progress);
    asked->receipt = progress.receipt_seq;
    memcpy(asked->log, checked.log, HANDLE_SIZE);
    asked->size = checked.frontier.size;
    bool same_log = cursor && bytes_equal(cursor->log, BYTES(checked.log));
    bool as_cursor = cursor ? same_log && cursor->position == asked->size : asked->size == 0;
    *seen = NULL;
    if (as_cursor)
        return txn_error(txn);
    *seen = arena_alloc(arena, 1, sizeof **seen);
    if (!*seen)
        return ERR_NOMEM;
    (*seen)->size = asked->size;
    if (asked->size && !same_log)
        (*seen)->log = arena_copy(arena, BYTES(checked.log));
    return txn_error(txn);
}

// --- alarms ---

// The first one stays. What was seen counts no more: all is checked anew from what the hub shows.
static void raise_alarm(struct checked *checked, enum alarm alarm, uint64_t size, int64_t now,
                        struct proof_report *report)
{
    report->alarm = alarm;
    if (checked->alarm == ALARM_NONE) {
        checked->alarm = alarm;
        checked->alarm_time = now;
        checked->alarm_size = size;
        checked->alarm_seen = checked->frontier.size;
    }
    checked->frontier = (struct frontier){.size = 0};
    checked->proved = 0;
    memset(checked->log, 0, sizeof checked->log);
    memset(checked->root, 0, sizeof checked->root);
}

// --- a signed head ---

// The chain of a hub whose identity key the join link pinned.
static bool find_hub(struct txn *txn, const struct community *community,
                     const uint8_t log[HANDLE_SIZE], struct device *hub)
{
    struct secret secret;
    bool found = device_get(txn, community->number, log, hub) == OK && hub->role == ROLE_HUB &&
                 hub->upto == UINT32_MAX && secret_get(txn, community->number, &secret) == OK &&
                 memcmp(hub->identity, secret.hub_key, KEY_SIZE) == 0;
    bytes_wipe(&secret, sizeof secret);
    return found;
}

static bool signature_holds(struct txn *txn, const struct community *community,
                            const struct device *hub, const struct log_head *head,
                            struct bytes signature)
{
    struct buf transcript BUF_CLEANUP = {0};
    if (head->root.n != HASH_SIZE)
        return false;
    digest_head_transcript(community->id, hub->handle, head->size, head->root.p, &transcript);
    return signed_by(txn, hub->key, &transcript, signature);
}

// --- growth ---

struct checking {
    struct txn *txn;
    const struct community *community;
    const struct device *own;
    const struct growth *growth; // NULL: nothing was added
    struct frontier frontier;
    uint32_t proved;
    size_t used; // nodes
};

// Nodes of others' entries up to a size.
static bool take_nodes(struct checking *c, uint64_t to)
{
    while (c->frontier.size < to) {
        if (!c->growth || c->used == c->growth->nodes.n)
            return false;
        const struct bytes *node = LIST_AT(struct bytes, c->growth->nodes, c->used++);
        if (node->n != HASH_SIZE)
            return false;
        frontier_append(&c->frontier, frontier_level(c->frontier.size, to - c->frontier.size),
                        node->p);
    }
    return c->frontier.size == to;
}

// The leaves of own changes are made from the own chain: nobody else's word is needed.
static bool take_own(struct checking *c, const struct own_entries *own, uint64_t to)
{
    if (own->count == 0 || own->seq != c->proved + 1 || own->count > c->own->seq - c->proved ||
        own->position <= c->frontier.size || own->position > to ||
        own->count > to - own->position + 1 || !take_nodes(c, own->position - 1))
        return false;
    for (uint32_t i = 0; i < own->count; i++) {
        uint64_t position;
        struct log_entry entry;
        uint8_t leaf[HASH_SIZE];
        uint32_t seq = own->seq + i;
        if (log_find(c->txn, c->community->number, c->own->handle, seq, &position) ||
            log_get(c->txn, c->community->number, position, &entry))
            return false;
        digest_log_leaf(own->position + i, c->own->handle, seq, entry.leaf, leaf);
        frontier_append(&c->frontier, 0, leaf);
    }
    c->proved += own->count;
    return true;
}

static bool grows_to(struct checking *c, const struct log_head *head)
{
    uint8_t root[HASH_SIZE];
    bool good = true;
    for (size_t i = 0; good && c->growth && i < c->growth->own.n; i++)
        good = take_own(c, LIST_AT(struct own_entries, c->growth->own, i), head->size);
    good = good && take_nodes(c, head->size);
    if (!good || (c->growth && c->used != c->growth->nodes.n))
        return false;
    frontier_root(&c->frontier, root);
    return bytes_equal(head->root, BYTES(root));
}

// --- an answer ---

static enum alarm judge_head(struct checking *c, const struct checked *checked,
                             const struct log_head *head, const struct progress *progress)
{
    const uint8_t *log = c->community->log;
    uint64_t kept = UINT64_MAX;
    if (checked->frontier.size && !lineage_reaches(c->txn, c->community, checked->log, &kept))
        return ALARM_REPLACED;
    if (head->size < checked->frontier.size || kept < checked->frontier.size)
        return ALARM_ROLLED_BACK;
    if (!grows_to(c, head))
        return ALARM_REWRITTEN;
    // What the last piece says of the log must be the same.
    bool at_head = progress->position == head->size && memcmp(progress->log, log, HANDLE_SIZE) == 0;
    return at_head && memcmp(progress->root, head->root.p, CUT_SIZE) != 0 ? ALARM_REWRITTEN
                                                                          : ALARM_NONE;
}

static void accept_head(struct checked *checked, const struct checking *c,
                        const struct log_head *head, struct proof_report *report)
{
    report->checked = true;
    report->from = checked->frontier.size;
    report->to = head->size;
    report->own = c->proved - checked->proved;
    checked->frontier = c->frontier;
    checked->proved = c->proved;
    memcpy(checked->log, c->community->log, HANDLE_SIZE);
    memcpy(checked->root, head->root.p, HASH_SIZE);
}

static void check_head(struct checking *c, struct checked *checked,
                       const struct sync_response *response, const struct progress *progress,
                       int64_t now, struct proof_report *report)
{
    const struct log_head *head = response->head;
    struct device hub;
    bool known = find_hub(c->txn, c->community, c->community->log, &hub);
    // The chain's beginning is among the entries that are still to come.
    if (!known && response->more)
        return;
    enum alarm alarm = ALARM_UNSIGNED;
    if (known && signature_holds(c->txn, c->community, &hub, head, response->head_signature))
        alarm = judge_head(c, checked, head, progress);
    if (alarm)
        raise_alarm(checked, alarm, head->size, now, report);
    else
        accept_head(checked, c, head, report);
}

static bool was_overtaken(const struct checked *checked, const struct proof_asked *asked)
{
    return checked->frontier.size != asked->size ||
           memcmp(checked->log, asked->log, HANDLE_SIZE) != 0;
}

enum err proof_check_answer(struct txn *txn, const struct community *community,
                            const struct device *own, const struct proof_asked *asked,
                            const struct sync_response *response, uint32_t receipt, int64_t now,
                            struct proof_report *report)
{
    uint32_t due = receipt > asked->receipt ? receipt : asked->receipt;
    struct checked checked;
    struct progress progress;
    *report = (struct proof_report){.alarm = ALARM_NONE};
    checked_get(txn, community->number, &checked);
    progress_get(txn, community->number, &progress);
    // A copy's own chain is not the one in the log: it has to join anew in any case.
    if (response->view == 0 || progress.forked || was_overtaken(&checked, asked))
        return txn_error(txn);
    uint64_t damage = txn_damage(txn);
    struct checking c = {.txn = txn,
                         .community = community,
                         .own = own,
                         .growth = response->growth,
                         .frontier = checked.frontier,
                         .proved = checked.proved};
    if (response->head)
        check_head(&c, &checked, response, &progress, now, report);
    // A receipt is for what is in the log, and the log was shown up to its end.
    if (!report->alarm && !response->more && due > checked.proved)
        raise_alarm(&checked, ALARM_DROPPED, response->head ? response->head->size : 0, now,
                    report);
    // Nobody is accused on the ground of what this device's own disk has damaged, or refused.
    if (txn_error(txn) || txn_damage(txn) != damage) {
        *report = (struct proof_report){.alarm = ALARM_NONE};
        return txn_error(txn) ? txn_error(txn) : ERR_DAMAGED;
    }
    if (report->checked || report->alarm)
        checked_put(txn, community->number, &checked);
    return txn_error(txn);
}

// --- a sample ---

struct drawing {
    const struct device *own;
    uint64_t number;
    uint64_t total; // changes of others
    uint8_t device[HANDLE_SIZE];
    uint32_t seq;
};

static bool count_changes(const struct device *device, void *arg)
{
    struct drawing *drawing = arg;
    if (device->role != ROLE_HUB && memcmp(device->handle, drawing->own->handle, HANDLE_SIZE) != 0)
        drawing->total += device->seq;
    return true;
}

static bool find_drawn(const struct device *device, void *arg)
{
    struct drawing *drawing = arg;
    if (device->role == ROLE_HUB || memcmp(device->handle, drawing->own->handle, HANDLE_SIZE) == 0)
        return true;
    if (drawing->number < device->seq) {
        memcpy(drawing->device, device->handle, HANDLE_SIZE);
        drawing->seq = (uint32_t)drawing->number + 1;
        return false;
    }
    drawing->number -= device->seq;
    return true;
}

// Of others' changes a device knows the tag alone; the rest it made itself, under an earlier key.
static bool is_made_here(const struct log_entry *entry)
{
    static const uint8_t none[HASH_SIZE - 4];
    return memcmp(entry->leaf + 4, none, sizeof none) != 0;
}

// What was seen under an earlier key or role may be so no more, and is not proved then.
static bool is_seen(struct txn *txn, const struct device *own, const struct log_entry *entry)
{
    struct envelope envelope;
    struct record_key record;
    struct eye eye = {.role = own->role, .device = own->handle};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (merge_envelope(txn, entry->envelope, &arena, &envelope))
        return false;
    merge_record(&envelope, entry->device, entry->seq, log_tag(entry), &record);
    return eye_sees(&eye, envelope.class, entry->device, &record);
}

enum err proof_draw(struct txn *txn, const struct community *community, const struct device *own,
                    uint64_t number, uint8_t device[HANDLE_SIZE], uint32_t *seq)
{
    struct drawing drawing = {.own = own};
    uint64_t position;
    device_each(txn, community->number, count_changes, &drawing);
    if (txn_error(txn) || drawing.total == 0)
        return txn_error(txn) ? txn_error(txn) : ERR_NOT_FOUND;
    drawing.number = number % drawing.total;
    device_each(txn, community->number, find_drawn, &drawing);
    memcpy(device, drawing.device, HANDLE_SIZE);
    *seq = drawing.seq;
    // Personal changes of others are not here; of an earlier key's own the hub may have none.
    struct log_entry entry;
    enum err err = log_find(txn, community->number, device, *seq, &position);
    if (!err)
        err = log_get(txn, community->number, position, &entry);
    if (err)
        return err;
    return is_made_here(&entry) || !is_seen(txn, own, &entry) ? ERR_NOT_FOUND : OK;
}

struct sample {
    struct txn *txn;
    const struct community *community;
    const struct prove_response *response;
    struct device author;
    struct log_entry entry;
    uint32_t seq;
};

// The leaf as its author hashed it. Where the words are here, they lead to it by the salt.
static bool leaf_of(struct sample *s, uint64_t position, uint8_t leaf[HASH_SIZE])
{
    const struct change_proof *proof = s->response->change;
    uint8_t body_hash[HASH_SIZE];
    struct log_body body;
    if (proof->body_hash.n != HASH_SIZE)
        return false;
    memcpy(body_hash, proof->body_hash.p, HASH_SIZE);
    if (s->entry.form == LOG_WHOLE) {
        if (txn_failed(s->txn, log_get_body(s->txn, s->community->number, position, &body)))
            return false;
        digest_body(proof->salt.p, body.fields, body_hash);
    }
    digest_leaf(s->entry.envelope, body_hash, leaf);
    return be32_get(leaf) == log_tag(&s->entry);
}

static bool run_holds(const struct sample *s, const uint8_t leaf[HASH_SIZE])
{
    const struct change_proof *proof = s->response->change;
    uint8_t head[HASH_SIZE];
    struct buf transcript BUF_CLEANUP = {0};
    if (!bytes_equal(proof->key, BYTES(s->author.key)) || proof->head_before.n != HASH_SIZE)
        return false;
    memcpy(head, proof->head_before.p, HASH_SIZE);
    digest_head(s->community->id, s->author.key, s->seq, leaf, head);
    for (uint32_t i = 0; i < proof->leaves.n; i++) {
        const struct bytes *next = LIST_AT(struct bytes, proof->leaves, i);
        if (next->n != HASH_SIZE)
            return false;
        digest_head(s->community->id, s->author.key, s->seq + 1 + i, next->p, head);
    }
    digest_run_transcript(s->community->id, s->author.key, s->seq + (uint32_t)proof->leaves.n, head,
                          proof->seen, &transcript);
    return signed_by(s->txn, s->author.key, &transcript, proof->signature);
}

static bool is_in_log(const struct sample *s, const uint8_t leaf[HASH_SIZE])
{
    uint8_t node[HASH_SIZE];
    const struct change_proof *proof = s->response->change;
    const struct log_head *head = s->response->head;
    digest_log_leaf(proof->position, s->author.handle, s->seq, leaf, node);
    return proof->position >= 1 &&
           frontier_path_holds(proof->path, proof->position - 1, head->size, node, head->root.p);
}

// The head of the proof goes on from the one that was checked.
static bool head_goes_on(const struct sample *s, const struct checked *checked)
{
    const struct log_head *head = s->response->head;
    struct device hub;
    return head && bytes_equal(head->log, BYTES(checked->log)) &&
           find_hub(s->txn, s->community, checked->log, &hub) &&
           signature_holds(s->txn, s->community, &hub, head, s->response->head_signature) &&
           frontier_is_consistent(s->response->consistency, checked->frontier.size, checked->root,
                                  head->size, head->root.p);
}

enum err proof_check_change(struct txn *txn, const struct community *community,
                            const uint8_t device[HANDLE_SIZE], uint32_t seq,
                            const struct prove_response *response, int64_t now, bool *proved)
{
    struct checked checked;
    struct proof_report report = {.alarm = ALARM_NONE};
    struct sample s = {.txn = txn, .community = community, .response = response, .seq = seq};
    uint64_t position;
    uint8_t leaf[HASH_SIZE];
    *proved = false;
    checked_get(txn, community->number, &checked);
    if (checked.frontier.size == 0)
        return txn_error(txn);
    enum err err = device_get(txn, community->number, device, &s.author);
    if (!err)
        err = log_find(txn, community->number, device, seq, &position);
    if (!err)
        err = log_get(txn, community->number, position, &s.entry);
    if (err)
        return err;
    uint64_t damage = txn_damage(txn);
    // Words that were erased since have no salt any more: the next sync tells.
    const struct change_proof *proof = response->change;
    bool erased = s.entry.form == LOG_WHOLE && proof && proof->salt.n != SALT_SIZE;
    bool sound = head_goes_on(&s, &checked) && proof;
    *proved = sound && !erased && leaf_of(&s, position, leaf) && run_holds(&s, leaf) &&
              is_in_log(&s, leaf);
    if (!*proved && txn_damage(txn) != damage)
        return ERR_DAMAGED;
    if (!*proved && !(sound && erased)) {
        raise_alarm(&checked, ALARM_ALTERED, response->head ? response->head->size : 0, now,
                    &report);
        checked_put(txn, community->number, &checked);
    }
    return txn_error(txn);
}
