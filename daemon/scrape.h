#pragma once

// A listener for monitoring: plain HTTP/1.1, pages by path, one request a connection. Everything is
// bounded: the head's size, the connections, and the time that one may take. The loop's thread.

#include "daemon/http1.h"
#include "daemon/listen.h"

enum { SCRAPE_CONNECTIONS_MAX = 8, SCRAPE_MS_MAX = 5000 };

struct scrape_page {
    const char *path;
    const char *type;
    // Appends the body; gives the status.
    unsigned (*write)(void *arg, struct buf *body);
};

struct scrape_options {
    struct loop *loop;
    const char *addresses; // a list, see config_next
    const struct scrape_page *pages;
    size_t pages_n;
    void *arg; // of the pages
};

struct scrape;

enum err scrape_open(const struct scrape_options *options, struct scrape **out,
                     struct fault *fault) must_check;
void scrape_close(struct scrape **scrape);
