// What speaks no TLS, no HTTP/2, or both with malice: each gets an error or a clean end within a
// bound, leaves no trace, and the next good device is served.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/e2e/check.h"
#include "tests/e2e/raw.h"
#include "tests/e2e/stage.h"

enum h2_error {
    H2_PROTOCOL = 1,
    H2_FRAME_SIZE = 6,
    H2_REFUSED = 7,
    H2_COMPRESSION = 9,
    H2_CALM = 11,
    H2_ANY = 255,
};

static const char info[] = "/folkmoot.v1.InfoService/Info";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";
static const struct bytes nothing = {NULL, 0};

// Long enough for every limit of the hub's, short enough to be a bound.
static unsigned patience_ms(void)
{
    return 4000 + STAGE_SECONDS * 2000 * (check_slowness() > 4 ? 2 : 1);
}

static void expect_end(struct raw *wire, const char *what, struct buf *in)
{
    int64_t begun = check_now_ms();
    CHECK(raw_read(wire, patience_ms(), in), "\"%s\": the hub keeps the connection", what);
    if (check_now_ms() - begun > 1000)
        printf("    %s: ended after %.1f s\n", what, (double)(check_now_ms() - begun) / 1000);
}

// --- below HTTP/2 ---

static void expect_end_of_bytes(struct stage *stage, const char *what, struct bytes bytes)
{
    struct raw wire;
    struct buf in = {0};
    raw_open(&wire, stage->hub.port);
    (void)raw_send(&wire, bytes);
    expect_end(&wire, what, &in);
    raw_close(&wire);
    buf_done(&in);
    stage_check_unharmed(stage, what);
}

static void what_is_no_tls_is_ended(void)
{
    static const uint8_t long_record[] = {0x16, 0x03, 0x01, 0xff, 0xff, 0x01, 0x00};
    static const uint8_t half_hello[] = {0x16, 0x03, 0x01, 0x01, 0x00,
                                         0x01, 0x00, 0x00, 0xfc, 0x03};
    static const uint8_t alert[] = {0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28};
    struct stage stage;
    uint8_t garbage[4096];
    stage_open(&stage);
    CHECK(getrandom(garbage, sizeof garbage, 0) == sizeof garbage, "getrandom");
    garbage[0] = 0xf7;
    expect_end_of_bytes(&stage, "a plain HTTP request",
                        bytes_of_text("GET / HTTP/1.1\r\nhost: hub\r\n\r\n"));
    expect_end_of_bytes(&stage, "a plain HTTP/2 preface",
                        bytes_of_text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    expect_end_of_bytes(&stage, "garbage", BYTES(garbage));
    expect_end_of_bytes(&stage, "a record that is too long", BYTES(long_record));
    expect_end_of_bytes(&stage, "an alert first of all", BYTES(alert));
    expect_end_of_bytes(&stage, "half a ClientHello", BYTES(half_hello));
    expect_end_of_bytes(&stage, "nothing at all", nothing);
    stage_close(&stage);
}

static void tls_for_another_protocol_is_not_served(void)
{
    static const char *const protocols[] = {NULL, "http/1.1", "h3"};
    static const char request[] = "POST /folkmoot.v1.InfoService/Info HTTP/1.1\r\nhost: hub\r\n"
                                  "content-type: application/proto\r\ncontent-length: 0\r\n\r\n";
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        struct raw wire;
        struct buf in = {0};
        raw_open(&wire, stage.hub.port);
        if (raw_tls(&wire, protocols[i])) {
            (void)raw_send(&wire, bytes_of_text(request));
            expect_end(&wire, "HTTP/1.1 over TLS", &in);
            buf_put_u8(&in, 0);
            // RFC 9110 section 15.6.6, or not a word.
            CHECK(in.n < 2 || strncmp((const char *)in.p, "HTTP/1.1 505", 12) == 0 ||
                      in.p[3] == FRAME_SETTINGS,
                  "served: %s", (const char *)in.p);
            CHECK(!strstr((const char *)in.p, "200 OK"), "HTTP/1.1 is served");
        }
        raw_close(&wire);
        buf_done(&in);
        stage_check_unharmed(&stage, "TLS for another protocol");
    }
    stage_close(&stage);
}

// --- HTTP/2 frames ---

// Sends the frames after a sound preface; the hub must say GOAWAY with this code (H2_ANY: any or
// none) and end the connection.
static void expect_goaway(struct stage *stage, const char *what, const struct buf *frames,
                          enum h2_error code)
{
    struct raw wire;
    struct buf in = {0};
    struct bytes payload;
    raw_open_h2(&wire, stage->hub.port);
    (void)raw_send(&wire, buf_bytes(frames));
    expect_end(&wire, what, &in);
    bool told = raw_find_frame(buf_bytes(&in), FRAME_GOAWAY, 0, &payload) && payload.n >= 8;
    CHECK(told || code == H2_ANY, "\"%s\": no GOAWAY", what);
    CHECK(code == H2_ANY || be32_get(payload.p + 4) == (uint32_t)code,
          "\"%s\": GOAWAY with %u, not %d", what, be32_get(payload.p + 4), (int)code);
    raw_close(&wire);
    buf_done(&in);
    stage_check_unharmed(stage, what);
}

static void expect_goaway_of_frame(struct stage *stage, const char *what, enum frame_type type,
                                   uint32_t stream, struct bytes payload, enum h2_error code)
{
    struct buf frames = {0};
    raw_put_frame(&frames, type, FLAG_END_HEADERS | FLAG_END_STREAM, stream, payload);
    expect_goaway(stage, what, &frames, code);
    buf_done(&frames);
}

static void a_broken_frame_ends_the_connection_with_its_code(void)
{
    static const uint8_t bad_hpack[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t five[5] = {0};
    static const uint8_t zero_step[4] = {0};
    struct stage stage;
    struct buf head = {0}, frames = {0};
    uint8_t *big = calloc(1, 1 << 20);
    CHECK(big, "out of memory");
    stage_open(&stage);
    raw_put_head(&head, info, NULL);
    expect_goaway_of_frame(&stage, "a frame of 1 MiB", FRAME_DATA, 1, bytes_of(big, 1 << 20),
                           H2_FRAME_SIZE);
    expect_goaway_of_frame(&stage, "data for no stream", FRAME_DATA, 0, BYTES(five), H2_PROTOCOL);
    expect_goaway_of_frame(&stage, "a head that does not unpack", FRAME_HEADERS, 1,
                           BYTES(bad_hpack), H2_COMPRESSION);
    expect_goaway_of_frame(&stage, "a stream with an even number", FRAME_HEADERS, 2,
                           buf_bytes(&head), H2_PROTOCOL);
    expect_goaway_of_frame(&stage, "settings of five bytes", FRAME_SETTINGS, 0, BYTES(five),
                           H2_FRAME_SIZE);
    expect_goaway_of_frame(&stage, "a window that grows by nothing", FRAME_WINDOW_UPDATE, 0,
                           BYTES(zero_step), H2_PROTOCOL);
    expect_goaway_of_frame(&stage, "a promise by a client", FRAME_PUSH_PROMISE, 1, buf_bytes(&head),
                           H2_PROTOCOL);
    expect_goaway_of_frame(&stage, "a continuation of nothing", FRAME_CONTINUATION, 1,
                           buf_bytes(&head), H2_PROTOCOL);
    free(big);
    buf_done(&head);
    buf_done(&frames);
    stage_close(&stage);
}

static void a_wrong_preface_ends_the_connection(void)
{
    struct stage stage;
    struct raw wire;
    struct buf in = {0};
    stage_open(&stage);
    raw_open(&wire, stage.hub.port);
    CHECK(raw_tls(&wire, "h2"), "the handshake failed");
    (void)raw_send(&wire, bytes_of_text("PRI * HTTP/9.9\r\n\r\nXX\r\n\r\n"));
    expect_end(&wire, "a wrong preface", &in);
    raw_close(&wire);
    buf_done(&in);
    stage_check_unharmed(&stage, "a wrong preface");
    stage_close(&stage);
}

// --- too much ---

static void floods_of_frames_that_move_nothing_are_ended(void)
{
    enum { FLOOD = 2000 };
    static const uint8_t eight[8] = {0};
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    struct stage stage;
    struct buf head = {0}, pings = {0}, settings = {0}, resets = {0};
    stage_open(&stage);
    raw_put_head(&head, sync_path, stage.peer.token);
    for (uint32_t i = 0; i < FLOOD; i++) {
        raw_put_frame(&pings, FRAME_PING, 0, 0, BYTES(eight));
        raw_put_frame(&settings, FRAME_SETTINGS, 0, 0, nothing);
        raw_put_frame(&resets, FRAME_HEADERS, FLAG_END_HEADERS, 2 * i + 1, buf_bytes(&head));
        raw_put_frame(&resets, FRAME_RST_STREAM, 0, 2 * i + 1, BYTES(cancel));
    }
    expect_goaway(&stage, "a flood of pings", &pings, H2_CALM);
    expect_goaway(&stage, "a flood of settings", &settings, H2_CALM);
    expect_goaway(&stage, "a flood of resets", &resets, H2_CALM);
    buf_done(&head);
    buf_done(&pings);
    buf_done(&settings);
    buf_done(&resets);
    stage_close(&stage);
}

static void heads_without_end_are_ended(void)
{
    enum { PARTS = 400, PART = 16000 };
    struct stage stage;
    struct buf part = {0}, frames = {0}, head = {0};
    stage_open(&stage);
    raw_put_head(&head, info, NULL);
    char *value = calloc(1, PART);
    CHECK(value, "out of memory");
    memset(value, 'x', PART - 64);
    raw_put_header(&part, "x-long", value);
    raw_put_frame(&frames, FRAME_HEADERS, 0, 1, buf_bytes(&head));
    for (int i = 0; i < PARTS; i++)
        raw_put_frame(&frames, FRAME_CONTINUATION, 0, 1, buf_bytes(&part));
    expect_goaway(&stage, "a head without an end", &frames, H2_ANY);
    free(value);
    buf_done(&part);
    buf_done(&frames);
    buf_done(&head);
    stage_close(&stage);
}

static void streams_over_the_limit_are_refused_and_the_others_are_answered(void)
{
    enum { LIMIT = 100, OVER = 40, ENDED = 50 };
    struct stage stage;
    struct raw wire;
    struct buf head = {0}, frames = {0}, in = {0};
    struct bytes reset;
    stage_open(&stage);
    raw_put_head(&head, info, NULL);
    // All open before the first ends.
    for (uint32_t i = 0; i < LIMIT + OVER; i++)
        raw_put_frame(&frames, FRAME_HEADERS, FLAG_END_HEADERS, 2 * i + 1, buf_bytes(&head));
    for (uint32_t i = 0; i < ENDED; i++)
        raw_put_frame(&frames, FRAME_DATA, FLAG_END_STREAM, 2 * i + 1, nothing);
    raw_open_h2(&wire, stage.hub.port);
    (void)raw_send(&wire, buf_bytes(&frames));
    (void)raw_read(&wire, 1500, &in);
    size_t refused = raw_count_frames(buf_bytes(&in), FRAME_RST_STREAM);
    size_t answered = raw_count_frames(buf_bytes(&in), FRAME_HEADERS);
    CHECK(refused == OVER, "%zu streams were refused", refused);
    CHECK(answered == ENDED, "%zu streams were answered", answered);
    CHECK(raw_find_frame(buf_bytes(&in), FRAME_RST_STREAM, 0, &reset) && reset.n == 4 &&
              be32_get(reset.p) == H2_REFUSED,
          "not REFUSED_STREAM");
    raw_close(&wire);
    buf_done(&head);
    buf_done(&frames);
    buf_done(&in);
    stage_check_unharmed(&stage, "too many streams");
    stage_close(&stage);
}

static void connections_over_the_cap_are_turned_away_and_the_cap_is_freed(void)
{
    enum { MORE = STAGE_CONNECTIONS + 8 };
    struct stage stage;
    struct raw wires[MORE];
    unsigned turned_away = 0;
    stage_open(&stage);
    device_route(&stage.good, 0);
    for (size_t i = 0; i < MORE; i++)
        raw_open(&wires[i], stage.hub.port);
    check_sleep_ms(300);
    for (size_t i = 0; i < MORE; i++) {
        struct buf in = {0};
        turned_away += raw_read(&wires[i], 1, &in);
        buf_done(&in);
    }
    printf("    %u of %d turned away\n", turned_away, MORE);
    CHECK(turned_away >= MORE - STAGE_CONNECTIONS && turned_away < MORE, "%u turned away",
          turned_away);
    // Those that hold their places and say nothing lose them.
    for (size_t i = 0; i < MORE; i++) {
        struct buf in = {0};
        expect_end(&wires[i], "a connection that says nothing", &in);
        raw_close(&wires[i]);
        buf_done(&in);
    }
    stage_check_unharmed(&stage, "too many connections");
    stage_close(&stage);
}

// --- too slow ---

// A byte now and then: the hub must end it before the patience is over.
static void expect_end_of_drip(struct stage *stage, const char *what, struct bytes first,
                               struct bytes drip)
{
    struct raw wire;
    struct buf in = {0};
    bool ended = false;
    int64_t begun = check_now_ms(), end = begun + patience_ms();
    raw_open_h2(&wire, stage->hub.port);
    (void)raw_send(&wire, first);
    for (size_t i = 0; i < drip.n && !ended && check_now_ms() < end; i++) {
        (void)raw_send(&wire, bytes_of(drip.p + i, 1));
        ended = raw_read(&wire, 100, &in);
    }
    CHECK(ended, "\"%s\" holds its place", what);
    printf("    %s: ended after %.1f s\n", what, (double)(check_now_ms() - begun) / 1000);
    raw_close(&wire);
    buf_done(&in);
    stage_check_unharmed(stage, what);
}

static void what_drips_to_hold_a_place_is_cut(void)
{
    struct stage stage;
    struct buf head = {0}, slow_head = {0}, body = {0}, start = {0};
    uint8_t zeros[4096] = {0};
    stage_open(&stage);
    raw_put_head(&head, sync_path, stage.peer.token);
    raw_put_header(&head, "x-long",
                   "a value that comes a letter at a time, and one more, and one "
                   "more, and one more, and one more, and one more");
    raw_put_frame(&slow_head, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
    expect_end_of_drip(&stage, "a head that drips", nothing, buf_bytes(&slow_head));
    raw_put_frame(&start, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
    raw_put_frame(&body, FRAME_DATA, FLAG_END_STREAM, 1, BYTES(zeros));
    expect_end_of_drip(&stage, "a body that drips", buf_bytes(&start), buf_bytes(&body));
    buf_done(&head);
    buf_done(&slow_head);
    buf_done(&body);
    buf_done(&start);
    stage_close(&stage);
}

static void an_answer_that_is_not_fetched_is_cut(void)
{
    // SETTINGS_INITIAL_WINDOW_SIZE is 0: not a byte of a body may be sent.
    static const uint8_t no_window[] = {0, 4, 0, 0, 0, 0};
    struct stage stage;
    struct buf head = {0}, frames = {0};
    stage_open(&stage);
    raw_put_head(&head, info, NULL);
    raw_put_frame(&frames, FRAME_SETTINGS, 0, 0, BYTES(no_window));
    raw_put_frame(&frames, FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, 1, buf_bytes(&head));
    expect_goaway(&stage, "an answer that is not fetched", &frames, H2_ANY);
    buf_done(&head);
    buf_done(&frames);
    stage_close(&stage);
}

static void a_body_that_breaks_off_leaves_nothing(void)
{
    struct stage stage;
    struct buf head = {0}, frames = {0}, request = {0};
    struct peer_change change = peer_create(KIND_NEED, bytes_of("\x42\x01x", 3));
    stage_open(&stage);
    peer_request(&stage.peer, &change, 1, NULL, &request, NULL);
    raw_put_head(&head, sync_path, stage.peer.token);
    for (size_t cut = 0; cut <= request.n; cut += 16) {
        struct raw wire;
        buf_reset(&frames);
        raw_put_frame(&frames, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
        raw_put_frame(&frames, FRAME_DATA, 0, 1, bytes_of(request.p, cut));
        raw_open_h2(&wire, stage.hub.port);
        (void)raw_send(&wire, buf_bytes(&frames));
        raw_close(&wire);
    }
    stage_check_unharmed(&stage, "bodies that break off");
    buf_done(&head);
    buf_done(&frames);
    buf_done(&request);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(what_is_no_tls_is_ended),
        CASE(tls_for_another_protocol_is_not_served),
        CASE(a_wrong_preface_ends_the_connection),
        CASE(a_broken_frame_ends_the_connection_with_its_code),
        CASE(floods_of_frames_that_move_nothing_are_ended),
        CASE(heads_without_end_are_ended),
        CASE(streams_over_the_limit_are_refused_and_the_others_are_answered),
        CASE(connections_over_the_cap_are_turned_away_and_the_cap_is_freed),
        CASE(what_drips_to_hold_a_place_is_cut),
        CASE(an_answer_that_is_not_fetched_is_cut),
        CASE(a_body_that_breaks_off_leaves_nothing),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
