#include "daemon/headers.h"

enum { SIZE_MAX_DEFAULT = 64 << 10, OVERHEAD = 32 };

void headers_done(struct headers *headers)
{
    buf_done(&headers->text);
    headers->count = 0;
    headers->size = 0;
}

void headers_put(struct headers *headers, struct bytes name, struct bytes value)
{
    struct buf *text = &headers->text;
    size_t max = headers->size_max ? headers->size_max : SIZE_MAX_DEFAULT;
    headers->size += OVERHEAD + name.n + value.n;
    if (headers->size > max && !text->err)
        text->err = ERR_LIMIT;
    buf_put_be32(text, (uint32_t)name.n);
    buf_put_be32(text, (uint32_t)value.n);
    buf_put(text, name);
    buf_put(text, value);
    if (!text->err)
        headers->count++;
}

void headers_put_text(struct headers *headers, const char *name, const char *value)
{
    headers_put(headers, bytes_of_text(name), bytes_of_text(value));
}

struct bytes headers_get(const struct headers *headers, const char *name)
{
    struct bytes wanted = bytes_of_text(name), found, value;
    for (size_t at = 0; headers_next(headers, &at, &found, &value);)
        if (bytes_equal(found, wanted))
            return value;
    return (struct bytes){NULL, 0};
}

bool headers_next(const struct headers *headers, size_t *at, struct bytes *name,
                  struct bytes *value)
{
    const struct buf *text = &headers->text;
    // A put that failed half-way left its error, and its beginning is not to be read.
    if (text->err || *at + 8 > text->n)
        return false;
    const uint8_t *p = text->p + *at;
    *name = bytes_of(p + 8, be32_get(p));
    *value = bytes_of(p + 8 + name->n, be32_get(p + 4));
    *at += 8 + name->n + value->n;
    return true;
}
