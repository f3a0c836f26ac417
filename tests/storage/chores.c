#include "tests/storage/chores.h"

#include "storage/carry.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/invitation.h"
#include "storage/log.h"

enum { OURS = 1, WHOLE_AT = 1, HUSK_AT, DROP_AT, FREE_AT = 9 };

static const uint8_t id[COMMUNITY_SIZE] = {1};
static const uint8_t handle[HANDLE_SIZE] = "the handle..";
static const uint8_t hash[HASH_SIZE] = "the hash of one thing or another";
static const uint8_t other[HASH_SIZE] = "the hash of another thing......";
static const struct record_key record = {KIND_NEED, {2}};
static const struct record_key closed = {KIND_PERSON, {3}};
static const struct edit_key edit = {{KIND_NEED, {2}}, 1, "the handle..", 4, 0};
static const struct edit_key new_edit = {{KIND_NEED, {4}}, 1, "the handle..", 5, 0};
static const struct decided decided = {.by = {5}, .seq = 1};

// Each visitor of rows, whatever they are.
#define VISITOR(name, row)                                                                         \
    static bool name(row, void *arg)                                                               \
    {                                                                                              \
        (void)visited;                                                                             \
        ++*(unsigned *)arg;                                                                        \
        return true;                                                                               \
    }

VISITOR(visit_community, const struct community *visited)
VISITOR(visit_device, const struct device *visited)
VISITOR(visit_apart, const struct apart *visited)
VISITOR(visit_keep, const struct keep *visited)
VISITOR(visit_carry, const struct carry *visited)
VISITOR(visit_live, const struct live *visited)
VISITOR(visit_cover, const struct cover *visited)

static bool visit_evidence(const uint8_t head[HASH_SIZE], struct bytes run, void *arg)
{
    (void)head;
    ++*(unsigned *)arg;
    return run.n > 0;
}

static bool visit_about(const struct record_key *from, struct bytes extra, void *arg)
{
    (void)from;
    ++*(unsigned *)arg;
    return extra.n == 0;
}

// --- writing ---

static enum err put_entry(struct txn *txn, uint64_t position, enum log_form form)
{
    struct log_entry entry = {.form = form,
                              .seq = (uint32_t)position,
                              .leaf = "a leaf of the tree of the log..",
                              .envelope = bytes_of_text("an envelope")};
    struct log_body body = {.salt = {6}, .fields = bytes_of_text("words")};
    memcpy(entry.device, handle, HANDLE_SIZE);
    if (form == LOG_AGAIN)
        entry = (struct log_entry){.form = form, .seq = WHOLE_AT, .first = WHOLE_AT};
    log_put(txn, OURS, position, &entry, form == LOG_WHOLE ? &body : NULL);
    return OK;
}

static enum err put_whole(struct txn *txn)
{
    return put_entry(txn, FREE_AT, LOG_WHOLE);
}

static enum err put_again(struct txn *txn)
{
    return put_entry(txn, FREE_AT, LOG_AGAIN);
}

static enum err erase(struct txn *txn)
{
    erased_put(txn, OURS, handle, WHOLE_AT, 7, hash);
    log_erase(txn, OURS, WHOLE_AT, hash);
    return OK;
}

static enum err drop(struct txn *txn)
{
    log_drop(txn, OURS, DROP_AT);
    return OK;
}

static enum err put_run(struct txn *txn)
{
    log_put_run(txn, OURS, handle, &(struct log_run){.first = 4, .last = 9});
    return OK;
}

static enum err put_node(struct txn *txn)
{
    log_put_node(txn, OURS, 1, 8, hash);
    return OK;
}

static enum err put_community(struct txn *txn)
{
    struct community one = {.id = {8}, .is_hub = true, .name_n = 4, .name = "name"};
    community_put(txn, &one);
    return OK;
}

static enum err put_community_again(struct txn *txn)
{
    struct community one = {.id = {1}, .name_n = 9, .name = "othername"};
    community_put(txn, &one);
    return OK;
}

static enum err put_secret(struct txn *txn)
{
    secret_put(txn, OURS, &(struct secret){.seed = {9}, .address = "localhost:1"});
    return OK;
}

static enum err put_progress(struct txn *txn)
{
    progress_put(txn, OURS, &(struct progress){.receipt_seq = 10, .forked = true});
    return OK;
}

static enum err put_checked(struct txn *txn)
{
    checked_put(txn, OURS, &(struct checked){.proved = 11, .frontier = {.size = 3, .n = 2}});
    return OK;
}

static enum err put_name(struct txn *txn)
{
    name_put(txn, OURS, bytes_of_text("a name"), KIND_NEED, id);
    return OK;
}

static bool map_one(uint8_t of[ID_SIZE], void *arg)
{
    (void)arg;
    of[0] ^= 1;
    return true;
}

static enum err map_names(struct txn *txn)
{
    name_map(txn, OURS, map_one, NULL);
    return OK;
}

static enum err put_device(struct txn *txn)
{
    struct device one = {.role = ROLE_MEMBER, .handle = {12}, .label_n = 5, .label = "phone"};
    device_put(txn, OURS, &one);
    contact_put(txn, OURS, one.handle, &(struct contact){.last_sync = 13});
    quota_put(txn, OURS, one.handle, &(struct quota){.changes = 14});
    role_put(txn, OURS, one.handle, &(struct role_row){.from = 15, .role = ROLE_VOLUNTEER});
    role_delete(txn, OURS, handle, &(struct role_row){.from = 1, .decided = decided});
    return OK;
}

static enum err put_token(struct txn *txn)
{
    token_put(txn, other, OURS, handle, 16);
    return OK;
}

static enum err put_next_token(struct txn *txn)
{
    token_put_next(txn, other, OURS, handle, 17);
    return OK;
}

static enum err turn_token(struct txn *txn)
{
    token_put_next(txn, other, OURS, handle, 18);
    token_turn(txn, OURS, handle);
    return OK;
}

static enum err set_apart(struct txn *txn)
{
    apart_put(txn, OURS, handle, 19, 20, &decided, REASON_REVOKED);
    apart_delete(txn, OURS, handle, 1, 2, &decided);
    return OK;
}

static enum err close_record(struct txn *txn)
{
    closed_put(txn, OURS, &record, CLOSED_ALONE);
    closed_put(txn, OURS, &record, CLOSED_WITH_ALL);
    return OK;
}

static enum err put_keep(struct txn *txn)
{
    keep_put(txn, OURS, &(struct keep){.until = 21, .record = record});
    keep_delete(txn, OURS, &(struct keep){.until = -1, .record = record});
    return OK;
}

static enum err put_evidence(struct txn *txn)
{
    bool taken = evidence_put(txn, OURS, handle, other, bytes_of_text("a run"));
    return taken || txn_error(txn) ? OK : ERR_EXISTS;
}

static enum err put_carry(struct txn *txn)
{
    carry_put(txn, OURS, &(struct carry){.position = FREE_AT, .seq = 22});
    carry_delete(txn, OURS, WHOLE_AT);
    return OK;
}

static enum err put_invitation(struct txn *txn)
{
    struct invitation one = {.community = OURS, .role = ROLE_MEMBER, .label_n = 4, .label = "hall"};
    invitation_put(txn, other, &one);
    invitation_note_use(txn, other, handle);
    return OK;
}

static enum err put_edits(struct txn *txn)
{
    live_put(txn, OURS, &(struct live){.key = new_edit});
    live_delete(txn, OURS, &edit);
    cover_put(txn, OURS, &(struct cover){.target = new_edit});
    cover_delete(txn, OURS, &(struct cover){.target = edit});
    about_put(txn, OURS, &record, &closed, bytes_of(NULL, 0));
    return OK;
}

// --- reading ---

// Nothing was refused, or the answer is right, or it says what may be missing.
static enum err expect(struct txn *txn, unsigned met, unsigned expected)
{
    return txn_error(txn) || txn_damage(txn) || met == expected ? txn_error(txn) : ERR_WRONG_STATE;
}

static enum err read_community(struct txn *txn)
{
    struct community one;
    enum err err = community_get(txn, id, &one);
    if (!err)
        err = community_get_number(txn, OURS, &one);
    return err ? err : expect(txn, one.name_n, 5);
}

static enum err read_communities(struct txn *txn)
{
    unsigned met = 0;
    community_each(txn, visit_community, &met);
    return expect(txn, met, 1);
}

static enum err read_secret(struct txn *txn)
{
    struct secret one;
    enum err err = secret_get(txn, OURS, &one);
    return err ? err : expect(txn, one.seed[0], 1);
}

static enum err read_progress(struct txn *txn)
{
    struct progress progress;
    struct checked checked;
    progress_get(txn, OURS, &progress);
    checked_get(txn, OURS, &checked);
    return expect(txn, progress.receipt_seq + checked.proved, 1 + 2);
}

static enum err read_name(struct txn *txn)
{
    uint32_t kind;
    uint8_t found[ID_SIZE];
    enum err err = name_get(txn, OURS, bytes_of_text("one"), &kind, found);
    return err ? err : expect(txn, kind, KIND_NEED);
}

static enum err read_entry(struct txn *txn)
{
    struct log_entry entry;
    uint64_t position;
    enum err err = log_find(txn, OURS, handle, HUSK_AT, &position);
    if (!err)
        err = log_get(txn, OURS, position, &entry);
    return err ? err : expect(txn, entry.form, LOG_HUSK);
}

static enum err read_body(struct txn *txn)
{
    struct log_body body;
    enum err err = log_get_body(txn, OURS, WHOLE_AT, &body);
    return !err && !bytes_equal(body.fields, bytes_of_text("words")) ? ERR_WRONG_STATE : err;
}

static enum err read_no_body(struct txn *txn)
{
    struct log_body body;
    enum err err = log_get_body(txn, OURS, HUSK_AT, &body);
    return err == ERR_NOT_FOUND ? OK : err ? err : ERR_WRONG_STATE;
}

static enum err read_runs(struct txn *txn)
{
    struct log_run upto;
    struct log_run from;
    enum err err = log_run_upto(txn, OURS, handle, 8, &upto);
    if (!err)
        err = log_run_from(txn, OURS, handle, 2, &from);
    return err ? err : expect(txn, upto.last * 10 + from.last, 33);
}

static enum err read_node(struct txn *txn)
{
    uint8_t node[HASH_SIZE];
    enum err err = log_get_node(txn, OURS, 1, 0, node);
    return err ? err : expect(txn, node[0], hash[0]);
}

static enum err read_device(struct txn *txn)
{
    struct device one;
    enum err err = device_get(txn, OURS, handle, &one);
    return err ? err : expect(txn, one.role, ROLE_MEMBER);
}

static enum err read_devices(struct txn *txn)
{
    unsigned met = 0;
    device_each(txn, OURS, visit_device, &met);
    return expect(txn, met, 1);
}

static enum err read_notes(struct txn *txn)
{
    struct contact contact;
    struct quota quota;
    contact_get(txn, OURS, handle, &contact);
    quota_get(txn, OURS, handle, &quota);
    return expect(txn, (unsigned)contact.bytes_in + quota.changes, 3 + 4);
}

static enum err read_role(struct txn *txn)
{
    return expect(txn, role_at(txn, OURS, handle, 5), ROLE_MEMBER);
}

static enum err read_token(struct txn *txn)
{
    struct token one;
    enum err err = token_get(txn, hash, &one);
    return err ? err : expect(txn, (unsigned)one.made, 5);
}

static enum err read_apart(struct txn *txn)
{
    unsigned met = 0;
    apart_each(txn, OURS, NULL, visit_apart, &met);
    return expect(txn, met * 10 + apart_get(txn, OURS, handle, 1, 2), 10 + REASON_WRONG_ID);
}

static enum err read_erased(struct txn *txn)
{
    uint8_t body_hash[HASH_SIZE];
    bool is_erased = erased_get(txn, OURS, handle, HUSK_AT, 5, body_hash);
    return expect(txn, is_erased, 1);
}

static enum err read_closed(struct txn *txn)
{
    unsigned how = closed_get(txn, OURS, &closed);
    return expect(txn, how * 10 + closed_any(txn, OURS), CLOSED_ALONE * 10 + 1);
}

static enum err read_due(struct txn *txn)
{
    unsigned met = 0;
    keep_each_due(txn, OURS, 100, visit_keep, &met);
    return expect(txn, met, 1);
}

static enum err read_evidence(struct txn *txn)
{
    unsigned met = 0;
    evidence_each(txn, OURS, handle, visit_evidence, &met);
    return expect(txn, met, 1);
}

static enum err read_carry(struct txn *txn)
{
    struct carry one;
    unsigned met = 0;
    carry_each(txn, OURS, visit_carry, &met);
    met += carry_count(txn, OURS) + carry_any(txn, OURS) + carry_get(txn, OURS, WHOLE_AT, &one);
    return expect(txn, met, 4);
}

static enum err read_invitation(struct txn *txn)
{
    struct invitation one;
    enum err err = invitation_get(txn, hash, &one);
    return err ? err : expect(txn, invitation_used_by(txn, hash, handle), 1);
}

static enum err read_edits(struct txn *txn)
{
    struct live one;
    unsigned met = 0;
    enum err err = live_get(txn, OURS, &edit, &one);
    if (!err)
        err = live_each(txn, OURS, &record, visit_live, &met);
    if (!err)
        err = live_each_of_change(txn, OURS, &record, 1, handle, 4, visit_live, &met);
    met += live_any_of_change(txn, OURS, &record, 1, handle, 4);
    return err ? err : expect(txn, met, 3);
}

static enum err read_records(struct txn *txn)
{
    struct record_key found;
    enum err err = live_next(txn, OURS, NULL, &found);
    if (!err)
        err = live_next_record(txn, OURS, KIND_NEED, (const uint8_t[ID_SIZE]){1}, &found);
    return err ? err : expect(txn, found.id[0], record.id[0]);
}

static enum err read_covers(struct txn *txn)
{
    unsigned met = 0;
    cover_each(txn, OURS, &edit, 0, visit_cover, &met);
    cover_each_of_record(txn, OURS, &record, visit_cover, &met);
    return expect(txn, met, 2);
}

static enum err read_about(struct txn *txn)
{
    unsigned met = 0;
    enum err err = about_each(txn, OURS, &closed, KIND_NEED, visit_about, &met);
    return err ? err : expect(txn, met, 1);
}

static enum err settle(struct txn *txn)
{
    enum err err = erased_settle(txn);
    return err ? err : log_settle(txn);
}

// --- all ---

#define READS(name)                                                                                \
    {                                                                                              \
#name, name, false                                                                         \
    }
#define WRITES(name)                                                                               \
    {                                                                                              \
#name, name, true                                                                          \
    }

const struct chore chores[] = {
    WRITES(put_whole),      WRITES(put_again),
    WRITES(erase),          WRITES(drop),
    WRITES(put_run),        WRITES(put_node),
    WRITES(put_community),  WRITES(put_community_again),
    WRITES(put_secret),     WRITES(put_progress),
    WRITES(put_checked),    WRITES(put_name),
    WRITES(map_names),      WRITES(put_device),
    WRITES(put_token),      WRITES(put_next_token),
    WRITES(turn_token),     WRITES(set_apart),
    WRITES(close_record),   WRITES(put_keep),
    WRITES(put_evidence),   WRITES(put_carry),
    WRITES(put_invitation), WRITES(put_edits),
    READS(read_community),  READS(read_communities),
    READS(read_secret),     READS(read_progress),
    READS(read_name),       READS(read_entry),
    READS(read_body),       READS(read_no_body),
    READS(read_runs),       READS(read_node),
    READS(read_device),     READS(read_devices),
    READS(read_notes),      READS(read_role),
    READS(read_token),      READS(read_apart),
    READS(read_erased),     READS(read_closed),
    READS(read_due),        READS(read_evidence),
    READS(read_carry),      READS(read_invitation),
    READS(read_edits),      READS(read_records),
    READS(read_covers),     READS(read_about),
    READS(settle),
};

const size_t chores_n = sizeof chores / sizeof *chores;

void chores_prepare(struct txn *txn)
{
    struct community one = {.id = {1}, .name_n = 5, .name = "first"};
    struct device device = {.role = ROLE_MEMBER};
    struct invitation invitation = {.community = OURS, .role = ROLE_MEMBER, .is_devices = true};
    community_put(txn, &one);
    secret_put(txn, OURS, &(struct secret){.seed = {1}});
    progress_put(txn, OURS, &(struct progress){.receipt_seq = 1});
    checked_put(txn, OURS, &(struct checked){.proved = 2});
    name_put(txn, OURS, bytes_of_text("one"), KIND_NEED, id);
    (void)put_entry(txn, WHOLE_AT, LOG_WHOLE);
    (void)put_entry(txn, HUSK_AT, LOG_HUSK);
    (void)put_entry(txn, DROP_AT, LOG_WHOLE);
    log_put_run(txn, OURS, handle, &(struct log_run){.first = 1, .last = 3});
    log_put_node(txn, OURS, 1, 0, hash);
    memcpy(device.handle, handle, HANDLE_SIZE);
    device_put(txn, OURS, &device);
    contact_put(txn, OURS, handle, &(struct contact){.bytes_in = 3});
    quota_put(txn, OURS, handle, &(struct quota){.changes = 4});
    role_put(txn, OURS, handle,
             &(struct role_row){.from = 1, .decided = decided, .role = ROLE_MEMBER});
    token_put(txn, hash, OURS, handle, 5);
    apart_put(txn, OURS, handle, 1, 2, &decided, REASON_WRONG_ID);
    erased_put(txn, OURS, handle, HUSK_AT, 5, hash);
    closed_put(txn, OURS, &closed, CLOSED_ALONE);
    keep_put(txn, OURS, &(struct keep){.until = -1, .record = record});
    (void)evidence_put(txn, OURS, handle, hash, bytes_of_text("a run"));
    carry_put(txn, OURS, &(struct carry){.position = WHOLE_AT});
    invitation_put(txn, hash, &invitation);
    invitation_note_use(txn, hash, handle);
    live_put(txn, OURS, &(struct live){.key = edit});
    cover_put(txn, OURS, &(struct cover){.target = edit});
    about_put(txn, OURS, &closed, &record, bytes_of(NULL, 0));
}
