#include "tests/e2e/monitor.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/e2e/check.h"

uint16_t monitor_port(const struct hub *hub)
{
    static const char said[] = "info: listening (metrics) on 127.0.0.1:";
    char path[HUB_PATH_BYTES], line[1200];
    unsigned long port = 0;
    hub_path_of(hub, "stderr", path);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file))
        if (strncmp(line, said, sizeof said - 1) == 0)
            port = strtoul(line + sizeof said - 1, NULL, 10);
    (void)fclose(file);
    CHECK(port > 0, "the hub does not listen for monitors");
    return (uint16_t)port;
}

int monitor_connect(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0,
          "connect: %s", strerror(errno));
    return fd;
}

bool monitor_send(int fd, const char *text)
{
    size_t n = strlen(text);
    return send(fd, text, n, MSG_NOSIGNAL) == (ssize_t)n;
}

bool monitor_read(int fd, unsigned ms, struct buf *came)
{
    int64_t end = check_now_ms() + ms;
    for (int64_t left = ms; left >= 0; left = end - check_now_ms()) {
        struct pollfd wanted = {.fd = fd, .events = POLLIN};
        if (poll(&wanted, 1, (int)left) <= 0)
            continue;
        uint8_t *room = buf_room(came, 4096);
        ssize_t n = recv(fd, room, 4096, 0);
        if (n <= 0)
            return true;
        came->n += (size_t)n;
    }
    return false;
}

unsigned monitor_status(const struct buf *came)
{
    static const char version[] = "HTTP/1.1 ";
    char digits[4] = "";
    if (came->n < sizeof version + sizeof digits ||
        memcmp(came->p, version, sizeof version - 1) != 0)
        return 0;
    memcpy(digits, came->p + sizeof version - 1, sizeof digits - 1);
    return (unsigned)strtoul(digits, NULL, 10);
}

unsigned monitor_ask(uint16_t port, const char *text, struct buf *came)
{
    int fd = monitor_connect(port);
    buf_reset(came);
    (void)monitor_send(fd, text);
    CHECK(monitor_read(fd, 3000 * check_slowness(), came), "the hub does not close after \"%.60s\"",
          text);
    (void)close(fd);
    return monitor_status(came);
}

unsigned monitor_get(uint16_t port, const char *path, struct buf *came)
{
    char text[200];
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: hub\r\n\r\n", path);
    return monitor_ask(port, text, came);
}

double monitor_value(uint16_t port, const char *sample)
{
    struct buf came BUF_CLEANUP = {0};
    char wanted[120];
    CHECK(monitor_get(port, "/metrics", &came) == 200, "no metrics");
    buf_put_u8(&came, '\0');
    (void)snprintf(wanted, sizeof wanted, "\n%s ", sample);
    const char *at = strstr((const char *)came.p, wanted);
    return at ? strtod(at + strlen(wanted), NULL) : -1;
}
