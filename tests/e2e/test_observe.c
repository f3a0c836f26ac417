// What a monitor is shown, and that whoever else comes to its listener harms nobody.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/device.h"
#include "tests/e2e/faildisk.h"
#include "tests/e2e/monitor.h"
#include "tests/e2e/peer.h"
#include "tests/e2e/raw.h"

enum {
    CONNECTIONS_MAX = 8, // of monitors, as daemon/scrape.h has it
    DEADLINE_MS = 5000,
    HEAD_MAX = 4096,
    TRIES_MAX = 120,
};

static const char me_path[] = "/folkmoot.v1.RecordService/Me";
static const char get_health[] = "GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n";

static struct faildisk *disk;
static char disk_path[64];

// --- the disk ---

static void make_disk(void)
{
    (void)snprintf(disk_path, sizeof disk_path, "/tmp/folkmoot-faildisk-XXXXXX");
    int fd = mkstemp(disk_path);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *disk) == 0, "%s", strerror(errno));
    void *at = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(at != MAP_FAILED, "%s", strerror(errno));
    disk = at;
    (void)close(fd);
}

static void break_disk(int code)
{
    atomic_store(&disk->code, code);
    atomic_store(&disk->fails_to, UINT64_MAX);
    atomic_store(&disk->fails_from, 1);
}

static void mend_disk(void)
{
    atomic_store(&disk->fails_from, 0);
}

// --- the scene ---

struct scene {
    struct hub hub;
    struct peer peer;
    struct buf came;
    uint16_t port; // for monitors
};

static void scene_open(struct scene *scene)
{
    char link[HUB_LINK_BYTES];
    *scene = (struct scene){.port = 0};
    hub_open(&scene->hub, MONITOR_CONFIG);
    hub_invite(&scene->hub, "volunteer", link);
    peer_enrol(&scene->peer, scene->hub.port, link);
    scene->port = monitor_port(&scene->hub);
}

static void scene_close(struct scene *scene)
{
    buf_done(&scene->came);
    hub_close(&scene->hub);
}

static bool has_come(const struct scene *scene, const char *text)
{
    return memmem(scene->came.p, scene->came.n, text, strlen(text)) != NULL;
}

static void expect_value(const struct scene *scene, const char *sample, double value)
{
    double is = monitor_value(scene->port, sample);
    CHECK(is >= value && is <= value, "%s is %g, not %g", sample, is, value);
}

static struct peer_change need(const char *title, struct buf *fields)
{
    buf_reset(fields);
    wire_put_bytes(fields, FIELD_TITLE, bytes_of_text(title));
    return peer_create(KIND_NEED, buf_bytes(fields));
}

// Of a call that is to be refused; the caller's (post_done).
static void call_me(const struct scene *scene, const char *token, struct post_answer *answer)
{
    post_send(scene->hub.port, &(struct post){.path = me_path, .token = token}, answer);
}

// --- pages ---

static void each_page_answers_get_and_head(void)
{
    static const char *const paths[] = {"/metrics", "/healthz", "/readyz", "/readyz?verbose"};
    struct scene scene;
    char text[100];
    scene_open(&scene);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        CHECK(monitor_get(scene.port, paths[i], &scene.came) == 200, "%s", paths[i]);
        CHECK(has_come(&scene, "\r\nConnection: close\r\n"), "%s", paths[i]);
        size_t whole = scene.came.n;
        (void)snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\nHost: hub\r\n\r\n", paths[i]);
        CHECK(monitor_ask(scene.port, text, &scene.came) == 200, "HEAD %s", paths[i]);
        CHECK(scene.came.n < whole && memcmp(scene.came.p + scene.came.n - 4, "\r\n\r\n", 4) == 0,
              "HEAD %s has a body", paths[i]);
    }
    CHECK(monitor_get(scene.port, "/metrics", &scene.came) == 200 &&
              has_come(&scene, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"),
          "the format");
    scene_close(&scene);
}

static void what_is_malformed_or_unknown_is_named(void)
{
    static const struct {
        const char *text;
        unsigned status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: hub\r\n\r\n", 404},
        {"GET /metrics/ HTTP/1.1\r\nHost: hub\r\n\r\n", 404},
        {"GET /../metrics HTTP/1.1\r\nHost: hub\r\n\r\n", 404},
        {"POST /metrics HTTP/1.1\r\nHost: hub\r\n\r\n", 405},
        {"DELETE /healthz HTTP/1.1\r\nHost: hub\r\n\r\n", 405},
        {"GET /healthz\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\n\n", 400},
        {"GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"\x16\x03\x01\x02", 400},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        {"GET /healthz HTTP/3.0\r\nHost: hub\r\n\r\n", 505},
    };
    struct scene scene;
    scene_open(&scene);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned status = monitor_ask(scene.port, rows[i].text, &scene.came);
        CHECK(status == rows[i].status, "%u to \"%s\"", status, rows[i].text);
    }
    scene_close(&scene);
}

static void a_head_without_end_is_refused_at_its_limit(void)
{
    struct scene scene;
    struct buf text = {0};
    scene_open(&scene);
    buf_put_text(&text, "GET /healthz HTTP/1.1\r\nHost: hub\r\nX: ");
    while (text.n < 64 << 10)
        buf_put_u8(&text, 'a');
    buf_put_u8(&text, '\0');
    CHECK(monitor_ask(scene.port, (const char *)text.p, &scene.came) == 431, "not refused");
    CHECK(monitor_get(scene.port, "/healthz", &scene.came) == 200, "it answers no more");
    buf_done(&text);
    scene_close(&scene);
}

static void two_requests_at_once_are_answered_once(void)
{
    struct scene scene;
    char text[200];
    scene_open(&scene);
    (void)snprintf(text, sizeof text, "%s%s", get_health, get_health);
    CHECK(monitor_ask(scene.port, text, &scene.came) == 200, "not answered");
    CHECK(!memmem(scene.came.p + 8, scene.came.n - 8, "HTTP/1.1", 8), "answered twice");
    scene_close(&scene);
}

// --- who holds places ---

static void who_drips_is_cut_at_the_deadline(void)
{
    struct scene scene;
    scene_open(&scene);
    int fd = monitor_connect(scene.port);
    int64_t begun = check_now_ms();
    bool over = false;
    for (size_t i = 0; !over; i++) {
        char one[2] = {get_health[i % 20], '\0'};
        buf_reset(&scene.came);
        over = !monitor_send(fd, one) || monitor_read(fd, 250, &scene.came);
        CHECK(check_now_ms() - begun < (int64_t)3 * DEADLINE_MS * check_slowness(), "not cut");
    }
    CHECK(check_now_ms() - begun >= DEADLINE_MS - 500, "cut after %lld ms",
          (long long)(check_now_ms() - begun));
    (void)close(fd);
    scene_close(&scene);
}

static void places_are_few_and_come_back_and_devices_are_served_meanwhile(void)
{
    struct scene scene;
    struct buf fields = {0};
    int fds[CONNECTIONS_MAX];
    scene_open(&scene);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        fds[i] = monitor_connect(scene.port);
    for (int i = 0; i < 50; i++) {
        int more = monitor_connect(scene.port);
        buf_reset(&scene.came);
        CHECK(monitor_read(more, DEADLINE_MS / 2, &scene.came) && scene.came.n == 0,
              "there are more places");
        (void)close(more);
    }
    struct peer_change change = need("water", &fields);
    peer_push(&scene.peer, &change, 1);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        CHECK(monitor_read(fds[i], 2 * DEADLINE_MS * check_slowness(), &scene.came), "not cut");
        (void)close(fds[i]);
    }
    CHECK(monitor_get(scene.port, "/readyz", &scene.came) == 200, "no place came back");
    buf_done(&fields);
    scene_close(&scene);
}

// --- numbers ---

static void counters_move_with_what_happens(void)
{
    static const char wrong[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct scene scene;
    struct buf fields = {0};
    struct post_answer answer;
    scene_open(&scene);
    expect_value(&scene, "folkmoot_communities", 1);
    expect_value(&scene, "folkmoot_enrolments_total", 1);
    expect_value(&scene, "folkmoot_changes_taken_total", 0);
    double commits = monitor_value(scene.port, "folkmoot_writer_commits_total");
    double bytes = monitor_value(scene.port, "folkmoot_received_bytes_total");
    struct peer_change changes[3];
    for (int i = 0; i < 2; i++)
        changes[i] = need("water", &fields);
    // A kind that volunteers do not write.
    changes[2] = peer_create(KIND_MEMBERSHIP, (struct bytes){NULL, 0});
    peer_push(&scene.peer, changes, 3);
    call_me(&scene, wrong, &answer);
    post_done(&answer);
    peer_login(&scene.peer);
    expect_value(&scene, "folkmoot_changes_taken_total", 3);
    expect_value(&scene, "folkmoot_changes_set_apart_total", 1);
    expect_value(&scene, "folkmoot_pushes_total", 1);
    expect_value(&scene, "folkmoot_logins_total", 1);
    expect_value(&scene, "folkmoot_tokens_refused_total", 1);
    expect_value(&scene, "folkmoot_calls_total{method=\"Sync\",code=\"ok\"}", 1);
    expect_value(&scene, "folkmoot_calls_total{method=\"Me\",code=\"unauthenticated\"}", 1);
    expect_value(&scene, "folkmoot_call_duration_seconds_count{method=\"Sync\"}", 1);
    CHECK(monitor_value(scene.port, "folkmoot_writer_commits_total") >= commits + 2, "commits");
    CHECK(monitor_value(scene.port, "folkmoot_received_bytes_total") > bytes + 500, "bytes");
    CHECK(monitor_value(scene.port, "folkmoot_handshakes_total{outcome=\"ok\"}") >= 3, "TLS");
    buf_done(&fields);
    scene_close(&scene);
}

static void nothing_names_anybody(void)
{
    struct scene scene;
    char handle[2 * HANDLE_SIZE + 1];
    scene_open(&scene);
    CHECK(monitor_get(scene.port, "/metrics", &scene.came) == 200, "no metrics");
    for (size_t i = 0; i < HANDLE_SIZE; i++)
        (void)snprintf(handle + 2 * i, 3, "%02x", scene.peer.handle[i]);
    CHECK(!has_come(&scene, handle) && !has_come(&scene, scene.hub.community) &&
              !has_come(&scene, "Nettle") && !has_come(&scene, "127.0.0.1"),
          "somebody is named");
    scene_close(&scene);
}

// --- errors ---

static void every_error_has_an_id_and_no_other_answer(void)
{
    struct scene scene;
    struct post_answer answer;
    scene_open(&scene);
    call_me(&scene, NULL, &answer);
    CHECK(answer.status == 401 && strlen(answer.request_id) == 8, "%ld, \"%s\"", answer.status,
          answer.request_id);
    CHECK(!strstr(answer.message, "request"), "who is refused by right need not quote anything: %s",
          answer.message);
    post_done(&answer);
    post_send(scene.hub.port, &(struct post){.path = me_path, .type = "application/grpc"}, &answer);
    CHECK(strcmp(answer.code, "16") == 0 && strlen(answer.request_id) == 8, "gRPC: %s, \"%s\"",
          answer.code, answer.request_id);
    post_done(&answer);
    call_me(&scene, scene.peer.token, &answer);
    CHECK(answer.status == 200 && answer.request_id[0] == '\0', "%ld, \"%s\"", answer.status,
          answer.request_id);
    post_done(&answer);
    scene_close(&scene);
}

static bool hub_has_said(const struct hub *hub, const char *text)
{
    char path[HUB_PATH_BYTES], line[1200];
    bool has = false;
    hub_path_of(hub, "stderr", path);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s", path, strerror(errno));
    while (!has && fgets(line, sizeof line, file))
        has = strstr(line, text) != NULL;
    (void)fclose(file);
    return has;
}

// --- readiness ---

static void wait_until_ready(struct scene *scene)
{
    for (int i = 0; monitor_get(scene->port, "/readyz", &scene->came) != 200; i++) {
        CHECK(i < TRIES_MAX, "%.*s", (int)scene->came.n, (const char *)scene->came.p);
        check_sleep_ms(500);
    }
}

static void push_in_vain(struct scene *scene)
{
    struct buf fields = {0}, request = {0};
    struct peer_change change = need("bread", &fields);
    struct post_answer answer;
    char said[64];
    peer_request(&scene->peer, &change, 1, NULL, &request, NULL);
    peer_send(&scene->peer, buf_bytes(&request), &answer);
    CHECK(answer.status == 503 && strlen(answer.request_id) == 8, "%ld %s", answer.status,
          answer.message);
    (void)snprintf(said, sizeof said, "(request %s)", answer.request_id);
    CHECK(strstr(answer.message, said), "%s", answer.message);
    post_done(&answer);
    buf_done(&request);
    buf_done(&fields);
}

static void run_with_broken_disk(int code, const char *why)
{
    struct scene scene;
    struct buf fields = {0};
    scene_open(&scene);
    CHECK(monitor_get(scene.port, "/readyz", &scene.came) == 200, "not ready at first");
    break_disk(code);
    push_in_vain(&scene);
    for (int i = 0; i < 3; i++) {
        CHECK(monitor_get(scene.port, "/readyz", &scene.came) == 503, "ready without a disk");
        CHECK(has_come(&scene, why), "%.*s", (int)scene.came.n, (const char *)scene.came.p);
        check_sleep_ms(200);
    }
    CHECK(monitor_get(scene.port, "/healthz", &scene.came) == 200, "it is alive");
    expect_value(&scene, "folkmoot_ready", 0);
    CHECK(monitor_value(scene.port, "folkmoot_writer_items_refused_total") >= 1, "refused");
    mend_disk();
    wait_until_ready(&scene); // by itself: no device comes meanwhile
    expect_value(&scene, "folkmoot_ready", 1);
    CHECK(hub_has_said(&scene.hub, "commits succeed again"), "not said");
    struct peer_change change = need("bread", &fields);
    peer_push(&scene.peer, &change, 1);
    buf_done(&fields);
    scene_close(&scene);
}

static void a_hub_that_cannot_write_is_not_ready_until_it_can(void)
{
    run_with_broken_disk(EIO, "");
}

static void a_hub_on_a_full_disk_is_not_ready_until_there_is_room(void)
{
    run_with_broken_disk(ENOSPC, "no room");
}

static void a_hub_that_stops_says_so_for_as_long_as_it_answers_what_was_received(void)
{
    struct scene scene;
    struct raw slow;
    struct buf out = {0};
    scene_open(&scene);
    raw_open_h2(&slow, scene.hub.port);
    raw_put_head(&out, "/folkmoot.v1.SyncService/Sync", scene.peer.token);
    struct buf frame = {0};
    raw_put_frame(&frame, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&out));
    CHECK(raw_send(&slow, buf_bytes(&frame)), "not sent");
    buf_reset(&out);
    (void)raw_read(&slow, 300, &out); // so that the hub has the head
    CHECK(kill(scene.hub.pid, SIGTERM) == 0, "%s", strerror(errno));
    for (int i = 0; monitor_get(scene.port, "/readyz", &scene.came) != 503; i++) {
        CHECK(i < TRIES_MAX, "it is ready");
        check_sleep_ms(20);
    }
    CHECK(has_come(&scene, "stopping"), "why");
    CHECK(monitor_get(scene.port, "/healthz", &scene.came) == 200, "it is alive");
    raw_close(&slow);
    CHECK(child_wait(scene.hub.pid, 90) == 0, "it did not end well");
    scene.hub.pid = 0;
    buf_done(&frame);
    buf_done(&out);
    scene_close(&scene);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"each_page_answers_get_and_head", each_page_answers_get_and_head},
        {"what_is_malformed_or_unknown_is_named", what_is_malformed_or_unknown_is_named},
        {"a_head_without_end_is_refused_at_its_limit", a_head_without_end_is_refused_at_its_limit},
        {"two_requests_at_once_are_answered_once", two_requests_at_once_are_answered_once},
        {"who_drips_is_cut_at_the_deadline", who_drips_is_cut_at_the_deadline},
        {"places_are_few_and_come_back_and_devices_are_served_meanwhile",
         places_are_few_and_come_back_and_devices_are_served_meanwhile},
        {"counters_move_with_what_happens", counters_move_with_what_happens},
        {"nothing_names_anybody", nothing_names_anybody},
        {"every_error_has_an_id_and_no_other_answer", every_error_has_an_id_and_no_other_answer},
        {"a_hub_that_stops_says_so_for_as_long_as_it_answers_what_was_received",
         a_hub_that_stops_says_so_for_as_long_as_it_answers_what_was_received},
        {"a_hub_that_cannot_write_is_not_ready_until_it_can",
         a_hub_that_cannot_write_is_not_ready_until_it_can},
        {"a_hub_on_a_full_disk_is_not_ready_until_there_is_room",
         a_hub_on_a_full_disk_is_not_ready_until_there_is_room},
    };
    make_disk();
    CHECK(setenv(FAILDISK_FILE, disk_path, 1) == 0 && setenv("LD_PRELOAD", FAILDISK_PATH, 1) == 0,
          "the environment");
    // A sanitizer's library does not mind being the second.
    const char *options = getenv("ASAN_OPTIONS");
    char more[300];
    (void)snprintf(more, sizeof more, "%s:verify_asan_link_order=0", options ? options : "");
    CHECK(setenv("ASAN_OPTIONS", more, 1) == 0, "the environment");
    int failed = check_main(cases, sizeof cases / sizeof *cases, argc, argv);
    (void)unlink(disk_path);
    return failed;
}
