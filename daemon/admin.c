#include <stdlib.h>

#include "base/text.h"
#include "daemon/admin_private.h"
#include "daemon/named.h"
#include "daemon/random.h"
#include "daemon/report.h"

enum {
    MINUTE_MS = 60000,
    VALID_MS_DEFAULT = 7 * 24 * 60 * MINUTE_MS,
    NAME_SIZE = 2 * NAME_MAX_BYTES,
};
static const double valid_ms_max = 366.0 * 24 * 60 * MINUTE_MS;

// --- answers ---

cJSON *admin_error(const char *text)
{
    cJSON *answer = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(answer, "ok", false);
    (void)cJSON_AddStringToObject(answer, "error", text);
    return answer;
}

cJSON *admin_fault(enum err err, const struct fault *fault)
{
    return admin_error(fault->text[0] ? fault->text : err_text(err));
}

cJSON *admin_ok(void)
{
    cJSON *answer = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(answer, "ok", true);
    return answer;
}

void admin_hex(cJSON *object, const char *name, struct bytes bytes)
{
    char hex[2 * HASH_SIZE + 1];
    text_hex(bytes, hex);
    (void)cJSON_AddStringToObject(object, name, hex);
}

void admin_number(cJSON *object, const char *name, uint64_t number)
{
    (void)cJSON_AddNumberToObject(object, name, (double)number);
}

const char *admin_text(const cJSON *request, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(request, name));
    return text ? text : "";
}

// --- commands that read ---

static bool count_one(const struct community *community, void *arg)
{
    *(uint64_t *)arg += community->is_hub;
    return true;
}

static cJSON *status(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)request;
    struct call_context *calls = context->calls;
    uint64_t used, max, communities = 0;
    community_each(txn, count_one, &communities);
    gate_size(calls->gate, &used, &max);
    cJSON *answer = admin_ok();
    (void)cJSON_AddStringToObject(answer, "version", FOLKMOOT_VERSION);
    admin_hex(answer, "hub_key", BYTES(calls->service->identity.key));
    (void)cJSON_AddStringToObject(answer, "address", context->address);
    admin_number(answer, "up_seconds",
                 (uint64_t)(loop_clock(calls->loop) - context->started) / 1000);
    admin_number(answer, "communities", communities);
    admin_number(answer, "connections", conns_count(context->conns));
    admin_number(answer, "connections_max", conns_max(context->conns));
    admin_number(answer, "connections_refused", conns_counts(context->conns)->refused);
    admin_number(answer, "calls", calls->answered);
    admin_number(answer, "calls_refused", calls->refused);
    admin_number(answer, "writes_waiting", writer_waiting(calls->writer));
    admin_number(answer, "database_bytes", used);
    admin_number(answer, "database_bytes_max", max);
    return answer;
}

static bool list_one(const struct community *community, void *arg)
{
    if (!community->is_hub)
        return true;
    cJSON *item = cJSON_CreateObject();
    admin_hex(item, "id", BYTES(community->id));
    (void)cJSON_AddStringToObject(item, "name", community->name);
    admin_number(item, "changes", community->size);
    (void)cJSON_AddItemToArray(arg, item);
    return true;
}

static cJSON *community_list(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    (void)context;
    (void)request;
    cJSON *answer = admin_ok();
    cJSON *list = cJSON_AddArrayToObject(answer, "communities");
    community_each(txn, list_one, list);
    return answer;
}

// Tells where the database is and which community is meant: reading all of it would hold up the
// loop, so whoever asks reads it in a process of their own.
static cJSON *fingerprint(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    struct fault fault = {0};
    struct community community = {.number = 0};
    enum err err = named_community(txn, admin_text(request, "community"), &community, &fault);
    if (err)
        return admin_fault(err, &fault);
    cJSON *answer = admin_ok();
    (void)cJSON_AddStringToObject(answer, "database", gate_path(context->calls->gate));
    admin_hex(answer, "id", BYTES(community.id));
    return answer;
}

// --- commands that write ---

struct job *admin_job_of(struct writer_item *item)
{
    return (struct job *)(void *)((char *)item - offsetof(struct job, item));
}

void admin_end_job(struct job *job, cJSON *answer)
{
    job->answered(job->arg, answer);
    bytes_wipe(job, sizeof *job);
    free(job);
}

enum err admin_copy_text(const cJSON *request, const char *name, char *out, size_t size,
                         struct fault *fault)
{
    const char *text = admin_text(request, name);
    size_t n = strlen(text);
    if (n >= size || !text_is_utf8(bytes_of(text, n)))
        return fault_set(fault, ERR_LIMIT, "\"%s\" is longer than %zu bytes, or not UTF-8", name,
                         size - 1);
    memcpy(out, text, n + 1);
    return OK;
}

static enum err run_create(struct writer_item *item, struct txn *txn, bool again,
                           struct fault *fault)
{
    (void)again;
    struct job *job = admin_job_of(item);
    struct hub_found_random random;
    random_fill(&random, sizeof random);
    enum err err = hub_found(txn, job->context->calls->service->identity.seed,
                             bytes_of_text(job->wanted), job->now, &random, &job->community, fault);
    bytes_wipe(&random, sizeof random);
    return err;
}

static void on_created(struct writer_item *item)
{
    struct job *job = admin_job_of(item);
    if (item->err) {
        admin_end_job(job, admin_fault(item->err, &item->fault));
        return;
    }
    cJSON *answer = admin_ok();
    admin_hex(answer, "id", BYTES(job->community.id));
    (void)cJSON_AddStringToObject(answer, "name", job->wanted);
    report_event(REPORT_INFO, &(struct report_about){.event = "community_founded"},
                 "a community was founded");
    admin_end_job(job, answer);
}

static enum err prepare_create(struct job *job, const cJSON *request, struct fault *fault)
{
    job->item.run = run_create;
    job->item.done = on_created;
    enum err err = admin_copy_text(request, "name", job->wanted, sizeof job->wanted, fault);
    if (!err && job->wanted[0] == '\0')
        err = fault_set(fault, ERR_MALFORMED, "a community needs a name");
    return err;
}

static enum err run_invite(struct writer_item *item, struct txn *txn, bool again,
                           struct fault *fault)
{
    (void)again;
    struct job *job = admin_job_of(item);
    random_fill(job->code, sizeof job->code);
    enum err err = named_community(txn, job->wanted, &job->community, fault);
    if (!err)
        err = hub_invite(
            txn, &job->community,
            &(struct hub_invitation){job->role, bytes_of_text(job->label), job->expires, job->uses},
            job->code, fault);
    return err;
}

static void on_invited(struct writer_item *item)
{
    struct job *job = admin_job_of(item);
    if (item->err) {
        admin_end_job(job, admin_fault(item->err, &item->fault));
        return;
    }
    struct buf link = {0};
    admin_join_link(job->context->address, &job->community,
                    job->context->calls->service->identity.key, job->code, &link);
    buf_put_u8(&link, 0);
    cJSON *answer = link.err ? admin_error("out of memory") : admin_ok();
    if (!link.err)
        (void)cJSON_AddStringToObject(answer, "link", (const char *)link.p);
    (void)cJSON_AddStringToObject(answer, "community", job->community.name);
    (void)cJSON_AddStringToObject(answer, "role", role_name(job->role));
    admin_number(answer, "uses", job->uses);
    (void)cJSON_AddNumberToObject(answer, "expires", (double)job->expires);
    if (link.p)
        bytes_wipe(link.p, link.cap);
    buf_done(&link);
    admin_end_job(job, answer);
}

static enum err read_role(const cJSON *request, enum role *role, struct fault *fault)
{
    const char *name = admin_text(request, "role");
    *role = name[0] ? role_by_name(name) : ROLE_VOLUNTEER;
    if (*role == ROLE_NONE || *role == ROLE_HUB)
        return fault_set(fault, ERR_MALFORMED,
                         "the role is member, volunteer, coordinator or observer");
    return OK;
}

static enum err read_uses(const cJSON *request, uint32_t *uses, struct fault *fault)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "uses");
    double number = cJSON_IsNumber(item) ? item->valuedouble : 1;
    if (!(number >= 1 && number <= INVITATION_USES_MAX))
        return fault_set(fault, ERR_LIMIT, "an invitation is for 1 to %d devices",
                         INVITATION_USES_MAX);
    *uses = (uint32_t)number;
    return OK;
}

static enum err read_expiry(const cJSON *request, int64_t now, int64_t *expires,
                            struct fault *fault)
{
    const cJSON *valid = cJSON_GetObjectItemCaseSensitive(request, "valid_ms");
    double ms = cJSON_IsNumber(valid) ? valid->valuedouble : VALID_MS_DEFAULT;
    if (!(ms >= MINUTE_MS && ms <= valid_ms_max))
        return fault_set(fault, ERR_LIMIT, "an invitation is valid for a minute to a year");
    *expires = now + (int64_t)ms;
    return OK;
}

static enum err prepare_invite(struct job *job, const cJSON *request, struct fault *fault)
{
    job->item.run = run_invite;
    job->item.done = on_invited;
    if (job->context->address[0] == '\0')
        return fault_set(fault, ERR_WRONG_STATE,
                         "the link needs the hub's public HOST:PORT: set [hub] address in the "
                         "configuration and restart");
    enum err err = admin_copy_text(request, "community", job->wanted, sizeof job->wanted, fault);
    if (!err)
        err = admin_copy_text(request, "label", job->label, sizeof job->label, fault);
    if (!err)
        err = read_role(request, &job->role, fault);
    if (!err)
        err = read_uses(request, &job->uses, fault);
    return err ? err : read_expiry(request, job->now, &job->expires, fault);
}

static void put_percent(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '_' || c == '.' || c == '~';
        if (plain)
            buf_put_u8(out, c);
        else
            buf_put_format(out, "%%%02X", c);
    }
}

void admin_join_link(const char *address, const struct community *community,
                     const uint8_t hub_key[KEY_SIZE], const uint8_t code[CODE_SIZE],
                     struct buf *link)
{
    buf_put_text(link, "folkmoot://");
    buf_put_text(link, address);
    buf_put_text(link, "/join?community=");
    text_base64url(link, BYTES(community->id));
    buf_put_text(link, "&hub=");
    text_base64url(link, bytes_of(hub_key, KEY_SIZE));
    buf_put_text(link, "&code=");
    text_base64url(link, bytes_of(code, CODE_SIZE));
    buf_put_text(link, "&name=");
    put_percent(link, bytes_of(community->name, community->name_n));
}

// --- the table ---

static const struct {
    const char *name;
    admin_read *read;
    admin_prepare *prepare;
} commands[] = {
    {"status", status, NULL},
    {"community list", community_list, NULL},
    {"devices", admin_devices, NULL},
    {"fingerprint", fingerprint, NULL},
    {"apart", admin_apart, NULL},
    {"audit", admin_audit, NULL},
    {"picture", admin_picture, NULL},
    {"who-may", admin_who_may, NULL},
    {"role", NULL, admin_prepare_role},
    {"revoke", NULL, admin_prepare_revoke},
    {"reinstate", NULL, admin_prepare_reinstate},
    {"release", NULL, admin_prepare_release},
    {"erase", NULL, admin_prepare_erase},
    {"rotate tokens", NULL, admin_prepare_rotate_tokens},
    {"rotate tls", admin_rotate_tls, NULL},
    {"community create", NULL, prepare_create},
    {"invite", NULL, prepare_invite},
};

static cJSON *run_read(struct admin_context *context, admin_read *read, const cJSON *request)
{
    struct txn *txn = gate_begin_read(context->calls->gate);
    if (!txn)
        return admin_error(err_text(ERR_BUSY));
    cJSON *answer = read(context, request, txn);
    enum err err = txn_error(txn);
    if (!err && txn_damage(txn))
        (void)cJSON_AddBoolToObject(answer, "damaged", true);
    gate_end_read(context->calls->gate, &txn);
    if (!err)
        return answer;
    cJSON_Delete(answer);
    return admin_error(err_text(err));
}

static void start_job(struct admin_context *context, admin_prepare *prepare, const cJSON *request,
                      void (*answered)(void *, cJSON *), void *arg)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        answered(arg, admin_error(err_text(ERR_NOMEM)));
        return;
    }
    job->context = context;
    job->answered = answered;
    job->arg = arg;
    job->now = loop_clock(context->calls->loop);
    job->item.bytes = sizeof *job;
    struct fault fault = {0};
    enum err err = prepare(job, request, &fault);
    if (err)
        admin_end_job(job, admin_fault(err, &fault));
    else
        writer_put(context->calls->writer, &job->item);
}

void admin_run(struct admin_context *context, const cJSON *request,
               void (*answered)(void *arg, cJSON *answer), void *arg)
{
    const char *name = admin_text(request, "command");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].read)
            answered(arg, run_read(context, commands[i].read, request));
        else
            start_job(context, commands[i].prepare, request, answered, arg);
        return;
    }
    answered(arg, admin_error("no such command"));
}
