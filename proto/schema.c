#include "proto/schema.h"

#include <stdalign.h>

#include "base/text.h"

static const char *const audiences[] = {"", "community", "organisations", "public", NULL};
static const char *const sensitivities[] = {"", "ordinary", "sensitive", NULL};
static const char *const urgencies[] = {"", "low", "medium", "high", NULL};
static const char *const stances[] = {"", "for", "against", "unsure", "withdrawn", NULL};
static const char *const natures[] = {"", "financial", "practical", "policy", NULL};
static const char *const leads[] = {"", "community", "co_designed", "agency", "campaign", NULL};
static const char *const progresses[] = {"", "promised", "started", "done", "broken", NULL};
static const char *const results[] = {"", "met", "partly", "not_met", NULL};
static const char *const party_kinds[] = {"",       "community",    "frontline", "support",
                                          "funder", "commissioner", "statutory", NULL};
static const char *const roles[] = {"",         "member", "volunteer", "coordinator",
                                    "observer", "hub",    NULL};

// The first rows of every kind.
#define SHARED_FIELDS                                                                              \
    {.number = FIELD_ABOUT,                                                                        \
     .name = "about",                                                                              \
     .type = SCHEMA_MESSAGE,                                                                       \
     .set = true,                                                                                  \
     .of = &ref_message},                                                                          \
        {.number = FIELD_SPEAKER, .name = "speaker", .type = SCHEMA_ID},                           \
        {.number = FIELD_AUDIENCE, .name = "audience", .type = SCHEMA_ENUM, .values = audiences},  \
        {.number = FIELD_CONSENT,                                                                  \
         .name = "consent",                                                                        \
         .type = SCHEMA_MESSAGE,                                                                   \
         .of = &consent_message},                                                                  \
        {.number = FIELD_SENSITIVITY,                                                              \
         .name = "sensitivity",                                                                    \
         .type = SCHEMA_ENUM,                                                                      \
         .values = sensitivities},                                                                 \
        {.number = FIELD_KEEP_UNTIL, .name = "keep_until", .type = SCHEMA_TIME},                   \
        {.number = FIELD_WORDS, .name = "words", .type = SCHEMA_TEXT, .max = 16384},               \
        {.number = FIELD_TITLE, .name = "title", .type = SCHEMA_TEXT, .max = 400},                 \
        {.number = FIELD_LANGUAGE, .name = "language", .type = SCHEMA_TEXT, .max = 35},            \
    {                                                                                              \
        .number = FIELD_PLACE, .name = "place", .type = SCHEMA_MESSAGE, .of = &place_message       \
    }

static const struct schema_field need_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "category", .type = SCHEMA_TEXT, .set = true, .max = 100},
    {.number = 12, .name = "affected", .type = SCHEMA_TEXT, .set = true, .max = 400},
    {.number = 13, .name = "strengths", .type = SCHEMA_TEXT, .set = true, .max = 1000},
    {.number = 14, .name = "urgency", .type = SCHEMA_ENUM, .values = urgencies},
};
static const struct schema_field voice_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "stance", .type = SCHEMA_ENUM, .values = stances},
};
static const struct schema_field constraint_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "nature", .type = SCHEMA_ENUM, .values = natures},
    {.number = 12, .name = "whose", .type = SCHEMA_TEXT, .max = 400},
    {.number = 13, .name = "party", .type = SCHEMA_ID},
};
static const struct schema_field solution_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "led_by", .type = SCHEMA_ENUM, .values = leads},
    {.number = 12, .name = "cost_low", .type = SCHEMA_AMOUNT},
    {.number = 13, .name = "cost_high", .type = SCHEMA_AMOUNT},
    {.number = 14, .name = "currency", .type = SCHEMA_TEXT, .max = 3},
};
static const struct schema_field commitment_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "party", .type = SCHEMA_ID},
    {.number = 12, .name = "amount", .type = SCHEMA_AMOUNT},
    {.number = 13, .name = "currency", .type = SCHEMA_TEXT, .max = 3},
    {.number = 14, .name = "conditions", .type = SCHEMA_TEXT, .max = 4096},
    {.number = 15, .name = "due", .type = SCHEMA_DAY},
    {.number = 16, .name = "state", .type = SCHEMA_ENUM, .values = progresses},
    {.number = 17, .name = "picture", .type = SCHEMA_MESSAGE, .of = &log_head_message},
};
static const struct schema_field outcome_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "result", .type = SCHEMA_ENUM, .values = results},
    {.number = 12, .name = "happened", .type = SCHEMA_DAY},
};
static const struct schema_field remark_fields[] = {SHARED_FIELDS};
static const struct schema_field party_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "party_kind", .type = SCHEMA_ENUM, .values = party_kinds},
    {.number = 12, .name = "register_id", .type = SCHEMA_TEXT, .set = true, .max = 100},
};
static const struct schema_field person_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "party_kind", .type = SCHEMA_ENUM, .values = party_kinds},
    {.number = 12, .name = "age_band", .type = SCHEMA_TEXT, .max = 20},
};
static const struct schema_field contact_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "name", .type = SCHEMA_TEXT, .max = 400},
    {.number = 12, .name = "telephone", .type = SCHEMA_TEXT, .set = true, .max = 40},
    {.number = 13, .name = "email", .type = SCHEMA_TEXT, .set = true, .max = 254},
};
static const struct schema_field same_as_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "same", .type = SCHEMA_BOOL, .set = true},
};
static const struct schema_field membership_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "device", .type = SCHEMA_HANDLE},
    {.number = 12, .name = "role", .type = SCHEMA_ENUM, .values = roles},
    {.number = 13, .name = "revoked", .type = SCHEMA_BOOL},
};
static const struct schema_field decision_fields[] = {
    SHARED_FIELDS,
    {.number = 11,
     .name = "incarnation",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &incarnation_message},
    {.number = 12,
     .name = "enrolment",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &enrolment_message},
    {.number = 13, .name = "refusal", .type = SCHEMA_MESSAGE, .set = true, .of = &refusal_message},
    {.number = 14, .name = "grant", .type = SCHEMA_MESSAGE, .set = true, .of = &role_grant_message},
    {.number = 15,
     .name = "revocation",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &revocation_message},
    {.number = 16, .name = "fork", .type = SCHEMA_MESSAGE, .set = true, .of = &fork_message},
    {.number = 17,
     .name = "erasure",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &change_ref_message},
    {.number = 18, .name = "closing", .type = SCHEMA_MESSAGE, .set = true, .of = &ref_message},
    {.number = 19,
     .name = "closing_alone",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &ref_message},
};
static const struct schema_field request_fields[] = {
    SHARED_FIELDS,
    {.number = 11, .name = "erase", .type = SCHEMA_MESSAGE, .set = true, .of = &change_ref_message},
    {.number = 12, .name = "erase_record", .type = SCHEMA_MESSAGE, .set = true, .of = &ref_message},
    {.number = 13,
     .name = "release",
     .type = SCHEMA_MESSAGE,
     .set = true,
     .of = &change_ref_message},
};

#define KIND_FIELDS(table) .fields = (table), .fields_n = sizeof(table) / sizeof *(table)

static const struct schema_kind kinds[] = {
    {.kind = KIND_NEED,
     .name = "need",
     .message = "Need",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(need_fields)},
    {.kind = KIND_VOICE,
     .name = "voice",
     .message = "Voice",
     .class = CLASS_ORDINARY,
     .derived = true,
     KIND_FIELDS(voice_fields)},
    {.kind = KIND_CONSTRAINT,
     .name = "constraint",
     .message = "Constraint",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(constraint_fields)},
    {.kind = KIND_SOLUTION,
     .name = "solution",
     .message = "Solution",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(solution_fields)},
    {.kind = KIND_COMMITMENT,
     .name = "commitment",
     .message = "Commitment",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(commitment_fields)},
    {.kind = KIND_OUTCOME,
     .name = "outcome",
     .message = "Outcome",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(outcome_fields)},
    {.kind = KIND_REMARK,
     .name = "remark",
     .message = "Remark",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(remark_fields)},
    {.kind = KIND_PARTY,
     .name = "party",
     .message = "Party",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(party_fields)},
    {.kind = KIND_PERSON,
     .name = "person",
     .message = "Person",
     .class = CLASS_PERSONAL,
     KIND_FIELDS(person_fields)},
    {.kind = KIND_CONTACT,
     .name = "contact",
     .message = "Contact",
     .class = CLASS_PERSONAL,
     KIND_FIELDS(contact_fields)},
    {.kind = KIND_SAME_AS,
     .name = "same_as",
     .message = "SameAs",
     .class = CLASS_ORDINARY,
     .derived = true,
     KIND_FIELDS(same_as_fields)},
    {.kind = KIND_MEMBERSHIP,
     .name = "membership",
     .message = "Membership",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(membership_fields)},
    {.kind = KIND_DECISION,
     .name = "decision",
     .message = "Decision",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(decision_fields)},
    {.kind = KIND_REQUEST,
     .name = "request",
     .message = "Request",
     .class = CLASS_ORDINARY,
     KIND_FIELDS(request_fields)},
};

const struct schema_kind *schema_kind(uint32_t kind)
{
    return kind >= 1 && kind <= sizeof kinds / sizeof *kinds ? &kinds[kind - 1] : NULL;
}

const struct schema_kind *schema_kind_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

const struct schema_field *schema_field(uint32_t kind, uint32_t number)
{
    const struct schema_kind *known = schema_kind(kind);
    for (size_t i = 0; known && i < known->fields_n; i++) {
        if (known->fields[i].number == number)
            return &known->fields[i];
    }
    return NULL;
}

const struct schema_field *schema_field_by_name(const struct schema_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->fields_n; i++) {
        if (strcmp(kind->fields[i].name, name) == 0)
            return &kind->fields[i];
    }
    return NULL;
}

static bool text_is_sound(const struct schema_field *field, struct bytes text)
{
    return text.n <= field->max && text_is_utf8(text);
}

// What a hub judges here is judged for ever: it may not hang on what memory there is.
static bool message_is_sound(const struct schema_field *field, struct bytes bytes)
{
    alignas(max_align_t) uint8_t memory[4096];
    struct arena arena;
    arena_init_lent(&arena, memory, sizeof memory);
    void *out = arena_alloc(&arena, 1, field->of->size);
    return out && message_decode(field->of, bytes, &arena, out, NULL) == OK;
}

static bool sized_is_sound(const struct schema_field *field, struct bytes bytes)
{
    switch (field->type) {
    case SCHEMA_TEXT:
        return text_is_sound(field, bytes);
    case SCHEMA_ID:
        return bytes.n == ID_SIZE;
    case SCHEMA_HANDLE:
        return bytes.n == HANDLE_SIZE;
    case SCHEMA_MESSAGE:
        return message_is_sound(field, bytes);
    case SCHEMA_ENUM:
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
    case SCHEMA_BOOL:
        break;
    }
    return false;
}

static bool number_is_sound(const struct schema_field *field, uint64_t v)
{
    switch (field->type) {
    case SCHEMA_ENUM:
        return v <= INT32_MAX; // later versions may know more values
    case SCHEMA_TIME:
        return true;
    case SCHEMA_AMOUNT:
        return v <= INT64_MAX;
    case SCHEMA_DAY:
        return v <= UINT32_MAX;
    case SCHEMA_BOOL:
        return v <= 1;
    case SCHEMA_TEXT:
    case SCHEMA_ID:
    case SCHEMA_HANDLE:
    case SCHEMA_MESSAGE:
        break;
    }
    return false;
}

static bool fields_are_sound(uint32_t kind, struct bytes fields)
{
    struct wire_reader reader = wire_reader(fields);
    while (!wire_at_end(&reader)) {
        struct wire_field edit;
        if (wire_next(&reader, &edit))
            return false;
        const struct schema_field *field = schema_field(kind, edit.number);
        if (!field)
            continue;
        bool sound = edit.type == WIRE_SIZED    ? sized_is_sound(field, edit.bytes)
                     : edit.type == WIRE_VARINT ? number_is_sound(field, edit.value)
                                                : false;
        if (!sound)
            return false;
    }
    return true;
}

// Kind (4 bytes) and id.
enum { SUBJECT_SIZE = 4 + ID_SIZE };

static bool subject_is_sound(struct bytes part)
{
    if (part.n != SUBJECT_SIZE)
        return false;
    uint32_t kind = be32_get(part.p);
    return kind >= 1 && kind <= KIND_MAX;
}

static bool parts_are_sound(const struct envelope *envelope)
{
    if (envelope->parts.n != 2)
        return false;
    struct bytes a = *LIST_AT(struct bytes, envelope->parts, 0);
    struct bytes b = *LIST_AT(struct bytes, envelope->parts, 1);
    if (!subject_is_sound(a))
        return false;
    if (envelope->kind == KIND_VOICE)
        return b.n == ID_SIZE;
    return subject_is_sound(b) && be32_get(a.p) == be32_get(b.p) && bytes_compare(a, b) < 0;
}

enum reason schema_check(const struct envelope *envelope, struct bytes fields)
{
    const struct schema_kind *kind = schema_kind(envelope->kind);
    if (!kind)
        return REASON_NONE;
    if (kind->derived ? !parts_are_sound(envelope) : envelope->parts.n > 0)
        return REASON_WRONG_ID;
    if (envelope->class != kind->class)
        return REASON_WRONG_CLASS;
    return fields_are_sound(envelope->kind, fields) ? REASON_NONE : REASON_MALFORMED_FIELD;
}
