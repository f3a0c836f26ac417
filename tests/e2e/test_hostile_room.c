// What all connections share, room for bodies and answers, and places: whoever fills it with what
// does not move holds it against nobody.

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/strain.h"

static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";

// --- answers that nobody reads ---

enum {
    READERS = 60,
    READER_STREAMS = 20,
    READER_BYTES = 4 << 10, // what a reader's kernel takes
    HOST = 2,               // 127.0.0.2
    HOSTS = 4,
    HOLDERS = 100,
    PATIENCE_MS = 20000,
    TRIES_MAX = 1000,
    PUSHES = 5,
    NEED_BYTES = 16000,
    MEMORY_KIB = 8 << 10,   // the hub's memory_bytes
    QUEUED_KIB = 256 + 150, // of a connection: what is encrypted already, and its own
};

// Words that do not pack: in all more than an answer may hold.
static void fill_log(struct stage *stage)
{
    uint64_t state = check_seed();
    struct buf fields[PEER_CHANGES_MAX] = {0};
    struct peer_change changes[PEER_CHANGES_MAX];
    for (size_t push = 0; push < PUSHES; push++) {
        for (size_t i = 0; i < PEER_CHANGES_MAX; i++) {
            buf_reset(&fields[i]);
            size_t mark = wire_open(&fields[i], FIELD_WORDS);
            for (size_t n = 0; n < NEED_BYTES; n++)
                buf_put_u8(&fields[i], (uint8_t)(' ' + check_random(&state) % 94));
            wire_close(&fields[i], mark);
            changes[i] = peer_create(KIND_NEED, buf_bytes(&fields[i]));
        }
        peer_push(&stage->peer, changes, PEER_CHANGES_MAX);
    }
    for (size_t i = 0; i < PEER_CHANGES_MAX; i++)
        buf_done(&fields[i]);
    stage_remember(stage);
}

struct readers {
    const struct stage *stage;
    struct raw wires[READERS];
    size_t left; // of them, in the end
};

// Asks for all that the log holds, on many streams, and reads nothing.
static void ask_and_wait(const struct stage *stage, uint8_t host, struct raw *raw)
{
    struct sync_request everything = {.version = PROTOCOL_VERSION,
                                      .has_answer_max = true,
                                      .answer_max = ANSWER_MAX,
                                      .own_too = true};
    struct buf body = {0}, out = {0};
    message_encode(&sync_request_message, &everything, &body);
    raw_open_from(raw, stage->hub.port, host, READER_BYTES);
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake for h2");
    raw_put_hello(&out, 1 << 24);
    for (uint32_t i = 0; i < READER_STREAMS; i++)
        raw_put_call(&out, 2 * i + 1, sync_path, stage->peer.token, buf_bytes(&body));
    (void)raw_send(raw, buf_bytes(&out));
    buf_done(&body);
    buf_done(&out);
}

// What is queued for them hides the end from them: the hub's descriptors tell.
static void read_slowly(struct readers *readers, size_t files)
{
    const struct hub *hub = &readers->stage->hub;
    int64_t end = check_now_ms() + PATIENCE_MS;
    for (size_t i = 0; i < READERS; i++)
        ask_and_wait(readers->stage, HOST, &readers->wires[i]);
    while (strain_files(hub) > files && check_now_ms() < end)
        check_sleep_ms(50);
    readers->left = strain_files(hub) - files;
    for (size_t i = 0; i < READERS; i++)
        raw_close(&readers->wires[i]);
}

static void big_answers_that_nobody_reads_are_bounded_in_all_and_cut(void)
{
    struct stage stage;
    struct strain strain;
    struct readers readers = {.stage = &stage};
    strain_open(&stage, "connections = 200\nconnections_per_address = 64\n"
                        "progress_seconds = 2\nidle_seconds = 4\nmemory_bytes = 8M\n");
    fill_log(&stage);
    device_must_sync(&stage.good);
    strain_begin(&strain, &stage);
    device_route(&stage.good, 0);
    check_sleep_ms(200);
    read_slowly(&readers, strain_files(&stage.hub));
    CHECK(readers.left == 0, "%zu of %d hold their places", readers.left, (int)READERS);
    strain_check_memory(&strain, "answers that nobody reads",
                        MEMORY_KIB + (size_t)READERS * QUEUED_KIB);
    stage_check_unharmed(&stage, "answers that nobody reads");
    stage_close(&stage);
}

// --- room that is held ---

// A good device says something and comes until it is served: not served at once is no harm, not
// served at all is.
static void expect_service(struct stage *stage, const char *what)
{
    struct folkmoot_error error = {0};
    unsigned tries = 1;
    // Without a connection of before, and when the others have had time to take its place.
    device_route(&stage->good, 0);
    check_sleep_ms(300);
    device_add(&stage->good, "need", "title", what, NULL);
    while (device_sync(&stage->good, NULL, &error) != FOLKMOOT_OK) {
        CHECK(tries < TRIES_MAX, "during \"%s\" a good device is not served: %s", what, error.text);
        check_sleep_ms(100);
        tries++;
    }
    printf("    during \"%s\" a good device is served at its %u. try\n", what, tries);
    stage_remember(stage);
}

static const char little_room[] = "connections = 400\nconnections_per_address = 64\n"
                                  "progress_seconds = 600\nmemory_bytes = 32M\n";
static const char few_places[] = "connections = 60\nconnections_per_address = 25\n"
                                 "progress_seconds = 600\nidle_seconds = 3600\n"
                                 "handshake_seconds = 600\n";

// Connections that hold room or places; those that the hub has cut come again at once.
struct holders {
    const struct stage *stage;
    void (*hold)(const struct stage *stage, uint8_t host, struct raw *raw);
    struct raw wires[HOLDERS];
    unsigned renewed;
    bool is_over;
};

// Without reading what a slow reader leaves unread: only the end is seen.
static bool is_gone(const struct raw *raw)
{
    struct pollfd fd = {.fd = raw->fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0 && fd.revents & (POLLHUP | POLLERR | POLLRDHUP);
}

static void *keep_holding(void *arg)
{
    struct holders *holders = arg;
    while (!__atomic_load_n(&holders->is_over, __ATOMIC_SEQ_CST)) {
        for (size_t i = 0; i < HOLDERS; i++) {
            if (!is_gone(&holders->wires[i]))
                continue;
            raw_close(&holders->wires[i]);
            holders->hold(holders->stage, (uint8_t)(HOST + i % HOSTS), &holders->wires[i]);
            holders->renewed++;
        }
        check_sleep_ms(50);
    }
    return NULL;
}

static void expect_service_despite(const char *what, const char *limits,
                                   void (*hold)(const struct stage *, uint8_t, struct raw *))
{
    struct stage stage;
    struct holders *holders = calloc(1, sizeof *holders);
    pthread_t thread;
    CHECK(holders, "out of memory");
    strain_open(&stage, limits);
    fill_log(&stage);
    device_must_sync(&stage.good);
    device_route(&stage.good, 0);
    *holders = (struct holders){.stage = &stage, .hold = hold};
    for (size_t i = 0; i < HOLDERS; i++)
        hold(&stage, (uint8_t)(HOST + i % HOSTS), &holders->wires[i]);
    CHECK(pthread_create(&thread, NULL, keep_holding, holders) == 0, "pthread_create");
    for (int i = 0; i < 5; i++)
        expect_service(&stage, what);
    __atomic_store_n(&holders->is_over, true, __ATOMIC_SEQ_CST);
    CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
    printf("    %u connections came again\n", holders->renewed);
    for (size_t i = 0; i < HOLDERS; i++)
        raw_close(&holders->wires[i]);
    stage_check_unharmed(&stage, what);
    free(holders);
    stage_close(&stage);
}

static void answers_that_nobody_reads_hold_the_room_against_nobody(void)
{
    expect_service_despite("answers that nobody reads", little_room, ask_and_wait);
}

static void put_open_body(struct buf *out, uint32_t stream, struct bytes head, size_t n)
{
    static const uint8_t zeros[16 << 10] = {0};
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, stream, head);
    for (size_t part; n > 0; n -= part) {
        part = n < sizeof zeros ? n : sizeof zeros;
        raw_put_frame(out, FRAME_DATA, 0, stream, bytes_of(zeros, part));
    }
}

// Bodies that never come to their end, large ones, and ever smaller ones for what they leave free.
static void hold_bodies(const struct stage *stage, uint8_t host, struct raw *raw)
{
    static const size_t sizes[] = {1000000, 1000000, 1000000, 200000, 200000, 40000, 40000, 8000,
                                   8000,    1000,    1000,    200,    200,    40,    40,    8};
    struct buf out = {0}, head = {0};
    raw_open_from(raw, stage->hub.port, host, 0);
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake for h2");
    raw_put_head(&head, sync_path, stage->peer.token);
    raw_put_hello(&out, 0);
    for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        put_open_body(&out, 2 * i + 1, buf_bytes(&head), sizes[i]);
    (void)raw_send(raw, buf_bytes(&out));
    buf_done(&out);
    buf_done(&head);
}

static void bodies_that_never_end_hold_the_room_against_nobody(void)
{
    expect_service_despite("bodies that never end", little_room, hold_bodies);
}

// --- places ---

static void hold_silent(const struct stage *stage, uint8_t host, struct raw *raw)
{
    raw_open_from(raw, stage->hub.port, host, 0);
}

// Whoever is turned away is closed in the middle of it.
static void hold_greeted(const struct stage *stage, uint8_t host, struct raw *raw)
{
    struct buf out = {0};
    raw_open_from(raw, stage->hub.port, host, 0);
    raw_put_hello(&out, 0);
    if (raw_tls(raw, "h2"))
        (void)raw_send(raw, buf_bytes(&out));
    buf_done(&out);
}

// A request that anybody may begin, and its body never comes.
static void hold_stream(const struct stage *stage, uint8_t host, struct raw *raw)
{
    struct buf out = {0}, head = {0};
    raw_open_from(raw, stage->hub.port, host, 0);
    raw_put_hello(&out, 0);
    raw_put_head(&head, "/folkmoot.v1.InfoService/Info", NULL);
    raw_put_frame(&out, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
    if (raw_tls(raw, "h2"))
        (void)raw_send(raw, buf_bytes(&out));
    buf_done(&out);
    buf_done(&head);
}

static void connections_that_say_nothing_hold_the_places_against_nobody(void)
{
    expect_service_despite("connections that say nothing", few_places, hold_silent);
}

static void idle_connections_hold_the_places_against_nobody(void)
{
    expect_service_despite("idle connections in all places", few_places, hold_greeted);
}

static void requests_that_never_end_hold_the_places_against_nobody(void)
{
    expect_service_despite("requests that never end", few_places, hold_stream);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(big_answers_that_nobody_reads_are_bounded_in_all_and_cut),
        CASE(answers_that_nobody_reads_hold_the_room_against_nobody),
        CASE(bodies_that_never_end_hold_the_room_against_nobody),
        CASE(connections_that_say_nothing_hold_the_places_against_nobody),
        CASE(idle_connections_hold_the_places_against_nobody),
        CASE(requests_that_never_end_hold_the_places_against_nobody),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
