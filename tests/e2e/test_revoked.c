// What a revocation and an erasure do to answers that are on their way: whoever is revoked, and
// whatever words are erased, get not one byte more; nobody else's transfer is disturbed.

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "proto/schema.h"
#include "sync/merge.h"
#include "tests/e2e/check.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"
#include "tests/e2e/raw.h"

enum {
    PUSHES = 4,
    NEEDS = PUSHES * PEER_CHANGES_MAX,
    NEED_BYTES = 15000,
    READER_BYTES = 16 << 10, // what a slow reader's kernel takes
    WINDOW = 1 << 24,        // of HTTP/2, so that TCP alone holds the answer up
    SETTLE_MS = 300,
    PINGS = 90, // the hub takes 100 a second for a flood
};

static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";
static const char me_path[] = "/folkmoot.v1.RecordService/Me";

// --- a reader that does not read ---

// As raw_open, but with a receive buffer so small that what the hub sends waits there.
static void open_slow(struct raw *raw, uint16_t port, int small)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *raw = (struct raw){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    CHECK(setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0, "SO_RCVBUF");
    CHECK(connect(raw->fd, (struct sockaddr *)(void *)&address, sizeof address) == 0, "connect: %s",
          strerror(errno));
    CHECK(fcntl(raw->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake for h2");
}

static void put_window(struct buf *out)
{
    uint8_t setting[6] = {0, 4}; // SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 section 6.5.2)
    uint8_t more[4];
    be32_put(setting + 2, WINDOW);
    be32_put(more, WINDOW);
    buf_put_text(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    raw_put_frame(out, FRAME_SETTINGS, 0, 0, BYTES(setting));
    raw_put_frame(out, FRAME_WINDOW_UPDATE, 0, 0, BYTES(more));
}

static void put_call(struct buf *out, uint32_t stream, const char *path, const char *token,
                     struct bytes body)
{
    struct buf head = {0};
    raw_put_head(&head, path, token);
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, stream, buf_bytes(&head));
    raw_put_frame(out, FRAME_DATA, FLAG_END_STREAM, stream, body);
    buf_done(&head);
}

static int kernel_holds(const struct raw *raw)
{
    int n = 0;
    CHECK(ioctl(raw->fd, FIONREAD, &n) == 0, "FIONREAD");
    return n;
}

// Waits until no more comes because the reader's kernel takes no more.
static void settle(const struct raw *raw)
{
    int before = -1;
    for (int now = 0; now != before || now == 0; now = kernel_holds(raw)) {
        before = now;
        check_sleep_ms(SETTLE_MS);
    }
}

// Asks for all that the log holds, and reads nothing of it.
static void ask_for_all(struct raw *raw, const struct peer *peer)
{
    struct buf body = {0};
    struct buf out = {0};
    struct sync_request everything = {.version = PROTOCOL_VERSION,
                                      .has_answer_max = true,
                                      .answer_max = ANSWER_MAX,
                                      .own_too = true};
    message_encode(&sync_request_message, &everything, &body);
    open_slow(raw, peer->port, READER_BYTES);
    put_window(&out);
    put_call(&out, 1, sync_path, peer->token, buf_bytes(&body));
    CHECK(raw_send(raw, buf_bytes(&out)), "the hub closed before the request");
    settle(raw);
    buf_done(&body);
    buf_done(&out);
}

// Reads the socket itself to its end: how many bytes there were, and how it ended.
static size_t drain(const struct raw *raw, int *end)
{
    static uint8_t part[64 << 10];
    struct timeval patience = {.tv_sec = 20};
    size_t n = 0;
    CHECK(fcntl(raw->fd, F_SETFL, 0) == 0, "fcntl");
    (void)setsockopt(raw->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (;;) {
        ssize_t got = recv(raw->fd, part, sizeof part, 0);
        if (got > 0)
            n += (size_t)got;
        *end = got < 0 ? errno : 0;
        if (got <= 0)
            return n;
    }
}

static void check_reset(const struct raw *raw, int held, const char *who)
{
    int end;
    size_t came = drain(raw, &end);
    CHECK(end == ECONNRESET, "%s: the connection ended by %s", who, strerror(end));
    CHECK(came <= (size_t)held, "%s: %zu bytes more came", who, came - (size_t)held);
}

// Whether the whole answer came: a stream's end after as many bytes as the needs have.
static void check_whole(struct raw *raw, const char *who)
{
    struct buf in = {.max = 8 << 20};
    int64_t end = check_now_ms() + 20000;
    while (in.n < (size_t)NEEDS * NEED_BYTES && check_now_ms() < end)
        CHECK(!raw_read(raw, 200, &in), "%s: the hub closed after %zu bytes", who, in.n);
    CHECK(in.n >= (size_t)NEEDS * NEED_BYTES, "%s: only %zu bytes came", who, in.n);
    buf_done(&in);
}

// --- the scene ---

struct scene {
    struct hub hub;
    struct peer author;
    struct peer phone;
    struct peer other;
};

static void enrol(struct scene *scene, struct peer *peer, const char *role)
{
    char link[HUB_LINK_BYTES];
    hub_invite(&scene->hub, role, link);
    peer_enrol(peer, scene->hub.port, link);
}

static const uint8_t speaker[ID_SIZE] = "who speaks here";

// Words that do not pack.
static void put_need(struct buf *fields, uint64_t *state)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    wire_put_bytes(fields, FIELD_SPEAKER, BYTES(speaker));
    size_t mark = wire_open(fields, FIELD_WORDS);
    for (size_t i = 0; i < NEED_BYTES; i++)
        buf_put_u8(fields, (uint8_t)digits[check_random(state) % 64]);
    wire_close(fields, mark);
}

static void write_needs(struct scene *scene)
{
    struct buf fields[PEER_CHANGES_MAX] = {0};
    struct peer_change changes[PEER_CHANGES_MAX];
    uint64_t state = check_seed();
    for (size_t push = 0; push < PUSHES; push++) {
        for (size_t i = 0; i < PEER_CHANGES_MAX; i++) {
            buf_reset(&fields[i]);
            put_need(&fields[i], &state);
            changes[i] = peer_create(KIND_NEED, buf_bytes(&fields[i]));
        }
        peer_push(&scene->author, changes, PEER_CHANGES_MAX);
    }
    for (size_t i = 0; i < PEER_CHANGES_MAX; i++)
        buf_done(&fields[i]);
}

static void open_scene(struct scene *scene)
{
    hub_open(&scene->hub, "");
    enrol(scene, &scene->author, "coordinator");
    enrol(scene, &scene->phone, "volunteer");
    enrol(scene, &scene->other, "volunteer");
    write_needs(scene);
}

static const char *hex_of(const struct peer *peer)
{
    static char hex[2 * HANDLE_SIZE + 1];
    text_hex(BYTES(peer->handle), hex);
    return hex;
}

static void check_me(const struct peer *peer, long status, const char *code)
{
    struct post_answer answer;
    post_send(peer->port, &(struct post){.path = me_path, .token = peer->token}, &answer);
    CHECK(answer.status == status && strcmp(answer.code, code) == 0, "%ld %s", answer.status,
          answer.code);
    post_done(&answer);
}

// --- what is checked ---

static void a_revoked_phone_gets_not_one_byte_more(void)
{
    struct scene scene;
    struct raw stolen, good;
    open_scene(&scene);
    ask_for_all(&stolen, &scene.phone);
    ask_for_all(&good, &scene.other);
    int held = kernel_holds(&stolen);
    CHECK(held > READER_BYTES / 4 && held < NEEDS * NEED_BYTES / 2,
          "%d bytes are not an answer cut short", held);
    cJSON_Delete(hub_control(
        &scene.hub, (const char *[]){"revoke", scene.hub.community, hex_of(&scene.phone), NULL}));
    check_reset(&stolen, held, "the stolen phone");
    check_me(&scene.phone, 401, "unauthenticated");
    check_whole(&good, "another device");
    check_me(&scene.other, 200, "");
    raw_close(&stolen);
    raw_close(&good);
    hub_close(&scene.hub);
}

static void put_membership(struct buf *fields, const struct peer *of)
{
    wire_put_bytes(fields, FIELD_MEMBERSHIP_DEVICE, BYTES(of->handle));
    wire_put_uint(fields, FIELD_MEMBERSHIP_REVOKED, 1);
}

static void a_coordinators_revocation_does_the_same(void)
{
    struct scene scene;
    struct raw stolen, good;
    struct buf fields = {0};
    open_scene(&scene);
    ask_for_all(&stolen, &scene.phone);
    ask_for_all(&good, &scene.other);
    int held = kernel_holds(&stolen);
    put_membership(&fields, &scene.phone);
    struct peer_change change = peer_create(KIND_MEMBERSHIP, buf_bytes(&fields));
    peer_push(&scene.author, &change, 1);
    check_reset(&stolen, held, "the stolen phone");
    check_me(&scene.phone, 401, "unauthenticated");
    check_whole(&good, "another device");
    raw_close(&stolen);
    raw_close(&good);
    buf_done(&fields);
    hub_close(&scene.hub);
}

static void erased_words_leave_in_no_answer_that_waits(void)
{
    struct scene scene;
    struct raw waiting;
    char change[64];
    open_scene(&scene);
    ask_for_all(&waiting, &scene.phone);
    int held = kernel_holds(&waiting);
    (void)snprintf(change, sizeof change, "%s:%u", hex_of(&scene.author), scene.author.seq);
    cJSON *told = hub_control(
        &scene.hub, (const char *[]){"erase", scene.hub.community, "--change", change, NULL});
    CHECK(cJSON_GetObjectItem(told, "count")->valueint == 1, "one change");
    check_reset(&waiting, held, "who waits for an answer");
    check_me(&scene.phone, 200, "");
    cJSON_Delete(told);
    raw_close(&waiting);
    hub_close(&scene.hub);
}

static void put_erase(struct buf *fields)
{
    struct ref ref = {KIND_PERSON, BYTES(speaker)};
    size_t mark = wire_open(fields, FIELD_REQUEST_ERASE_RECORD);
    message_encode(&ref_message, &ref, fields);
    wire_close(fields, mark);
}

// What HTTP/2 itself has to answer, more than the smallest receive buffer takes, waits at the hub.
static void put_pings(struct buf *out)
{
    static const uint8_t opaque[8] = "a ping!";
    for (int i = 0; i < PINGS; i++)
        raw_put_frame(out, FRAME_PING, 0, 0, BYTES(opaque));
}

// That the hub did what was asked.
static void check_said(const struct scene *scene, const char *text)
{
    static char said[64 << 10];
    char path[128];
    (void)snprintf(path, sizeof path, "%s/stderr", scene->hub.dir);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s", path);
    said[fread(said, 1, sizeof said - 1, file)] = 0;
    (void)fclose(file);
    CHECK(strstr(said, text), "the hub did not say: %s", text);
}

static void whoever_asks_for_an_erasure_gets_the_answer(void)
{
    struct scene scene;
    struct raw raw;
    struct buf request = {0}, out = {0}, in = {0}, fields = {0};
    open_scene(&scene);
    open_slow(&raw, scene.author.port, 1);
    put_erase(&fields);
    put_window(&out);
    put_pings(&out);
    struct peer_change change = peer_create(KIND_REQUEST, buf_bytes(&fields));
    peer_request(&scene.author, &change, 1, NULL, &request, NULL);
    put_call(&out, 1, sync_path, scene.author.token, buf_bytes(&request));
    CHECK(raw_send(&raw, buf_bytes(&out)), "the hub closed");
    settle(&raw);
    check_said(&scene, "words of");
    CHECK(!raw_read(&raw, 3000, &in), "the hub closed the asker's connection");
    CHECK(raw_count_frames(buf_bytes(&in), FRAME_DATA) > 0, "no answer");
    raw_close(&raw);
    buf_done(&request);
    buf_done(&fields);
    buf_done(&out);
    buf_done(&in);
    hub_close(&scene.hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_revoked_phone_gets_not_one_byte_more", a_revoked_phone_gets_not_one_byte_more},
        {"a_coordinators_revocation_does_the_same", a_coordinators_revocation_does_the_same},
        {"erased_words_leave_in_no_answer_that_waits", erased_words_leave_in_no_answer_that_waits},
        {"whoever_asks_for_an_erasure_gets_the_answer",
         whoever_asks_for_an_erasure_gets_the_answer},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
