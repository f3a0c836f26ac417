#include "tests/daemon/caller.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/sign.h"
#include "base/text.h"
#include "sync/digest.h"

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
    struct answer *answer = user;
    buf_put(&answer->body, bytes_of(p, size * n));
    return size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
    struct answer *answer = user;
    char line[256];
    (void)snprintf(line, sizeof line, "%.*s", (int)(size * n), p);
    (void)sscanf(line, "content-type: %63[^\r\n]", answer->content_type);
    (void)sscanf(line, "grpc-status: %7[^\r\n]", answer->grpc_status);
    return size * n;
}

struct upload {
    struct bytes left;
};

static size_t on_upload(char *p, size_t size, size_t n, void *user)
{
    struct upload *upload = user;
    size_t some = upload->left.n < size * n ? upload->left.n : size * n;
    if (some > 0)
        memcpy(p, upload->left.p, some);
    upload->left = bytes_of(upload->left.p + some, upload->left.n - some);
    return some;
}

static struct curl_slist *headers_of(const struct ask *ask)
{
    char line[512];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    (void)snprintf(line, sizeof line, "content-type: %s",
                   ask->type ? ask->type : "application/proto");
    list = curl_slist_append(list, line);
    if (ask->token) {
        (void)snprintf(line, sizeof line, "authorization: Bearer %s", ask->token);
        list = curl_slist_append(list, line);
    }
    return ask->header ? curl_slist_append(list, ask->header) : list;
}

static void set_body(CURL *curl, const struct ask *ask, struct upload *upload)
{
    if (ask->method && strcmp(ask->method, "GET") == 0)
        return;
    (void)curl_easy_setopt(curl, CURLOPT_POST, 1L);
    if (ask->chunked) {
        upload->left = ask->body;
        (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
        (void)curl_easy_setopt(curl, CURLOPT_READDATA, upload);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, -1L);
    } else {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)ask->body.n);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                               ask->body.n ? (const char *)ask->body.p : "");
    }
    if (ask->method)
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
}

static void set_up(CURL *curl, const struct ask *ask, struct answer *answer)
{
    char url[4096];
    (void)snprintf(url, sizeof url, "%s://127.0.0.1:%s%s", ask->plain ? "http" : "https",
                   ask->plain ? ask->hub->plain_port : ask->hub->tls_port, ask->path);
    long version = ask->http1   ? CURL_HTTP_VERSION_1_1
                   : ask->plain ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                : CURL_HTTP_VERSION_2TLS;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
}

void caller_ask(const struct ask *ask, struct answer *answer)
{
    CURL *curl = curl_easy_init();
    EXPECT(curl);
    buf_reset(&answer->body);
    answer->status = 0;
    answer->content_type[0] = answer->grpc_status[0] = '\0';
    struct upload upload;
    struct curl_slist *headers = headers_of(ask);
    set_up(curl, ask, answer);
    set_body(curl, ask, &upload);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    // The hub may reset the rest of an upload once it has answered.
    if (code == CURLE_OK || answer->content_type[0])
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
}

long caller_call(const struct process *hub, const char *path, const char *token,
                 const struct message *request_message, const void *request,
                 const struct message *response_message, void *response, struct arena *arena)
{
    struct buf body = {0};
    struct answer answer = {0};
    message_encode(request_message, request, &body);
    EXPECT(!body.err);
    caller_ask(&(struct ask){.hub = hub, .path = path, .token = token, .body = buf_bytes(&body)},
               &answer);
    if (answer.status == 200) {
        struct fault fault;
        struct bytes kept = arena_copy(arena, buf_bytes(&answer.body));
        EXPECT(message_decode(response_message, kept, arena, response, &fault) == OK);
    }
    buf_done(&body);
    buf_done(&answer.body);
    return answer.status;
}

bool caller_is_error(const struct answer *answer, const char *code)
{
    cJSON *json = cJSON_ParseWithLength((const char *)answer->body.p, answer->body.n);
    const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "code"));
    const char *why = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "message"));
    bool ok = said && strcmp(said, code) == 0 && why && why[0] &&
              strcmp(answer->content_type, "application/json") == 0;
    if (!ok)
        (void)fprintf(stderr, "not %s but: %ld %.*s\n", code, answer->status, (int)answer->body.n,
                      answer->body.n ? (const char *)answer->body.p : "");
    cJSON_Delete(json);
    return ok;
}

static void read_part(const char *link, const char *name, uint8_t *out, size_t n)
{
    const char *at = strstr(link, name);
    EXPECT(at);
    at += strlen(name);
    EXPECT(text_unbase64url(bytes_of(at, strcspn(at, "&")), out, n) == OK);
}

void caller_invite(const struct process *hub, const char *community, struct joining *joining)
{
    char out[4096];
    EXPECT(process_ctl(hub, out, sizeof out, (const char *[]){"invite", community, NULL}) == 0);
    cJSON *json = cJSON_Parse(out);
    const char *link = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "link"));
    EXPECT(link && strncmp(link, "folkmoot://127.0.0.1:8443/join?", 31) == 0);
    read_part(link, "community=", joining->community, COMMUNITY_SIZE);
    read_part(link, "hub=", joining->hub_key, KEY_SIZE);
    read_part(link, "code=", joining->code, CODE_SIZE);
    cJSON_Delete(json);
}

static void sign_transcript(const struct joining *joining, const uint8_t seed[32],
                            const uint8_t key[KEY_SIZE], bool login,
                            const struct info_response *info, uint8_t signature[SIGN_SIZE])
{
    uint8_t invitation[HASH_SIZE];
    struct buf transcript = {0};
    digest_invitation(joining->code, invitation);
    const struct enrol_transcript said = {
        .purpose = login ? PURPOSE_LOGIN : PURPOSE_ENROL,
        .hub_key = joining->hub_key,
        .community = joining->community,
        .device_key = key,
        .invitation_hash = login ? NULL : invitation,
        .challenge = info->challenge,
        .expires = info->challenge_expires,
    };
    digest_enrol_transcript(&said, &transcript);
    EXPECT(sign_make(seed, buf_bytes(&transcript), signature) == OK);
    buf_done(&transcript);
}

long caller_enrol(const struct process *hub, const struct joining *joining, const uint8_t seed[32],
                  bool login, char token[64])
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct info_response info = {0};
    EXPECT(caller_call(hub, "/folkmoot.v1.InfoService/Info", NULL, &info_request_message,
                       &(struct info_request){.nonce = {NULL, 0}}, &info_response_message, &info,
                       &arena) == 200);
    uint8_t key[KEY_SIZE], signature[SIGN_SIZE];
    EXPECT(sign_public_key(seed, key) == OK);
    sign_transcript(joining, seed, key, login, &info, signature);
    struct admission admission = {0};
    long status =
        login ? caller_call(hub, "/folkmoot.v1.EnrolService/Login", NULL, &login_request_message,
                            &(struct login_request){.community = BYTES(joining->community),
                                                    .device_key = BYTES(key),
                                                    .challenge = info.challenge,
                                                    .expires = info.challenge_expires,
                                                    .signature = BYTES(signature)},
                            &login_response_message, &admission, &arena)
              : caller_call(hub, "/folkmoot.v1.EnrolService/Enrol", NULL, &enrol_request_message,
                            &(struct enrol_request){.community = BYTES(joining->community),
                                                    .device_key = BYTES(key),
                                                    .invitation = BYTES(joining->code),
                                                    .challenge = info.challenge,
                                                    .expires = info.challenge_expires,
                                                    .signature = BYTES(signature)},
                            &enrol_response_message, &admission, &arena);
    if (status == 200) {
        struct buf text = {0};
        text_base64url(&text, admission.token);
        buf_put_u8(&text, 0);
        EXPECT(!text.err && text.n <= 64);
        memcpy(token, text.p, text.n);
        buf_done(&text);
    }
    arena_done(&arena);
    return status;
}
