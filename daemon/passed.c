#include "daemon/passed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_FD = 3 };

// How many are passed to this process; 0: none, or to another one.
static long count_passed(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    return pid && count && strtol(pid, NULL, 10) == (long)getpid() ? strtol(count, NULL, 10) : 0;
}

static enum err check_name(const char *name, struct fault *fault)
{
    static const char *const names[] = {"tls", "plain", "control"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return OK;
    return fault_set(fault, ERR_MALFORMED,
                     "a socket was passed by the name \"%.40s\": its unit must say "
                     "FileDescriptorName=tls, plain or control",
                     name);
}

static enum err check_socket(int fd, const char *name, struct fault *fault)
{
    int type = 0, listens = 0;
    socklen_t type_n = sizeof type, listens_n = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_n) == 0 && type == SOCK_STREAM &&
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_n) == 0 && listens &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return OK;
    return fault_set(fault, ERR_MALFORMED,
                     "what was passed by the name \"%s\" is no listening stream socket: its unit "
                     "must say ListenStream= and not Accept=yes",
                     name);
}

// The name that stands at *rest, a list with colons between.
static void next_name(const char **rest, char *name, size_t size)
{
    size_t n = strcspn(*rest, ":");
    (void)snprintf(name, size, "%.*s", (int)n, *rest);
    *rest += n + ((*rest)[n] == ':');
}

static enum err take(struct passed *passed, int fd, const char **names, struct fault *fault)
{
    char name[64];
    next_name(names, name, sizeof name);
    enum err err = check_name(name, fault);
    if (!err)
        err = check_socket(fd, name, fault);
    if (err)
        return err;
    (void)snprintf(passed->names[passed->n], sizeof passed->names[0], "%.7s", name);
    passed->fds[passed->n++] = fd;
    return OK;
}

enum err passed_open(struct passed *passed, struct fault *fault)
{
    long count = count_passed();
    const char *names = getenv("LISTEN_FDNAMES");
    enum err err = OK;
    *passed = (struct passed){.n = 0};
    if (count > PASSED_MAX)
        err = fault_set(fault, ERR_LIMIT, "%ld sockets were passed, at most %d can be used", count,
                        PASSED_MAX);
    if (!names)
        names = "";
    for (int i = 0; !err && i < count; i++)
        err = take(passed, FIRST_FD + i, &names, fault);
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return err;
}

static int find(const struct passed *passed, const char *name)
{
    for (int i = 0; i < passed->n; i++)
        if (passed->fds[i] >= 0 && strcmp(passed->names[i], name) == 0)
            return i;
    return -1;
}

bool passed_has(const struct passed *passed, const char *name)
{
    return find(passed, name) >= 0;
}

int passed_next(struct passed *passed, const char *name)
{
    int i = find(passed, name);
    if (i < 0)
        return -1;
    int fd = passed->fds[i];
    passed->fds[i] = -1;
    return fd;
}

void passed_close(struct passed *passed)
{
    for (int i = 0; i < passed->n; i++)
        if (passed->fds[i] >= 0)
            (void)close(passed->fds[i]);
    passed->n = 0;
}
