// Whoever is slow on purpose, at every layer, with many connections at once: each loses its place
// within the hub's limits, holds little memory until then, and others are served meanwhile.

#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"
#include "tests/e2e/strain.h"

enum {
    SLOW = 24,         // connections of each attack
    SLOW_HOST = 2,     // 127.0.0.2
    LIMIT_SECONDS = 2, // of the hub, for handshakes and for progress
    DRIP_MS = 100,
    PLACE_KIB = 150, // what a connection that has not said its request may hold
};

static const char limits[] = "connections = 200\nconnections_per_address = 64\n"
                             "handshake_seconds = 2\nprogress_seconds = 2\nidle_seconds = 4\n";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";

// Long enough for every limit of the hub's, short enough to be a bound.
static int64_t patience_ms(void)
{
    return 4000 + LIMIT_SECONDS * INT64_C(2000) * (check_slowness() > 4 ? 2 : 1);
}

// --- drips ---

// Connections that have said `first` and go on with a byte of `drip` now and then.
struct drip {
    const struct stage *stage;
    void (*open)(struct raw *raw, uint16_t port, struct buf *drip);
    struct raw wires[SLOW];
    struct buf left[SLOW];
    size_t ended;
};

// True: the hub has ended it.
static bool drip_one(struct raw *raw, struct bytes left, size_t at)
{
    struct buf in = {0};
    bool is_plain = !raw->ssl;
    (void)raw_send(raw, bytes_of(left.p + at % left.n, 1));
    bool ended = raw_read(raw, 1, &in);
    CHECK(!is_plain || at < left.n, "the drip is over");
    buf_done(&in);
    return ended;
}

static void drip_all(void *arg)
{
    struct drip *drip = arg;
    bool ended[SLOW] = {false};
    int64_t end = check_now_ms() + patience_ms();
    for (size_t i = 0; i < SLOW; i++)
        drip->open(&drip->wires[i], drip->stage->hub.port, &drip->left[i]);
    for (size_t at = 0; drip->ended < SLOW && check_now_ms() < end; at++) {
        for (size_t i = 0; i < SLOW; i++) {
            if (!ended[i] && (ended[i] = drip_one(&drip->wires[i], buf_bytes(&drip->left[i]), at)))
                drip->ended++;
        }
        check_sleep_ms(DRIP_MS);
    }
    for (size_t i = 0; i < SLOW; i++) {
        raw_close(&drip->wires[i]);
        buf_done(&drip->left[i]);
    }
}

static void expect_drips_to_end(const char *what,
                                void (*open)(struct raw *raw, uint16_t port, struct buf *drip))
{
    struct stage stage;
    struct strain strain;
    struct drip drip = {.stage = &stage, .open = open};
    strain_open(&stage, limits);
    strain_meanwhile(&stage, "nothing yet", (void (*)(void *))free, NULL); // warms the hub up
    strain_begin(&strain, &stage);
    strain_meanwhile(&stage, what, drip_all, &drip);
    CHECK(drip.ended == SLOW, "\"%s\": %zu of %d hold their places", what, SLOW - drip.ended,
          (int)SLOW);
    strain_check_memory(&strain, what, (size_t)SLOW * PLACE_KIB);
    stage_close(&stage);
}

// A ClientHello as OpenSSL makes it, or its other flight: what a client would send next.
static void take_flight(SSL *ssl, struct buf *out)
{
    uint8_t *room = buf_room(out, 16384);
    (void)SSL_do_handshake(ssl);
    ERR_clear_error();
    int n = BIO_read(SSL_get_wbio(ssl), room, 16384);
    CHECK(n > 0, "no flight of the handshake");
    out->n += (size_t)n;
}

static SSL *new_client(SSL_CTX **context)
{
    *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(*context);
    CHECK(ssl && SSL_set_alpn_protos(ssl, (const uint8_t *)"\2h2", 3) == 0, "OpenSSL");
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    return ssl;
}

static void open_before_tls(struct raw *raw, uint16_t port, struct buf *drip)
{
    SSL_CTX *context;
    SSL *ssl = new_client(&context);
    take_flight(ssl, drip);
    raw_open_from(raw, port, SLOW_HOST, 0);
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void read_flight(struct raw *raw, SSL *ssl)
{
    struct buf in = {0};
    int64_t end = check_now_ms() + 5000;
    while (in.n < 200 && check_now_ms() < end)
        CHECK(!raw_read(raw, 20, &in), "the hub ended the handshake");
    CHECK(in.n >= 200, "no answer to a ClientHello");
    CHECK(BIO_write(SSL_get_rbio(ssl), in.p, (int)in.n) == (int)in.n, "OpenSSL");
    buf_done(&in);
}

// All but the client's last flight is said.
static void open_in_tls(struct raw *raw, uint16_t port, struct buf *drip)
{
    SSL_CTX *context;
    SSL *ssl = new_client(&context);
    struct buf hello = {0};
    take_flight(ssl, &hello);
    raw_open_from(raw, port, SLOW_HOST, 0);
    CHECK(raw_send(raw, buf_bytes(&hello)), "the hub ended the handshake");
    read_flight(raw, ssl);
    take_flight(ssl, drip);
    buf_done(&hello);
    SSL_free(ssl);
    SSL_CTX_free(context);
}

static void open_tls(struct raw *raw, uint16_t port)
{
    raw_open_from(raw, port, SLOW_HOST, 0);
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake for h2");
}

static void open_before_preface(struct raw *raw, uint16_t port, struct buf *drip)
{
    open_tls(raw, port);
    raw_put_hello(drip, 0);
}

static void put_long_head(struct buf *out)
{
    struct buf head = {0};
    char value[2000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    raw_put_head(&head, sync_path, NULL);
    raw_put_header(&head, "x-long", value);
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
    buf_done(&head);
}

static void open_before_head(struct raw *raw, uint16_t port, struct buf *drip)
{
    struct buf hello = {0};
    open_tls(raw, port);
    raw_put_hello(&hello, 0);
    CHECK(raw_send(raw, buf_bytes(&hello)), "the hub closed before the preface");
    put_long_head(drip);
    buf_done(&hello);
}

// A frame of its own for each byte would be progress of frames, but not of a body.
static void open_before_body(struct raw *raw, uint16_t port, struct buf *drip)
{
    static const uint8_t zeros[4000] = {0};
    struct buf hello = {0}, head = {0};
    open_tls(raw, port);
    raw_put_hello(&hello, 0);
    raw_put_head(&head, "/folkmoot.v1.InfoService/Info", NULL);
    raw_put_frame(&hello, FRAME_HEADERS, FLAG_END_HEADERS, 1, buf_bytes(&head));
    CHECK(raw_send(raw, buf_bytes(&hello)), "the hub closed before the head");
    raw_put_frame(drip, FRAME_DATA, FLAG_END_STREAM, 1, BYTES(zeros));
    buf_done(&hello);
    buf_done(&head);
}

static void what_drips_before_tls_is_cut(void)
{
    expect_drips_to_end("a ClientHello that drips", open_before_tls);
}

static void what_drips_in_the_handshake_is_cut(void)
{
    expect_drips_to_end("a handshake that drips", open_in_tls);
}

static void what_drips_in_the_preface_is_cut(void)
{
    expect_drips_to_end("a preface that drips", open_before_preface);
}

static void what_drips_in_a_head_is_cut(void)
{
    expect_drips_to_end("a head that drips", open_before_head);
}

static void what_drips_in_a_body_is_cut(void)
{
    expect_drips_to_end("a body that drips", open_before_body);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(what_drips_before_tls_is_cut),     CASE(what_drips_in_the_handshake_is_cut),
        CASE(what_drips_in_the_preface_is_cut), CASE(what_drips_in_a_head_is_cut),
        CASE(what_drips_in_a_body_is_cut),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
