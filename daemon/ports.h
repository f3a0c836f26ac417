#pragma once

// Where devices are listened to: the sockets that were passed, else the configured addresses. The
// loop's thread.

#include "daemon/config.h"
#include "daemon/listen.h"
#include "daemon/passed.h"

struct ports_options {
    struct loop *loop;
    const struct config *config;
    struct passed *passed; // those named tls and plain are taken
    // As of listen_open.
    void (*on_tls)(void *arg, int fd);
    void (*on_plain)(void *arg, int fd);
    void *arg;
};

struct ports {
    struct listener *listeners[2 * CONFIG_LISTEN_MAX];
    size_t n;
};

// `ports` is empty before; what was opened before a failure is for ports_close.
enum err ports_open(const struct ports_options *options, struct ports *ports,
                    struct fault *fault) must_check;
void ports_close(struct ports *ports);
