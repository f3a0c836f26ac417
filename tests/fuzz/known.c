#include "tests/fuzz/known.h"

#include "proto/wire.h"

static const struct field *find(const struct message *message, uint32_t number)
{
    for (size_t i = 0; i < message->fields_n; i++) {
        if (message->fields[i].number == number)
            return &message->fields[i];
    }
    return NULL;
}

// Goes as deep as the tables nest.
void known_only(const struct message *message, struct bytes bytes, struct buf *out)
{
    struct wire_reader reader = wire_reader(bytes);
    while (!wire_at_end(&reader)) {
        struct wire_field wire;
        if (wire_next(&reader, &wire))
            return;
        const struct field *field = find(message, wire.number);
        if (!field)
            continue;
        if (field->type != FIELD_MESSAGE) {
            buf_put(out, wire.whole);
            continue;
        }
        size_t mark = wire_open(out, wire.number);
        known_only(field->of, wire.bytes, out);
        wire_close(out, mark);
    }
}
