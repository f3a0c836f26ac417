#include "client/command/beneath.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/command/page.h"
#include "client/command/ref.h"

enum { INDENT = 2, STEP = 4 };

struct entry {
    struct folkmoot_link link;
    int depth;
};

// What is still to be printed, the next one last.
struct pile {
    struct entry entries[BENEATH_RECORDS_MAX];
    size_t n;
    size_t printed;
    bool cut;
};

// What answers a need comes in this order; other kinds are no answers.
static const char *const order[] = {"remark", "outcome", "commitment", "solution", "constraint"};

static void push_kind(struct pile *pile, const struct folkmoot_record *record, const char *kind,
                      int depth)
{
    for (size_t i = record->from_n; i-- > 0;) {
        if (strcmp(record->from[i].kind, kind) != 0)
            continue;
        if (pile->n == BENEATH_RECORDS_MAX) {
            pile->cut = true;
            return;
        }
        pile->entries[pile->n++] = (struct entry){record->from[i], depth};
    }
}

static void push(struct pile *pile, const struct folkmoot_record *record, int depth)
{
    if (depth > BENEATH_DEPTH_MAX)
        return;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        push_kind(pile, record, order[i], depth);
}

static const char *value_of(const struct folkmoot_record *record, const char *name)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        if (strcmp(field->name, name) == 0 && field->values_n)
            return field->values[field->values_n - 1].text;
    }
    return NULL;
}

// What one wants to know at a glance: how far a commitment has come, what an outcome says.
static void put_facts(struct buf *out, const struct folkmoot_record *record)
{
    static const char *const facts[] = {"state",  "amount", "due",      "result",   "happened",
                                        "nature", "led_by", "cost_low", "cost_high"};
    const char *between = "  (";
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const char *text = value_of(record, facts[i]);
        if (!text)
            continue;
        buf_put_text(out, between);
        for (const char *at = facts[i]; *at; at++)
            buf_put_u8(out, (uint8_t)(*at == '_' ? ' ' : *at));
        buf_put_text(out, " ");
        page_put_value(out, text);
        between = ", ";
    }
    buf_put_text(out, between[0] == ',' ? ")" : "");
}

static void put_tally(struct buf *out, const struct folkmoot_record *record)
{
    if (record->votes_for || record->votes_against || record->votes_unsure)
        buf_put_format(out, "  +%u -%u ?%u", record->votes_for, record->votes_against,
                       record->votes_unsure);
    if (record->damaged)
        buf_put_text(out, "  damaged");
    for (size_t i = 0; i < record->fields_n; i++) {
        if (record->fields[i].tension) {
            buf_put_text(out, "  tension");
            return;
        }
    }
}

static void print_record(const struct folkmoot_record *record, int depth)
{
    struct buf BUF_CLEANUP line = {0};
    char short_id[REF_SHORT_BYTES];
    int indent = INDENT + STEP * (depth - 1);
    ref_short(record->id, short_id);
    buf_put_format(&line, "%s %s", record->kind, short_id);
    put_tally(&line, record);
    put_facts(&line, record);
    page_line(indent, &line);
    page_paragraph(indent + STEP, record->title);
}

static void print_entry(struct app *app, struct pile *pile)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    struct entry entry = pile->entries[--pile->n];
    if (folkmoot_record_get(app->fm, entry.link.kind, entry.link.id, FOLKMOOT_BRIEF, &record,
                            &error) != FOLKMOOT_OK)
        return;
    if (pile->printed++ == 0)
        printf("\nWhat was said and done about it\n");
    print_record(&record, entry.depth);
    push(pile, &record, entry.depth + 1);
    folkmoot_record_done(&record);
}

void beneath_print(struct app *app, const struct folkmoot_record *record)
{
    struct pile *pile = calloc(1, sizeof(*pile));
    if (!pile)
        return;
    push(pile, record, 1);
    while (pile->n && pile->printed < BENEATH_RECORDS_MAX)
        print_entry(app, pile);
    if (pile->n || pile->cut)
        printf("  … and more: folkmoot list --about REF\n");
    free(pile);
}
