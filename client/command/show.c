#include "client/command/show.h"

#include <stdio.h>

#include "client/command/beneath.h"
#include "client/command/instant.h"
#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/ref.h"

enum { INDENT = 2, LABEL_COLUMNS = 14, DEEP = INDENT + LABEL_COLUMNS };

// --- who and when ---

static void put_device(struct buf *out, const struct app *app, const uint8_t device[12])
{
    if (memcmp(device, app->community.device, 12) == 0) {
        buf_put_text(out, "this device");
        return;
    }
    buf_put_text(out, "device ");
    for (size_t i = 0; i < 4; i++)
        buf_put_format(out, "%02x", device[i]);
}

static void put_time(struct buf *out, int64_t ms)
{
    char text[INSTANT_BYTES];
    instant_print(ms, text);
    buf_put_text(out, text);
}

// --- values ---

// Puts the title of a record that is here, else its kind and short id.
static void put_ref(struct app *app, struct buf *out, const char *kind, const uint8_t *id)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    char short_id[REF_SHORT_BYTES];
    ref_short(id, short_id);
    buf_put_format(out, "%.15s %s ", kind, short_id);
    if (folkmoot_record_get(app->fm, kind, id, FOLKMOOT_BRIEF, &record, &error) != FOLKMOOT_OK)
        return;
    page_put_value(out, record.title);
    folkmoot_record_done(&record);
}

static void put_party(struct app *app, struct buf *out, const char *text)
{
    struct ref ref;
    char whole[REF_TEXT_BYTES];
    struct folkmoot_error error = {0};
    snprintf(whole, sizeof(whole), "party:%.32s", text);
    if (ref_look(app, whole, &ref, &error) == FOLKMOOT_OK)
        put_ref(app, out, ref.kind, ref.id);
    else
        page_put_value(out, text);
}

// "NAME|CODE|LAT,LON" as people read it.
static void put_place(struct buf *out, const char *text)
{
    struct buf BUF_CLEANUP place = {0};
    for (; *text; text++) {
        if (*text == '|')
            buf_put_text(&place, ", ");
        else
            buf_put_u8(&place, (uint8_t)*text);
    }
    buf_put_u8(&place, 0);
    if (place.err == OK)
        page_put_value(out, (const char *)place.p);
}

static void put_value(struct app *app, struct buf *out, const char *field, const char *text)
{
    if (strcmp(field, "place") == 0) {
        put_place(out, text);
        return;
    }
    if (strcmp(field, "party") == 0)
        put_party(app, out, text);
    else if (strcmp(field, "speaker") == 0)
        buf_put_format(out, "person %.8s", text);
    else
        page_put_value(out, text);
}

static void put_label(struct buf *out, const char *name)
{
    int n = (int)strlen(name);
    for (const char *at = name; *at; at++)
        buf_put_u8(out, (uint8_t)(*at == '_' ? ' ' : *at));
    buf_put_format(out, "%*s", n < LABEL_COLUMNS ? LABEL_COLUMNS - n : 1, "");
}

static void print_value(struct app *app, const struct folkmoot_field *field)
{
    struct buf BUF_CLEANUP line = {0};
    put_label(&line, field->name);
    size_t first = field->set ? 0 : field->values_n - 1;
    for (size_t i = first; i < field->values_n; i++) {
        buf_put_text(&line, i > first ? "; " : "");
        put_value(app, &line, field->name, field->values[i].text);
    }
    page_line(INDENT, &line);
}

static bool is_long(const struct folkmoot_field *field)
{
    return strcmp(field->name, "words") == 0 || strcmp(field->name, "conditions") == 0;
}

// The values side by side, each with whose it is and when it was said, numbered for `resolve`.
static void print_tension(struct app *app, const struct folkmoot_field *field)
{
    struct buf BUF_CLEANUP line = {0};
    put_label(&line, field->name);
    buf_put_format(&line, "TENSION: %zu values stand side by side", field->values_n);
    page_line(INDENT, &line);
    for (size_t i = 0; i < field->values_n; i++) {
        const struct folkmoot_value *value = &field->values[i];
        buf_put_format(&line, "@%zu  ", i + 1);
        put_device(&line, app, value->device);
        buf_put_text(&line, ", ");
        put_time(&line, value->time);
        page_line(DEEP, &line);
        if (is_long(field)) {
            page_paragraph(DEEP + 4, value->text);
            continue;
        }
        put_value(app, &line, field->name, value->text);
        page_line(DEEP + 4, &line);
    }
}

static void print_fields(struct app *app, const struct folkmoot_record *record)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        if (field->values_n == 0 || strcmp(field->name, "about") == 0)
            continue;
        if (field->tension)
            print_tension(app, field);
        else if (is_long(field))
            page_paragraph(INDENT, field->values[field->values_n - 1].text);
        else if (strcmp(field->name, "title") != 0)
            print_value(app, field);
    }
}

// --- the parts of the page ---

static void print_heading(const struct folkmoot_record *record)
{
    struct buf BUF_CLEANUP line = {0};
    char short_id[REF_SHORT_BYTES];
    ref_short(record->id, short_id);
    buf_put_format(&line, "%s %s  ", record->kind, short_id);
    page_put_value(&line, record->title);
    page_line(0, &line);
}

static void print_links(struct app *app, const char *label, const struct folkmoot_link *links,
                        size_t n)
{
    struct buf BUF_CLEANUP line = {0};
    for (size_t i = 0; i < n; i++) {
        put_label(&line, label);
        put_ref(app, &line, links[i].kind, links[i].id);
        page_line(INDENT, &line);
    }
}

static void print_voice(const struct folkmoot_stance *voice)
{
    struct buf BUF_CLEANUP line = {0};
    buf_put_format(&line, "%-10s", voice->stance);
    buf_put_format(&line, "person %02x%02x%02x%02x, ", voice->person[0], voice->person[1],
                   voice->person[2], voice->person[3]);
    put_time(&line, voice->time);
    page_line(INDENT, &line);
    page_paragraph(INDENT + 10, voice->words);
}

// Those for it first, then those against it, then the unsure, then whoever took theirs back.
static void print_voices(const struct folkmoot_record *record)
{
    const char *stance;
    if (record->votes_for || record->votes_against || record->votes_unsure || record->voices_n)
        printf("\nVoices: %u for, %u against, %u unsure\n", record->votes_for,
               record->votes_against, record->votes_unsure);
    for (size_t i = 0; (stance = folkmoot_field_value("voice", "stance", i)); i++) {
        for (size_t k = 0; k < record->voices_n; k++) {
            if (strcmp(record->voices[k].stance, stance) == 0)
                print_voice(&record->voices[k]);
        }
    }
}

static void print_past(const struct app *app, const struct folkmoot_past *past)
{
    struct buf BUF_CLEANUP line = {0};
    put_time(&line, past->by_time);
    buf_put_text(&line, "  ");
    put_device(&line, app, past->by_device);
    buf_put_format(&line, " went over the %s that ", past->field);
    put_device(&line, app, past->device);
    buf_put_text(&line, " had said on ");
    put_time(&line, past->time);
    page_line(INDENT, &line);
    page_paragraph(INDENT + 4, past->text ? past->text : "(the words are not on this device)");
}

static void print_history(const struct app *app, const struct folkmoot_record *record)
{
    if (record->past_n)
        printf("\nHistory\n");
    for (size_t i = 0; i < record->past_n; i++)
        print_past(app, &record->past[i]);
}

static void print_hint(const struct folkmoot_record *record)
{
    char short_id[REF_SHORT_BYTES];
    for (size_t i = 0; i < record->fields_n; i++) {
        if (!record->fields[i].tension)
            continue;
        ref_short(record->id, short_id);
        printf("\nTo settle a tension: folkmoot resolve %s --%s @N\n", short_id,
               record->fields[i].name);
        return;
    }
}

static void print_record(struct app *app, const struct folkmoot_record *record)
{
    print_heading(record);
    print_fields(app, record);
    print_links(app, "about", record->about, record->about_n);
    print_links(app, "the same as", record->same, record->same_n);
    print_voices(record);
    beneath_print(app, record);
    print_history(app, record);
    print_hint(record);
}

// What is here may be out of date for good.
static void warn(const struct app *app)
{
    if (app->community.revoked)
        app_say(COMMAND_OK, "this device was revoked and receives nothing more: what follows is "
                            "what it had then");
    else if (app->community.forked)
        app_say(COMMAND_OK, "this store is a copy and cannot sync before it joins anew: what "
                            "follows may be old");
}

enum command_exit show_record(struct app *app)
{
    struct ref ref;
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    enum command_exit done = ref_find(app, app->call.args[0], &ref);
    if (done != COMMAND_OK)
        return done;
    if (folkmoot_record_get(app->fm, ref.kind, ref.id, FOLKMOOT_WHOLE, &record, &error) !=
        FOLKMOOT_OK)
        return app_fail(&error);
    warn(app);
    if (record.damaged)
        app_say(COMMAND_OK, "the disk has damaged something: values or voices may be missing here");
    if (app->json)
        done = json_print(json_record(&record, true));
    else
        print_record(app, &record);
    folkmoot_record_done(&record);
    return done;
}
