#include "proto/change.h"

static bool dots_are_sound(const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, envelope->over, i);
        if (dot->seq == 0 || dot->index >= EDITS_MAX)
            return false;
    }
    return true;
}

enum err envelope_decode(struct bytes bytes, struct arena *arena, struct envelope *envelope,
                         struct fault *fault)
{
    *envelope = (struct envelope){0};
    if (bytes.n == 0 || bytes.n > ENVELOPE_MAX)
        return fault_set(fault, ERR_LIMIT, "Envelope: empty or over %d bytes", ENVELOPE_MAX);
    if (!message_is_canonical(&envelope_message, bytes))
        return fault_set(fault, ERR_MALFORMED, "Envelope: not in its canonical form");
    enum err err = message_decode(&envelope_message, bytes, arena, envelope, fault);
    if (err)
        return err;
    if (envelope->kind == 0 || envelope->kind > KIND_MAX)
        return fault_set(fault, ERR_MALFORMED, "Envelope: kind %u is not in 1..65535",
                         envelope->kind);
    if (envelope->id.n && envelope->parts.n)
        return fault_set(fault, ERR_MALFORMED, "Envelope: both id and parts");
    for (size_t i = 0; i < envelope->parts.n; i++) {
        if (LIST_AT(struct bytes, envelope->parts, i)->n == 0)
            return fault_set(fault, ERR_MALFORMED, "Envelope: an empty part");
    }
    if (!dots_are_sound(envelope))
        return fault_set(fault, ERR_MALFORMED,
                         "Envelope: a dot without seq or with index over 255");
    return OK;
}

enum err fields_check(struct bytes fields, uint32_t *edits, struct fault *fault)
{
    struct wire_reader reader = wire_reader(fields);
    *edits = 0;
    while (!wire_at_end(&reader)) {
        struct wire_field edit;
        if (wire_next(&reader, &edit) || !edit.minimal)
            return fault_set(fault, ERR_MALFORMED, "fields: edit %u is not a field in minimal form",
                             *edits);
        if (++*edits > EDITS_MAX)
            return fault_set(fault, ERR_LIMIT, "fields: more than %d edits", EDITS_MAX);
    }
    return OK;
}

bool fields_edit(struct bytes fields, uint32_t index, struct wire_field *edit)
{
    struct wire_reader reader = wire_reader(fields);
    for (uint32_t i = 0; !wire_at_end(&reader); i++) {
        if (wire_next(&reader, edit))
            return false;
        if (i == index)
            return true;
    }
    return false;
}
