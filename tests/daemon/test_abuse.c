// What hostile and broken peers do to a hub, which must answer properly or hang up, and live on.

#include <signal.h>
#include <unistd.h>

#include "tests/daemon/caller.h"
#include "tests/daemon/raw.h"

static const char info_path[] = "/folkmoot.v1.InfoService/Info";

enum { NO_ERROR = 0, PROTOCOL_ERROR = 1, FRAME_SIZE_ERROR = 6, ENHANCE_YOUR_CALM = 11 };

static struct process hub;

static const char limits[] = "[limits]\n"
                             "connections_per_address = 12\n"
                             "connections = 20\n"
                             "handshake_seconds = 1\n"
                             "idle_seconds = 2\n"
                             "progress_seconds = 2\n"
                             "progress_bytes = 40\n"
                             "body_bytes = 64K\n"
                             "header_bytes = 4K\n";

static void expect_alive(void)
{
    struct answer answer = {0};
    caller_ask(&(struct ask){.hub = &hub, .path = info_path}, &answer);
    EXPECT(answer.status == 200);
    caller_ask(&(struct ask){.hub = &hub, .path = info_path, .plain = true}, &answer);
    EXPECT(answer.status == 200);
    buf_done(&answer.body);
}

// Sends these bytes to a port and expects to be hung up on; gives GOAWAY's code.
static long hung_up_on(const char *port, struct bytes bytes)
{
    struct buf came = {0};
    int fd = raw_connect(port);
    (void)raw_send(fd, bytes);
    EXPECT(raw_hangs_up(fd, 10000, &came));
    long code = raw_goaway_code(&came);
    (void)close(fd);
    buf_done(&came);
    return code;
}

static void noise_is_hung_up_on(void)
{
    uint8_t noise[4096];
    uint32_t state = 12345;
    for (size_t i = 0; i < sizeof noise; i++) {
        state = state * 1664525 + 1013904223;
        noise[i] = (uint8_t)(state >> 24);
    }
    (void)hung_up_on(hub.tls_port, BYTES(noise));
    (void)hung_up_on(hub.plain_port, BYTES(noise));
    noise[0] = 22; // TLS: a handshake record of 4,000 bytes
    noise[1] = 3;
    noise[2] = 1;
    noise[3] = 4000 >> 8;
    noise[4] = 4000 & 0xff;
    (void)hung_up_on(hub.tls_port, BYTES(noise));
    expect_alive();
}

static void silence_is_hung_up_on(void)
{
    long since = process_now_ms();
    (void)hung_up_on(hub.tls_port, (struct bytes){NULL, 0});
    (void)hung_up_on(hub.plain_port, bytes_of("PRI * HT", 8));
    EXPECT(process_now_ms() - since >= 2000);
}

static void malformed_frames_end_the_connection(void)
{
    static uint8_t zeros[20000];
    struct buf bytes = {0};
    raw_put_greeting(&bytes);
    raw_put_frame(&bytes, RAW_DATA, 0, 0, bytes_of(zeros, 10));
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == PROTOCOL_ERROR);
    buf_reset(&bytes);
    raw_put_greeting(&bytes);
    raw_put_frame(&bytes, RAW_PING, 0, 0, bytes_of(zeros, sizeof zeros));
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == FRAME_SIZE_ERROR);
    buf_reset(&bytes);
    raw_put_greeting(&bytes);
    raw_put_frame(&bytes, RAW_HEADERS, RAW_END_HEADERS, 1, bytes_of("\xff\xff\xff\xff\xff\xff", 6));
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) > 0);
    buf_reset(&bytes);
    raw_put_greeting(&bytes);
    raw_put_frame(&bytes, RAW_CONTINUATION, RAW_END_HEADERS, 1, bytes_of(zeros, 4));
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == PROTOCOL_ERROR);
    buf_done(&bytes);
    expect_alive();
}

static void too_long_a_head_is_refused(void)
{
    static const char value[] = "01234567890123456789012345678901234567890123456789"
                                "01234567890123456789012345678901234567890123456789";
    struct buf bytes = {0}, head = {0}, came = {0};
    raw_put_greeting(&bytes);
    raw_put_post(&head, info_path);
    for (int i = 0; i < 60; i++)
        raw_put_field(&head, "x-long", value);
    raw_put_frame(&bytes, RAW_HEADERS, RAW_END_HEADERS | RAW_END_STREAM, 1, buf_bytes(&head));
    int fd = raw_connect(hub.plain_port);
    EXPECT(raw_send(fd, buf_bytes(&bytes)));
    EXPECT(!raw_hangs_up(fd, 300, &came));
    EXPECT(memmem(came.p, came.n, "resource_exhausted", 18));
    (void)close(fd);
    buf_done(&bytes);
    buf_done(&head);
    buf_done(&came);
}

static void a_flood_of_resets_is_ended(void)
{
    struct buf bytes = {0}, head = {0};
    raw_put_greeting(&bytes);
    raw_put_post(&head, info_path);
    for (uint32_t stream = 1; stream < 600; stream += 2) {
        raw_put_frame(&bytes, RAW_HEADERS, RAW_END_HEADERS, stream, buf_bytes(&head));
        raw_put_frame(&bytes, RAW_RESET, 0, stream, bytes_of("\0\0\0\x08", 4));
    }
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == ENHANCE_YOUR_CALM);
    buf_done(&bytes);
    buf_done(&head);
    expect_alive();
}

static void a_flood_of_pings_is_ended(void)
{
    struct buf bytes = {0};
    raw_put_greeting(&bytes);
    for (int i = 0; i < 2000; i++)
        raw_put_frame(&bytes, RAW_PING, 0, 0, bytes_of("01234567", 8));
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == ENHANCE_YOUR_CALM);
    buf_done(&bytes);
    expect_alive();
}

// Begins a request and leaves its body open.
static int begin_request(const char *timeout)
{
    struct buf bytes = {0}, head = {0};
    raw_put_greeting(&bytes);
    raw_put_post(&head, info_path);
    if (timeout)
        raw_put_field(&head, "connect-timeout-ms", timeout);
    raw_put_frame(&bytes, RAW_HEADERS, RAW_END_HEADERS, 1, buf_bytes(&head));
    int fd = raw_connect(hub.plain_port);
    EXPECT(raw_send(fd, buf_bytes(&bytes)));
    buf_done(&bytes);
    buf_done(&head);
    return fd;
}

// A body in pieces of n bytes, one every 400 ms. True: hung up on within `ms`.
static bool drips(int fd, size_t n, long ms, struct buf *came)
{
    // Field 15, not known, of an InfoRequest: sound as far as it goes.
    static const uint8_t piece[] = {122, 18,  'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a',
                                    'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a'};
    for (long end = process_now_ms() + ms; process_now_ms() < end;) {
        struct buf frame = {0};
        raw_put_frame(&frame, RAW_DATA, 0, 1, bytes_of(piece, n));
        bool sent = raw_send(fd, buf_bytes(&frame));
        buf_done(&frame);
        if (!sent || raw_hangs_up(fd, 400, came))
            return true;
    }
    return false;
}

static void what_drips_is_cut_and_what_moves_is_not(void)
{
    struct buf came = {0};
    int dripping = begin_request(NULL);
    EXPECT(drips(dripping, 1, 8000, &came));
    (void)close(dripping);
    buf_reset(&came);
    int moving = begin_request(NULL);
    // 50 bytes a second, where 20 are asked for, and far longer than any limit in seconds.
    EXPECT(!drips(moving, 20, 7000, &came));
    struct buf last = {0};
    raw_put_frame(&last, RAW_DATA, RAW_END_STREAM, 1, (struct bytes){NULL, 0});
    EXPECT(raw_send(moving, buf_bytes(&last)));
    EXPECT(!raw_hangs_up(moving, 500, &came));
    EXPECT(memmem(came.p, came.n, "folkmootd", 9)); // the answer's `software`
    (void)close(moving);
    buf_done(&last);
    buf_done(&came);
    expect_alive();
}

static void a_deadline_is_kept(void)
{
    struct buf came = {0};
    int fd = begin_request("300");
    EXPECT(!raw_hangs_up(fd, 1000, &came));
    EXPECT(memmem(came.p, came.n, "deadline_exceeded", 17));
    (void)close(fd);
    buf_done(&came);
}

static void an_idle_connection_is_ended_politely(void)
{
    struct buf bytes = {0};
    raw_put_greeting(&bytes);
    long since = process_now_ms();
    EXPECT(hung_up_on(hub.plain_port, buf_bytes(&bytes)) == NO_ERROR);
    EXPECT(process_now_ms() - since >= 2000);
    buf_done(&bytes);
}

static void too_many_connections_are_turned_away(void)
{
    int fds[12];
    struct buf came = {0};
    for (int i = 0; i < 12; i++)
        fds[i] = raw_connect(hub.tls_port);
    int over = raw_connect(hub.tls_port);
    EXPECT(raw_hangs_up(over, 500, &came) && came.n == 0);
    (void)close(over);
    // Behind a proxy addresses say nothing, and the limit of all counts.
    int proxied = raw_connect(hub.plain_port);
    EXPECT(!raw_hangs_up(proxied, 300, &came));
    (void)close(proxied);
    for (int i = 0; i < 12; i++)
        (void)close(fds[i]);
    process_sleep_ms(200);
    expect_alive();
    EXPECT(process_has_said(&hub, "too many connections"));
    buf_done(&came);
}

static void many_streams_that_are_cut_off_leave_nothing(void)
{
    for (int i = 0; i < 30; i++)
        (void)close(begin_request(i % 2 ? "50" : NULL));
    process_sleep_ms(200);
    expect_alive();
}

static void it_ends_when_asked_though_somebody_lingers(void)
{
    int silent = raw_connect(hub.tls_port), idle = begin_request(NULL);
    process_sleep_ms(100);
    long since = process_now_ms();
    process_signal(&hub, SIGTERM);
    process_sleep_ms(50);
    EXPECT(close(idle) == 0);
    EXPECT(process_end(&hub) == 0);
    EXPECT(process_now_ms() - since < 8000);
    (void)close(silent);
}

int main(void)
{
    process_start(&hub, limits);
    expect_alive();
    noise_is_hung_up_on();
    silence_is_hung_up_on();
    malformed_frames_end_the_connection();
    too_long_a_head_is_refused();
    a_flood_of_resets_is_ended();
    a_flood_of_pings_is_ended();
    what_drips_is_cut_and_what_moves_is_not();
    a_deadline_is_kept();
    an_idle_connection_is_ended_politely();
    too_many_connections_are_turned_away();
    many_streams_that_are_cut_off_leave_nothing();
    it_ends_when_asked_though_somebody_lingers();
    return 0;
}
