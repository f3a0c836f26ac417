#include "tests/fuzz/made.h"

#include "proto/schema.h"
#include "sync/merge.h"

void made_note(struct made *made, const struct envelope *envelope,
               const uint8_t device[HANDLE_SIZE], uint32_t seq, uint32_t tag)
{
    struct made_known *known = &made->known[made->n++ % MADE_MAX];
    *known = (struct made_known){.class = envelope->class, .seq = seq, .tag = tag};
    memcpy(known->device, device, HANDLE_SIZE);
    merge_record(envelope, device, seq, tag, &known->record);
}

// NULL when nothing is known.
static const struct made_known *pick(struct script *script, const struct made *made)
{
    uint32_t n = made->n < MADE_MAX ? made->n : MADE_MAX;
    return n ? &made->known[script_below(script, n)] : NULL;
}

static void *must_alloc(struct arena *arena, size_t count, size_t size)
{
    void *p = arena_alloc(arena, count, size);
    assert(p);
    return p;
}

// --- the envelope ---

static struct bytes subject_of(const struct made_known *known, struct arena *arena)
{
    uint8_t *part = must_alloc(arena, 1, 4 + ID_SIZE);
    be32_put(part, known ? known->record.kind : KIND_NEED);
    if (known)
        memcpy(part + 4, known->record.id, ID_SIZE);
    return bytes_of(part, 4 + ID_SIZE);
}

static struct bytes person_of(struct script *script, struct arena *arena)
{
    uint8_t *id = must_alloc(arena, 1, ID_SIZE);
    id[0] = (uint8_t)script_below(script, 4);
    return bytes_of(id, ID_SIZE);
}

static void put_parts(struct script *script, const struct made *made, struct arena *arena,
                      struct envelope *envelope)
{
    struct bytes *parts = must_alloc(arena, 2, sizeof *parts);
    parts[0] = subject_of(pick(script, made), arena);
    if (envelope->kind == KIND_VOICE) {
        parts[1] = person_of(script, arena);
    } else {
        parts[1] = subject_of(pick(script, made), arena);
        if (bytes_compare(parts[0], parts[1]) > 0) {
            struct bytes first = parts[0];
            parts[0] = parts[1];
            parts[1] = first;
        }
    }
    envelope->parts = (struct list){parts, 2};
}

static void put_dot(struct script *script, const struct made *made, struct dot *dot)
{
    const struct made_known *known = pick(script, made);
    uint8_t choice = script_u8(script);
    *dot = (struct dot){.seq = 1u + (choice >> 4), .index = choice & 3, .tag = choice};
    if (!known || (choice & 12) == 12)
        return;
    dot->device = BYTES(known->device);
    dot->seq = known->seq;
    if ((choice & 12) != 8)
        dot->tag = known->tag;
}

static void put_over(struct script *script, const struct made *made, struct arena *arena,
                     struct envelope *envelope)
{
    size_t n = script_below(script, 4);
    struct dot *dots = must_alloc(arena, n + 1, sizeof *dots);
    for (size_t i = 0; i < n; i++)
        put_dot(script, made, &dots[i]);
    envelope->over = (struct list){dots, n};
}

void made_envelope(struct script *script, const struct made *made, struct arena *arena,
                   struct envelope *envelope)
{
    uint8_t choice = script_u8(script);
    const struct made_known *about = choice & 0x80 ? pick(script, made) : NULL;
    *envelope = (struct envelope){.kind = 1u + (choice & 15), .time = script_u8(script)};
    if (about) {
        envelope->kind = about->record.kind;
        envelope->id = BYTES(about->record.id);
    }
    const struct schema_kind *kind = schema_kind(envelope->kind);
    envelope->class = kind ? kind->class : CLASS_ORDINARY;
    if (choice & 0x40)
        envelope->class ^= script_u8(script);
    if (kind && kind->derived && !(choice & 0x20)) {
        envelope->id = (struct bytes){0};
        put_parts(script, made, arena, envelope);
    }
    put_over(script, made, arena, envelope);
}

// --- the fields ---

static struct bytes id_of(struct script *script, const struct made *made)
{
    static const uint8_t id[ID_SIZE] = {1};
    const struct made_known *known = pick(script, made);
    return known ? BYTES(known->record.id) : BYTES(id);
}

static void put_ref(struct script *script, const struct made *made, uint32_t number,
                    struct buf *fields)
{
    const struct made_known *known = pick(script, made);
    struct ref ref = {.kind = known ? known->record.kind : KIND_NEED};
    if (known)
        ref.id = BYTES(known->record.id);
    size_t mark = wire_open(fields, number);
    message_encode(&ref_message, &ref, fields);
    wire_close(fields, mark);
}

// A change that is known, by any author, or the asker's own where its device is left out.
static void put_change_ref(struct script *script, const struct made *made, uint32_t number,
                           struct buf *fields)
{
    const struct made_known *known = pick(script, made);
    struct change_ref ref = {.seq = 1, .tag = 1};
    if (known)
        ref = (struct change_ref){BYTES(known->device), known->seq, known->tag};
    if (script_u8(script) & 1)
        ref.device = (struct bytes){0};
    size_t mark = wire_open(fields, number);
    message_encode(&change_ref_message, &ref, fields);
    wire_close(fields, mark);
}

static void put_field(struct script *script, const struct made *made,
                      const struct schema_field *field, struct buf *fields)
{
    switch (field->type) {
    case SCHEMA_ID:
        wire_put_bytes(fields, field->number, id_of(script, made));
        break;
    case SCHEMA_MESSAGE:
        if (field->of == &ref_message)
            put_ref(script, made, field->number, fields);
        else if (field->of == &change_ref_message)
            put_change_ref(script, made, field->number, fields);
        else
            wire_put_bytes(fields, field->number, script_bytes(script));
        break;
    case SCHEMA_BOOL:
        wire_put_uint(fields, field->number, script_u8(script) & 1);
        break;
    case SCHEMA_TEXT:
    case SCHEMA_HANDLE:
        wire_put_bytes(fields, field->number, script_bytes(script));
        break;
    case SCHEMA_ENUM:
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
        wire_put_uint(fields, field->number, script_u8(script));
        break;
    }
}

void made_fields(struct script *script, const struct made *made, uint32_t kind, struct buf *fields)
{
    const struct schema_kind *known = schema_kind(kind);
    uint8_t choice = script_u8(script);
    for (int i = 0; i < (choice & 7); i++) {
        uint8_t which = script_u8(script);
        if (known && which < 0xf0)
            put_field(script, made, &known->fields[which % known->fields_n], fields);
        else
            wire_put_bytes(fields, which + 1u, script_bytes(script));
    }
}
