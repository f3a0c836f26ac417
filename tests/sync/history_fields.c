// Fields of what people say, drawn by the dice.

#include <stdio.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/sync/history_private.h"

void history_put_text(struct draft *draft, uint32_t field, const char *stem)
{
    char text[40];
    snprintf(text, sizeof text, "%s %zu", stem, dice_below(draft->dice, 4));
    wire_put_bytes(&draft->fields, field, bytes_of_text(text));
}

void history_put_future_field(struct draft *draft)
{
    uint32_t number = 500 + (uint32_t)dice_below(draft->dice, 3);
    switch (dice_below(draft->dice, 3)) {
    case 0:
        wire_put_uint(&draft->fields, number, dice_next(draft->dice));
        break;
    case 1:
        wire_put_fixed32(&draft->fields, number, (uint32_t)dice_next(draft->dice));
        break;
    default:
        history_put_text(draft, number, "later");
    }
}

void history_put_place(struct draft *draft)
{
    char text[20];
    snprintf(text, sizeof text, "place %zu", dice_below(draft->dice, 3));
    bool has_code = dice_percent(draft->dice, 40);
    struct place place = {.name = bytes_of_text(text)};
    if (has_code)
        place.code = bytes_of_text(text + 4);
    size_t mark = wire_open(&draft->fields, FIELD_PLACE);
    message_encode(&place_message, &place, &draft->fields);
    wire_close(&draft->fields, mark);
}

static void put_counted_field(struct draft *draft)
{
    switch (dice_below(draft->dice, 5)) {
    case 0:
        wire_put_uint(&draft->fields, FIELD_AUDIENCE, 1 + dice_below(draft->dice, 3));
        break;
    case 1:
        wire_put_uint(&draft->fields, FIELD_SENSITIVITY, 1 + dice_below(draft->dice, 2));
        break;
    case 2:
        if (draft->record.kind == KIND_NEED || draft->envelope.kind == KIND_NEED)
            history_put_text(draft, FIELD_STRENGTHS, "we have a saw");
        break;
    default:
        history_put_place(draft);
    }
}

void history_put_need_field(struct draft *draft)
{
    switch (dice_below(draft->dice, 8)) {
    case 6:
    case 7:
        put_counted_field(draft);
        break;
    case 0:
        history_put_text(draft, FIELD_TITLE, "a bench");
        break;
    case 1:
        history_put_text(draft, FIELD_WORDS, "somewhere to sit");
        break;
    case 2:
        history_put_text(draft, 11, "category");
        break;
    case 3:
        wire_put_uint(&draft->fields, 14, dice_below(draft->dice, 4));
        break;
    case 4:
        history_put_text(draft, 12, "those who wait");
        break;
    default:
        history_put_future_field(draft);
    }
}

void history_put_about(struct draft *draft, const struct record_key *record)
{
    struct ref ref = {record->kind, BYTES(record->id)};
    size_t mark = wire_open(&draft->fields, FIELD_ABOUT);
    message_encode(&ref_message, &ref, &draft->fields);
    wire_close(&draft->fields, mark);
}

// What a constraint, solution, commitment or outcome says of itself.
void history_put_answer_field(struct draft *draft)
{
    uint32_t kind = draft->envelope.kind;
    if (kind == KIND_COMMITMENT && dice_percent(draft->dice, 40))
        wire_put_sint(&draft->fields, FIELD_DUE, (int64_t)dice_below(draft->dice, 5) - 2);
    else if (kind == KIND_COMMITMENT && dice_percent(draft->dice, 50))
        wire_put_uint(&draft->fields, FIELD_PROGRESS, dice_below(draft->dice, 5));
    else if (kind == KIND_CONSTRAINT && dice_percent(draft->dice, 60))
        wire_put_uint(&draft->fields, FIELD_NATURE, dice_below(draft->dice, 4));
    else if (dice_percent(draft->dice, 30))
        put_counted_field(draft);
    else
        history_put_text(draft, FIELD_TITLE, "then let us");
}
