// Whoever listens is told what changes: soon, in few messages however slowly they read, and until
// they may no more or the hub stops.

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/messages_picture.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"
#include "tests/e2e/raw.h"

enum { PATIENCE_MS = 60000, A_LOOK_MS = 100, PREFIX = 5, MESSAGES_MAX = 64, STREAMS = 4 };

static const char watch_path[] = "/folkmoot.v1.PictureService/Watch";

struct scene {
    struct hub hub;
    struct peer author;
    struct peer listener;
};

static void enrol(struct scene *scene, struct peer *peer, const char *role)
{
    char link[HUB_LINK_BYTES];
    hub_invite(&scene->hub, role, link);
    peer_enrol(peer, scene->hub.port, link);
}

static void open_scene(struct scene *scene)
{
    hub_open(&scene->hub, "");
    enrol(scene, &scene->author, "volunteer");
    enrol(scene, &scene->listener, "volunteer");
}

static void say(struct scene *scene, uint8_t id[ID_SIZE])
{
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("a bench"));
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_push(&scene->author, &change, 1);
    peer_last_id(&scene->author, id);
    buf_done(&fields);
}

// --- listening ---

static void put_listen(struct buf *out, uint32_t stream, const struct peer *peer, const char *type)
{
    static const uint8_t nothing[PREFIX] = {0};
    struct buf head = {0};
    raw_put_head_of(&head, watch_path, peer->token, type);
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, stream, buf_bytes(&head));
    raw_put_frame(out, FRAME_DATA, FLAG_END_STREAM, stream, BYTES(nothing));
    buf_done(&head);
}

// window: what the listener takes of each answer; 0: as HTTP/2 begins.
static void listen_to(struct raw *raw, const struct peer *peer, uint32_t window)
{
    struct buf out = {0};
    raw_open_from(raw, peer->port, 1, 0);
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake");
    raw_put_hello(&out, window);
    put_listen(&out, 1, peer, "application/grpc");
    CHECK(raw_send(raw, buf_bytes(&out)), "the hub closed");
    buf_done(&out);
}

// The messages in what came so far, decoded; they may be cut by frames.
static size_t messages_in(struct bytes in, struct arena *arena, struct watch_response *messages)
{
    struct buf body = {0};
    struct bytes part;
    size_t count = 0;
    for (size_t n = 0; raw_find_frame(in, FRAME_DATA, n, &part); n++)
        buf_put(&body, part);
    struct bytes rest = arena_copy(arena, buf_bytes(&body));
    buf_done(&body);
    while (rest.n >= PREFIX && rest.n - PREFIX >= be32_get(rest.p + 1)) {
        size_t size = be32_get(rest.p + 1);
        struct fault fault = {0};
        CHECK(count < MESSAGES_MAX, "more than %d messages", MESSAGES_MAX);
        messages[count] = (struct watch_response){.more = false};
        CHECK(message_decode(&watch_response_message, bytes_of(rest.p + PREFIX, size), arena,
                             &messages[count], &fault) == OK,
              "%s", fault.text);
        count++;
        rest = bytes_of(rest.p + PREFIX + size, rest.n - PREFIX - size);
    }
    return count;
}

static bool tells(const struct watch_response *messages, size_t n, const uint8_t id[ID_SIZE])
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < messages[i].changed.n; k++) {
            const struct ref *ref = LIST_AT(struct ref, messages[i].changed, k);
            if (ref->kind == KIND_NEED && bytes_equal(ref->id, bytes_of(id, ID_SIZE)))
                return true;
        }
    }
    return false;
}

// Reads until the record is told; how many messages have come in all.
static size_t await(struct raw *raw, struct buf *in, const uint8_t id[ID_SIZE])
{
    int64_t end = check_now_ms() + PATIENCE_MS;
    for (;;) {
        struct watch_response messages[MESSAGES_MAX];
        struct arena arena ARENA_CLEANUP;
        arena_init(&arena, 4 << 20);
        size_t n = messages_in(buf_bytes(in), &arena, messages);
        if (tells(messages, n, id))
            return n;
        CHECK(check_now_ms() < end, "it is not told, in %zu messages", n);
        CHECK(!raw_read(raw, A_LOOK_MS, in), "the hub closed");
    }
}

static void await_messages(struct raw *raw, struct buf *in, size_t wanted)
{
    int64_t end = check_now_ms() + PATIENCE_MS;
    for (size_t n = 0; n < wanted;) {
        struct watch_response messages[MESSAGES_MAX];
        struct arena arena ARENA_CLEANUP;
        arena_init(&arena, 4 << 20);
        CHECK(check_now_ms() < end, "only %zu messages", n);
        CHECK(!raw_read(raw, A_LOOK_MS, in), "the hub closed");
        n = messages_in(buf_bytes(in), &arena, messages);
    }
}

// --- what is checked ---

static void changes_are_told_while_one_listens(void)
{
    struct scene scene;
    struct raw raw;
    struct buf in = {0};
    uint8_t first[ID_SIZE], second[ID_SIZE];
    open_scene(&scene);
    listen_to(&raw, &scene.listener, 0);
    await_messages(&raw, &in, 1);
    say(&scene, first);
    CHECK(await(&raw, &in, first) == 2, "not one message of one change");
    say(&scene, second);
    CHECK(await(&raw, &in, second) == 3, "not one message of one change");
    raw_close(&raw);
    buf_done(&in);
    hub_close(&scene.hub);
}

// A message that does not go out is waited for: what changes meanwhile is told in the next one.
static void who_reads_nothing_is_told_of_much_at_once(void)
{
    enum { CHANGES = 6, APART_MS = 1200, WINDOW = 1 };
    struct scene scene;
    struct raw raw;
    struct buf in = {0}, out = {0};
    uint8_t ids[CHANGES][ID_SIZE], more[4];
    open_scene(&scene);
    listen_to(&raw, &scene.listener, WINDOW);
    for (int i = 0; i < CHANGES; i++) {
        check_sleep_ms(APART_MS);
        say(&scene, ids[i]);
    }
    be32_put(more, 1 << 20);
    raw_put_frame(&out, FRAME_WINDOW_UPDATE, 0, 0, BYTES(more));
    raw_put_frame(&out, FRAME_WINDOW_UPDATE, 0, 1, BYTES(more));
    CHECK(raw_send(&raw, buf_bytes(&out)), "the hub closed");
    for (int i = 0; i < CHANGES; i++)
        CHECK(await(&raw, &in, ids[i]) == 2, "what waited was told one by one");
    raw_close(&raw);
    buf_done(&in);
    buf_done(&out);
    hub_close(&scene.hub);
}

static void a_hub_that_stops_ends_what_it_tells(void)
{
    struct scene scene;
    struct raw raw;
    struct buf in = {0};
    struct bytes frame;
    open_scene(&scene);
    listen_to(&raw, &scene.listener, 0);
    await_messages(&raw, &in, 1);
    hub_stop(&scene.hub);
    CHECK(raw_read(&raw, PATIENCE_MS, &in), "the hub did not close");
    CHECK(raw_count_frames(buf_bytes(&in), FRAME_HEADERS) == 2, "no trailers");
    CHECK(raw_find_frame(buf_bytes(&in), FRAME_GOAWAY, 0, &frame), "no GOAWAY");
    raw_close(&raw);
    buf_done(&in);
    hub_start(&scene.hub);
    hub_close(&scene.hub);
}

static void a_revoked_device_is_told_nothing_more(void)
{
    struct scene scene;
    struct raw raw;
    struct buf in = {0};
    char hex[2 * HANDLE_SIZE + 1];
    uint8_t id[ID_SIZE];
    open_scene(&scene);
    listen_to(&raw, &scene.listener, 0);
    await_messages(&raw, &in, 1);
    text_hex(BYTES(scene.listener.handle), hex);
    cJSON_Delete(
        hub_control(&scene.hub, (const char *[]){"revoke", scene.hub.community, hex, NULL}));
    say(&scene, id);
    CHECK(raw_read(&raw, PATIENCE_MS, &in), "the hub did not close");
    struct watch_response messages[MESSAGES_MAX];
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4 << 20);
    CHECK(!tells(messages, messages_in(buf_bytes(&in), &arena, messages), id), "it was told");
    raw_close(&raw);
    buf_done(&in);
    hub_close(&scene.hub);
}

// Of a gRPC error without a message the head is all.
static void a_device_listens_four_times_and_no_more(void)
{
    struct scene scene;
    struct raw raw;
    struct buf in = {0}, out = {0};
    open_scene(&scene);
    listen_to(&raw, &scene.listener, 0);
    for (uint32_t i = 1; i <= STREAMS; i++)
        put_listen(&out, 2 * i + 1, &scene.listener, "application/grpc");
    CHECK(raw_send(&raw, buf_bytes(&out)), "the hub closed");
    await_messages(&raw, &in, STREAMS);
    int64_t end = check_now_ms() + PATIENCE_MS;
    while (raw_count_frames(buf_bytes(&in), FRAME_HEADERS) < STREAMS + 1) {
        CHECK(check_now_ms() < end, "the fifth is not answered");
        CHECK(!raw_read(&raw, A_LOOK_MS, &in), "the hub closed");
    }
    CHECK(raw_count_frames(buf_bytes(&in), FRAME_DATA) == STREAMS, "the fifth is told, too");
    raw_close(&raw);
    buf_done(&in);
    buf_done(&out);
    hub_close(&scene.hub);
}

static void the_other_kind_of_content_is_refused(void)
{
    struct scene scene;
    struct post_answer answer;
    open_scene(&scene);
    const struct post once = {.path = watch_path, .token = scene.listener.token};
    post_send(scene.hub.port, &once, &answer);
    CHECK(answer.status == 415 && strcmp(answer.code, "unimplemented") == 0, "%ld %s",
          answer.status, answer.code);
    post_done(&answer);
    const struct post stream = {.path = "/folkmoot.v1.RecordService/Me",
                                .token = scene.listener.token,
                                .type = "application/connect+proto"};
    post_send(scene.hub.port, &stream, &answer);
    CHECK(answer.status == 415 && strcmp(answer.code, "unimplemented") == 0, "%ld %s",
          answer.status, answer.code);
    post_done(&answer);
    hub_close(&scene.hub);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"changes_are_told_while_one_listens", changes_are_told_while_one_listens},
        {"who_reads_nothing_is_told_of_much_at_once", who_reads_nothing_is_told_of_much_at_once},
        {"a_hub_that_stops_ends_what_it_tells", a_hub_that_stops_ends_what_it_tells},
        {"a_revoked_device_is_told_nothing_more", a_revoked_device_is_told_nothing_more},
        {"a_device_listens_four_times_and_no_more", a_device_listens_four_times_and_no_more},
        {"the_other_kind_of_content_is_refused", the_other_kind_of_content_is_refused},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
