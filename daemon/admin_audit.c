// The log of what was decided, as the hub's own chain tells it: who may what since when, what was
// set apart, erased, withdrawn, and who asked. Never words.

#include "base/text.h"
#include "daemon/admin_private.h"
#include "daemon/decisions.h"
#include "daemon/named.h"
#include "proto/schema.h"

enum {
    LIMIT_DEFAULT = 200,
    LIMIT_MAX = 2000,
    DECISIONS_MAX = 4 * LIMIT_MAX, // that one answer reads, for the loop waits for it
    ASKER_READS_MAX = 20000,
};

struct auditing {
    struct txn *txn;
    const struct community *community;
    cJSON *list;
    size_t n;
    size_t max;
    bool newest; // what is too much is left out at the beginning
    uint32_t asker_reads;
};

static void put_device(struct auditing *a, cJSON *item, const char *name, const char *label,
                       const uint8_t handle[HANDLE_SIZE])
{
    struct device device;
    admin_hex(item, name, bytes_of(handle, HANDLE_SIZE));
    if (device_get(a->txn, a->community->number, handle, &device) == OK && device.label[0])
        (void)cJSON_AddStringToObject(item, label, device.label);
}

// Who it is when no record asks for it.
static const char *decider_of(const struct decision *decision)
{
    switch (decision->what) {
    case DECISION_ENROLLED:
        return "invitation";
    case DECISION_FOUNDED:
    case DECISION_SET_APART:
    case DECISION_FORK:
        return decision->withdraws ? "admin" : "hub";
    case DECISION_ERASED:
    case DECISION_CLOSED: // what was due, and what came too late, the hub erases by itself
        return "admin or hub";
    case DECISION_ROLE:
    case DECISION_REVOKED:
    case DECISION_COUNT:
        break;
    }
    return "admin";
}

static void put_asker(struct auditing *a, cJSON *item, const struct decision *decision)
{
    uint8_t handle[HANDLE_SIZE];
    if (decisions_asker(a->txn, a->community, decision, &a->asker_reads, handle))
        put_device(a, item, "asked_by", "asked_label", handle);
    else
        (void)cJSON_AddStringToObject(item, "asked_by",
                                      decision->asked.kind ? "unknown" : decider_of(decision));
}

static void put_closed(cJSON *item, const struct record_key *closed)
{
    const struct schema_kind *kind = schema_kind(closed->kind);
    (void)cJSON_AddStringToObject(item, "kind", kind ? kind->name : "unknown");
    admin_hex(item, "id", BYTES(closed->id));
}

static void put_details(cJSON *item, const struct decision *decision)
{
    if (decision->what == DECISION_ENROLLED || decision->what == DECISION_ROLE)
        (void)cJSON_AddStringToObject(item, "role", role_name((enum role)decision->role));
    if (decision->what == DECISION_ROLE || decision->what == DECISION_REVOKED)
        admin_number(item, "from", decision->from);
    if (decision->change > 0)
        admin_number(item, "change", decision->change);
    if (decision->what == DECISION_SET_APART)
        (void)cJSON_AddStringToObject(item, "reason", decision_reason(decision->reason));
    if (decision->what == DECISION_CLOSED)
        put_closed(item, &decision->closed);
    if (decision->withdraws)
        admin_number(item, "withdraws", decision->withdrawn);
}

static bool put_line(const struct decision *decision, void *arg)
{
    struct auditing *a = arg;
    cJSON *item = cJSON_CreateObject();
    admin_number(item, "decision", decision->seq);
    (void)cJSON_AddNumberToObject(item, "time", (double)decision->time);
    (void)cJSON_AddStringToObject(item, "what", decision_name(decision->what));
    if (decision->has_device)
        put_device(a, item, "device", "label", decision->device);
    put_details(item, decision);
    put_asker(a, item, decision);
    (void)cJSON_AddItemToArray(a->list, item);
    if (++a->n <= a->max || !a->newest)
        return true;
    cJSON_DeleteItemFromArray(a->list, 0);
    a->n--;
    return true;
}

// --- where to begin ---

// The first decision that is not before this time, by the hub's clock, which goes forward but for
// an admin who sets it.
static enum err find_time(const struct auditing *a, int64_t time, uint32_t end, uint32_t *from)
{
    uint32_t low = 1;
    uint32_t high = end + 1;
    enum err err = OK;
    while (!err && low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t at = 0;
        err = decisions_time(a->txn, a->community, middle, &at);
        if (at < time)
            low = middle + 1;
        else
            high = middle;
    }
    *from = low;
    return err;
}

static bool count_line(const struct decision *decision, void *arg)
{
    (void)decision;
    ++*(size_t *)arg;
    return true;
}

// The last decision from which on there are as many lines as are wanted.
static enum err find_newest(const struct auditing *a, uint32_t end, uint32_t *from)
{
    size_t lines = 0;
    enum err err = OK;
    *from = end + 1;
    while (!err && *from > 1 && lines < a->max && end + 1 - *from < DECISIONS_MAX)
        err = decisions_read(a->txn, a->community, --*from, count_line, &lines);
    return err;
}

static double number_of(const cJSON *request, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, name);
    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

static enum err find_begin(struct auditing *a, const cJSON *request, uint32_t end, uint32_t *from,
                           struct fault *fault)
{
    double seq = number_of(request, "from", 0);
    double time = number_of(request, "since_ms", -1);
    double limit = number_of(request, "limit", LIMIT_DEFAULT);
    if (!(seq >= 0 && seq <= UINT32_MAX) || !(limit >= 1 && limit <= LIMIT_MAX) ||
        !(time >= -1 && time < 1e15))
        return fault_set(fault, ERR_LIMIT,
                         "a decision's number from 1 on, or a time; and 1 to %d lines", LIMIT_MAX);
    a->max = (size_t)limit;
    a->newest = seq < 1 && time < 0;
    *from = seq >= 1 ? (uint32_t)seq : 1;
    if (a->newest)
        return find_newest(a, end, from);
    return time >= 0 ? find_time(a, (int64_t)time, end, from) : OK;
}

// --- the answer ---

static enum err audit(struct auditing *a, const cJSON *request, cJSON *answer, struct fault *fault)
{
    struct device hub;
    uint32_t seq = 1;
    enum err err = device_get(a->txn, a->community->number, a->community->log, &hub);
    if (!err)
        err = find_begin(a, request, hub.seq, &seq, fault);
    for (uint32_t n = 0;
         !err && seq <= hub.seq && (a->n < a->max || a->newest) && n < DECISIONS_MAX; n++, seq++)
        err = decisions_read(a->txn, a->community, seq, put_line, a);
    if (!err && seq <= hub.seq)
        admin_number(answer, "next", seq);
    return err;
}

cJSON *admin_audit(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)context;
    struct fault fault = {0};
    struct community community = {.number = 0};
    enum err err = named_community(txn, admin_text(request, "community"), &community, &fault);
    if (err)
        return admin_fault(err, &fault);
    cJSON *answer = admin_ok();
    struct auditing a = {.txn = txn,
                         .community = &community,
                         .list = cJSON_AddArrayToObject(answer, "decisions"),
                         .asker_reads = ASKER_READS_MAX};
    err = audit(&a, request, answer, &fault);
    if (!err)
        return answer;
    cJSON_Delete(answer);
    return admin_fault(err, &fault);
}
