// nghttp2 keeps a buffer of 16 KiB for the frames of each session, and of most sessions only its
// first bytes are ever used. It is mapped, so that the rest takes no memory, and what was used can
// be given back.

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "daemon/http2_private.h"

enum { MAPPED_LEAST = 16 << 10 };

static void *map(struct http2 *http2, size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    http2->frame = p;
    http2->frame_n = n;
    return p;
}

static void *take(size_t n, void *user)
{
    struct http2 *http2 = user;
    return n >= MAPPED_LEAST && !http2->frame ? map(http2, n) : malloc(n);
}

static void give_back(void *p, void *user)
{
    struct http2 *http2 = user;
    if (!p || p != http2->frame) {
        free(p);
        return;
    }
    (void)munmap(p, http2->frame_n);
    http2->frame = NULL;
}

static void *take_zeros(size_t n, size_t size, void *user)
{
    (void)user;
    return calloc(n, size);
}

static void *resize(void *p, size_t n, void *user)
{
    struct http2 *http2 = user;
    if (!p)
        return take(n, user);
    if (p != http2->frame)
        return realloc(p, n);
    void *moved = malloc(n);
    if (moved) {
        memcpy(moved, p, n < http2->frame_n ? n : http2->frame_n);
        give_back(p, user);
    }
    return moved;
}

nghttp2_mem http2_memory(struct http2 *http2)
{
    return (nghttp2_mem){http2, take, give_back, take_zeros, resize};
}

void http2_rest(struct http2 *http2)
{
    // Between two frames nothing of it is wanted any more.
    if (http2->frame && !nghttp2_session_want_write(http2->session))
        (void)madvise(http2->frame, http2->frame_n, MADV_DONTNEED);
}
