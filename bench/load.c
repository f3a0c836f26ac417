#include "bench/load.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/cost.h"
#include "tests/e2e/check.h"
#include "tests/e2e/raw.h"

enum {
    WINDOW = 1 << 30,
    FRAME_HEAD = 9,
    INDEX_POST = 0x83,
    INDEX_HTTPS = 0x87,
    INDEX_STATUS_200 = 0x88,
    LITERAL_KEPT = 0x40,
    FIRST_DYNAMIC = 62,
    PART_BYTES = 64 << 10,
    EVENTS = 256,
    WINDOW_EVERY = 1 << 20,
};

struct client {
    SSL *ssl;
    const struct load_line *line;
    size_t next; // body
    uint32_t stream;
    double begun;
    bool knows_head;
    bool busy;
    struct buf out; // not sent yet
    struct buf in;  // not a whole frame yet
    uint32_t taken; // bytes of bodies that its window has not been given back
};

struct load {
    SSL_CTX *context;
    struct client *clients;
    size_t n;
    int epoll;
    const struct load_line *lines;
    size_t calls; // that may still be begun
    size_t busy;
    const volatile int *stop;
    struct buf *answer;
    struct load_result *result;
    size_t room; // for latencies
};

// --- requests ---

static void put_literal(struct buf *out, const char *name, const char *value)
{
    char line[256];
    size_t name_n = strlen(name), value_n = strlen(value);
    CHECK(name_n < 127 && value_n < 127, "a long field");
    (void)snprintf(line, sizeof line, "%c%c%s%c%s", LITERAL_KEPT, (char)name_n, name, (char)value_n,
                   value);
    buf_put(out, bytes_of_text(line));
}

static void put_head(struct client *client, struct buf *head)
{
    enum { KEPT = 5 };
    const uint8_t indexed[2] = {INDEX_POST, INDEX_HTTPS};
    char bearer[64];
    buf_put(head, BYTES(indexed));
    if (client->knows_head) {
        for (int i = KEPT - 1; i >= 0; i--)
            buf_put(head, bytes_of(&(uint8_t){(uint8_t)(0x80 | (FIRST_DYNAMIC + i))}, 1));
        return;
    }
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", client->line->token);
    put_literal(head, ":path", "/folkmoot.v1.SyncService/Sync");
    put_literal(head, ":authority", "localhost");
    put_literal(head, "content-type", "application/proto");
    put_literal(head, "user-agent", "folkmoot-bench");
    put_literal(head, "authorization", bearer);
    client->knows_head = true;
}

static void put_call(struct client *client, struct bytes body)
{
    enum { FRAME_MOST = 16 << 10 };
    struct buf head = {0};
    client->stream = client->stream ? client->stream + 2 : 1;
    put_head(client, &head);
    raw_put_frame(&client->out, FRAME_HEADERS, FLAG_END_HEADERS, client->stream, buf_bytes(&head));
    buf_done(&head);
    do {
        size_t n = body.n < FRAME_MOST ? body.n : FRAME_MOST;
        raw_put_frame(&client->out, FRAME_DATA, n == body.n ? FLAG_END_STREAM : 0, client->stream,
                      bytes_of(body.p, n));
        body = bytes_of(body.p + n, body.n - n);
    } while (body.n > 0);
}

// --- sending ---

static void watch(struct load *load, struct client *client, bool writes)
{
    struct epoll_event event = {.events = EPOLLIN | (writes ? (uint32_t)EPOLLOUT : 0),
                                .data.ptr = client};
    CHECK(epoll_ctl(load->epoll, EPOLL_CTL_MOD, SSL_get_fd(client->ssl), &event) == 0, "epoll");
}

static void flush(struct load *load, struct client *client)
{
    while (client->out.n > 0) {
        ERR_clear_error();
        int n = SSL_write(client->ssl, client->out.p, (int)client->out.n);
        if (n <= 0) {
            int why = SSL_get_error(client->ssl, n);
            CHECK(why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ,
                  "the hub closed a connection while it was written to");
            watch(load, client, true);
            return;
        }
        buf_drop(&client->out, (size_t)n);
    }
}

// The next call of a client, if it may begin one.
static void begin_call(struct load *load, struct client *client)
{
    bool once = load->calls == SIZE_MAX;
    if (load->calls == 0 || (load->stop && *load->stop) ||
        (once && client->next == client->line->n))
        return;
    struct bytes body = client->line->bodies[client->next++ % client->line->n];
    load->calls -= !once;
    load->busy++;
    client->busy = true;
    client->begun = cost_now_seconds();
    put_call(client, body);
    flush(load, client);
}

// --- answers ---

static void end_call(struct load *load, struct client *client)
{
    struct load_result *result = load->result;
    if (result->calls == load->room) {
        load->room = load->room ? 2 * load->room : 1024;
        result->latencies = realloc(result->latencies, load->room * sizeof *result->latencies);
        CHECK(result->latencies, "out of memory");
    }
    result->latencies[result->calls++] = cost_now_seconds() - client->begun;
    load->busy--;
    client->busy = false;
    begin_call(load, client);
}

static void take_data(struct load *load, struct client *client, struct bytes payload)
{
    load->result->bytes += payload.n;
    if (load->answer)
        buf_put(load->answer, payload);
    client->taken += (uint32_t)payload.n;
    if (client->taken < WINDOW_EVERY)
        return;
    uint8_t more[4];
    be32_put(more, client->taken);
    raw_put_frame(&client->out, FRAME_WINDOW_UPDATE, 0, 0, BYTES(more));
    client->taken = 0;
}

// Whether a head begins with status 200, behind changes of the table's size (RFC 7541 section 6.3).
static bool is_ok(struct bytes head)
{
    enum { SIZE_MASK = 0xe0, SIZE = 0x20, SIZE_MOST = 0x3f, MORE = 0x80 };
    size_t at = 0;
    while (at < head.n && (head.p[at] & SIZE_MASK) == SIZE) {
        bool long_one = head.p[at++] == SIZE_MOST;
        while (long_one && at < head.n && head.p[at] & MORE)
            at++;
        at += long_one;
    }
    return at < head.n && head.p[at] == INDEX_STATUS_200;
}

static void take_frame(struct load *load, struct client *client, const uint8_t *frame, size_t n)
{
    struct bytes payload = bytes_of(frame + FRAME_HEAD, n);
    uint8_t type = frame[3];
    bool ends = frame[4] & FLAG_END_STREAM;
    CHECK(type != FRAME_GOAWAY && type != FRAME_RST_STREAM, "the hub ended a call");
    if (type == FRAME_HEADERS) {
        CHECK(is_ok(payload), "an answer is not 200");
        if (load->answer)
            buf_reset(load->answer);
    }
    if (type == FRAME_SETTINGS && !(frame[4] & 1))
        raw_put_frame(&client->out, FRAME_SETTINGS, 1, 0, (struct bytes){NULL, 0});
    if (type == FRAME_DATA)
        take_data(load, client, payload);
    if (ends && (type == FRAME_DATA || type == FRAME_HEADERS))
        end_call(load, client);
}

static void take_frames(struct load *load, struct client *client)
{
    size_t at = 0;
    while (client->in.n - at >= FRAME_HEAD) {
        const uint8_t *p = client->in.p + at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (client->in.n - at < FRAME_HEAD + n)
            break;
        take_frame(load, client, p, n);
        at += FRAME_HEAD + n;
    }
    buf_drop(&client->in, at);
}

static void read_all(struct load *load, struct client *client)
{
    for (;;) {
        uint8_t *room = buf_room(&client->in, PART_BYTES);
        CHECK(room, "out of memory");
        ERR_clear_error();
        int n = SSL_read(client->ssl, room, PART_BYTES);
        if (n <= 0) {
            CHECK(SSL_get_error(client->ssl, n) == SSL_ERROR_WANT_READ, "the hub closed");
            break;
        }
        client->in.n += (size_t)n;
        take_frames(load, client);
    }
    flush(load, client);
    if (client->in.n == 0)
        buf_done(&client->in);
}

static void turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(load->epoll, events, EVENTS, -1);
    CHECK(n >= 0 || errno == EINTR, "epoll_wait");
    for (int i = 0; i < n; i++) {
        struct client *client = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) {
            watch(load, client, false);
            flush(load, client);
        }
        if (events[i].events & (uint32_t)~EPOLLOUT)
            read_all(load, client);
    }
}

void load_run(struct load *load, const struct load_line *lines, size_t calls,
              const volatile int *stop, struct buf *answer, struct load_result *result)
{
    *result = (struct load_result){0};
    load->lines = lines;
    load->calls = calls ? calls : SIZE_MAX;
    load->stop = stop;
    load->answer = answer;
    load->result = result;
    load->room = 0;
    double begun = cost_now_seconds(), cpu = cost_own_cpu_seconds();
    for (size_t i = 0; i < load->n; i++) {
        load->clients[i].line = &lines[i];
        load->clients[i].next = 0;
        begin_call(load, &load->clients[i]);
    }
    while (load->busy > 0)
        turn(load);
    result->seconds = cost_now_seconds() - begun;
    result->cpu_seconds = cost_own_cpu_seconds() - cpu;
}

// --- life ---

static void open_client(struct load *load, struct client *client, uint16_t port)
{
    struct raw raw;
    raw_open(&raw, port);
    CHECK(fcntl(raw.fd, F_SETFL, 0) == 0, "fcntl");
    client->ssl = SSL_new(load->context);
    CHECK(client->ssl && SSL_set_fd(client->ssl, raw.fd) == 1, "OpenSSL");
    ERR_clear_error();
    CHECK(SSL_connect(client->ssl) == 1, "a handshake failed");
    CHECK(fcntl(raw.fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    CHECK(epoll_ctl(load->epoll, EPOLL_CTL_ADD, raw.fd, &event) == 0, "epoll_ctl");
    raw_put_hello(&client->out, WINDOW);
    flush(load, client);
}

struct load *load_new(uint16_t port, size_t connections)
{
    static const unsigned char h2[] = {2, 'h', '2'};
    struct load *load = calloc(1, sizeof *load);
    CHECK(load, "out of memory");
    load->n = connections;
    load->clients = calloc(connections, sizeof *load->clients);
    load->context = SSL_CTX_new(TLS_client_method());
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(load->clients && load->context && load->epoll >= 0, "out of memory");
    SSL_CTX_set_mode(load->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    CHECK(SSL_CTX_set_alpn_protos(load->context, h2, sizeof h2) == 0, "ALPN");
    for (size_t i = 0; i < connections; i++)
        open_client(load, &load->clients[i], port);
    return load;
}

void load_free(struct load **load)
{
    if (!*load)
        return;
    for (size_t i = 0; i < (*load)->n; i++) {
        struct client *client = &(*load)->clients[i];
        close(SSL_get_fd(client->ssl));
        SSL_free(client->ssl);
        buf_done(&client->in);
        buf_done(&client->out);
    }
    SSL_CTX_free((*load)->context);
    close((*load)->epoll);
    free((*load)->clients);
    free(*load);
    *load = NULL;
}
