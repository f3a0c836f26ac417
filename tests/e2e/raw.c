#include "tests/e2e/raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/check.h"

enum { HANDSHAKE_MS_MAX = 20000, FRAME_HEAD = 9, PART_BYTES = 16 << 10 };

// --- the connection ---

void raw_open(struct raw *raw, uint16_t port)
{
    raw_open_from(raw, port, 1, 0);
}

static struct sockaddr_in loopback(uint8_t host, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(0x7f000000u | host)};
}

void raw_open_from(struct raw *raw, uint16_t port, uint8_t host, int receive_bytes)
{
    struct sockaddr_in address = loopback(1, port), own = loopback(host, 0);
    int on = 1;
    *raw = (struct raw){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    CHECK(raw->fd >= 0, "socket: %s", strerror(errno));
    if (receive_bytes)
        CHECK(setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes) == 0,
              "SO_RCVBUF");
    CHECK(host == 1 || bind(raw->fd, (struct sockaddr *)&own, sizeof own) == 0, "bind: %s",
          strerror(errno));
    CHECK(connect(raw->fd, (struct sockaddr *)&address, sizeof address) == 0, "connect: %s",
          strerror(errno));
    (void)setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(fcntl(raw->fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
}

void raw_close(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->context);
    close(raw->fd);
    *raw = (struct raw){.fd = -1};
}

// Waits for what an operation wants. False: it failed or the time is over.
static bool wait_for(struct raw *raw, int wants, int64_t end)
{
    int64_t left = end - check_now_ms();
    struct pollfd fd = {.fd = raw->fd, .events = wants == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN};
    if (left <= 0 || (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE))
        return false;
    return poll(&fd, 1, (int)left) > 0;
}

// OpenSSL writes by write(2). A handler, other than SIG_IGN, is not handed on to children.
static void on_pipe(int signal)
{
    (void)signal;
}

bool raw_tls(struct raw *raw, const char *alpn)
{
    const struct sigaction action = {.sa_handler = on_pipe, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGPIPE, &action, NULL) == 0, "sigaction");
    uint8_t list[64] = {0};
    int64_t end = check_now_ms() + HANDSHAKE_MS_MAX;
    raw->context = SSL_CTX_new(TLS_client_method());
    raw->ssl = SSL_new(raw->context);
    CHECK(raw->ssl && SSL_set_fd(raw->ssl, raw->fd) == 1, "OpenSSL");
    if (alpn) {
        list[0] = (uint8_t)strlen(alpn);
        memcpy(list + 1, alpn, list[0]);
        CHECK(SSL_set_alpn_protos(raw->ssl, list, list[0] + 1u) == 0, "ALPN");
    }
    for (;;) {
        ERR_clear_error();
        int done = SSL_connect(raw->ssl);
        if (done == 1)
            return true;
        if (!wait_for(raw, SSL_get_error(raw->ssl, done), end))
            return false;
    }
}

void raw_open_h2(struct raw *raw, uint16_t port)
{
    struct buf hello = {0};
    raw_open(raw, port);
    CHECK(raw_tls(raw, "h2"), "the hub refused a handshake for h2");
    raw_put_hello(&hello, 0);
    CHECK(raw_send(raw, buf_bytes(&hello)), "the hub closed before the preface");
    buf_done(&hello);
}

static ssize_t send_some(struct raw *raw, struct bytes bytes, int *wants)
{
    if (!raw->ssl) {
        ssize_t n = send(raw->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        *wants = n < 0 && errno == EAGAIN ? SSL_ERROR_WANT_WRITE : SSL_ERROR_SYSCALL;
        return n;
    }
    ERR_clear_error();
    int n = SSL_write(raw->ssl, bytes.p, (int)bytes.n);
    *wants = SSL_get_error(raw->ssl, n);
    return n;
}

bool raw_send(struct raw *raw, struct bytes bytes)
{
    int64_t end = check_now_ms() + HANDSHAKE_MS_MAX;
    while (bytes.n > 0) {
        int wants;
        struct bytes part = bytes_of(bytes.p, bytes.n < PART_BYTES ? bytes.n : PART_BYTES);
        ssize_t n = send_some(raw, part, &wants);
        if (n > 0)
            bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
        else if (!wait_for(raw, wants, end))
            return false;
    }
    return true;
}

static ssize_t read_some(struct raw *raw, void *out, size_t n, int *wants)
{
    if (!raw->ssl) {
        ssize_t got = recv(raw->fd, out, n, 0);
        *wants = got < 0 && errno == EAGAIN ? SSL_ERROR_WANT_READ : SSL_ERROR_SYSCALL;
        return got;
    }
    ERR_clear_error();
    int got = SSL_read(raw->ssl, out, (int)n);
    *wants = SSL_get_error(raw->ssl, got);
    return got;
}

bool raw_read(struct raw *raw, unsigned ms, struct buf *in)
{
    uint8_t part[PART_BYTES];
    int64_t end = check_now_ms() + ms;
    for (;;) {
        int wants;
        ssize_t n = read_some(raw, part, sizeof part, &wants);
        if (n > 0)
            buf_put(in, bytes_of(part, (size_t)n));
        else if (wants != SSL_ERROR_WANT_READ)
            return true;
        else if (!wait_for(raw, wants, end))
            return false;
    }
}

// --- frames ---

void raw_put_frame(struct buf *out, enum frame_type type, uint8_t flags, uint32_t stream,
                   struct bytes payload)
{
    buf_put_be32(out, (uint32_t)payload.n << 8 | (uint32_t)type);
    buf_put_u8(out, flags);
    buf_put_be32(out, stream);
    buf_put(out, payload);
    CHECK(!out->err, "out of memory");
}

// A string without Huffman's code, its length with a prefix of 7 bits (RFC 7541 section 5).
static void put_string(struct buf *out, struct bytes text)
{
    size_t n = text.n;
    buf_put_u8(out, n < 127 ? (uint8_t)n : 127);
    if (n >= 127) {
        for (n -= 127; n >= 128; n >>= 7)
            buf_put_u8(out, (uint8_t)(n | 128));
        buf_put_u8(out, (uint8_t)n);
    }
    buf_put(out, text);
}

void raw_put_header(struct buf *out, const char *name, const char *value)
{
    buf_put_u8(out, 0);
    put_string(out, bytes_of_text(name));
    put_string(out, bytes_of_text(value));
}

void raw_put_head(struct buf *out, const char *path, const char *token)
{
    raw_put_head_of(out, path, token, "application/proto");
}

void raw_put_head_of(struct buf *out, const char *path, const char *token, const char *type)
{
    char bearer[80];
    raw_put_header(out, ":method", "POST");
    raw_put_header(out, ":scheme", "https");
    raw_put_header(out, ":authority", "127.0.0.1");
    raw_put_header(out, ":path", path);
    raw_put_header(out, "content-type", type);
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", token ? token : "");
    if (token)
        raw_put_header(out, "authorization", bearer);
}

void raw_put_hello(struct buf *out, uint32_t window)
{
    uint8_t setting[6] = {0, 4}; // SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 section 6.5.2)
    uint8_t more[4];
    be32_put(setting + 2, window);
    be32_put(more, window);
    buf_put_text(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    raw_put_frame(out, FRAME_SETTINGS, 0, 0, bytes_of(setting, window ? sizeof setting : 0));
    if (window)
        raw_put_frame(out, FRAME_WINDOW_UPDATE, 0, 0, BYTES(more));
}

void raw_put_call(struct buf *out, uint32_t stream, const char *path, const char *token,
                  struct bytes body)
{
    struct buf head = {0};
    raw_put_head(&head, path, token);
    raw_put_frame(out, FRAME_HEADERS, FLAG_END_HEADERS, stream, buf_bytes(&head));
    while (body.n > PART_BYTES) {
        raw_put_frame(out, FRAME_DATA, 0, stream, bytes_of(body.p, PART_BYTES));
        body = bytes_of(body.p + PART_BYTES, body.n - PART_BYTES);
    }
    raw_put_frame(out, FRAME_DATA, FLAG_END_STREAM, stream, body);
    buf_done(&head);
}

bool raw_find_frame(struct bytes in, enum frame_type type, size_t n, struct bytes *payload)
{
    while (in.n >= FRAME_HEAD) {
        size_t length = be32_get(in.p) >> 8;
        if (in.n - FRAME_HEAD < length)
            return false;
        if (in.p[3] == (uint8_t)type && n-- == 0) {
            *payload = bytes_of(in.p + FRAME_HEAD, length);
            return true;
        }
        in = bytes_of(in.p + FRAME_HEAD + length, in.n - FRAME_HEAD - length);
    }
    return false;
}

size_t raw_count_frames(struct bytes in, enum frame_type type)
{
    size_t n = 0;
    for (struct bytes payload; raw_find_frame(in, type, n, &payload);)
        n++;
    return n;
}
