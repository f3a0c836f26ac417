#include "daemon/folkmootctl_ask.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&address, sizeof address)) {
        int code = errno;
        (void)close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

static bool send_line(int fd, const char *text)
{
    struct buf line = {0};
    buf_put_text(&line, text);
    buf_put_u8(&line, '\n');
    bool ok = !line.err;
    for (size_t at = 0; ok && at < line.n;) {
        ssize_t n = send(fd, line.p + at, line.n - at, MSG_NOSIGNAL);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    buf_done(&line);
    return ok;
}

static bool read_line(int fd, struct buf *line)
{
    for (;;) {
        uint8_t *room = buf_room(line, 4096);
        ssize_t n = room ? read(fd, room, 4096) : -1;
        if (n < 0 && room && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        line->n += (size_t)n;
        if (line->p[line->n - 1] == '\n')
            return true;
    }
}

cJSON *ctl_ask(const char *path, const cJSON *request)
{
    struct buf line = {0};
    cJSON *answer = NULL;
    char *text = cJSON_PrintUnformatted(request);
    int fd = connect_to(path);
    if (fd < 0)
        (void)fprintf(stderr, "folkmootctl: cannot reach the hub at %s: %s\n", path,
                      strerror(errno));
    else if (!text || !send_line(fd, text) || !read_line(fd, &line) ||
             !(answer = cJSON_ParseWithLength((const char *)line.p, line.n)))
        (void)fprintf(stderr, "folkmootctl: the hub at %s did not answer\n", path);
    if (fd >= 0)
        (void)close(fd);
    cJSON_free(text);
    buf_done(&line);
    return answer;
}
