#include "tests/storage/chores.h"

#include "storage/carry.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/invitation.h"
#include "storage/log.h"
#include "storage/table.h"

static const uint8_t id[COMMUNITY_SIZE] = {1};
static const uint8_t handle[HANDLE_SIZE] = "the handle..";
static const uint8_t hash[HASH_SIZE] = "the hash of one thing or another";
static const uint8_t other[HASH_SIZE] = "the hash of another thing......";
static const struct record_key record = {KIND_NEED, {2}};
static const struct record_key closed = {KIND_PERSON, {3}};
static const struct edit_key edit = {{KIND_NEED, {2}}, 1, "the handle..", 4, 0};
static const struct edit_key new_edit = {{KIND_NEED, {4}}, 1, "the handle..", 5, 0};
static const struct decided decided = {.by = {5}, .seq = 1};

static enum err put_entry(struct txn *txn, uint64_t position, enum log_form form)
{
    struct log_entry entry = {.form = form,
                              .seq = (uint32_t)position,
                              .leaf = "a leaf of the tree of the log..",
                              .envelope = bytes_of_text("an envelope")};
    struct log_body body = {.salt = {6}, .fields = bytes_of_text("words")};
    memcpy(entry.device, handle, HANDLE_SIZE);
    if (form == LOG_AGAIN)
        entry = (struct log_entry){.form = form, .seq = CHORES_WHOLE, .first = CHORES_WHOLE};
    log_put(txn, CHORES_COMMUNITY, position, &entry, form == LOG_WHOLE ? &body : NULL);
    return OK;
}

static enum err put_whole(struct txn *txn)
{
    return put_entry(txn, CHORES_FREE, LOG_WHOLE);
}

static enum err put_again(struct txn *txn)
{
    return put_entry(txn, CHORES_FREE, LOG_AGAIN);
}

static enum err erase(struct txn *txn)
{
    erased_put(txn, CHORES_COMMUNITY, handle, CHORES_WHOLE, CHORES_TAG, hash);
    log_erase(txn, CHORES_COMMUNITY, CHORES_WHOLE, hash);
    return OK;
}

static enum err drop(struct txn *txn)
{
    log_drop(txn, CHORES_COMMUNITY, CHORES_DROP);
    return OK;
}

static enum err put_run(struct txn *txn)
{
    log_put_run(txn, CHORES_COMMUNITY, handle, &(struct log_run){.first = 4, .last = 9});
    return OK;
}

static enum err put_node(struct txn *txn)
{
    log_put_nodes(txn, CHORES_COMMUNITY, 72, BYTES(hash));
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
    secret_put(txn, CHORES_COMMUNITY, &(struct secret){.seed = {9}, .address = "localhost:1"});
    return OK;
}

static enum err put_progress(struct txn *txn)
{
    progress_put(txn, CHORES_COMMUNITY, &(struct progress){.receipt_seq = 10, .forked = true});
    return OK;
}

static enum err put_checked(struct txn *txn)
{
    checked_put(txn, CHORES_COMMUNITY,
                &(struct checked){.proved = 11, .frontier = {.size = 3, .n = 2}});
    return OK;
}

static enum err put_name(struct txn *txn)
{
    name_put(txn, CHORES_COMMUNITY, bytes_of_text("a name"), KIND_NEED, id);
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
    name_map(txn, CHORES_COMMUNITY, map_one, NULL);
    return OK;
}

static enum err put_device(struct txn *txn)
{
    struct device one = {.role = ROLE_MEMBER, .handle = {12}, .label_n = 5, .label = "phone"};
    device_put(txn, CHORES_COMMUNITY, &one);
    contact_put(txn, CHORES_COMMUNITY, one.handle, &(struct contact){.last_sync = 13});
    quota_put(txn, CHORES_COMMUNITY, one.handle, &(struct quota){.changes = 14});
    role_put(txn, CHORES_COMMUNITY, one.handle,
             &(struct role_row){.from = 15, .role = ROLE_VOLUNTEER});
    role_delete(txn, CHORES_COMMUNITY, handle, &(struct role_row){.from = 1, .decided = decided});
    return OK;
}

static enum err put_token(struct txn *txn)
{
    token_put(txn, other, CHORES_COMMUNITY, handle, 16);
    return OK;
}

static enum err put_next_token(struct txn *txn)
{
    token_put_next(txn, other, CHORES_COMMUNITY, handle, 17);
    return OK;
}

static enum err turn_token(struct txn *txn)
{
    token_put_next(txn, other, CHORES_COMMUNITY, handle, 18);
    token_turn(txn, CHORES_COMMUNITY, handle);
    return OK;
}

static enum err set_apart(struct txn *txn)
{
    apart_put(txn, CHORES_COMMUNITY, handle, 19, 20, &decided, REASON_REVOKED);
    apart_delete(txn, CHORES_COMMUNITY, handle, 1, 2, &decided);
    return OK;
}

static enum err close_record(struct txn *txn)
{
    closed_put(txn, CHORES_COMMUNITY, &record, CLOSED_ALONE);
    closed_put(txn, CHORES_COMMUNITY, &record, CLOSED_WITH_ALL);
    return OK;
}

static enum err put_keep(struct txn *txn)
{
    keep_put(txn, CHORES_COMMUNITY, &(struct keep){.until = 21, .record = record});
    keep_delete(txn, CHORES_COMMUNITY, &(struct keep){.until = -1, .record = record});
    return OK;
}

static enum err put_evidence(struct txn *txn)
{
    bool taken = evidence_put(txn, CHORES_COMMUNITY, handle, other, bytes_of_text("a run"));
    return taken || txn_error(txn) ? OK : ERR_EXISTS;
}

static enum err put_carry(struct txn *txn)
{
    carry_put(txn, CHORES_COMMUNITY, &(struct carry){.position = CHORES_FREE, .seq = 22});
    carry_delete(txn, CHORES_COMMUNITY, CHORES_WHOLE);
    return OK;
}

static enum err put_invitation(struct txn *txn)
{
    struct invitation one = {
        .community = CHORES_COMMUNITY, .role = ROLE_MEMBER, .label_n = 4, .label = "hall"};
    invitation_put(txn, other, &one);
    invitation_note_use(txn, other, handle);
    return OK;
}

static enum err put_edits(struct txn *txn)
{
    live_put(txn, CHORES_COMMUNITY, &(struct live){.key = new_edit});
    live_delete(txn, CHORES_COMMUNITY, &edit);
    cover_put(txn, CHORES_COMMUNITY, &(struct cover){.target = new_edit});
    cover_delete(txn, CHORES_COMMUNITY, &(struct cover){.target = edit});
    about_put(txn, CHORES_COMMUNITY, &record, &closed, bytes_of(NULL, 0));
    return OK;
}

#define CHORE(name)                                                                                \
    {                                                                                              \
#name, name, true                                                                          \
    }

const struct chore chores_writing[] = {
    CHORE(put_whole),    CHORE(put_again),    CHORE(erase),          CHORE(drop),
    CHORE(put_run),      CHORE(put_node),     CHORE(put_community),  CHORE(put_community_again),
    CHORE(put_secret),   CHORE(put_progress), CHORE(put_checked),    CHORE(put_name),
    CHORE(map_names),    CHORE(put_device),   CHORE(put_token),      CHORE(put_next_token),
    CHORE(turn_token),   CHORE(set_apart),    CHORE(close_record),   CHORE(put_keep),
    CHORE(put_evidence), CHORE(put_carry),    CHORE(put_invitation), CHORE(put_edits),
};

const size_t chores_writing_n = sizeof chores_writing / sizeof *chores_writing;

void chores_prepare(struct txn *txn)
{
    struct community one = {.id = {1}, .name_n = 5, .name = "first"};
    struct device device = {.role = ROLE_MEMBER};
    struct invitation invitation = {
        .community = CHORES_COMMUNITY, .role = ROLE_MEMBER, .is_devices = true};
    community_put(txn, &one);
    secret_put(txn, CHORES_COMMUNITY, &(struct secret){.seed = {1}});
    progress_put(txn, CHORES_COMMUNITY, &(struct progress){.receipt_seq = 1});
    checked_put(txn, CHORES_COMMUNITY, &(struct checked){.proved = 2});
    name_put(txn, CHORES_COMMUNITY, bytes_of_text("one"), KIND_NEED, id);
    (void)put_entry(txn, CHORES_WHOLE, LOG_WHOLE);
    (void)put_entry(txn, CHORES_HUSK, LOG_HUSK);
    (void)put_entry(txn, CHORES_DROP, LOG_WHOLE);
    log_put_run(txn, CHORES_COMMUNITY, handle, &(struct log_run){.first = 1, .last = 3});
    log_put_nodes(txn, CHORES_COMMUNITY, 8, BYTES(hash));
    memcpy(device.handle, handle, HANDLE_SIZE);
    device_put(txn, CHORES_COMMUNITY, &device);
    contact_put(txn, CHORES_COMMUNITY, handle, &(struct contact){.bytes_in = 3});
    quota_put(txn, CHORES_COMMUNITY, handle, &(struct quota){.changes = 4});
    role_put(txn, CHORES_COMMUNITY, handle,
             &(struct role_row){.from = 1, .decided = decided, .role = ROLE_MEMBER});
    token_put(txn, hash, CHORES_COMMUNITY, handle, 5);
    apart_put(txn, CHORES_COMMUNITY, handle, 1, 2, &decided, REASON_WRONG_ID);
    erased_put(txn, CHORES_COMMUNITY, handle, CHORES_HUSK, CHORES_TAG, hash);
    closed_put(txn, CHORES_COMMUNITY, &closed, CLOSED_ALONE);
    keep_put(txn, CHORES_COMMUNITY, &(struct keep){.until = -1, .record = record});
    (void)evidence_put(txn, CHORES_COMMUNITY, handle, hash, bytes_of_text("a run"));
    carry_put(txn, CHORES_COMMUNITY, &(struct carry){.position = CHORES_WHOLE});
    invitation_put(txn, hash, &invitation);
    invitation_note_use(txn, hash, handle);
    live_put(txn, CHORES_COMMUNITY, &(struct live){.key = edit});
    cover_put(txn, CHORES_COMMUNITY, &(struct cover){.target = edit});
    about_put(txn, CHORES_COMMUNITY, &closed, &record, bytes_of(NULL, 0));
}

void chores_print(struct txn *txn, uint8_t print[HASH_SIZE])
{
    struct hash all;
    hash_begin(&all, "all rows");
    for (int i = TABLE_COMMUNITY; i < TABLE_COUNT; i++) {
        struct walk walk;
        walk_begin(&walk, txn, (enum table)i, bytes_of(NULL, 0), bytes_of(NULL, 0));
        while (walk_next(&walk)) {
            hash_put_u8(&all, (uint8_t)walk.err);
            hash_put_sized(&all, walk.key);
            hash_put_sized(&all, walk.value);
        }
        walk_end(&walk);
    }
    hash_end(&all, print);
}
