#include <stdio.h>

#include "base/sign.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "tests/sync/history_private.h"

enum { OVER_SOME = 12 };

static void draft_init(struct draft *draft, struct history *history, uint32_t kind)
{
    struct world *world = history->world;
    size_t device = dice_below(&world->dice, world->devices_n);
    *draft = (struct draft){.history = history, .dice = &world->dice, .device = device};
    draft->envelope.kind = kind;
    draft->envelope.time = world->now + world->devices[device].skew;
    if (dice_percent(draft->dice, 10))
        draft->envelope.time -= (int64_t)dice_below(draft->dice, 4000);
}

// About one record that is there; what kind of record decides the kind of the change.
static void draft_about(struct draft *draft, const struct record_key *record)
{
    draft->record = *record;
    draft->envelope.kind = record->kind;
    draft->envelope.id = BYTES(draft->record.id);
}

static void put_subject(uint8_t part[4 + ID_SIZE], uint32_t kind, const uint8_t id[ID_SIZE])
{
    be32_put(part, kind);
    memcpy(part + 4, id, ID_SIZE);
}

static void draft_parts(struct draft *draft, uint32_t kind, struct bytes a, struct bytes b)
{
    draft->parts[0] = a;
    draft->parts[1] = b;
    draft->envelope.kind = kind;
    draft->envelope.parts = (struct list){draft->parts, 2};
    draft->record.kind = kind;
    digest_record_id(kind, draft->envelope.parts, draft->record.id);
}

// --- going over ---

static bool device_sees(struct draft *draft, const struct history_dot *dot)
{
    const struct world_device *device = &draft->history->world->devices[draft->device];
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_read(device->store);
    return log_find(txn, device->community, dot->device, dot->seq, &position) == OK;
}

static void put_over(struct draft *draft, const struct history_dot *dot)
{
    const uint8_t *own = draft->history->world->devices[draft->device].handle;
    struct list *over = &draft->envelope.over;
    struct dot *out = &draft->over[over->n];
    *out = (struct dot){BYTES(dot->device), dot->seq, dot->index, dot->tag};
    if (memcmp(dot->device, own, HANDLE_SIZE) == 0 && dice_percent(draft->dice, 70))
        out->device = (struct bytes){0};
    over->p = draft->over;
    over->n++;
}

// Goes over edits of a field (0: any) of the record: those that the device saw, or now and then
// some that it cannot have seen.
static void draft_over(struct draft *draft, uint32_t field, unsigned percent)
{
    const struct history *history = draft->history;
    bool blindly = dice_percent(draft->dice, 25);
    for (size_t i = history->dots_n; i-- > 0 && draft->envelope.over.n < OVER_SOME;) {
        const struct history_dot *dot = &history->dots[i];
        if (dot->record.kind == draft->record.kind &&
            memcmp(dot->record.id, draft->record.id, ID_SIZE) == 0 &&
            (field == 0 || dot->field == field) && dice_percent(draft->dice, percent) &&
            (blindly || device_sees(draft, dot)))
            put_over(draft, dot);
    }
}

// Dots that name nothing, or something of another record.
static void draft_void_dots(struct draft *draft)
{
    const struct history *history = draft->history;
    for (size_t i = 0; i < 3 && history->dots_n; i++) {
        struct history_dot *dot = &draft->void_dots[i];
        *dot = history->dots[dice_below(draft->dice, history->dots_n)];
        size_t how = dice_below(draft->dice, 5);
        dot->tag ^= how == 0;
        dot->index = how == 1 ? (dot->index + 1) % 256 : dot->index;
        dot->seq += how == 2 ? 1000 : 0;
        dot->device[0] ^= how == 3;
        put_over(draft, dot);
    }
}

// --- finishing ---

static void note_dots(struct history *history, const struct model_change *change)
{
    struct wire_reader reader = wire_reader(change->fields);
    for (uint32_t i = 0; !wire_at_end(&reader) && history->dots_n < HISTORY_DOTS_MAX; i++) {
        struct wire_field field;
        world_must(!wire_next(&reader, &field), "a change has bad fields");
        struct history_dot *dot = &history->dots[history->dots_n++];
        *dot = (struct history_dot){.class = change->envelope.class,
                                    .seq = change->seq,
                                    .index = i,
                                    .tag = change->tag,
                                    .field = field.number};
        dot->record.kind = change->record.kind;
        memcpy(dot->record.id, change->record.id, ID_SIZE);
        memcpy(dot->device, change->device, HANDLE_SIZE);
    }
}

static void note_record(struct history *history, const struct record_key *record)
{
    if (history->records_n < HISTORY_RECORDS_MAX)
        history->records[history->records_n++] = *record;
}

static void encode_envelope(const struct draft *draft, struct buf *out)
{
    message_encode(&envelope_message, &draft->envelope, out);
    if (draft->later_too)
        wire_put_uint(out, 100, 1);
    world_must(!out->err, "an envelope could not be encoded");
}

static void draft_write(struct draft *draft)
{
    struct history *history = draft->history;
    struct world *world = history->world;
    struct world_change change = {0};
    struct buf envelope BUF_CLEANUP = {0};
    uint8_t key[KEY_SIZE];
    struct bytes fields = buf_bytes(&draft->fields);
    encode_envelope(draft, &envelope);
    if (draft->refused || draft->later_too)
        world_write_raw(world, draft->device, buf_bytes(&envelope), fields, &change);
    else
        world_must(!world_write(world, draft->device, &draft->envelope, fields, &change),
                   "a sound change was not written");
    world_must(!sign_public_key(world->devices[draft->device].seed, key), "no key");
    const struct model_change *known =
        model_add(&history->model, key, change.seq, change.salt, buf_bytes(&envelope), fields,
                  draft->refused ? MODEL_REFUSED : MODEL_COUNTS);
    world_must(known->tag == change.tag, "the model makes another tag");
    world_must(memcmp(known->record.id, change.record.id, ID_SIZE) == 0 || draft->refused,
               "the model makes another id");
    note_dots(history, known);
    if (!draft->envelope.id.n && !draft->envelope.parts.n && !draft->refused)
        note_record(history, &change.record);
    buf_done(&draft->fields);
}

static bool is_answer(uint32_t kind)
{
    return kind >= KIND_CONSTRAINT && kind <= KIND_OUTCOME;
}

// --- what people say ---

static const struct record_key *some_record(struct history *history)
{
    return &history->records[dice_below(&history->world->dice, history->records_n)];
}

static void say_need(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_NEED);
    for (size_t n = 1 + dice_below(draft.dice, 4); n > 0; n--)
        history_put_need_field(&draft);
    if (history->records_n && dice_percent(draft.dice, 40))
        history_put_about(&draft, some_record(history));
    draft_write(&draft);
}

static void say_answer(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_CONSTRAINT + (uint32_t)dice_below(&history->world->dice, 4));
    for (size_t n = 1 + dice_below(draft.dice, 2); n > 0; n--)
        history_put_about(&draft, some_record(history));
    for (size_t n = dice_below(draft.dice, 3); n > 0; n--)
        history_put_answer_field(&draft);
    draft_write(&draft);
}

// Who one of the persons is, as far as they say.
static void say_who(struct history *history)
{
    struct draft draft;
    struct record_key person = {.kind = KIND_PERSON};
    draft_init(&draft, history, KIND_PERSON);
    memcpy(person.id, history->persons[dice_below(draft.dice, HISTORY_PERSONS)], ID_SIZE);
    draft_about(&draft, &person);
    draft.envelope.class = CLASS_PERSONAL;
    draft_over(&draft, 0, 50);
    if (dice_percent(draft.dice, 70))
        wire_put_uint(&draft.fields, FIELD_PARTY_KIND, dice_below(draft.dice, 7));
    if (dice_percent(draft.dice, 60))
        history_put_place(&draft);
    draft_write(&draft);
}

static void change_record(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, 0);
    draft_about(&draft, some_record(history));
    const struct schema_kind *known = schema_kind(draft.record.kind);
    draft.envelope.class = known ? known->class : (uint32_t)dice_below(draft.dice, 3);
    size_t puts = dice_below(draft.dice, 3); // 0: a clearing
    static const uint32_t fields[] = {0, FIELD_TITLE, FIELD_WORDS, 11, 14, 500, FIELD_ABOUT};
    if (dice_percent(draft.dice, 75))
        draft_over(&draft, fields[dice_below(draft.dice, 7)], puts ? 80 : 60);
    if (dice_percent(draft.dice, 15))
        draft_void_dots(&draft);
    for (; puts > 0; puts--) {
        if (draft.record.kind == KIND_NEED)
            history_put_need_field(&draft);
        else if (is_answer(draft.record.kind) && dice_percent(draft.dice, 30))
            history_put_about(&draft, some_record(history));
        else if (is_answer(draft.record.kind) && dice_percent(draft.dice, 70))
            history_put_answer_field(&draft);
        else
            history_put_future_field(&draft);
    }
    draft.later_too = dice_percent(draft.dice, 10);
    draft_write(&draft);
}

static void say_voice(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_VOICE);
    const struct record_key *subject = some_record(history);
    const uint8_t *person = history->persons[dice_below(draft.dice, HISTORY_PERSONS)];
    put_subject(draft.part[0], subject->kind, subject->id);
    draft_parts(&draft, KIND_VOICE, BYTES(draft.part[0]), bytes_of(person, ID_SIZE));
    if (dice_percent(draft.dice, 60))
        draft_over(&draft, dice_percent(draft.dice, 70) ? FIELD_VOICE_STANCE : 0, 80);
    if (dice_percent(draft.dice, 20))
        history_put_text(&draft, FIELD_WORDS, "we wait in the rain");
    if (dice_percent(draft.dice, 15))
        history_put_about(&draft, dice_percent(draft.dice, 60) ? subject : some_record(history));
    if (dice_percent(draft.dice, 92))
        wire_put_uint(&draft.fields, FIELD_VOICE_STANCE, dice_below(draft.dice, 6));
    draft_write(&draft);
}

static void draft_same(struct draft *draft, uint32_t kind, const uint8_t *a, const uint8_t *b)
{
    bool turned = memcmp(a, b, ID_SIZE) > 0;
    put_subject(draft->part[0], kind, turned ? b : a);
    put_subject(draft->part[1], kind, turned ? a : b);
    draft_parts(draft, KIND_SAME_AS, BYTES(draft->part[0]), BYTES(draft->part[1]));
}

static void say_same(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_SAME_AS);
    if (dice_percent(draft.dice, 50)) {
        size_t a = dice_below(draft.dice, HISTORY_PERSONS);
        size_t b = (a + 1 + dice_below(draft.dice, HISTORY_PERSONS - 1)) % HISTORY_PERSONS;
        draft_same(&draft, KIND_PERSON, history->persons[a], history->persons[b]);
    } else {
        const struct record_key *a = some_record(history);
        const struct record_key *b = some_record(history);
        if (a->kind != b->kind || memcmp(a->id, b->id, ID_SIZE) == 0)
            return;
        draft_same(&draft, a->kind, a->id, b->id);
    }
    bool undo = dice_percent(draft.dice, 50);
    if (undo || dice_percent(draft.dice, 30))
        draft_over(&draft, 0, 90);
    if (!undo || dice_percent(draft.dice, 20))
        wire_put_uint(&draft.fields, FIELD_SAME, !undo || dice_percent(draft.dice, 10));
    draft_write(&draft);
}

static void say_personal(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history,
               dice_percent(&history->world->dice, 50) ? KIND_PERSON : KIND_CONTACT);
    draft.envelope.class = CLASS_PERSONAL;
    history_put_text(&draft, 12, "555 01");
    history_put_text(&draft, FIELD_LANGUAGE, "so");
    draft_write(&draft);
}

static void say_later_kind(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, 900);
    draft.envelope.class = (uint32_t)dice_below(draft.dice, 4);
    if (dice_percent(draft.dice, 50)) {
        put_subject(draft.part[0], 3, history->persons[dice_below(draft.dice, 2)]);
        draft_parts(&draft, 900, BYTES(draft.part[0]), bytes_of_text("x"));
        draft_over(&draft, 0, 50);
    }
    draft.later_too = dice_percent(draft.dice, 30);
    for (size_t n = dice_below(draft.dice, 4); n > 0; n--)
        history_put_future_field(&draft);
    if (dice_percent(draft.dice, 30))
        history_put_about(&draft, some_record(history));
    draft_write(&draft);
}

// What a sound app never writes; it goes over other people's words, too.
static void say_refused(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, 0);
    draft_about(&draft, some_record(history));
    const struct schema_kind *known = schema_kind(draft.record.kind);
    if (!known)
        return;
    draft.refused = true;
    draft.envelope.class = known->class;
    draft_over(&draft, 0, 70);
    history_put_text(&draft, FIELD_WORDS, "lost?");
    switch (dice_below(draft.dice, 4)) {
    case 0:
        wire_put_bytes(&draft.fields, FIELD_TITLE, bytes_of_text("\xff"));
        break;
    case 1:
        draft.envelope.class = !known->class;
        break;
    case 2:
        draft.envelope.kind = KIND_DECISION;
        break;
    default:
        draft.envelope.id = (struct bytes){0};
        draft_parts(&draft, known->kind, bytes_of_text("not"), bytes_of_text("so"));
    }
    draft_write(&draft);
}

// A Voice that is known by its id alone would hide whose it is.
static void say_refused_voice(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, 0);
    for (size_t i = history->dots_n; i-- > 0;) {
        if (history->dots[i].record.kind != KIND_VOICE)
            continue;
        draft_about(&draft, &history->dots[i].record);
        draft.refused = true;
        draft_over(&draft, 0, 90);
        history_put_about(&draft, some_record(history));
        wire_put_uint(&draft.fields, FIELD_VOICE_STANCE, STANCE_AGAINST);
        draft_write(&draft);
        return;
    }
}

void history_step(struct history *history)
{
    static void (*const steps[])(struct history *) = {
        say_need,   change_record, change_record,  change_record, say_voice,         say_voice,
        say_voice,  say_same,      say_later_kind, say_personal,  say_same,          say_voice,
        say_need,   change_record, say_refused,    say_same,      say_refused_voice, say_answer,
        say_answer, say_answer,    say_who,        say_answer,
    };
    struct world *world = history->world;
    world->now += (int64_t)dice_below(&world->dice, 3) * 500;
    steps[dice_below(&world->dice, sizeof steps / sizeof *steps)](history);
}

void history_begin(struct history *history, struct world *world)
{
    static const int64_t skews[] = {0, 0, 500, -500, -86400000, 3600000, -1700000001000};
    *history = (struct history){.world = world};
    model_init(&history->model, world->id);
    dice_bytes(&world->dice, history->persons, sizeof history->persons);
    for (size_t i = 0; i < world->devices_n; i++)
        world->devices[i].skew = skews[dice_below(&world->dice, sizeof skews / sizeof *skews)];
    say_need(history);
    say_need(history);
}

void history_done(struct history *history)
{
    model_done(&history->model);
}

void history_join(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_SAME_AS);
    draft.device = 0;
    draft_same(&draft, KIND_PERSON, history->persons[0], history->persons[1]);
    wire_put_uint(&draft.fields, FIELD_SAME, 1);
    draft_write(&draft);
}

void history_part(struct history *history)
{
    struct draft draft;
    draft_init(&draft, history, KIND_SAME_AS);
    draft.device = 0;
    draft_same(&draft, KIND_PERSON, history->persons[0], history->persons[1]);
    for (size_t i = 0; i < history->dots_n && draft.envelope.over.n < OVER_MAX; i++) {
        const struct history_dot *dot = &history->dots[i];
        if (dot->record.kind == KIND_SAME_AS &&
            memcmp(dot->record.id, draft.record.id, ID_SIZE) == 0)
            put_over(&draft, dot);
    }
    draft_write(&draft);
}
