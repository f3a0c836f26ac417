// A script of what happens to two devices and a hub: they write, and sync by requests and answers
// that are lost, cut, or come again. In the end, after they synced in peace, all must show the
// same.

#include "proto/change.h"
#include "storage/record.h"
#include "sync/author.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "sync/exchange.h"
#include "sync/tally.h"
#include "sync/view.h"
#include "tests/fuzz/made.h"
#include "tests/fuzz/moot.h"

enum { STEPS = 48, ROUNDS = 64, ARENA_MAX = 64 << 20, PARTS_ALL = 0xffff };

struct history {
    struct script script;
    struct txn *hub;
    struct txn *stores[MOOT_DEVICES];
    struct buf answers[MOOT_DEVICES]; // the last ones
    struct proof_asked asked[MOOT_DEVICES];
    struct made made;
    uint32_t served; // how many pushes, for random bytes that never come twice
    uint32_t written;
};

// --- writing ---

static void next_salt(struct history *h, uint8_t salt[SALT_SIZE])
{
    memset(salt, 0, SALT_SIZE);
    be32_put(salt, ++h->written);
}

// Past the checks that an app makes, as a broken one would: the hub sets it apart, if it must.
static void append(struct history *h, unsigned i, struct community *community, struct device *row,
                   struct bytes envelope, struct bytes fields)
{
    struct log_body body = {.fields = fields};
    struct log_entry entry = {.form = LOG_WHOLE, .seq = row->seq + 1, .envelope = envelope};
    uint8_t body_hash[HASH_SIZE];
    next_salt(h, body.salt);
    memcpy(entry.device, row->handle, HANDLE_SIZE);
    digest_body(body.salt, fields, body_hash);
    digest_leaf(envelope, body_hash, entry.leaf);
    chain_append(h->stores[i], community, row, &entry, &body);
    chain_store(h->stores[i], community, row);
}

static void note_written(struct history *h, unsigned i, const struct community *community,
                         const struct device *row, const struct envelope *envelope)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(h->stores[i], community->number, row->handle, row->seq, &position);
    if (!err)
        err = log_get(h->stores[i], community->number, position, &entry);
    assert(!err);
    made_note(&h->made, envelope, row->handle, row->seq, log_tag(&entry));
}

static void write_change(struct history *h, unsigned i, bool checked)
{
    struct community community;
    struct device row;
    struct envelope envelope;
    struct buf encoded BUF_CLEANUP = {0};
    struct buf fields BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    uint8_t salt[SALT_SIZE];
    arena_init(&arena, 64 << 10);
    moot_rows(h->stores[i], moot_get(), &moot_get()->devices[i], &community, &row);
    made_envelope(&h->script, &h->made, &arena, &envelope);
    made_fields(&h->script, &h->made, envelope.kind, &fields);
    message_encode(&envelope_message, &envelope, &encoded);
    assert(!encoded.err && !fields.err);
    uint32_t before = row.seq;
    struct author author = {&community, &row, NULL};
    next_salt(h, salt);
    enum err err =
        author_write(h->stores[i], &author, &envelope, buf_bytes(&fields), salt, NULL, NULL);
    assert(err == OK || err == ERR_MALFORMED || err == ERR_FORBIDDEN);
    struct envelope decoded;
    if (err && !checked && envelope_decode(buf_bytes(&encoded), &arena, &decoded, NULL) == OK)
        append(h, i, &community, &row, buf_bytes(&encoded), buf_bytes(&fields));
    if (row.seq > before)
        note_written(h, i, &community, &row, &envelope);
}

// --- syncing ---

static void ask(struct history *h, unsigned i, const struct exchange_options *options,
                struct buf *bytes)
{
    struct community community;
    struct device row;
    struct sync_request request;
    struct arena arena ARENA_CLEANUP;
    const struct moot_device *device = &moot_get()->devices[i];
    arena_init(&arena, ARENA_MAX);
    moot_rows(h->stores[i], moot_get(), device, &community, &row);
    enum err err = exchange_request(h->stores[i], &community, &row, device->seed, options, &arena,
                                    &request, &h->asked[i]);
    assert(!err);
    message_encode(&sync_request_message, &request, bytes);
    assert(!bytes->err && bytes->n <= REQUEST_MAX);
}

static void answer(struct history *h, unsigned i, struct bytes asked, struct buf *bytes)
{
    struct hub_caller caller;
    struct sync_request request = {0};
    struct sync_response response;
    struct hub_push_plan *plan;
    struct list receipts = {0};
    struct fault fault = {0};
    uint8_t random[32] = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    be32_put(random, ++h->served);
    moot_caller(h->hub, &moot_get()->devices[i], &caller);
    enum err err = message_decode(&sync_request_message, asked, &arena, &request, &fault);
    if (!err)
        err = hub_check_push(h->hub, &caller, &request, &arena, &plan, &fault);
    if (!err && plan)
        err = hub_push(h->hub, &caller, MOOT_NOW, random, plan, &arena, &receipts,
                       &(struct hub_effects){0}, &fault);
    if (!err)
        err = hub_pull(h->hub, &caller, MOOT_NOW, &request, receipts, &arena, NULL, &response,
                       &fault);
    assert(!err);
    message_encode(&sync_response_message, &response, bytes);
    assert(!bytes->err);
}

// An honest hub never alarms anybody.
static void check(struct history *h, unsigned i, const struct sync_response *response,
                  uint32_t receipt)
{
    struct community community;
    struct device row;
    struct proof_report report;
    moot_rows(h->stores[i], moot_get(), &moot_get()->devices[i], &community, &row);
    enum err err = proof_check_answer(h->stores[i], &community, &row, &h->asked[i], response,
                                      receipt, MOOT_NOW, &report);
    assert(!err && report.alarm == ALARM_NONE);
}

// Takes as many parts of an answer, in their order on the wire: receipts, the top, pieces.
static void take(struct history *h, unsigned i, struct bytes bytes, size_t parts,
                 struct exchange_report *report)
{
    struct community community;
    struct device row;
    struct sync_response response = {0};
    struct arena arena ARENA_CLEANUP;
    struct txn *txn = h->stores[i];
    arena_init(&arena, ARENA_MAX);
    moot_rows(txn, moot_get(), &moot_get()->devices[i], &community, &row);
    enum err err = message_decode(&sync_response_message, bytes, &arena, &response, NULL);
    for (size_t k = 0; k < response.receipts.n && !err && parts > 0; k++, parts--)
        err = exchange_take_receipt(txn, &community, &row,
                                    LIST_AT(struct receipt, response.receipts, k), report);
    if (!err && parts > 0) {
        err = exchange_take_top(txn, &community, &row, &response, report);
        parts--;
    }
    for (size_t k = 0; k < response.pieces.n && !err && parts > 0; k++, parts--)
        err = exchange_take_piece(txn, &community, &row, LIST_AT(struct piece, response.pieces, k),
                                  &arena, report, NULL);
    assert(!err);
    if (parts > 0)
        check(h, i, &response, report->receipt);
}

static void sync_once(struct history *h, unsigned i, const struct exchange_options *options,
                      size_t parts, struct exchange_report *report)
{
    struct buf request BUF_CLEANUP = {0};
    buf_reset(&h->answers[i]);
    ask(h, i, options, &request);
    answer(h, i, buf_bytes(&request), &h->answers[i]);
    take(h, i, buf_bytes(&h->answers[i]), parts, report);
}

// --- the script ---

static void step(struct history *h)
{
    uint8_t choice = script_u8(&h->script);
    unsigned i = choice >> 7;
    struct exchange_report report = {0};
    struct exchange_options options = {1u << (choice & 15), 1u << (choice >> 2 & 15)};
    switch (choice >> 4 & 7) {
    case 0:
        sync_once(h, i, &options, script_u8(&h->script), &report);
        break;
    case 1: // an answer that comes late, or again, to nobody's question
        h->asked[i].size = UINT64_MAX;
        take(h, i, buf_bytes(&h->answers[i]), script_u8(&h->script), &report);
        break;
    case 2:
        sync_once(h, i, &options, PARTS_ALL, &report);
        break;
    case 3:
        write_change(h, i, false);
        break;
    default:
        write_change(h, i, true);
        break;
    }
}

static uint32_t unsent(struct history *h, unsigned i)
{
    struct community community;
    struct device row;
    moot_rows(h->stores[i], moot_get(), &moot_get()->devices[i], &community, &row);
    return exchange_unsent(h->stores[i], &community, &row);
}

// Until a whole round brought nothing new to anybody.
static void settle(struct history *h)
{
    static const struct exchange_options options = {64 << 10, 64 << 10};
    bool busy = true;
    for (unsigned round = 0; busy; round++) {
        assert(round < ROUNDS);
        busy = false;
        for (unsigned i = 0; i < MOOT_DEVICES; i++) {
            struct exchange_report report = {0};
            sync_once(h, i, &options, PARTS_ALL, &report);
            assert(!report.forked && !report.gap);
            busy |= report.pushed || report.pulled || report.more || unsent(h, i);
        }
    }
}

// --- the end ---

static void check_fields(const struct record_view *a, const struct record_view *b)
{
    assert(a->class == b->class && a->fields.n == b->fields.n);
    for (size_t i = 0; i < a->fields.n; i++) {
        const struct field_view *x = LIST_AT(struct field_view, a->fields, i);
        const struct field_view *y = LIST_AT(struct field_view, b->fields, i);
        assert(x->field == y->field && x->tension == y->tension && x->edits.n == y->edits.n);
    }
}

// What the one shows of a record, the other shows as well.
static void check_same(struct txn *txns[2], const struct community communities[2],
                       const struct record_key *record, const struct eye *eye)
{
    struct record_view views[2];
    enum err errs[2];
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    for (int k = 0; k < 2; k++)
        errs[k] = view_record(txns[k], &communities[k], record, eye, &arena, &views[k]);
    assert(errs[0] == errs[1] && (errs[0] == OK || errs[0] == ERR_NOT_FOUND));
    if (errs[0])
        return;
    assert(bytes_equal(views[0].record, views[1].record));
    check_fields(&views[0], &views[1]);
    struct tally tallies[2];
    for (int k = 0; k < 2; k++)
        errs[k] = tally_count(txns[k], &communities[k], record, &tallies[k]);
    assert(!errs[0] && !errs[1]);
    assert(tallies[0].for_ == tallies[1].for_ && tallies[0].against == tallies[1].against &&
           tallies[0].unsure == tallies[1].unsure);
}

static bool note_personal(const struct live *live, void *arg)
{
    *(bool *)arg |= live->key.class != CLASS_ORDINARY;
    return true;
}

// Of what is personal and about somebody else's record a device is told its own changes alone, and
// not who went over them.
static bool is_told_in_part(struct txn *txn, const struct community *community,
                            const struct record_key *record, const struct eye *eye)
{
    bool is_personal = false;
    if (eye->role == ROLE_COORDINATOR || memcmp(record->id, eye->device, 8) == 0)
        return false;
    enum err err = live_each(txn, community->number, record, note_personal, &is_personal);
    assert(!err);
    return is_personal;
}

// Every record of the first is compared, if it can be.
static void check_all(struct txn *txns[2], const struct community communities[2],
                      const struct eye *eye)
{
    for (uint32_t kind = 1; kind <= 16; kind++) {
        struct record_key record;
        uint8_t after[ID_SIZE];
        enum err err = live_next_record(txns[0], communities[0].number, kind, NULL, &record);
        while (!err) {
            if (!is_told_in_part(txns[0], &communities[0], &record, eye) &&
                !is_told_in_part(txns[1], &communities[1], &record, eye))
                check_same(txns, communities, &record, eye);
            memcpy(after, record.id, ID_SIZE);
            err = live_next_record(txns[0], communities[0].number, kind, after, &record);
        }
        assert(err == ERR_NOT_FOUND);
    }
}

static void check_device(struct history *h, unsigned i)
{
    const struct moot_device *device = &moot_get()->devices[i];
    struct device row;
    struct txn *txns[] = {h->hub, h->stores[i]};
    struct txn *back[] = {h->stores[i], h->hub};
    struct community communities[2];
    struct community reversed[2];
    moot_rows(h->stores[i], moot_get(), device, &communities[1], &row);
    moot_rows(h->hub, moot_get(), device, &communities[0], &row);
    reversed[0] = communities[1];
    reversed[1] = communities[0];
    struct eye eye = {.role = row.role, .device = device->handle};
    check_all(txns, communities, &eye);
    check_all(back, reversed, &eye);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct history history;
    const struct moot *moot = moot_get();
    history = (struct history){.script = script_of(data, size)};
    history.hub = txn_begin_write(moot->hub);
    for (unsigned i = 0; i < MOOT_DEVICES; i++)
        history.stores[i] = txn_begin_write(moot->devices[i].store);
    for (int n = 0; n < STEPS && !script_ended(&history.script); n++)
        step(&history);
    settle(&history);
    for (unsigned i = 0; i < MOOT_DEVICES; i++)
        check_device(&history, i);
    for (unsigned i = 0; i < MOOT_DEVICES; i++) {
        txn_abort(&history.stores[i]);
        buf_done(&history.answers[i]);
    }
    txn_abort(&history.hub);
    return 0;
}
