#include "storage/stored.h"

static struct bytes take(struct stored *stored, size_t n)
{
    if (stored->cut || stored->rest.n < n) {
        stored->cut = true;
        return bytes_of(NULL, 0);
    }
    struct bytes part = bytes_of(stored->rest.p, n);
    if (n)
        stored->rest = bytes_of(stored->rest.p + n, stored->rest.n - n);
    return part;
}

uint8_t stored_u8(struct stored *stored)
{
    struct bytes part = take(stored, 1);
    return part.p ? *part.p : 0;
}

uint16_t stored_u16(struct stored *stored)
{
    struct bytes part = take(stored, 2);
    if (!part.p)
        return 0;
    return (uint16_t)(part.p[0] << 8 | part.p[1]);
}

uint32_t stored_u32(struct stored *stored)
{
    struct bytes part = take(stored, 4);
    return part.p ? be32_get(part.p) : 0;
}

uint64_t stored_u64(struct stored *stored)
{
    struct bytes part = take(stored, 8);
    return part.p ? be64_get(part.p) : 0;
}

void stored_copy(struct stored *stored, void *out, size_t n)
{
    struct bytes part = take(stored, n);
    if (part.p)
        memcpy(out, part.p, n);
    else
        memset(out, 0, n);
}

struct bytes stored_rest(struct stored *stored)
{
    return take(stored, stored->cut ? 0 : stored->rest.n);
}

void stored_text(struct stored *stored, char *out, uint32_t *n, size_t max)
{
    struct bytes text = stored_rest(stored);
    if (text.n > max) {
        stored->cut = true;
        text.n = 0;
    }
    if (text.n)
        memcpy(out, text.p, text.n);
    out[text.n] = 0;
    *n = (uint32_t)text.n;
}

enum err stored_end(const struct stored *stored)
{
    return stored->cut || stored->rest.n ? ERR_DAMAGED : OK;
}
