#include "proto/message.h"

#include "base/text.h"
#include "proto/wire.h"

static const struct field *field_find(const struct message *message, uint32_t number)
{
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].number == number)
            return &message->fields[i];
    }
    return NULL;
}

static enum wire_type field_wire_type(const struct field *field)
{
    switch (field->type) {
    case FIELD_BYTES:
    case FIELD_TEXT:
    case FIELD_MESSAGE:
        return WIRE_SIZED;
    case FIELD_FIXED32:
        return WIRE_FIXED32;
    case FIELD_U32:
    case FIELD_U64:
    case FIELD_I64:
    case FIELD_S32:
    case FIELD_BOOL:
        break;
    }
    return WIRE_VARINT;
}

static size_t item_size(const struct field *field)
{
    return field->type == FIELD_MESSAGE ? field->of->size : sizeof(struct bytes);
}

struct decoding {
    const struct message *message;
    struct arena *arena;
    struct fault *fault;
};

static enum err refuse(const struct decoding *d, enum err err, uint32_t number, const char *why)
{
    return fault_set(d->fault, err, "%s, field %u: %s", d->message->name, number, why);
}

// First pass: how many items each repeated field has, so that each list is allocated once.
static enum err count_items(const struct decoding *d, struct bytes bytes, uint8_t *out)
{
    struct wire_reader reader = wire_reader(bytes);
    while (!wire_at_end(&reader)) {
        struct wire_field wire;
        enum err err = wire_next(&reader, &wire);
        if (err)
            return fault_set(d->fault, ERR_MALFORMED, "%s: %s", d->message->name, err_text(err));
        const struct field *field = field_find(d->message, wire.number);
        if (!field || !field->repeated)
            continue;
        struct list *list = (struct list *)(void *)(out + field->offset);
        if (++list->n > field->count_max)
            return refuse(d, ERR_LIMIT, wire.number, "too many");
    }
    return OK;
}

static enum err lists_alloc(const struct decoding *d, uint8_t *out)
{
    for (size_t i = 0; i < d->message->fields_n; i++) {
        const struct field *field = &d->message->fields[i];
        struct list *list = (struct list *)(void *)(out + field->offset);
        if (!field->repeated || list->n == 0)
            continue;
        list->p = arena_alloc(d->arena, list->n, item_size(field));
        if (!list->p)
            return ERR_NOMEM;
        list->n = 0;
    }
    return OK;
}

static enum err decode_bytes(const struct decoding *d, const struct field *field,
                             struct bytes bytes, struct bytes *out)
{
    if (field->size_max && bytes.n > field->size_max)
        return refuse(d, ERR_LIMIT, field->number, "too long");
    if (bytes.n && bytes.n < field->size_min)
        return refuse(d, ERR_MALFORMED, field->number, "too short");
    if (field->type == FIELD_TEXT && !text_is_utf8(bytes))
        return refuse(d, ERR_MALFORMED, field->number, "not UTF-8 text");
    *out = bytes;
    return OK;
}

static enum err decode_number(const struct decoding *d, const struct field *field, uint64_t v,
                              uint8_t *out)
{
    if (field->present)
        *(bool *)(out + field->has_offset) = true;
    void *at = out + field->offset;
    if (field->type == FIELD_BOOL) {
        *(bool *)at = v != 0;
    } else if (field->type == FIELD_U64 || field->type == FIELD_I64) {
        memcpy(at, &v, sizeof v);
    } else if (v > UINT32_MAX) {
        return refuse(d, ERR_MALFORMED, field->number, "over 32 bits");
    } else {
        uint32_t v32 = (uint32_t)v;
        int32_t s32 = (int32_t)wire_unzigzag(v);
        memcpy(at, field->type == FIELD_S32 ? (void *)&s32 : (void *)&v32, sizeof v32);
    }
    return OK;
}

// Recursion goes as deep as the tables nest (at most four), never as deep as the input says.
static enum err decode_message(const struct decoding *d, const struct field *field,
                               struct bytes bytes, uint8_t *at)
{
    if (field->repeated)
        return message_decode(field->of, bytes, d->arena, at, d->fault);
    void **pointer = (void **)(void *)at;
    if (*pointer)
        return refuse(d, ERR_MALFORMED, field->number, "twice");
    *pointer = arena_alloc(d->arena, 1, field->of->size);
    if (!*pointer)
        return ERR_NOMEM;
    return message_decode(field->of, bytes, d->arena, *pointer, d->fault);
}

static enum err decode_field(const struct decoding *d, const struct field *field,
                             const struct wire_field *wire, uint8_t *out)
{
    if (wire->type != field_wire_type(field))
        return refuse(d, ERR_MALFORMED, field->number, "of another wire type");
    uint8_t *at = out + field->offset;
    if (field->repeated) {
        struct list *list = (struct list *)(void *)at;
        at = (uint8_t *)list->p + list->n++ * item_size(field);
    }
    if (field->type == FIELD_MESSAGE)
        return decode_message(d, field, wire->bytes, at);
    if (field->type == FIELD_BYTES || field->type == FIELD_TEXT)
        return decode_bytes(d, field, wire->bytes, (struct bytes *)(void *)at);
    return decode_number(d, field, wire->value, out);
}

enum err message_decode(const struct message *message, struct bytes bytes, struct arena *arena,
                        void *out, struct fault *fault)
{
    struct decoding d = {message, arena, fault};
    enum err err = count_items(&d, bytes, out);
    if (!err)
        err = lists_alloc(&d, out);
    struct wire_reader reader = wire_reader(bytes);
    while (!err && !wire_at_end(&reader)) {
        struct wire_field wire;
        err = wire_next(&reader, &wire);
        const struct field *field = err ? NULL : field_find(message, wire.number);
        if (field)
            err = decode_field(&d, field, &wire, out);
    }
    return err == ERR_NOMEM ? fault_set(fault, err, "%s: too large", message->name) : err;
}

static uint64_t number_read(const struct field *field, const uint8_t *at)
{
    if (field->type == FIELD_BOOL)
        return *(const bool *)at;
    uint64_t v64 = 0;
    uint32_t v32 = 0;
    if (field->type == FIELD_U64 || field->type == FIELD_I64) {
        memcpy(&v64, at, sizeof v64);
        return v64;
    }
    memcpy(&v32, at, sizeof v32);
    return v32;
}

static void encode_number(const struct field *field, const uint8_t *in, struct buf *buf)
{
    uint64_t v = number_read(field, in + field->offset);
    bool wanted = field->present ? *(const bool *)(in + field->has_offset) : v != 0;
    if (!wanted)
        return;
    if (field->type == FIELD_FIXED32)
        wire_put_fixed32(buf, field->number, (uint32_t)v);
    else if (field->type == FIELD_S32)
        wire_put_sint(buf, field->number, (int32_t)(uint32_t)v);
    else
        wire_put_uint(buf, field->number, v);
}

static void encode_value(const struct field *field, const void *item, struct buf *buf)
{
    if (field->type != FIELD_MESSAGE) {
        const struct bytes *bytes = item;
        wire_put_bytes(buf, field->number, *bytes);
        return;
    }
    size_t mark = wire_open(buf, field->number);
    message_encode(field->of, item, buf);
    wire_close(buf, mark);
}

static void encode_single(const struct field *field, const uint8_t *in, struct buf *buf)
{
    const void *at = in + field->offset;
    if (field->type == FIELD_MESSAGE) {
        const void *const *pointer = at;
        if (*pointer)
            encode_value(field, *pointer, buf);
    } else if (field->type == FIELD_BYTES || field->type == FIELD_TEXT) {
        const struct bytes *bytes = at;
        if (field->present ? bytes->p != NULL : bytes->n > 0)
            encode_value(field, bytes, buf);
    } else {
        encode_number(field, in, buf);
    }
}

void message_encode(const struct message *message, const void *in, struct buf *buf)
{
    for (size_t i = 0; i < message->fields_n; i++) {
        const struct field *field = &message->fields[i];
        if (!field->repeated) {
            encode_single(field, in, buf);
            continue;
        }
        const struct list *list = (const void *)((const uint8_t *)in + field->offset);
        for (size_t k = 0; k < list->n; k++)
            encode_value(field, (const uint8_t *)list->p + k * item_size(field), buf);
    }
}

static bool value_is_canonical(const struct field *field, const struct wire_field *wire)
{
    if (wire->type != field_wire_type(field))
        return false;
    if (field->type == FIELD_MESSAGE)
        return message_is_canonical(field->of, wire->bytes);
    if (field->type == FIELD_BOOL && wire->value > 1)
        return false;
    if (field->repeated || field->present)
        return true;
    return wire->type == WIRE_SIZED ? wire->bytes.n > 0 : wire->value != 0;
}

bool message_is_canonical(const struct message *message, struct bytes bytes)
{
    struct wire_reader reader = wire_reader(bytes);
    uint32_t last = 0;
    while (!wire_at_end(&reader)) {
        struct wire_field wire;
        if (wire_next(&reader, &wire) || !wire.minimal || wire.number < last)
            return false;
        const struct field *field = field_find(message, wire.number);
        if (field && !field->repeated && wire.number == last)
            return false;
        if (field && !value_is_canonical(field, &wire))
            return false;
        last = wire.number;
    }
    return true;
}
