#pragma once

// A growing buffer that owns its bytes. The first failure sticks: later puts do nothing, and the
// writer asks once at the end. One thread at a time.

#include "base/bytes.h"
#include "base/err.h"

struct buf {
    uint8_t *p;
    size_t n;
    size_t cap;
    size_t max; // bytes it may hold at most; 0 means BUF_MAX
    enum err err;
};

enum { BUF_MAX = 256 << 20 };

// All zero is an empty buffer: struct buf buf = {0}.
void buf_done(struct buf *buf);
// Empties it, keeps the memory, forgives the error.
void buf_reset(struct buf *buf);
// Drops the first n bytes (n ≤ buf->n).
void buf_drop(struct buf *buf, size_t n);
// Makes room for n bytes more and returns where they go, or NULL; the caller then adds to buf->n.
uint8_t *buf_room(struct buf *buf, size_t n);

// Each appends, or notes ERR_LIMIT or ERR_NOMEM and leaves the buffer as it was.
void buf_put(struct buf *buf, struct bytes bytes);
void buf_put_text(struct buf *buf, const char *text);
// Needs room for one byte more than it appends.
void buf_put_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_put_u8(struct buf *buf, uint8_t v);
void buf_put_be32(struct buf *buf, uint32_t v);
void buf_put_be64(struct buf *buf, uint64_t v);

static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->p, buf->n);
}

#define BUF_CLEANUP __attribute__((cleanup(buf_done)))
