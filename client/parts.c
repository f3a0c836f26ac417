#include "client/parts.h"

#include <assert.h>

enum err parts_split(struct parts *parts, struct bytes text, size_t max)
{
    assert(max <= PARTS_OF_TEXT_MAX);
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool escaped = text.p[i] == '\\' && i + 1 < text.n;
        if (!escaped && text.p[i] == '|') {
            if (++at == max)
                return ERR_MALFORMED;
            continue;
        }
        i += escaped;
        buf_put_u8(&parts->part[at], text.p[i]);
        if (parts->part[at].err)
            return parts->part[at].err;
    }
    return OK;
}

void parts_done(struct parts *parts)
{
    for (size_t i = 0; i < PARTS_OF_TEXT_MAX; i++)
        buf_done(&parts->part[i]);
}

void parts_put(struct buf *out, struct bytes part)
{
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] == '|' || part.p[i] == '\\')
            buf_put_u8(out, '\\');
        buf_put_u8(out, part.p[i]);
    }
}

enum err parts_count(struct bytes part, uint64_t *v)
{
    uint64_t number = 0;
    for (size_t i = 0; i < part.n; i++) {
        if (part.p[i] < '0' || part.p[i] > '9')
            return ERR_MALFORMED;
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, part.p[i] - '0', &number))
            return ERR_MALFORMED;
    }
    *v = number;
    return OK;
}

enum err parts_number(struct bytes part, uint32_t *v)
{
    uint64_t number;
    enum err err = parts_count(part, &number);
    if (err || number > UINT32_MAX)
        return ERR_MALFORMED;
    *v = (uint32_t)number;
    return OK;
}
