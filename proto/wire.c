#include "proto/wire.h"

enum err wire_varint(struct wire_reader *reader, uint64_t *v, bool *minimal)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (reader->p == reader->end)
            return ERR_CUT;
        uint8_t byte = *reader->p++;
        if (i == 9 && byte > 1)
            return ERR_MALFORMED;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            if (byte == 0 && i > 0)
                *minimal = false;
            *v = value;
            return OK;
        }
    }
    return ERR_MALFORMED;
}

static enum err read_fixed(struct wire_reader *reader, size_t n, uint64_t *v)
{
    if ((size_t)(reader->end - reader->p) < n)
        return ERR_CUT;
    *v = 0;
    for (size_t i = 0; i < n; i++)
        *v |= (uint64_t)reader->p[i] << (8 * i);
    reader->p += n;
    return OK;
}

static enum err read_sized(struct wire_reader *reader, struct bytes *bytes, bool *minimal)
{
    uint64_t n;
    enum err err = wire_varint(reader, &n, minimal);
    if (err)
        return err;
    if (n > (uint64_t)(reader->end - reader->p))
        return ERR_CUT;
    *bytes = bytes_of(reader->p, (size_t)n);
    reader->p += n;
    return OK;
}

enum err wire_next(struct wire_reader *reader, struct wire_field *field)
{
    const uint8_t *start = reader->p;
    uint64_t tag;
    *field = (struct wire_field){.minimal = true};
    enum err err = wire_varint(reader, &tag, &field->minimal);
    if (err)
        return err;
    if (tag >> 3 == 0 || tag >> 3 > 536870911)
        return ERR_MALFORMED;
    field->number = (uint32_t)(tag >> 3);
    field->type = (enum wire_type)(tag & 7);
    switch ((unsigned)(tag & 7)) {
    case WIRE_VARINT:
        err = wire_varint(reader, &field->value, &field->minimal);
        break;
    case WIRE_FIXED64:
        err = read_fixed(reader, 8, &field->value);
        break;
    case WIRE_SIZED:
        err = read_sized(reader, &field->bytes, &field->minimal);
        break;
    case WIRE_FIXED32:
        err = read_fixed(reader, 4, &field->value);
        break;
    default:
        return ERR_MALFORMED;
    }
    field->whole = bytes_of(start, (size_t)(reader->p - start));
    return err;
}

static size_t varint_write(uint8_t out[10], uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (uint8_t)(v | 0x80);
    out[n++] = (uint8_t)v;
    return n;
}

void wire_put_varint(struct buf *buf, uint64_t v)
{
    uint8_t out[10];
    buf_put(buf, bytes_of(out, varint_write(out, v)));
}

static void put_tag(struct buf *buf, uint32_t number, enum wire_type type)
{
    wire_put_varint(buf, (uint64_t)number << 3 | (uint64_t)type);
}

void wire_put_uint(struct buf *buf, uint32_t number, uint64_t v)
{
    put_tag(buf, number, WIRE_VARINT);
    wire_put_varint(buf, v);
}

void wire_put_sint(struct buf *buf, uint32_t number, int64_t v)
{
    wire_put_uint(buf, number, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void wire_put_fixed32(struct buf *buf, uint32_t number, uint32_t v)
{
    put_tag(buf, number, WIRE_FIXED32);
    for (unsigned i = 0; i < 4; i++)
        buf_put_u8(buf, (uint8_t)(v >> (8 * i)));
}

void wire_put_bytes(struct buf *buf, uint32_t number, struct bytes bytes)
{
    put_tag(buf, number, WIRE_SIZED);
    wire_put_varint(buf, bytes.n);
    buf_put(buf, bytes);
}

size_t wire_open(struct buf *buf, uint32_t number)
{
    put_tag(buf, number, WIRE_SIZED);
    return buf->n;
}

void wire_close(struct buf *buf, size_t mark)
{
    if (buf->err)
        return;
    uint8_t length[10];
    size_t n = buf->n - mark;
    size_t width = varint_write(length, n);
    if (!buf_room(buf, width))
        return;
    memmove(buf->p + mark + width, buf->p + mark, n);
    memcpy(buf->p + mark, length, width);
    buf->n += width;
}
