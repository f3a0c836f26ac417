#include "tests/daemon/raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_HEAD = 9 };

int raw_connect(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(fd >= 0);
    EXPECT(connect(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0);
    return fd;
}

bool raw_send(int fd, struct bytes bytes)
{
    while (bytes.n > 0) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return true;
}

void raw_put_frame(struct buf *out, enum raw_frame type, unsigned flags, uint32_t stream,
                   struct bytes payload)
{
    buf_put_u8(out, (uint8_t)(payload.n >> 16));
    buf_put_u8(out, (uint8_t)(payload.n >> 8));
    buf_put_u8(out, (uint8_t)payload.n);
    buf_put_u8(out, (uint8_t)type);
    buf_put_u8(out, (uint8_t)flags);
    buf_put_be32(out, stream);
    buf_put(out, payload);
}

void raw_put_greeting(struct buf *out)
{
    buf_put_text(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    raw_put_frame(out, RAW_SETTINGS, 0, 0, (struct bytes){NULL, 0});
}

void raw_put_field(struct buf *head, const char *name, const char *value)
{
    EXPECT(strlen(name) < 127 && strlen(value) < 127);
    buf_put_u8(head, 0);
    buf_put_u8(head, (uint8_t)strlen(name));
    buf_put_text(head, name);
    buf_put_u8(head, (uint8_t)strlen(value));
    buf_put_text(head, value);
}

void raw_put_post(struct buf *head, const char *path)
{
    raw_put_field(head, ":method", "POST");
    raw_put_field(head, ":scheme", "http");
    raw_put_field(head, ":authority", "hub");
    raw_put_field(head, ":path", path);
    raw_put_field(head, "content-type", "application/proto");
}

bool raw_hangs_up(int fd, long ms, struct buf *came)
{
    for (long end = process_now_ms() + ms, left; (left = end - process_now_ms()) > 0;) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        if (poll(&poller, 1, (int)left) <= 0)
            continue;
        uint8_t *room = buf_room(came, 4096);
        EXPECT(room);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n <= 0)
            return true;
        came->n += (size_t)n;
    }
    return false;
}

long raw_goaway_code(const struct buf *came)
{
    long code = -1;
    for (size_t at = 0; at + FRAME_HEAD <= came->n;) {
        const uint8_t *p = came->p + at;
        size_t n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (p[3] == RAW_GOAWAY && at + FRAME_HEAD + 8 <= came->n)
            code = (long)be32_get(p + FRAME_HEAD + 4);
        at += FRAME_HEAD + n;
    }
    return code;
}
