#include "daemon/ports.h"

#include "daemon/report.h"

// One of the two ways in.
struct way {
    const char *name;        // of a passed socket
    const char *kind;        // for the log
    const char *list;        // of configured addresses
    enum listen_reach reach; // of a passed one
    void (*accepted)(void *arg, int fd);
};

static void add(struct ports *ports, const struct way *way, struct listener *listener,
                const char *how)
{
    char bound[160];
    ports->listeners[ports->n++] = listener;
    listen_text(listener, bound, sizeof bound);
    report_put(REPORT_INFO, "listening (%s) on %s%s", way->kind, bound, how);
}

static enum err open_one(const struct ports_options *options, const struct way *way,
                         struct bytes text, struct ports *ports, struct fault *fault)
{
    struct listen_address address;
    struct listener *listener;
    enum err err = listen_parse(text, &address, fault);
    if (!err)
        err = listen_open(options->loop, &address, 0666, way->accepted, options->arg, &listener,
                          fault);
    if (!err)
        add(ports, way, listener, "");
    return err;
}

static enum err open_configured(const struct ports_options *options, const struct way *way,
                                struct ports *ports, struct fault *fault)
{
    struct bytes rest = bytes_of_text(way->list), item;
    enum err err = OK;
    for (int n = 0; !err && n < CONFIG_LISTEN_MAX && config_next(&rest, &item); n++)
        err = open_one(options, way, item, ports, fault);
    return err;
}

static enum err adopt_passed(const struct ports_options *options, const struct way *way,
                             struct ports *ports, struct fault *fault)
{
    struct listener *listener;
    enum err err = OK;
    for (int fd; !err && (fd = passed_next(options->passed, way->name)) >= 0;) {
        err = listen_adopt(options->loop, fd, way->reach, way->accepted, options->arg, &listener,
                           fault);
        if (!err)
            add(ports, way, listener, ", which was passed");
    }
    return err;
}

enum err ports_open(const struct ports_options *options, struct ports *ports, struct fault *fault)
{
    const struct way ways[] = {
        {"tls", "TLS", options->config->tls, LISTEN_ANYWHERE, options->on_tls},
        {"plain", "plain", options->config->plain, LISTEN_LOCAL, options->on_plain},
    };
    enum err err = OK;
    for (size_t i = 0; !err && i < sizeof ways / sizeof *ways; i++)
        err = passed_has(options->passed, ways[i].name)
                  ? adopt_passed(options, &ways[i], ports, fault)
                  : open_configured(options, &ways[i], ports, fault);
    return err;
}

void ports_close(struct ports *ports)
{
    while (ports->n > 0)
        listen_close(&ports->listeners[--ports->n]);
}
