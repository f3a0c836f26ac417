#include "tests/e2e/device.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "client/command/http.h"
#include "tests/e2e/check.h"

enum { SESSIONS_A_CONNECTION = 200 };

// --- life ---

void device_open(struct device_host *device, const char *dir, const char *name)
{
    device_open_with(device, dir, name, NULL);
}

void device_open_with(struct device_host *device, const char *dir, const char *name,
                      const struct folkmoot_host *host)
{
    struct folkmoot_error error = {0};
    *device = (struct device_host){0};
    (void)snprintf(device->path, sizeof device->path, "%s/%s", dir, name);
    CHECK(folkmoot_open(device->path, host, &device->fm, &error) == FOLKMOOT_OK, "%s", error.text);
    device_route(device, 0);
}

void device_close(struct device_host *device)
{
    http_free(&device->http);
    folkmoot_close(&device->fm);
}

void device_route(struct device_host *device, uint16_t port)
{
    http_free(&device->http);
    device->http = http_new(NULL, NULL);
    CHECK(device->http, "libcurl could not be started");
    device->port = port;
}

// --- sessions ---

// libcurl 7.88 resets each stream behind its answer, and nghttp2 allows a connection a thousand
// resets at once: no real device asks so often in so short a time.
static void renew_connection(struct device_host *device)
{
    if (++device->sessions % SESSIONS_A_CONNECTION == 0)
        device_route(device, device->port);
}

static double now_seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static enum folkmoot_code run_session(struct device_host *device, struct folkmoot_session *session,
                                      struct folkmoot_error *error)
{
    struct folkmoot_request request;
    enum folkmoot_next next;
    char address[32];
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", device->port);
    while ((next = folkmoot_session_next(session, &request)) == FOLKMOOT_SEND) {
        if (device->port)
            request.address = address;
        double begun = now_seconds();
        http_carry(device->http, session, &request);
        device->carried_seconds += now_seconds() - begun;
    }
    if (next == FOLKMOOT_DONE)
        return FOLKMOOT_OK;
    struct folkmoot_error why = *folkmoot_session_error(session);
    CHECK(why.code != FOLKMOOT_OK, "a failed session without a reason");
    CHECK(why.text[0], "a failed session without a sentence (code %d)", (int)why.code);
    if (error)
        *error = why;
    return why.code;
}

enum folkmoot_code device_join(struct device_host *device, const char *link,
                               struct folkmoot_error *error)
{
    struct folkmoot_session *session = NULL;
    enum folkmoot_code code = folkmoot_join(device->fm, link, &session, error);
    if (code != FOLKMOOT_OK)
        return code;
    code = run_session(device, session, error);
    folkmoot_session_done(&session);
    return code;
}

enum folkmoot_code device_sync(struct device_host *device, struct folkmoot_progress *progress,
                               struct folkmoot_error *error)
{
    struct folkmoot_session *session = NULL;
    renew_connection(device);
    enum folkmoot_code code = folkmoot_sync(device->fm, &session, error);
    if (code != FOLKMOOT_OK)
        return code;
    code = run_session(device, session, error);
    if (progress)
        folkmoot_session_progress(session, progress);
    folkmoot_session_done(&session);
    return code;
}

enum folkmoot_code device_sync_by(struct device_host *device, uint16_t port,
                                  struct folkmoot_progress *progress, struct folkmoot_error *error)
{
    struct device_host detour = *device;
    detour.http = NULL;
    detour.sessions = 0;
    device_route(&detour, port);
    enum folkmoot_code code = device_sync(&detour, progress, error);
    http_free(&detour.http);
    return code;
}

void device_must_join(struct device_host *device, const char *link)
{
    struct folkmoot_error error = {0};
    enum folkmoot_code code = device_join(device, link, &error);
    CHECK(code == FOLKMOOT_OK, "join of %s: %s (%s)", device->path, error.text,
          http_trouble(device->http));
}

struct folkmoot_progress device_must_sync(struct device_host *device)
{
    struct folkmoot_error error = {0};
    struct folkmoot_progress progress = {0};
    enum folkmoot_code code = device_sync(device, &progress, &error);
    CHECK(code == FOLKMOOT_OK, "sync of %s: %s (%s)", device->path, error.text,
          http_trouble(device->http));
    CHECK(progress.unsent == 0, "%u changes without a receipt after a sync", progress.unsent);
    return progress;
}

struct folkmoot_community device_community(struct device_host *device)
{
    struct folkmoot_community community;
    CHECK(folkmoot_community_at(device->fm, 0, &community) == FOLKMOOT_OK, "no community joined");
    return community;
}

// --- records ---

void device_add(struct device_host *device, const char *kind, const char *field, const char *value,
                uint8_t *id)
{
    struct folkmoot_error error = {0};
    struct folkmoot_put put = {field, value};
    uint8_t made[16];
    CHECK(folkmoot_add(device->fm, kind, &put, 1, 0, id ? id : made, &error) == FOLKMOOT_OK, "%s",
          error.text);
}

void device_edit(struct device_host *device, const char *kind, const uint8_t *id, const char *field,
                 const char *value)
{
    struct folkmoot_error error = {0};
    struct folkmoot_put put = {field, value};
    CHECK(folkmoot_edit(device->fm, kind, id, &put, 1, 0, &error) == FOLKMOOT_OK, "%s", error.text);
}

static bool count_one(const struct folkmoot_record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return true;
}

size_t device_count(struct device_host *device, const char *kind)
{
    struct folkmoot_error error = {0};
    size_t n = 0;
    CHECK(folkmoot_list(device->fm, kind, count_one, &n, &error) == FOLKMOOT_OK, "%s", error.text);
    return n;
}

static bool hash_one(const struct folkmoot_record *record, void *arg)
{
    struct hash *hash = arg;
    hash_put_sized(hash, bytes_of_text(record->kind));
    hash_put(hash, BYTES(record->id));
    hash_put_sized(hash, bytes_of(record->bytes, record->bytes_n));
    hash_put_be32(hash, record->votes_for);
    hash_put_be32(hash, record->votes_against);
    hash_put_be32(hash, record->votes_unsure);
    return true;
}

void device_fingerprint(struct device_host *device, uint8_t out[HASH_SIZE])
{
    static const char *const kinds[] = {NULL, "voice", "same_as"};
    struct folkmoot_error error = {0};
    struct hash hash;
    hash_begin(&hash, "all records");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        CHECK(folkmoot_list(device->fm, kinds[i], hash_one, &hash, &error) == FOLKMOOT_OK, "%s",
              error.text);
    hash_end(&hash, out);
}

void device_check_equal(struct device_host *a, struct device_host *b)
{
    uint8_t of_a[HASH_SIZE], of_b[HASH_SIZE];
    device_fingerprint(a, of_a);
    device_fingerprint(b, of_b);
    CHECK(memcmp(of_a, of_b, HASH_SIZE) == 0, "%s and %s hold different records", a->path, b->path);
    CHECK(device_community(a).known == device_community(b).known, "%s knows %llu changes, %s %llu",
          a->path, (unsigned long long)device_community(a).known, b->path,
          (unsigned long long)device_community(b).known);
}
