#include "daemon/scrape.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/report.h"

enum { READ_SIZE = 1024 };

struct visitor {
    struct scrape *scrape;
    struct visitor *next;
    struct visitor *previous;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *deadline;
    struct buf in;
    struct buf out;
    size_t out_at;
    bool is_answered; // what else it sends is dropped
    bool has_ended;   // sends nothing more, and may still read
};

struct scrape {
    struct scrape_options options;
    struct listener *listeners[CONFIG_LISTEN_MAX];
    size_t listeners_n;
    struct visitor *first;
    size_t count;
};

static void free_visitor(struct visitor *visitor)
{
    struct scrape *scrape = visitor->scrape;
    if (visitor->next)
        visitor->next->previous = visitor->previous;
    *(visitor->previous ? &visitor->previous->next : &scrape->first) = visitor->next;
    scrape->count--;
    loop_watch_free(&visitor->watch);
    loop_timer_free(&visitor->deadline);
    buf_done(&visitor->in);
    buf_done(&visitor->out);
    (void)close(visitor->fd);
    free(visitor);
}

static void on_deadline(void *arg)
{
    free_visitor(arg);
}

// --- pages ---

static const struct scrape_page *find_page(const struct scrape *scrape, struct bytes path)
{
    for (size_t i = 0; i < scrape->options.pages_n; i++)
        if (bytes_equal(path, bytes_of_text(scrape->options.pages[i].path)))
            return &scrape->options.pages[i];
    return NULL;
}

static void answer(struct visitor *visitor, unsigned status, const struct http1_request *request)
{
    const struct scrape_options *options = &visitor->scrape->options;
    const struct scrape_page *page =
        status == 200 ? find_page(visitor->scrape, request->path) : NULL;
    struct buf body BUF_CLEANUP = {0};
    if (status == 200)
        status = page ? page->write(options->arg, &body) : 404;
    if (!page)
        buf_put_format(&body, "%s\n", http1_reason(status));
    if (body.err) {
        buf_reset(&body);
        status = 500;
    }
    const struct http1_answer whole = {status, page ? page->type : "text/plain", buf_bytes(&body)};
    http1_write(&whole, request->is_head, loop_clock(options->loop) / 1000, &visitor->out);
    visitor->is_answered = true;
}

// --- the line ---

// False: it is over. What comes after the request is read, for closing over it would take the
// answer away (RFC 9112 section 9.6).
static bool read_some(struct visitor *visitor)
{
    uint8_t *room = buf_room(&visitor->in, READ_SIZE);
    ssize_t n = room ? recv(visitor->fd, room, READ_SIZE, 0) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    visitor->has_ended = n == 0;
    if (n <= 0)
        return n == 0 && visitor->out_at < visitor->out.n;
    if (visitor->is_answered)
        return true;
    struct http1_request request = {0};
    visitor->in.n += (size_t)n;
    unsigned status = http1_read(buf_bytes(&visitor->in), &request);
    if (status)
        answer(visitor, status, &request);
    return true;
}

static bool write_some(struct visitor *visitor)
{
    ssize_t n = send(visitor->fd, visitor->out.p + visitor->out_at,
                     visitor->out.n - visitor->out_at, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    visitor->out_at += (size_t)n;
    if (visitor->out_at < visitor->out.n)
        return true;
    (void)shutdown(visitor->fd, SHUT_WR);
    return !visitor->has_ended;
}

static void set_watch(struct visitor *visitor)
{
    loop_watch_set(visitor->watch, (visitor->has_ended ? 0u : LOOP_READ) |
                                       (visitor->out_at < visitor->out.n ? LOOP_WRITE : 0u));
}

static void on_ready(void *arg, unsigned what)
{
    struct visitor *visitor = arg;
    if (what == LOOP_WRITE ? write_some(visitor) : read_some(visitor))
        set_watch(visitor);
    else
        free_visitor(visitor);
}

static void on_visit(void *arg, int fd)
{
    struct scrape *scrape = arg;
    struct visitor *visitor =
        scrape->count < SCRAPE_CONNECTIONS_MAX ? calloc(1, sizeof *visitor) : NULL;
    if (!visitor) {
        (void)close(fd);
        return;
    }
    visitor->scrape = scrape;
    visitor->fd = fd;
    visitor->next = scrape->first;
    if (visitor->next)
        visitor->next->previous = visitor;
    scrape->first = visitor;
    scrape->count++;
    visitor->watch = loop_watch_new(scrape->options.loop, fd, on_ready, visitor);
    visitor->deadline = loop_timer_new(scrape->options.loop, on_deadline, visitor);
    if (!visitor->watch || !visitor->deadline) {
        free_visitor(visitor);
        return;
    }
    loop_timer_set(visitor->deadline, SCRAPE_MS_MAX);
    set_watch(visitor);
}

// --- listening ---

static enum err listen_on(struct scrape *scrape, struct bytes text, struct fault *fault)
{
    struct listen_address address;
    struct listener *listener;
    char bound[160];
    enum err err = listen_parse(text, &address, fault);
    if (!err)
        err = listen_open(scrape->options.loop, &address, 0660, on_visit, scrape, &listener, fault);
    if (err)
        return err;
    scrape->listeners[scrape->listeners_n++] = listener;
    listen_text(listener, bound, sizeof bound);
    report_put(REPORT_INFO, "listening (metrics) on %s", bound);
    return OK;
}

enum err scrape_open(const struct scrape_options *options, struct scrape **out, struct fault *fault)
{
    struct scrape *scrape = calloc(1, sizeof *scrape);
    if (!scrape)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    scrape->options = *options;
    struct bytes rest = bytes_of_text(options->addresses), item;
    enum err err = OK;
    while (!err && scrape->listeners_n < CONFIG_LISTEN_MAX && config_next(&rest, &item))
        err = listen_on(scrape, item, fault);
    if (err)
        scrape_close(&scrape);
    else
        *out = scrape;
    return err;
}

void scrape_close(struct scrape **scrape)
{
    if (!*scrape)
        return;
    while ((*scrape)->listeners_n > 0)
        listen_close(&(*scrape)->listeners[--(*scrape)->listeners_n]);
    for (struct visitor *visitor = (*scrape)->first, *next; visitor; visitor = next) {
        next = visitor->next;
        free_visitor(visitor);
    }
    free(*scrape);
    *scrape = NULL;
}
