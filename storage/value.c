#include "storage/value.h"

static struct bytes take(struct value *value, size_t n)
{
    if (value->cut || value->rest.n < n) {
        value->cut = true;
        return bytes_of(NULL, 0);
    }
    struct bytes part = bytes_of(value->rest.p, n);
    value->rest = bytes_of(value->rest.p + n, value->rest.n - n);
    return part;
}

uint8_t value_u8(struct value *value)
{
    struct bytes part = take(value, 1);
    return part.p ? *part.p : 0;
}

uint16_t value_u16(struct value *value)
{
    struct bytes part = take(value, 2);
    return part.p ? (uint16_t)(part.p[0] << 8 | part.p[1]) : 0;
}

uint32_t value_u32(struct value *value)
{
    struct bytes part = take(value, 4);
    return part.p ? be32_get(part.p) : 0;
}

uint64_t value_u64(struct value *value)
{
    struct bytes part = take(value, 8);
    return part.p ? be64_get(part.p) : 0;
}

void value_copy(struct value *value, void *out, size_t n)
{
    struct bytes part = take(value, n);
    if (part.p)
        memcpy(out, part.p, n);
    else
        memset(out, 0, n);
}

struct bytes value_rest(struct value *value)
{
    return take(value, value->cut ? 0 : value->rest.n);
}

void value_text(struct value *value, char *out, uint32_t *n, size_t max)
{
    struct bytes text = value_rest(value);
    if (text.n > max) {
        value->cut = true;
        text.n = 0;
    }
    if (text.n)
        memcpy(out, text.p, text.n);
    out[text.n] = 0;
    *n = (uint32_t)text.n;
}

enum err value_end(const struct value *value)
{
    return value->cut || value->rest.n ? ERR_DAMAGED : OK;
}
