#pragma once

// Listening sockets: TCP addresses and unix sockets. The loop's thread, but listen_parse.

#include <sys/socket.h>
#include <sys/un.h>

#include "daemon/loop.h"

struct listen_address {
    struct sockaddr_storage socket;
    socklen_t size;
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; // of a unix socket; empty: TCP
};

// Understands "127.0.0.1:8080", "[::1]:8080" and "unix:/path". Names are not looked up.
enum err listen_parse(struct bytes text, struct listen_address *address,
                      struct fault *fault) must_check;
// Whether nobody on another machine can reach it.
bool listen_is_local(const struct listen_address *address);

struct listener;

// From where a socket that somebody else opened may be reached.
enum listen_reach { LISTEN_ANYWHERE, LISTEN_LOCAL, LISTEN_UNIX };

// Listens, and calls `accepted` with each socket (non-blocking, close-on-exec), which the callee
// then owns. A unix socket is made with `mode`; one that nobody listens on any more is replaced.
enum err listen_open(struct loop *loop, const struct listen_address *address, mode_t mode,
                     void (*accepted)(void *arg, int fd), void *arg, struct listener **out,
                     struct fault *fault) must_check;
// The same with a socket that listens already, which is then the listener's, or closed on failure.
// One that reaches farther than `reach` is refused.
enum err listen_adopt(struct loop *loop, int fd, enum listen_reach reach,
                      void (*accepted)(void *arg, int fd), void *arg, struct listener **out,
                      struct fault *fault) must_check;
// Stops listening; the file of a unix socket that it made goes away.
void listen_close(struct listener **listener);
// The address in use, as text (the port of one that asked for port 0). 128 bytes will do.
void listen_text(const struct listener *listener, char *text, size_t size);
