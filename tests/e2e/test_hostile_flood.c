// Floods within HTTP/2, connection after connection, and what they cost: each is ended, memory
// stays within a bound, and others are served meanwhile.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"
#include "tests/e2e/strain.h"

enum {
    ROUNDS = 30, // connections of each flood, one after the other
    FEW = 3,     // where a connection stays for a while
    FLOOD_HOST = 3,
    FLOOD_KIB = 4 << 10, // more than any flood may cost
};

static const char limits[] = "connections = 200\nconnections_per_address = 64\n"
                             "handshake_seconds = 10\nprogress_seconds = 5\nidle_seconds = 3\n";
static const char info[] = "/folkmoot.v1.InfoService/Info";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";
static const struct bytes nothing = {NULL, 0};

// Longer than any limit of the hub's, on a machine that has much else to do.
enum { PATIENCE_MS = 60000 };

struct flood {
    const struct stage *stage;
    struct buf once;  // said at each connection's beginning
    struct buf again; // and this until it is ended
    size_t times;     // at most
    size_t rounds;    // connections; 0: ROUNDS
    size_t ended;     // of them
    size_t answers;   // HEADERS that came
};

static void flood_once(struct flood *flood)
{
    struct raw wire;
    struct buf in = {0}, hello = {0};
    raw_open_from(&wire, flood->stage->hub.port, FLOOD_HOST, 0);
    CHECK(raw_tls(&wire, "h2"), "the hub refused a handshake for h2");
    raw_put_hello(&hello, 0);
    bool goes_on = raw_send(&wire, buf_bytes(&hello)) && raw_send(&wire, buf_bytes(&flood->once));
    for (size_t i = 0; goes_on && i < flood->times; i++)
        goes_on = raw_send(&wire, buf_bytes(&flood->again)) && !raw_read(&wire, 0, &in);
    flood->ended += !goes_on || raw_read(&wire, PATIENCE_MS, &in);
    flood->answers += raw_count_frames(buf_bytes(&in), FRAME_HEADERS);
    raw_close(&wire);
    buf_done(&in);
    buf_done(&hello);
}

static void flood_all(void *arg)
{
    struct flood *flood = arg;
    for (size_t i = 0; i < flood->rounds; i++)
        flood_once(flood);
}

// Lets it loose on a hub of its own. Empties the flood.
static void expect_flood_to_end(const char *what, struct stage *stage, struct flood *flood)
{
    struct strain strain;
    flood->stage = stage;
    flood->rounds = flood->rounds ? flood->rounds : ROUNDS;
    strain_begin(&strain, stage);
    strain_meanwhile(stage, what, flood_all, flood);
    CHECK(flood->ended == flood->rounds, "\"%s\": %zu of %zu connections are ended", what,
          flood->ended, flood->rounds);
    strain_check_memory(&strain, what, FLOOD_KIB);
    buf_done(&flood->once);
    buf_done(&flood->again);
}

static void put_reset_streams(struct buf *out, const char *token, uint32_t first, uint32_t n)
{
    static const uint8_t cancel[4] = {0, 0, 0, 8};
    struct buf head = {0};
    raw_put_head(&head, sync_path, token);
    for (uint32_t i = first; i < first + n; i++) {
        raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, 2 * i + 1, buf_bytes(&head));
        raw_put_frame(out, FRAME_RST_STREAM, 0, 2 * i + 1, BYTES(cancel));
    }
    buf_done(&head);
}

// CVE-2023-44487.
static void streams_that_are_opened_and_reset_are_ended_at_every_connection(void)
{
    struct stage stage;
    struct flood flood = {.times = 0};
    strain_open(&stage, limits);
    put_reset_streams(&flood.once, stage.peer.token, 0, 20000);
    expect_flood_to_end("streams opened and reset", &stage, &flood);
    stage_close(&stage);
}

// The other way round: what makes the hub reset streams (a window that overflows).
static void streams_that_make_the_hub_reset_them_are_ended(void)
{
    static const uint8_t too_much[4] = {0x7f, 0xff, 0xff, 0xff};
    struct stage stage;
    struct flood flood = {.times = 0};
    struct buf head = {0};
    strain_open(&stage, limits);
    raw_put_head(&head, sync_path, stage.peer.token);
    for (uint32_t i = 0; i < 5000; i++) {
        raw_put_frame(&flood.once, FRAME_HEADERS, FLAG_END_HEADERS, 2 * i + 1, buf_bytes(&head));
        raw_put_frame(&flood.once, FRAME_WINDOW_UPDATE, 0, 2 * i + 1, BYTES(too_much));
    }
    expect_flood_to_end("streams that the hub resets", &stage, &flood);
    buf_done(&head);
    stage_close(&stage);
}

// --- heads ---

static void put_continuations(struct flood *flood, struct bytes part)
{
    struct buf head = {0};
    raw_put_head(&head, info, NULL);
    raw_put_frame(&flood->once, FRAME_HEADERS, 0, 1, buf_bytes(&head));
    for (int i = 0; i < 8; i++)
        raw_put_frame(&flood->again, FRAME_CONTINUATION, 0, 1, part);
    flood->times = 20000;
    buf_done(&head);
}

// CVE-2024-28182.
static void continuations_without_end_are_ended(void)
{
    struct stage stage;
    struct flood flood = {0};
    struct buf part = {0};
    char value[16000];
    strain_open(&stage, limits);
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    raw_put_header(&part, "x-long", value);
    put_continuations(&flood, buf_bytes(&part));
    expect_flood_to_end("continuations without end", &stage, &flood);
    buf_done(&part);
    stage_close(&stage);
}

static void continuations_of_nothing_are_ended(void)
{
    struct stage stage;
    struct flood flood = {0};
    strain_open(&stage, limits);
    put_continuations(&flood, nothing);
    expect_flood_to_end("continuations of nothing", &stage, &flood);
    stage_close(&stage);
}

// An entry of 4,000 bytes into the dynamic table, and then nothing but references to it: each byte
// unpacks to 4,000 (RFC 7541 sections 6.1 and 6.2.1).
static void put_bomb(struct buf *out, uint32_t stream, bool is_first)
{
    enum { REFERENCES = 15000, INDEX_OF_FIRST = 62 };
    static char value[3900];
    struct buf head = {0}, literal = {0};
    memset(value, 'b', sizeof value - 1);
    raw_put_head(&head, info, NULL);
    if (is_first) {
        raw_put_header(&literal, "x-bomb", value);
        literal.p[0] = 0x40; // with indexing
        buf_put(&head, buf_bytes(&literal));
    }
    for (size_t i = 0; i < (is_first ? 1 : REFERENCES); i++)
        buf_put_u8(&head, 0x80 | INDEX_OF_FIRST);
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, stream, buf_bytes(&head));
    buf_done(&head);
    buf_done(&literal);
}

static void heads_that_unpack_to_much_more_are_refused(void)
{
    enum { BOMBS = 60 };
    struct stage stage;
    struct flood flood = {.rounds = FEW};
    strain_open(&stage, limits);
    for (uint32_t i = 0; i <= BOMBS; i++)
        put_bomb(&flood.once, 2 * i + 1, i == 0);
    expect_flood_to_end("heads of 60 MB each", &stage, &flood);
    printf("    %zu answers to %d heads\n", flood.answers, FEW * (BOMBS + 1));
    stage_close(&stage);
}

// --- frames that ask for nothing ---

static void expect_frames_to_end(const char *what, enum frame_type type, uint32_t stream,
                                 struct bytes payload)
{
    struct stage stage;
    struct flood flood = {.times = 100000, .rounds = FEW};
    strain_open(&stage, limits);
    for (int i = 0; i < 500; i++)
        raw_put_frame(&flood.again, type, 0, stream, payload);
    expect_flood_to_end(what, &stage, &flood);
    stage_close(&stage);
}

static void priorities_without_end_are_ended(void)
{
    static const uint8_t priority[5] = {0, 0, 0, 0, 1};
    expect_frames_to_end("priorities", FRAME_PRIORITY, 1001, BYTES(priority));
}

static void windows_that_grow_without_end_are_ended(void)
{
    static const uint8_t one[4] = {0, 0, 0, 1};
    expect_frames_to_end("windows that grow", FRAME_WINDOW_UPDATE, 0, BYTES(one));
}

static void frames_of_an_unknown_type_without_end_are_ended(void)
{
    expect_frames_to_end("frames of an unknown type", (enum frame_type)0xbb, 0, nothing);
}

// --- below HTTP/2 ---

// Each asks the other end to change its keys, too (RFC 8446 section 4.6.3).
static void update_keys(void *arg)
{
    enum { UPDATES = 20000 };
    struct flood *flood = arg;
    struct buf hello = {0}, in = {0};
    struct raw wire;
    raw_open_from(&wire, flood->stage->hub.port, FLOOD_HOST, 0);
    CHECK(raw_tls(&wire, "h2"), "the hub refused a handshake for h2");
    raw_put_hello(&hello, 0);
    bool goes_on = raw_send(&wire, buf_bytes(&hello));
    for (int i = 0; goes_on && i < UPDATES; i++) {
        goes_on = SSL_key_update(wire.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
                  SSL_do_handshake(wire.ssl) == 1 && !raw_read(&wire, 0, &in);
        flood->answers++;
    }
    flood->ended = !goes_on || raw_read(&wire, PATIENCE_MS, &in);
    raw_close(&wire);
    buf_done(&hello);
    buf_done(&in);
}

static void key_updates_without_end_cost_little(void)
{
    struct stage stage;
    struct strain strain;
    struct flood flood = {.stage = &stage};
    strain_open(&stage, limits);
    strain_begin(&strain, &stage);
    strain_meanwhile(&stage, "key updates", update_keys, &flood);
    printf("    %zu key updates\n", flood.answers);
    CHECK(flood.ended == 1, "the connection is kept");
    strain_check_memory(&strain, "key updates", FLOOD_KIB);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(streams_that_are_opened_and_reset_are_ended_at_every_connection),
        CASE(streams_that_make_the_hub_reset_them_are_ended),
        CASE(continuations_without_end_are_ended),
        CASE(continuations_of_nothing_are_ended),
        CASE(heads_that_unpack_to_much_more_are_refused),
        CASE(priorities_without_end_are_ended),
        CASE(windows_that_grow_without_end_are_ended),
        CASE(frames_of_an_unknown_type_without_end_are_ended),
        CASE(key_updates_without_end_cost_little),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
