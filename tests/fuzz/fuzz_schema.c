// What a version knows of a kind: any envelope and fields are judged without harm, and what was
// found sound is sound in every part, so that nobody has to check it again.

#include "base/text.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "tests/fuzz/fuzz.h"

static void check_message(const struct schema_field *field, struct bytes bytes)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4096);
    void *out = arena_alloc(&arena, 1, field->of->size);
    assert(out);
    enum err err = message_decode(field->of, bytes, &arena, out, NULL);
    assert(!err);
}

static void check_field(const struct schema_field *field, const struct wire_field *edit)
{
    switch (field->type) {
    case SCHEMA_TEXT:
        assert(edit->type == WIRE_SIZED && text_is_utf8(edit->bytes));
        assert(edit->bytes.n <= field->max);
        break;
    case SCHEMA_ID:
        assert(edit->type == WIRE_SIZED && edit->bytes.n == ID_SIZE);
        break;
    case SCHEMA_HANDLE:
        assert(edit->type == WIRE_SIZED && edit->bytes.n == HANDLE_SIZE);
        break;
    case SCHEMA_MESSAGE:
        assert(edit->type == WIRE_SIZED);
        check_message(field, edit->bytes);
        break;
    case SCHEMA_ENUM:
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
    case SCHEMA_BOOL:
        assert(edit->type == WIRE_VARINT);
        break;
    }
}

// Each edit is judged alone: fields are sound exactly when each of them is.
static void check_edits(const struct envelope *envelope, struct bytes fields, enum reason reason)
{
    struct wire_reader reader = wire_reader(fields);
    enum reason worst = schema_check(envelope, (struct bytes){0});
    while (!wire_at_end(&reader)) {
        struct wire_field edit;
        enum err err = wire_next(&reader, &edit);
        assert(!err);
        const struct schema_field *field = schema_field(envelope->kind, edit.number);
        enum reason one = schema_check(envelope, edit.whole);
        assert(one == REASON_NONE || field || worst != REASON_NONE);
        if (worst == REASON_NONE)
            worst = one;
        if (reason == REASON_NONE && field)
            check_field(field, &edit);
    }
    assert(worst == reason);
}

static void check(const struct envelope *envelope, struct bytes fields)
{
    uint32_t edits;
    if (fields_check(fields, &edits, NULL))
        return;
    enum reason reason = schema_check(envelope, fields);
    check_edits(envelope, fields, reason);
}

// The fields as every kind, under an envelope that suits it.
static void check_kinds(struct bytes fields)
{
    static const uint8_t subject[4 + ID_SIZE] = {0, 0, 0, 1};
    static const uint8_t other[4 + ID_SIZE] = {0, 0, 0, 1, 1};
    static const uint8_t person[ID_SIZE] = {2};
    struct bytes voice[] = {BYTES(subject), BYTES(person)};
    struct bytes same[] = {BYTES(subject), BYTES(other)};
    for (uint32_t kind = 1; kind <= KIND_REQUEST + 1; kind++) {
        const struct schema_kind *known = schema_kind(kind);
        struct envelope envelope = {.kind = kind, .class = known ? known->class : 0};
        if (kind == KIND_VOICE)
            envelope.parts = (struct list){voice, 2};
        if (kind == KIND_SAME_AS)
            envelope.parts = (struct list){same, 2};
        enum reason bare = schema_check(&envelope, (struct bytes){0});
        assert(bare == REASON_NONE);
        check(&envelope, fields);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = script_of(data, size);
    struct arena arena ARENA_CLEANUP;
    struct envelope envelope;
    script_u8(&script);
    check_kinds(bytes_of(script.p, script.n));
    struct bytes encoded = script_bytes(&script);
    arena_init(&arena, 256 << 10);
    if (envelope_decode(encoded, &arena, &envelope, NULL) == OK)
        check(&envelope, bytes_of(script.p, script.n));
    return 0;
}
