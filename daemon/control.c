#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_SIZE = 4096 };

struct visitor {
    struct control *control;
    struct visitor *next;
    struct visitor *previous;
    int fd; // -1: has gone, but a command is still under way
    struct loop_watch *watch;
    struct buf in;
    struct buf out;
    bool is_waiting; // for a command's answer; nothing further is read
};

struct control {
    struct admin_context *admin;
    struct listener *listener;
    struct visitor *first;
    size_t count;
};

static void free_visitor(struct visitor *visitor)
{
    struct control *control = visitor->control;
    if (visitor->next)
        visitor->next->previous = visitor->previous;
    *(visitor->previous ? &visitor->previous->next : &control->first) = visitor->next;
    control->count--;
    loop_watch_free(&visitor->watch);
    buf_done(&visitor->in);
    buf_done(&visitor->out);
    if (visitor->fd >= 0)
        (void)close(visitor->fd);
    free(visitor);
}

static void leave(struct visitor *visitor)
{
    if (!visitor->is_waiting) {
        free_visitor(visitor);
        return;
    }
    loop_watch_free(&visitor->watch);
    (void)close(visitor->fd);
    visitor->fd = -1;
}

static void set_watch(struct visitor *visitor)
{
    loop_watch_set(visitor->watch, visitor->out.n > 0    ? LOOP_WRITE
                                   : visitor->is_waiting ? 0
                                                         : LOOP_READ);
}

static void on_answer(void *arg, cJSON *answer)
{
    struct visitor *visitor = arg;
    visitor->is_waiting = false;
    char *text = cJSON_PrintUnformatted(answer);
    buf_put_text(&visitor->out, text ? text : "{\"ok\":false,\"error\":\"out of memory\"}");
    buf_put_u8(&visitor->out, '\n');
    cJSON_free(text);
    cJSON_Delete(answer);
    if (visitor->fd < 0)
        free_visitor(visitor);
    else
        set_watch(visitor);
}

// Takes one line, if a whole one is there. False: the visitor has sent too much.
static bool take_line(struct visitor *visitor)
{
    const uint8_t *end = visitor->in.n ? memchr(visitor->in.p, '\n', visitor->in.n) : NULL;
    if (!end)
        return visitor->in.n < CONTROL_LINE_MAX;
    size_t n = (size_t)(end - visitor->in.p);
    cJSON *request = cJSON_ParseWithLength((const char *)visitor->in.p, n);
    buf_drop(&visitor->in, n + 1);
    visitor->is_waiting = true;
    // An answer may come at once, or after the visitor has gone.
    admin_run(visitor->control->admin, request, on_answer, visitor);
    cJSON_Delete(request);
    return true;
}

// False: the visitor has gone.
static bool read_some(struct visitor *visitor)
{
    uint8_t *room = buf_room(&visitor->in, READ_SIZE);
    ssize_t n = room ? read(visitor->fd, room, READ_SIZE) : 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    visitor->in.n += (size_t)n;
    return take_line(visitor);
}

static bool write_some(struct visitor *visitor)
{
    ssize_t n = send(visitor->fd, visitor->out.p, visitor->out.n, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (n <= 0)
        return false;
    buf_drop(&visitor->out, (size_t)n);
    return visitor->out.n > 0 || take_line(visitor);
}

static void on_ready(void *arg, unsigned what)
{
    struct visitor *visitor = arg;
    if (what == LOOP_WRITE ? write_some(visitor) : read_some(visitor))
        set_watch(visitor);
    else
        leave(visitor);
}

static void on_visit(void *arg, int fd)
{
    struct control *control = arg;
    struct visitor *visitor =
        control->count < CONTROL_CONNECTIONS_MAX ? calloc(1, sizeof *visitor) : NULL;
    if (visitor)
        visitor->watch = loop_watch_new(control->admin->calls->loop, fd, on_ready, visitor);
    if (!visitor || !visitor->watch) {
        (void)close(fd);
        free(visitor);
        return;
    }
    visitor->control = control;
    visitor->fd = fd;
    visitor->next = control->first;
    if (visitor->next)
        visitor->next->previous = visitor;
    control->first = visitor;
    control->count++;
    set_watch(visitor);
}

static enum err open_at(const char *path, struct control *control, struct fault *fault)
{
    char text[256];
    struct listen_address address;
    (void)snprintf(text, sizeof text, "unix:%s", path);
    enum err err = listen_parse(bytes_of_text(text), &address, fault);
    return err ? err
               : listen_open(control->admin->calls->loop, &address, 0660, on_visit, control,
                             &control->listener, fault);
}

enum err control_open(const char *path, int fd, struct admin_context *admin, struct control **out,
                      struct fault *fault)
{
    struct control *control = calloc(1, sizeof *control);
    if (!control) {
        if (fd >= 0)
            (void)close(fd);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    control->admin = admin;
    enum err err = fd < 0 ? open_at(path, control, fault)
                          : listen_adopt(admin->calls->loop, fd, LISTEN_UNIX, on_visit, control,
                                         &control->listener, fault);
    if (err)
        free(control);
    else
        *out = control;
    return err;
}

void control_close(struct control **control)
{
    if (!*control)
        return;
    listen_close(&(*control)->listener);
    for (struct visitor *visitor = (*control)->first, *next; visitor; visitor = next) {
        next = visitor->next;
        free_visitor(visitor);
    }
    free(*control);
    *control = NULL;
}
