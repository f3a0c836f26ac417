#include "storage/orders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "storage/stored.h"

// Type (enum order_what, from 1), community, handle or id (16), seq or kind, tag or role, body
// hash, and a check.
enum { CHECK_SIZE = 4 };
enum { RECORD_SIZE = 1 + 16 + 16 + 4 + 4 + 32 + CHECK_SIZE };

static bool is_closing(const struct store_order *order)
{
    return order->what == ORDER_CLOSING || order->what == ORDER_CLOSING_ALONE;
}

void orders_put(struct buf *orders, const struct store_order *order)
{
    uint8_t id[ID_SIZE] = {0};
    size_t begin = orders->n;
    memcpy(id, is_closing(order) ? order->id : order->handle,
           is_closing(order) ? ID_SIZE : HANDLE_SIZE);
    buf_put_u8(orders, (uint8_t)(order->what + 1));
    buf_put(orders, BYTES(order->community));
    buf_put(orders, BYTES(id));
    buf_put_be32(orders, is_closing(order) ? order->kind : order->seq);
    buf_put_be32(orders, order->what == ORDER_ERASURE ? order->tag : order->role);
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
    bool is_known = type >= 1 && type <= ORDER_REVOCATION + 1;
    order->what = is_known ? (enum order_what)(type - 1) : ORDER_ERASURE;
    stored_copy(&value, order->community, COMMUNITY_SIZE);
    stored_copy(&value, id, ID_SIZE);
    uint32_t number = stored_u32(&value);
    *(order->what == ORDER_ERASURE ? &order->tag : &order->role) = stored_u32(&value);
    stored_copy(&value, order->body_hash, HASH_SIZE);
    uint32_t check = stored_u32(&value);
    if (is_closing(order)) {
        order->kind = number;
        memcpy(order->id, id, ID_SIZE);
    } else {
        order->seq = number;
        memcpy(order->handle, id, HANDLE_SIZE);
    }
    bool sound = is_known && check == (uint32_t)XXH3_64bits(bytes.p, bytes.n - CHECK_SIZE);
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

enum err orders_count(const char *store, uint64_t *n)
{
    struct stat st;
    int fd = open_file(store, O_RDONLY);
    *n = 0;
    if (fd < 0)
        return errno == ENOENT ? OK : ERR_IO;
    enum err err = fstat(fd, &st) == 0 ? OK : ERR_IO;
    (void)close(fd);
    if (!err)
        *n = (uint64_t)st.st_size / RECORD_SIZE;
    return err;
}

enum err orders_check(const char *store, uint64_t n, uint32_t *check)
{
    uint8_t record[RECORD_SIZE] = {0};
    *check = 0;
    if (n == 0)
        return OK;
    int fd = open_file(store, O_RDONLY);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    enum err err = n > INT64_MAX / RECORD_SIZE
                       ? ERR_NOT_FOUND
                       : read_record(fd, (off_t)(n - 1) * RECORD_SIZE, record);
    (void)close(fd);
    if (!err)
        *check = be32_get(record + RECORD_SIZE - CHECK_SIZE);
    return err;
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
        bool is_new = n == 0;
        n -= n > 0;
        if (decode(BYTES(record), &order)) {
            damage = ERR_DAMAGED;
        } else {
            order.is_new = is_new;
            on = each(&order, arg);
        }
    }
    (void)close(fd);
    if (on && n > 0)
        damage = ERR_DAMAGED;
    return err == ERR_IO ? err : damage;
}
