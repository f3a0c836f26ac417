#include "client/present.h"
#include "client/reading.h"
#include "client/value.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/merge.h"
#include "sync/view.h"

// --- what was gone over ---

struct history {
    struct reading *reading;
    struct growing past;
    enum err err;
};

// The words where they are here: what a husk said is not.
static enum err read_words(const struct history *history, uint64_t position, uint32_t index,
                           struct folkmoot_past *past)
{
    const struct reading *reading = history->reading;
    struct wire_field field;
    enum err err = present_words(reading->scope->txn, reading->scope->community.number, position,
                                 index, reading->arena, &field);
    if (err)
        return err == ERR_NOMEM ? err : OK;
    const struct schema_field *known = schema_field(reading->key.kind, field.number);
    past->field = known ? known->name : "";
    past->text = value_text(reading->key.kind, &field, reading->arena);
    return past->text ? OK : ERR_NOMEM;
}

static enum err add_past(struct history *history, const struct cover *cover, uint64_t position,
                         int64_t time)
{
    struct folkmoot_past *past = growing_add(&history->past, history->reading->arena, sizeof *past);
    if (!past)
        return ERR_NOMEM;
    *past = (struct folkmoot_past){.field = "", .time = time, .by_time = cover->time};
    memcpy(past->device, cover->target.device, sizeof past->device);
    memcpy(past->by_device, cover->by_device, sizeof past->by_device);
    return read_words(history, position, cover->target.index, past);
}

static bool add_cover(const struct cover *cover, void *arg)
{
    struct history *history = arg;
    const struct scope *scope = history->reading->scope;
    uint32_t community = scope->community.number;
    struct live live;
    uint64_t position;
    struct log_entry entry;
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, CHANGE_MAX);
    // A void cover leaves its target alive; a waiting one has gone over nothing yet.
    if ((live_get(scope->txn, community, &cover->target, &live) == OK && live.tag == cover->tag) ||
        log_find(scope->txn, community, cover->target.device, cover->target.seq, &position) ||
        log_get(scope->txn, community, position, &entry) || log_tag(&entry) != cover->tag ||
        merge_envelope(scope->txn, entry.envelope, &arena, &envelope))
        return true;
    history->err = add_past(history, cover, position, envelope.time);
    return !history->err;
}

enum err history_read(struct reading *reading)
{
    struct history history = {.reading = reading};
    cover_each_of_record(reading->scope->txn, reading->scope->community.number, &reading->key,
                         add_cover, &history);
    reading->out->past = history.past.p;
    reading->out->past_n = history.past.n;
    return history.err ? history.err : txn_error(reading->scope->txn);
}

// --- who voiced it ---

struct listening {
    struct reading *reading;
    struct growing voices;
    enum err err;
};

static enum err add_voice(struct listening *listening, const struct record_view *view,
                          struct bytes person)
{
    struct arena *arena = listening->reading->arena;
    const struct field_view *stance = reading_field(view, FIELD_VOICE_STANCE);
    if (!stance || stance->edits.n == 0)
        return OK;
    struct folkmoot_stance *voice = growing_add(&listening->voices, arena, sizeof *voice);
    if (!voice)
        return ERR_NOMEM;
    memcpy(voice->person, person.p, sizeof voice->person);
    voice->stance = reading_text(view, FIELD_VOICE_STANCE, arena);
    voice->words = reading_text(view, FIELD_WORDS, arena);
    voice->time = LIST_AT(struct live_edit, stance->edits, stance->edits.n - 1)->time;
    return voice->stance && voice->words ? OK : ERR_NOMEM;
}

static bool listen(const struct record_key *from, struct bytes person, void *arg)
{
    struct listening *listening = arg;
    const struct scope *scope = listening->reading->scope;
    struct record_view view;
    struct eye eye = {.role = ROLE_COORDINATOR, .device = scope->device.handle};
    if (person.n != ID_SIZE)
        return true;
    uint8_t id[ID_SIZE];
    memcpy(id, person.p, ID_SIZE);
    enum err err =
        view_record(scope->txn, &scope->community, from, &eye, listening->reading->arena, &view);
    if (!err)
        err = add_voice(listening, &view, BYTES(id));
    // What is damaged does not hide the others.
    if (err != ERR_NOT_FOUND && err != ERR_DAMAGED)
        listening->err = err;
    return !listening->err;
}

enum err voices_read(struct reading *reading)
{
    struct listening listening = {.reading = reading};
    enum err err = about_each(reading->scope->txn, reading->scope->community.number, &reading->key,
                              KIND_VOICE, listen, &listening);
    reading->out->voices = listening.voices.p;
    reading->out->voices_n = listening.voices.n;
    return err ? err : listening.err;
}
