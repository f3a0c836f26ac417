#include "daemon/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/report.h"

enum { BACKLOG = 256, ACCEPTS_A_TURN = 32, PAUSE_MS = 1000 };

struct listener {
    int fd;
    struct listen_address address;
    struct loop_watch *watch;
    struct loop_timer *pause; // after accept found no descriptors left
    void (*accepted)(void *arg, int fd);
    void *arg;
};

static enum err parse_unix(struct bytes path, struct listen_address *address, struct fault *fault)
{
    struct sockaddr_un *un = (struct sockaddr_un *)(void *)&address->socket;
    if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof un->sun_path)
        return fault_set(fault, ERR_MALFORMED,
                         "a unix socket needs an absolute path of at most %zu bytes",
                         sizeof un->sun_path - 1);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path.p, path.n);
    memcpy(address->path, path.p, path.n);
    address->size = sizeof *un;
    return OK;
}

static bool parse_port(struct bytes text, in_port_t *port)
{
    unsigned number = 0;
    if (text.n == 0 || text.n > 5)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        number = number * 10 + (unsigned)(text.p[i] - '0');
    }
    *port = htons((uint16_t)number);
    return number <= 65535;
}

static bool parse_host(struct bytes host, in_port_t port, struct listen_address *address)
{
    char text[INET6_ADDRSTRLEN];
    bool is_six = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (is_six)
        host = bytes_of(host.p + 1, host.n - 2);
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (is_six) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&address->socket;
        *six = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        address->size = sizeof *six;
        return inet_pton(AF_INET6, text, &six->sin6_addr) == 1;
    }
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&address->socket;
    *four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    address->size = sizeof *four;
    return inet_pton(AF_INET, text, &four->sin_addr) == 1;
}

enum err listen_parse(struct bytes text, struct listen_address *address, struct fault *fault)
{
    *address = (struct listen_address){.size = 0};
    if (text.n >= 5 && memcmp(text.p, "unix:", 5) == 0)
        return parse_unix(bytes_of(text.p + 5, text.n - 5), address, fault);
    const uint8_t *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    size_t host_n = colon ? (size_t)(colon - text.p) : 0;
    in_port_t port;
    if (colon && parse_port(bytes_of(colon + 1, text.n - host_n - 1), &port) &&
        parse_host(bytes_of(text.p, host_n), port, address))
        return OK;
    return fault_set(fault, ERR_MALFORMED,
                     "\"%.*s\" is not an address such as 0.0.0.0:8443, [::]:8443 or unix:/path",
                     text.n > 100 ? 100 : (int)text.n, (const char *)text.p);
}

bool listen_is_local(const struct listen_address *address)
{
    if (address->socket.ss_family == AF_UNIX)
        return true;
    if (address->socket.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(
            &((const struct sockaddr_in6 *)(const void *)&address->socket)->sin6_addr);
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&address->socket;
    return ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

static enum err fail(struct fault *fault, const struct listener *listener, const char *what)
{
    char text[128];
    int code = errno;
    listen_text(listener, text, sizeof text);
    return fault_set(fault, ERR_IO, "cannot %s %s: %s", what, text, strerror(code));
}

// A socket file that nobody listens on is what a killed hub left.
static enum err clear_path(const struct listen_address *address, struct fault *fault)
{
    struct stat about;
    if (lstat(address->path, &about))
        return OK;
    if (!S_ISSOCK(about.st_mode))
        return fault_set(fault, ERR_EXISTS, "%s is there and is no socket", address->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_used = fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address->socket,
                                      address->size) == 0;
    if (fd >= 0)
        (void)close(fd);
    if (is_used)
        return fault_set(fault, ERR_EXISTS, "somebody listens on %s already", address->path);
    (void)unlink(address->path);
    return OK;
}

static enum err bind_it(struct listener *listener, mode_t mode, struct fault *fault)
{
    const struct listen_address *address = &listener->address;
    int on = 1;
    if (address->path[0]) {
        enum err err = clear_path(address, fault);
        if (err)
            return err;
    } else {
        (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (address->socket.ss_family == AF_INET6)
        (void)setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    // Through the umask, so that the socket never stands open for a moment.
    mode_t before = umask(~mode & 0777);
    int code =
        bind(listener->fd, (const struct sockaddr *)(const void *)&address->socket, address->size);
    (void)umask(before);
    if (code)
        return fail(fault, listener, "bind");
    return listen(listener->fd, BACKLOG) ? fail(fault, listener, "listen on") : OK;
}

static void on_pause_over(void *arg)
{
    struct listener *listener = arg;
    loop_watch_set(listener->watch, LOOP_READ);
}

static void on_connection(void *arg, unsigned what)
{
    (void)what;
    struct listener *listener = arg;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->accepted(listener->arg, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            report_put(REPORT_WARNING, "cannot accept connections: %s", strerror(errno));
            loop_watch_set(listener->watch, 0);
            loop_timer_set(listener->pause, PAUSE_MS);
        }
        return;
    }
}

static struct listener *new_listener(void (*accepted)(void *arg, int fd), void *arg)
{
    struct listener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return NULL;
    listener->fd = -1;
    listener->accepted = accepted;
    listener->arg = arg;
    return listener;
}

// Frees the listener on failure.
static enum err watch(struct listener *listener, struct loop *loop, struct listener **out,
                      struct fault *fault)
{
    listener->watch = loop_watch_new(loop, listener->fd, on_connection, listener);
    listener->pause = loop_timer_new(loop, on_pause_over, listener);
    if (!listener->watch || !listener->pause) {
        listen_close(&listener);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    loop_watch_set(listener->watch, LOOP_READ);
    *out = listener;
    return OK;
}

enum err listen_open(struct loop *loop, const struct listen_address *address, mode_t mode,
                     void (*accepted)(void *arg, int fd), void *arg, struct listener **out,
                     struct fault *fault)
{
    struct listener *listener = new_listener(accepted, arg);
    if (!listener)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    listener->address = *address;
    listener->fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum err err = listener->fd < 0 ? fail(fault, listener, "open a socket for")
                                    : bind_it(listener, mode, fault);
    if (err) {
        listener->address.path[0] = '\0'; // somebody else's file stays
        listen_close(&listener);
        return err;
    }
    return watch(listener, loop, out, fault);
}

static enum err check_adopted(struct listener *listener, enum listen_reach reach,
                              struct fault *fault)
{
    struct listen_address *address = &listener->address;
    address->size = sizeof address->socket;
    if (getsockname(listener->fd, (struct sockaddr *)(void *)&address->socket, &address->size))
        return fault_set(fault, ERR_IO, "a passed socket has no address: %s", strerror(errno));
    sa_family_t family = address->socket.ss_family;
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
        return fault_set(fault, ERR_MALFORMED, "a passed socket is neither TCP nor unix");
    if (reach == LISTEN_UNIX && family != AF_UNIX)
        return fault_set(
            fault, ERR_FORBIDDEN,
            "whoever may open the control socket administers the hub: the one that was "
            "passed must be a unix socket");
    if (reach == LISTEN_LOCAL && !listen_is_local(address))
        return fault_set(fault, ERR_FORBIDDEN,
                         "the socket that was passed can be reached from outside; without TLS only "
                         "a loopback address or a unix socket is allowed");
    return OK;
}

enum err listen_adopt(struct loop *loop, int fd, enum listen_reach reach,
                      void (*accepted)(void *arg, int fd), void *arg, struct listener **out,
                      struct fault *fault)
{
    struct listener *listener = new_listener(accepted, arg);
    if (!listener) {
        (void)close(fd);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    listener->fd = fd;
    enum err err = check_adopted(listener, reach, fault);
    if (!err)
        return watch(listener, loop, out, fault);
    listen_close(&listener);
    return err;
}

void listen_close(struct listener **listener)
{
    if (!*listener)
        return;
    loop_watch_free(&(*listener)->watch);
    loop_timer_free(&(*listener)->pause);
    if ((*listener)->fd >= 0)
        (void)close((*listener)->fd);
    if ((*listener)->address.path[0])
        (void)unlink((*listener)->address.path);
    free(*listener);
    *listener = NULL;
}

void listen_text(const struct listener *listener, char *text, size_t size)
{
    struct sockaddr_storage bound = listener->address.socket;
    socklen_t bound_n = sizeof bound;
    char host[INET6_ADDRSTRLEN] = "?";
    if (listener->address.socket.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)&bound;
        (void)snprintf(text, size, "unix:%s", un->sun_path);
        return;
    }
    // Before it is bound this answers port 0, and the one that was asked for says more.
    if (getsockname(listener->fd, (struct sockaddr *)(void *)&bound, &bound_n) ||
        ((const struct sockaddr_in *)(const void *)&bound)->sin_port == 0)
        bound = listener->address.socket;
    bool is_six = bound.ss_family == AF_INET6;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&bound;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&bound;
    (void)inet_ntop(bound.ss_family,
                    is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, host,
                    sizeof host);
    (void)snprintf(text, size, is_six ? "[%s]:%u" : "%s:%u", host,
                   ntohs(is_six ? six->sin6_port : four->sin_port));
}
