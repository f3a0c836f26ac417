#include "tests/daemon/hall.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "storage/community.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"

enum { WORDS_MAX = 16, SAID_MAX = 256 << 10 };

// --- folkmootctl ---

// Its standard output, the caller's (free); what it says on standard error is not the hub's.
static char *run(struct hall *hall, bool json, int *status, const char *const *words)
{
    char errors[96];
    const char *argv[WORDS_MAX] = {FOLKMOOTCTL, "--socket", hall->hub.socket};
    size_t n = 3;
    (void)snprintf(errors, sizeof errors, "%s/ctl", hall->hub.dir);
    if (json)
        argv[n++] = "--json";
    for (size_t i = 0; words[i]; i++) {
        CHECK(n < WORDS_MAX - 1, "too many words");
        argv[n++] = strcmp(words[i], "COMMUNITY") == 0 ? hall->hub.community : words[i];
    }
    return child_output(argv, errors, status);
}

cJSON *hall_ctl(struct hall *hall, const char *const *words)
{
    int status;
    char *text = run(hall, true, &status, words);
    CHECK(status == 0, "folkmootctl %s ended with %d: %s", words[0], status, text);
    cJSON *answer = cJSON_Parse(text);
    CHECK(answer, "folkmootctl %s said no JSON: %s", words[0], text);
    free(text);
    return answer;
}

void hall_do(struct hall *hall, const char *const *words)
{
    cJSON_Delete(hall_ctl(hall, words));
}

char *hall_print(struct hall *hall, const char *const *words)
{
    int status;
    char *text = run(hall, false, &status, words);
    CHECK(status == 0, "folkmootctl %s ended with %d: %s", words[0], status, text);
    return text;
}

char *hall_refused(struct hall *hall, int status, const char *const *words)
{
    int ended;
    char *text = run(hall, true, &ended, words);
    CHECK(ended == status, "folkmootctl %s ended with %d: %s", words[0], ended, text);
    return text;
}

const char *hall_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

double hall_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : -1;
}

cJSON *hall_device(struct hall *hall, const struct peer *peer)
{
    cJSON *told = hall_ctl(hall, (const char *[]){"devices", "COMMUNITY", NULL});
    cJSON *list = cJSON_GetObjectItemCaseSensitive(told, "devices");
    cJSON *found = NULL;
    for (int i = 0; !found && i < cJSON_GetArraySize(list); i++)
        if (strcmp(hall_text(cJSON_GetArrayItem(list, i), "handle"), hall_hex(peer)) == 0)
            found = cJSON_DetachItemFromArray(list, i);
    CHECK(found, "the device is not in the list");
    cJSON_Delete(told);
    return found;
}

bool hall_has_said(struct hall *hall, const char *text)
{
    char path[96];
    char *said = malloc(SAID_MAX);
    (void)snprintf(path, sizeof path, "%s/stderr", hall->hub.dir);
    FILE *file = fopen(path, "re");
    CHECK(said && file, "%s", path);
    said[fread(said, 1, SAID_MAX - 1, file)] = '\0';
    bool has = strstr(said, text) != NULL;
    (void)fclose(file);
    free(said);
    return has;
}

// --- the database ---

void hall_edit(struct hall *hall, void (*edit)(struct txn *txn, uint32_t community, void *arg),
               void *arg)
{
    char path[96];
    uint8_t id[COMMUNITY_SIZE];
    struct community community;
    struct store *store = NULL;
    struct fault fault = {0};
    hub_stop(&hall->hub);
    (void)snprintf(path, sizeof path, "%s/state/db", hall->hub.dir);
    CHECK(text_unhex(bytes_of_text(hall->hub.community), id, sizeof id) == OK, "no id");
    CHECK(store_open(path, NULL, &store, &fault) == OK, "%s", fault.text);
    struct txn *txn = txn_begin_write(store);
    CHECK(community_get(txn, id, &community) == OK, "no community");
    edit(txn, community.number, arg);
    CHECK(txn_commit(&txn) == OK, "the database could not be changed");
    store_close(&store);
    hub_start(&hall->hub);
}

// --- devices ---

void hall_enrol(struct hall *hall, struct peer *peer, const char *role, const char *label)
{
    cJSON *told = hall_ctl(
        hall, (const char *[]){"invite", "COMMUNITY", "--role", role, "--label", label, NULL});
    peer_enrol(peer, hall->hub.port, hall_text(told, "link"));
    cJSON_Delete(told);
}

void hall_open(struct hall *hall, const char *more)
{
    hub_open(&hall->hub, more);
    hall_enrol(hall, &hall->coordinator, "coordinator", "Office");
    hall_enrol(hall, &hall->ann, "volunteer", "Ann");
    hall_enrol(hall, &hall->ben, "volunteer", "Ben");
}

void hall_close(struct hall *hall)
{
    hub_close(&hall->hub);
}

const char *hall_hex(const struct peer *peer)
{
    static char texts[4][2 * HANDLE_SIZE + 1];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    text_hex(BYTES(peer->handle), text);
    return text;
}

void hall_check_me(const struct peer *peer, long status, const char *code)
{
    struct post_answer answer;
    post_send(peer->port,
              &(struct post){.path = "/folkmoot.v1.RecordService/Me", .token = peer->token},
              &answer);
    CHECK(answer.status == status && strcmp(answer.code, code) == 0, "Me: %ld %s %s", answer.status,
          answer.code, answer.message);
    post_done(&answer);
}

void hall_push_need(struct peer *peer, const char *title)
{
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text(title));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_push(peer, &change, 1);
    buf_done(&fields);
}

void hall_push_membership(struct peer *peer, const struct peer *of, const uint8_t *id,
                          enum role role, int revoked)
{
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_MEMBERSHIP_DEVICE, BYTES(of->handle));
    if (role != ROLE_NONE)
        wire_put_uint(&fields, FIELD_MEMBERSHIP_ROLE, (uint64_t)role);
    if (revoked >= 0)
        wire_put_uint(&fields, FIELD_MEMBERSHIP_REVOKED, (uint64_t)revoked);
    struct peer_change change = peer_create(KIND_MEMBERSHIP, buf_bytes(&fields));
    if (id)
        change.envelope.id = bytes_of(id, ID_SIZE);
    peer_push(peer, &change, 1);
    buf_done(&fields);
}
