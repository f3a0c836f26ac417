#include "storage/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "storage/stored.h"

// Type, community, handle or id (16), seq, tag or kind, body hash, and a check.
enum { TYPE_ERASURE = 1, TYPE_CLOSING = 2, TYPE_CLOSING_ALONE = 3, CHECK_SIZE = 4 };
enum { RECORD_SIZE = 1 + 16 + 16 + 4 + 4 + 32 + CHECK_SIZE };

static uint8_t type_of(const struct store_order *order)
{
    if (!order->is_closing)
        return TYPE_ERASURE;
    return order->with_all ? TYPE_CLOSING : TYPE_CLOSING_ALONE;
}

void orders_put(struct buf *orders, const struct store_order *order)
{
    uint8_t id[ID_SIZE] = {0};
    size_t begin = orders->n;
    memcpy(id, order->is_closing ? order->id : order->handle,
           order->is_closing ? ID_SIZE : HANDLE_SIZE);
    buf_put_u8(orders, type_of(order));
    buf_put(orders, BYTES(order->community));
    buf_put(orders, BYTES(id));
    buf_put_be32(orders, order->is_closing ? order->kind : order->seq);
    buf_put_be32(orders, order->tag);
    buf_put(orders, BYTES(order->body_hash));
    if (!orders->err)
        buf_put_be32(orders, (uint32_t)XXH3_64bits(orders->p + begin, orders->n - begin));
}

static enum err decode(struct bytes bytes, struct store_order *order)
{
    struct stored value = stored_of(bytes);
    uint8_t id[ID_SIZE];
    *order = (struct store_order){0};
    uint8_t type = stored_u8(&value);
    order->is_closing = type != TYPE_ERASURE;
    order->with_all = type == TYPE_CLOSING;
    stored_copy(&value, order->community, COMMUNITY_SIZE);
    stored_copy(&value, id, ID_SIZE);
    uint32_t number = stored_u32(&value);
    order->tag = stored_u32(&value);
    stored_copy(&value, order->body_hash, HASH_SIZE);
    uint32_t check = stored_u32(&value);
    if (order->is_closing) {
        order->kind = number;
        memcpy(order->id, id, ID_SIZE);
    } else {
        order->seq = number;
        memcpy(order->handle, id, HANDLE_SIZE);
    }
    bool sound = type >= TYPE_ERASURE && type <= TYPE_CLOSING_ALONE &&
                 check == (uint32_t)XXH3_64bits(bytes.p, bytes.n - CHECK_SIZE);
    return stored_end(&value) || !sound ? ERR_DAMAGED : OK;
}

static int open_file(const char *store, int flags)
{
    size_t n = strlen(store) + sizeof "/orders";
    char *path = malloc(n);
    if (!path)
        return -1;
    (void)snprintf(path, n, "%s/orders", store);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    free(path);
    return fd;
}

static enum err sync_directory(const char *store)
{
    int fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err err = fd >= 0 && fsync(fd) == 0 ? OK : ERR_IO;
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err write_at(int fd, struct bytes bytes, off_t at)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errno == ENOSPC ? ERR_FULL : ERR_IO;
        bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
        at += n;
    }
    return fdatasync(fd) == 0 ? OK : ERR_IO;
}

enum err orders_append(const char *store, struct bytes orders, uint64_t *n)
{
    struct stat st;
    int fd = open_file(store, O_WRONLY | O_CREAT);
    if (fd < 0)
        return ERR_IO;
    enum err err = fstat(fd, &st) == 0 ? OK : ERR_IO;
    bool is_new = !err && st.st_size == 0;
    // Before there is anything in it: so one that holds something is known to be on disk.
    if (is_new)
        err = sync_directory(store);
    if (!err)
        err = write_at(fd, orders, st.st_size / RECORD_SIZE * RECORD_SIZE);
    (void)close(fd);
    if (!err)
        *n = (uint64_t)st.st_size / RECORD_SIZE + orders.n / RECORD_SIZE;
    return err;
}

static enum err read_record(int fd, off_t at, uint8_t record[RECORD_SIZE])
{
    size_t have = 0;
    while (have < RECORD_SIZE) {
        ssize_t n = pread(fd, record + have, RECORD_SIZE - have, at + (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? ERR_IO : ERR_NOT_FOUND;
        have += (size_t)n;
    }
    return OK;
}

enum err orders_each(const char *store, uint64_t n,
                     bool (*each)(const struct store_order *, void *), void *arg)
{
    uint8_t record[RECORD_SIZE];
    enum err damage = OK;
    int fd = open_file(store, O_RDONLY);
    if (fd < 0)
        return errno != ENOENT ? ERR_IO : n ? ERR_DAMAGED : OK;
    enum err err = OK;
    bool on = true;
    for (off_t at = 0; on && (err = read_record(fd, at, record)) == OK; at += RECORD_SIZE) {
        struct store_order order;
        n -= n > 0;
        if (decode(BYTES(record), &order))
            damage = ERR_DAMAGED;
        else
            on = each(&order, arg);
    }
    (void)close(fd);
    if (on && n > 0)
        damage = ERR_DAMAGED;
    return err == ERR_IO ? err : damage;
}
