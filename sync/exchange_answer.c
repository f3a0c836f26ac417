// The device's side of Sync: taking in what the hub answers.

#include "proto/change.h"
#include "proto/pack.h"
#include "storage/log.h"
#include "sync/chain.h"
#include "sync/exchange.h"
#include "sync/fold.h"
#include "sync/narrow.h"
#include "sync/rejoin.h"

// Whether the receipt lies on the own chain; `head` is the chain's there.
static enum err receipt_is_mine(struct txn *txn, const struct community *community,
                                const struct device *own, const struct receipt *receipt,
                                uint8_t head[HASH_SIZE], bool *mine)
{
    *mine = receipt->seq == 0;
    if (receipt->seq == 0 || receipt->seq > own->seq)
        return OK;
    enum err err = chain_head_at(txn, community, own, receipt->seq, head);
    *mine = !err && bytes_equal(receipt->head, bytes_of(head, CUT_SIZE));
    return err;
}

// Keeps the head where a receipt stands, as a run without signature, so that the next request need
// not hash its way there from the beginning of the chain.
static void note_head(struct txn *txn, const struct community *community, const struct device *own,
                      uint32_t seq, const uint8_t head[HASH_SIZE])
{
    struct log_run run = {.first = seq, .last = seq};
    memcpy(run.head, head, HASH_SIZE);
    log_put_run(txn, community->number, own->handle, &run);
}

enum err exchange_take_receipt(struct txn *txn, struct community *community,
                               const struct device *own, const struct receipt *receipt,
                               struct exchange_report *report)
{
    struct progress progress;
    uint8_t head[HASH_SIZE];
    bool mine;
    if (receipt->device.n && !bytes_equal(receipt->device, BYTES(own->handle)))
        return OK;
    enum err err = receipt_is_mine(txn, community, own, receipt, head, &mine);
    if (err)
        return err;
    progress_get(txn, community->number, &progress);
    progress.unanswered = false;
    report->end = receipt->seq;
    report->parted = receipt->standing == STANDING_FORK;
    if (!mine || receipt->standing == STANDING_FORK) {
        progress.forked = true;
        report->forked = true;
    } else {
        if (receipt->seq > progress.receipt_seq) {
            report->pushed += receipt->seq - progress.receipt_seq;
            note_head(txn, community, own, receipt->seq, head);
        }
        progress.receipt_seq = receipt->seq;
        report->receipt = receipt->seq;
        report->gap |= receipt->standing == STANDING_GAP;
        report->apart += (uint32_t)receipt->set_apart.n;
    }
    progress_put(txn, community->number, &progress);
    return txn_error(txn);
}

void exchange_confirm(struct txn *txn, const struct community *community, uint32_t seq)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    if (seq <= progress.receipt_seq)
        return;
    progress.receipt_seq = seq;
    progress_put(txn, community->number, &progress);
}

static void note_log(struct txn *txn, struct community *community, const uint8_t *told)
{
    uint8_t log[HANDLE_SIZE];
    memcpy(log, told, HANDLE_SIZE);
    if (memcmp(community->log, log, HANDLE_SIZE) == 0)
        return;
    memcpy(community->log, log, HANDLE_SIZE);
    community_put(txn, community);
}

enum err exchange_take_top(struct txn *txn, struct community *community, const struct device *own,
                           const struct sync_response *response, struct exchange_report *report)
{
    struct progress progress;
    progress_get(txn, community->number, &progress);
    progress.unanswered = false;
    progress.revoked = response->view == 0;
    if (progress.revoked) { // the answer says nothing of the log
        progress_put(txn, community->number, &progress);
        return txn_error(txn);
    }
    const struct log_head *head = response->head;
    if (head && head->root.n) {
        // Left out where it is the cursor's.
        memcpy(progress.seen_log, head->log.n ? head->log.p : progress.log, HANDLE_SIZE);
        memcpy(progress.seen_root, head->root.p, HASH_SIZE);
        progress.seen_size = head->size;
        note_log(txn, community, progress.seen_log);
    }
    if (response->cursor_lost) {
        progress.by_vector = response->view == progress.view;
        progress.position = 0;
        memset(progress.log, 0, HANDLE_SIZE);
    } else if (!response->more && !head) { // nothing was new: all is here
        progress.by_vector = false;
    }
    if (response->view < progress.view)
        narrow_view(txn, community, own->handle);
    progress.view = response->view;
    report->more |= response->more;
    progress_put(txn, community->number, &progress);
    return txn_error(txn);
}

struct taking {
    struct txn *txn;
    struct community *community;
    const struct device *own;
    struct arena *arena;
    struct exchange_report *report;
    struct entries entries;
};

static enum err check_entry(struct taking *t, const struct entry *entry, struct fault *fault)
{
    struct envelope envelope;
    uint32_t edits;
    if (entry->device >= t->entries.devices.n || entry->seq == 0)
        return fault_set(fault, ERR_MALFORMED, "Entry: of no device or without seq");
    if (entry->envelope.n + entry->fields.n > CHANGE_MAX)
        return fault_set(fault, ERR_LIMIT, "Entry: over %d bytes", CHANGE_MAX);
    enum err err = envelope_decode(entry->envelope, t->arena, &envelope, fault);
    return err ? err : fields_check(entry->fields, &edits, fault);
}

static void note_known(struct taking *t, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    struct device device;
    enum err err = device_get(t->txn, t->community->number, handle, &device);
    if (err || device.seq >= seq)
        return;
    device.seq = seq;
    device_put(t->txn, t->community->number, &device);
}

// New here, or a husk whose words have come, or what takes the place of an own change of an old
// chain; else 0.
static enum err entry_position(struct taking *t, const struct log_entry *entry, bool whole,
                               uint64_t *position)
{
    struct log_entry known;
    bool is_new = false;
    *position = 0;
    enum err err = log_find(t->txn, t->community->number, entry->device, entry->seq, position);
    if (err == ERR_NOT_FOUND) {
        is_new = true;
    } else if (!err) {
        err = log_get(t->txn, t->community->number, *position, &known);
        bool fills = !err && whole && known.form == LOG_HUSK && log_tag(&known) == log_tag(entry);
        is_new = !err && rejoin_meet(t->txn, t->community->number, *position, log_tag(entry));
        *position = fills ? *position : 0;
    }
    if (is_new)
        *position = ++t->community->size;
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err take_entry(struct taking *t, const struct entry *in)
{
    const struct bytes *handle = LIST_AT(struct bytes, t->entries.devices, in->device);
    bool whole = in->fields.p != NULL;
    struct log_entry entry = {
        .form = whole ? LOG_WHOLE : LOG_HUSK, .seq = in->seq, .envelope = in->envelope};
    struct log_body words = {.fields = in->fields};
    const struct log_body *body = whole ? &words : NULL;
    uint64_t position;
    if (bytes_equal(*handle, BYTES(t->own->handle)))
        return OK;
    memcpy(entry.device, handle->p, HANDLE_SIZE);
    be32_put(entry.leaf, in->tag);
    chain_erased(t->txn, t->community->number, &entry, &body);
    whole = body != NULL;
    enum err err = entry_position(t, &entry, whole, &position);
    if (err || position == 0)
        return err;
    log_put(t->txn, t->community->number, position, &entry, body);
    fold_change(t->txn, t->community, position, &entry, body);
    note_known(t, entry.device, entry.seq);
    t->report->pulled++;
    return txn_error(t->txn);
}

static enum err take_entries(struct taking *t, const struct pack *pack, struct fault *fault)
{
    struct bytes bytes;
    enum err err = pack_open(pack, t->arena, &bytes, fault);
    if (!err)
        err = message_decode(&entries_message, bytes, t->arena, &t->entries, fault);
    for (size_t i = 0; i < t->entries.entries.n && !err; i++)
        err = check_entry(t, LIST_AT(struct entry, t->entries.entries, i), fault);
    for (size_t i = 0; i < t->entries.entries.n && !err; i++)
        err = take_entry(t, LIST_AT(struct entry, t->entries.entries, i));
    return err;
}

// An answer that came twice does not move the cursor back.
static void advance(struct txn *txn, uint32_t community, const struct piece *piece,
                    struct exchange_report *report)
{
    struct progress progress;
    progress_get(txn, community, &progress);
    if (piece->position <= progress.position)
        return;
    report->advanced = true;
    memcpy(progress.log, progress.seen_log, HANDLE_SIZE);
    memcpy(progress.root, piece->root.p, CUT_SIZE);
    progress.position = piece->position;
    progress_put(txn, community, &progress);
}

enum err exchange_take_piece(struct txn *txn, struct community *community, const struct device *own,
                             const struct piece *piece, struct arena *arena,
                             struct exchange_report *report, struct fault *fault)
{
    struct taking t = {txn, community, own, arena, report, {{0}, {0}}};
    if (piece->root.n != CUT_SIZE)
        return fault_set(fault, ERR_MALFORMED, "Piece: root is missing");
    enum err err = piece->pack ? take_entries(&t, piece->pack, fault) : OK;
    if (err)
        return err;
    advance(txn, community->number, piece, report);
    community_put(txn, community);
    return txn_error(txn);
}
