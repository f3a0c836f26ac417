// What is read.

#include "storage/carry.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/invitation.h"
#include "storage/log.h"
#include "tests/storage/chores.h"

static const uint8_t id[COMMUNITY_SIZE] = {1};
static const uint8_t handle[HANDLE_SIZE] = "the handle..";
static const uint8_t hash[HASH_SIZE] = "the hash of one thing or another";
static const struct record_key record = {KIND_NEED, {2}};
static const struct record_key closed = {KIND_PERSON, {3}};
static const struct edit_key edit = {{KIND_NEED, {2}}, 1, "the handle..", 4, 0};

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
        err = community_get_number(txn, CHORES_COMMUNITY, &one);
    return err ? err : expect(txn, one.number, CHORES_COMMUNITY);
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
    enum err err = secret_get(txn, CHORES_COMMUNITY, &one);
    return err ? err : expect(txn, one.seed[0], 1);
}

static enum err read_progress(struct txn *txn)
{
    struct progress progress;
    struct checked checked;
    progress_get(txn, CHORES_COMMUNITY, &progress);
    checked_get(txn, CHORES_COMMUNITY, &checked);
    return expect(txn, progress.receipt_seq + checked.proved, 1 + 2);
}

static enum err read_name(struct txn *txn)
{
    uint32_t kind;
    uint8_t found[ID_SIZE];
    enum err err = name_get(txn, CHORES_COMMUNITY, bytes_of_text("one"), &kind, found);
    return err ? err : expect(txn, kind, KIND_NEED);
}

static enum err read_entry(struct txn *txn)
{
    struct log_entry entry;
    uint64_t position;
    enum err err = log_find(txn, CHORES_COMMUNITY, handle, CHORES_HUSK, &position);
    if (!err)
        err = log_get(txn, CHORES_COMMUNITY, position, &entry);
    return err ? err : expect(txn, entry.form, LOG_HUSK);
}

static enum err read_body(struct txn *txn)
{
    struct log_body body;
    enum err err = log_get_body(txn, CHORES_COMMUNITY, CHORES_WHOLE, &body);
    return !err && !bytes_equal(body.fields, bytes_of_text("words")) ? ERR_WRONG_STATE : err;
}

static enum err read_no_body(struct txn *txn)
{
    struct log_body body;
    enum err err = log_get_body(txn, CHORES_COMMUNITY, CHORES_HUSK, &body);
    return err == ERR_NOT_FOUND ? OK : err ? err : ERR_WRONG_STATE;
}

static enum err read_runs(struct txn *txn)
{
    struct log_run upto;
    struct log_run from;
    enum err err = log_run_upto(txn, CHORES_COMMUNITY, handle, 8, &upto);
    if (!err)
        err = log_run_from(txn, CHORES_COMMUNITY, handle, 2, &from);
    return err ? err : expect(txn, upto.last * 10 + from.last, 33);
}

static enum err read_node(struct txn *txn)
{
    uint8_t node[HASH_SIZE];
    enum err err = log_get_node(txn, CHORES_COMMUNITY, 3, 0, node);
    return err ? err : expect(txn, node[0], hash[0]);
}

static enum err read_device(struct txn *txn)
{
    struct device one;
    enum err err = device_get(txn, CHORES_COMMUNITY, handle, &one);
    return err ? err : expect(txn, one.role, ROLE_MEMBER);
}

static enum err read_devices(struct txn *txn)
{
    unsigned met = 0;
    device_each(txn, CHORES_COMMUNITY, visit_device, &met);
    return expect(txn, met, 1);
}

static enum err read_notes(struct txn *txn)
{
    struct contact contact;
    struct quota quota;
    contact_get(txn, CHORES_COMMUNITY, handle, &contact);
    quota_get(txn, CHORES_COMMUNITY, handle, &quota);
    return expect(txn, (unsigned)contact.bytes_in + quota.changes, 3 + 4);
}

static enum err read_role(struct txn *txn)
{
    return expect(txn, role_at(txn, CHORES_COMMUNITY, handle, 5), ROLE_MEMBER);
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
    apart_each(txn, CHORES_COMMUNITY, NULL, visit_apart, &met);
    return expect(txn, met * 10 + apart_get(txn, CHORES_COMMUNITY, handle, 1, 2),
                  10 + REASON_WRONG_ID);
}

static enum err read_erased(struct txn *txn)
{
    uint8_t body_hash[HASH_SIZE];
    bool is_erased = erased_get(txn, CHORES_COMMUNITY, handle, CHORES_HUSK, CHORES_TAG, body_hash);
    return expect(txn, is_erased, 1);
}

static enum err read_closed(struct txn *txn)
{
    unsigned how = closed_get(txn, CHORES_COMMUNITY, &closed);
    return expect(txn, how * 10 + closed_any(txn, CHORES_COMMUNITY), CLOSED_ALONE * 10 + 1);
}

static enum err read_due(struct txn *txn)
{
    unsigned met = 0;
    keep_each_due(txn, CHORES_COMMUNITY, 100, visit_keep, &met);
    return expect(txn, met, 1);
}

static enum err read_evidence(struct txn *txn)
{
    unsigned met = 0;
    evidence_each(txn, CHORES_COMMUNITY, handle, visit_evidence, &met);
    return expect(txn, met, 1);
}

static enum err read_carry(struct txn *txn)
{
    struct carry one;
    unsigned met = 0;
    carry_each(txn, CHORES_COMMUNITY, visit_carry, &met);
    met += carry_count(txn, CHORES_COMMUNITY) + carry_any(txn, CHORES_COMMUNITY) +
           carry_get(txn, CHORES_COMMUNITY, CHORES_WHOLE, &one);
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
    enum err err = live_get(txn, CHORES_COMMUNITY, &edit, &one);
    if (!err)
        err = live_each(txn, CHORES_COMMUNITY, &record, visit_live, &met);
    if (!err)
        err = live_each_of_change(txn, CHORES_COMMUNITY, &record, 1, handle, 4, visit_live, &met);
    met += live_any_of_change(txn, CHORES_COMMUNITY, &record, 1, handle, 4);
    return err ? err : expect(txn, met, 3);
}

static enum err read_records(struct txn *txn)
{
    struct record_key found;
    enum err err = live_next(txn, CHORES_COMMUNITY, NULL, &found);
    if (!err)
        err =
            live_next_record(txn, CHORES_COMMUNITY, KIND_NEED, (const uint8_t[ID_SIZE]){1}, &found);
    return err ? err : expect(txn, found.id[0], record.id[0]);
}

static enum err read_covers(struct txn *txn)
{
    unsigned met = 0;
    cover_each(txn, CHORES_COMMUNITY, &edit, 0, visit_cover, &met);
    cover_each_of_record(txn, CHORES_COMMUNITY, &record, visit_cover, &met);
    return expect(txn, met, 2);
}

static enum err read_about(struct txn *txn)
{
    unsigned met = 0;
    enum err err = about_each(txn, CHORES_COMMUNITY, &closed, KIND_NEED, visit_about, &met);
    return err ? err : expect(txn, met, 1);
}

static enum err settle(struct txn *txn)
{
    enum err err = erased_settle(txn);
    return err ? err : log_settle(txn);
}

#define CHORE(name)                                                                                \
    {                                                                                              \
#name, name, false                                                                         \
    }

const struct chore chores_reading[] = {
    CHORE(read_community), CHORE(read_communities), CHORE(read_secret), CHORE(read_progress),
    CHORE(read_name),      CHORE(read_entry),       CHORE(read_body),   CHORE(read_no_body),
    CHORE(read_runs),      CHORE(read_node),        CHORE(read_device), CHORE(read_devices),
    CHORE(read_notes),     CHORE(read_role),        CHORE(read_token),  CHORE(read_apart),
    CHORE(read_erased),    CHORE(read_closed),      CHORE(read_due),    CHORE(read_evidence),
    CHORE(read_carry),     CHORE(read_invitation),  CHORE(read_edits),  CHORE(read_records),
    CHORE(read_covers),    CHORE(read_about),       CHORE(settle),
};

const size_t chores_reading_n = sizeof chores_reading / sizeof *chores_reading;
