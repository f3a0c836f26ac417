// Who may do what: roles, revocations, what is set apart, erasures, tokens.

#include <stdlib.h>

#include "base/text.h"
#include "daemon/admin_private.h"
#include "daemon/decisions.h"
#include "daemon/named.h"
#include "daemon/random.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"

// --- finding a device by its handle, the beginning of it, or its label ---

struct device_search {
    const char *wanted;
    uint8_t found[HANDLE_SIZE];
    int count;
};

static bool consider(const struct device *device, void *arg)
{
    struct device_search *search = arg;
    char hex[2 * HANDLE_SIZE + 1];
    size_t n = strlen(search->wanted);
    text_hex(BYTES(device->handle), hex);
    bool fits = (n >= 6 && n < sizeof hex && strncmp(hex, search->wanted, n) == 0) ||
                (n > 0 && strcmp(device->label, search->wanted) == 0);
    if (fits && device->role != ROLE_HUB) {
        memcpy(search->found, device->handle, HANDLE_SIZE);
        search->count++;
    }
    return true;
}

static enum err find_device(struct txn *txn, uint32_t community, const char *wanted,
                            uint8_t handle[HANDLE_SIZE], struct fault *fault)
{
    struct device_search search = {.wanted = wanted};
    device_each(txn, community, consider, &search);
    if (txn_error(txn))
        return txn_error(txn);
    if (search.count != 1)
        return fault_set(fault, search.count ? ERR_EXISTS : ERR_NOT_FOUND,
                         search.count
                             ? "several devices are meant by that: give more digits of the "
                               "handle"
                             : "no such device: name it by its label, or by 6 or more "
                               "digits of its handle");
    memcpy(handle, search.found, HANDLE_SIZE);
    return OK;
}

// --- decisions ---

static enum err run_decision(struct writer_item *item, struct txn *txn, bool again,
                             struct fault *fault)
{
    (void)again;
    struct job *job = admin_job_of(item);
    uint8_t random[32];
    random_fill(random, sizeof random);
    job->count = 0;
    enum err err = named_community(txn, job->wanted, &job->community, fault);
    if (!err && job->has_device)
        err = find_device(txn, job->community.number, job->label, job->device, fault);
    if (err)
        return err;
    struct hub_decider decider = {.txn = txn,
                                  .community = &job->community,
                                  .now = job->now,
                                  .random = random,
                                  .fault = fault};
    err = job->decide(job, &decider);
    job->effects = decider.effects;
    item->decides = job->effects.revoked || job->effects.erased;
    return err;
}

static void on_decided(struct writer_item *item)
{
    struct job *job = admin_job_of(item);
    if (item->err) {
        admin_end_job(job, admin_fault(item->err, &item->fault));
        return;
    }
    struct call_context *calls = job->context->calls;
    calls->affected(calls->arg, job->community.number, &job->effects);
    cJSON *answer = admin_ok();
    (void)cJSON_AddStringToObject(answer, "community", job->community.name);
    if (job->has_device)
        admin_hex(answer, "device", BYTES(job->device));
    admin_number(answer, "count", job->count);
    admin_end_job(job, answer);
}

static enum err prepare(struct job *job, const cJSON *request, bool has_device,
                        enum err (*decide)(struct job *, struct hub_decider *), struct fault *fault)
{
    job->item.run = run_decision;
    job->item.done = on_decided;
    job->decide = decide;
    job->has_device = has_device;
    enum err err = admin_copy_text(request, "community", job->wanted, sizeof job->wanted, fault);
    if (!err && has_device)
        err = admin_copy_text(request, "device", job->label, sizeof job->label, fault);
    return err;
}

static enum err decide_role(struct job *job, struct hub_decider *decider)
{
    return hub_grant(decider, NULL, job->device, job->role);
}

enum err admin_prepare_role(struct job *job, const cJSON *request, struct fault *fault)
{
    job->role = role_by_name(admin_text(request, "role"));
    if (job->role == ROLE_NONE || job->role == ROLE_HUB)
        return fault_set(fault, ERR_MALFORMED,
                         "the role is member, volunteer, coordinator or observer");
    return prepare(job, request, true, decide_role, fault);
}

static enum err decide_revoke(struct job *job, struct hub_decider *decider)
{
    return hub_revoke(decider, NULL, job->device);
}

enum err admin_prepare_revoke(struct job *job, const cJSON *request, struct fault *fault)
{
    return prepare(job, request, true, decide_revoke, fault);
}

static enum err decide_reinstate(struct job *job, struct hub_decider *decider)
{
    return hub_reinstate(decider, NULL, job->device);
}

enum err admin_prepare_reinstate(struct job *job, const cJSON *request, struct fault *fault)
{
    return prepare(job, request, true, decide_reinstate, fault);
}

static enum err decide_release(struct job *job, struct hub_decider *decider)
{
    uint32_t released = 0;
    uint32_t last = job->seq ? job->seq : UINT32_MAX;
    enum err err =
        hub_release(decider, NULL, job->device, job->seq ? job->seq : 1, last, &released);
    job->count = released;
    return err;
}

// Absent: 0.
static enum err read_seq(const cJSON *request, uint32_t *seq, struct fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "seq");
    double value = cJSON_IsNumber(item) ? item->valuedouble : 0;
    *seq = 0;
    if (item && !(value >= 1 && value <= UINT32_MAX))
        return fault_set(fault, ERR_MALFORMED, "a seq is a number from 1 on");
    *seq = (uint32_t)value;
    return OK;
}

enum err admin_prepare_release(struct job *job, const cJSON *request, struct fault *fault)
{
    enum err err = read_seq(request, &job->seq, fault);
    return err ? err : prepare(job, request, true, decide_release, fault);
}

// --- erasing ---

static enum err erase_change(struct job *job, struct hub_decider *decider)
{
    uint64_t position;
    struct log_entry entry;
    enum err err = log_find(decider->txn, job->community.number, job->device, job->seq, &position);
    if (!err)
        err = log_get(decider->txn, job->community.number, position, &entry);
    if (err == ERR_NOT_FOUND)
        return fault_set(decider->fault, err, "this device has no such change here");
    if (err)
        return err;
    struct change_ref ref = {BYTES(job->device), job->seq, log_tag(&entry)};
    return hub_erase(decider, &(struct hub_erasing){.changes = {&ref, 1}}, &job->count);
}

static enum err decide_erase(struct job *job, struct hub_decider *decider)
{
    if (job->has_device)
        return erase_change(job, decider);
    struct ref ref = {job->record.kind, BYTES(job->record.id)};
    return hub_erase(decider, &(struct hub_erasing){.records = {&ref, 1}}, &job->count);
}

// "need:ID", the id in hexadecimal.
static enum err read_record(const char *text, struct record_key *record, struct fault *fault)
{
    const char *colon = strchr(text, ':');
    char name[32] = "";
    if (colon && (size_t)(colon - text) < sizeof name)
        memcpy(name, text, (size_t)(colon - text));
    const struct schema_kind *kind = schema_kind_by_name(name);
    if (!colon || !kind || text_unhex(bytes_of_text(colon + 1), record->id, ID_SIZE))
        return fault_set(fault, ERR_MALFORMED,
                         "a record is KIND:ID, the whole id in hexadecimal: need:0123…");
    record->kind = kind->kind;
    return OK;
}

enum err admin_prepare_erase(struct job *job, const cJSON *request, struct fault *fault)
{
    const char *record = admin_text(request, "record");
    enum err err = read_seq(request, &job->seq, fault);
    if (!err && (job->seq != 0) == (record[0] != 0))
        err = fault_set(fault, ERR_MALFORMED, "say either a record, or a device and a seq");
    if (!err && !job->seq)
        err = read_record(record, &job->record, fault);
    return err ? err : prepare(job, request, job->seq != 0, decide_erase, fault);
}

// --- tokens and keys ---

struct voiding {
    struct job *job;
    struct txn *txn;
};

static bool void_one(const struct device *device, void *arg)
{
    struct voiding *voiding = arg;
    if (device->role == ROLE_HUB)
        return true;
    token_void(voiding->txn, voiding->job->community.number, device->handle);
    voiding->job->count++;
    return true;
}

static enum err decide_void(struct job *job, struct hub_decider *decider)
{
    struct voiding voiding = {job, decider->txn};
    if (job->has_device) {
        token_void(decider->txn, job->community.number, job->device);
        job->count = 1;
    } else {
        device_each(decider->txn, job->community.number, void_one, &voiding);
    }
    return txn_error(decider->txn);
}

enum err admin_prepare_rotate_tokens(struct job *job, const cJSON *request, struct fault *fault)
{
    return prepare(job, request, admin_text(request, "device")[0] != 0, decide_void, fault);
}

cJSON *admin_rotate_tls(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)request;
    (void)txn;
    struct fault fault = {0};
    enum err err = context->rotate_tls(context->arg, &fault);
    return err ? admin_fault(err, &fault) : admin_ok();
}

// --- what is set apart ---

enum { APART_MAX = 1000 };

struct apart_listing {
    struct txn *txn;
    uint32_t community;
    cJSON *list;
    uint64_t n;
};

static uint32_t kind_of(struct txn *txn, uint32_t community, const struct apart *apart)
{
    uint64_t position;
    struct log_entry entry;
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 256 << 10);
    if (log_find(txn, community, apart->device, apart->seq, &position) ||
        log_get(txn, community, position, &entry) || log_tag(&entry) != apart->tag ||
        envelope_decode(entry.envelope, &arena, &envelope, NULL))
        return 0;
    return envelope.kind;
}

static bool list_apart(const struct apart *apart, void *arg)
{
    struct apart_listing *listing = arg;
    cJSON *item = cJSON_CreateObject();
    uint32_t kind = kind_of(listing->txn, listing->community, apart);
    const struct schema_kind *known = schema_kind(kind);
    admin_hex(item, "device", BYTES(apart->device));
    admin_number(item, "seq", apart->seq);
    (void)cJSON_AddStringToObject(item, "kind", known ? known->name : "unknown");
    (void)cJSON_AddStringToObject(item, "reason", decision_reason((uint32_t)apart->reason));
    (void)cJSON_AddItemToArray(listing->list, item);
    return ++listing->n < APART_MAX;
}

cJSON *admin_apart(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)context;
    struct fault fault = {0};
    struct community community = {.number = 0};
    enum err err = named_community(txn, admin_text(request, "community"), &community, &fault);
    if (err)
        return admin_fault(err, &fault);
    cJSON *answer = admin_ok();
    struct apart_listing listing = {txn, community.number, cJSON_AddArrayToObject(answer, "apart"),
                                    0};
    apart_each(txn, community.number, NULL, list_apart, &listing);
    (void)cJSON_AddBoolToObject(answer, "more", listing.n == APART_MAX);
    return answer;
}

static bool count_one(const struct apart *apart, void *arg)
{
    (void)apart;
    ++*(uint64_t *)arg;
    return true;
}

uint64_t admin_count_apart(struct txn *txn, uint32_t community, const uint8_t handle[HANDLE_SIZE])
{
    uint64_t n = 0;
    apart_each(txn, community, handle, count_one, &n);
    return n;
}

// --- the table of roles ---

// Of which roles: all, or one.
struct roles {
    int first;
    int last;
};

static cJSON *reaches_of(const struct roles *roles,
                         enum role_reach (*reach)(enum role role, uint32_t row), uint32_t row)
{
    cJSON *object = cJSON_CreateObject();
    for (int role = roles->first; role <= roles->last; role++)
        (void)cJSON_AddStringToObject(object, role_name((enum role)role),
                                      role_reach_name(reach((enum role)role, row)));
    return object;
}

static enum role_reach reach_of_call(enum role role, uint32_t call)
{
    return role_may_call(role, (enum role_call)call);
}

static enum role_reach reach_to_see(enum role role, uint32_t kind)
{
    const struct schema_kind *known = schema_kind(kind);
    return role_may_see(role, kind, known ? known->class : CLASS_ORDINARY);
}

static void add_kinds(cJSON *object, const struct roles *roles,
                      enum role_reach (*reach)(enum role role, uint32_t kind))
{
    for (uint32_t kind = 1; schema_kind(kind); kind++)
        (void)cJSON_AddItemToObject(object, schema_kind(kind)->name,
                                    reaches_of(roles, reach, kind));
    (void)cJSON_AddItemToObject(object, "unknown", reaches_of(roles, reach, KIND_MAX));
}

cJSON *admin_who_may(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)context;
    (void)txn;
    const char *name = admin_text(request, "role");
    enum role only = role_by_name(name);
    bool is_revoked = strcmp(name, role_name(ROLE_NONE)) == 0;
    struct roles roles = {ROLE_NONE, ROLE_COUNT - 1};
    if (name[0] && only == ROLE_NONE && !is_revoked)
        return admin_error("a role is member, volunteer, coordinator, observer or hub; or revoked");
    if (name[0])
        roles = (struct roles){(int)only, (int)only};
    cJSON *answer = admin_ok();
    cJSON *call = cJSON_AddObjectToObject(answer, "call");
    for (uint32_t i = 0; i < CALL_COUNT; i++)
        (void)cJSON_AddItemToObject(call, role_call_name((enum role_call)i),
                                    reaches_of(&roles, reach_of_call, i));
    add_kinds(cJSON_AddObjectToObject(answer, "write"), &roles, role_may_write);
    add_kinds(cJSON_AddObjectToObject(answer, "see"), &roles, reach_to_see);
    return answer;
}
