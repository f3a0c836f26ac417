#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_done(struct buf *buf)
{
    free(buf->p);
    *buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
    buf->n = 0;
    buf->err = OK;
}

void buf_drop(struct buf *buf, size_t n)
{
    if (n < buf->n)
        memmove(buf->p, buf->p + n, buf->n - n);
    buf->n = n < buf->n ? buf->n - n : 0;
}

static size_t grown_cap(const struct buf *buf, size_t need, size_t max)
{
    size_t cap = buf->cap ? buf->cap : 128;
    while (cap < need)
        cap *= 2;
    return cap < max ? cap : max;
}

uint8_t *buf_room(struct buf *buf, size_t n)
{
    if (buf->err)
        return NULL;
    size_t max = buf->max ? buf->max : BUF_MAX;
    if (n > max || buf->n > max - n) {
        buf->err = ERR_LIMIT;
        return NULL;
    }
    size_t need = buf->n + n;
    if (need > buf->cap || !buf->p) {
        size_t cap = grown_cap(buf, need, max);
        uint8_t *p = realloc(buf->p, cap);
        if (!p) {
            buf->err = ERR_NOMEM;
            return NULL;
        }
        buf->p = p;
        buf->cap = cap;
    }
    return buf->p + buf->n;
}

void buf_put(struct buf *buf, struct bytes bytes)
{
    if (bytes.n == 0)
        return;
    uint8_t *p = buf_room(buf, bytes.n);
    if (!p)
        return;
    memcpy(p, bytes.p, bytes.n);
    buf->n += bytes.n;
}

void buf_put_text(struct buf *buf, const char *text)
{
    buf_put(buf, bytes_of_text(text));
}

void buf_put_format(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        buf->err = buf->err ? buf->err : ERR_LIMIT;
        return;
    }
    uint8_t *p = buf_room(buf, (size_t)n + 1);
    if (!p)
        return;
    va_start(args, format);
    vsnprintf((char *)p, (size_t)n + 1, format, args);
    va_end(args);
    buf->n += (size_t)n;
}

void buf_put_u8(struct buf *buf, uint8_t v)
{
    buf_put(buf, bytes_of(&v, 1));
}

void buf_put_be32(struct buf *buf, uint32_t v)
{
    uint8_t bytes[4];
    be32_put(bytes, v);
    buf_put(buf, BYTES(bytes));
}

void buf_put_be64(struct buf *buf, uint64_t v)
{
    uint8_t bytes[8];
    be64_put(bytes, v);
    buf_put(buf, BYTES(bytes));
}
