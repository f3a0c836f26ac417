#include "client/command/picture.h"

#include <stdio.h>
#include <string.h>

#include "client/command/instant.h"
#include "client/command/json.h"
#include "client/command/page.h"
#include "client/command/ref.h"
#include "client/command/unheard.h"

enum { MOST = 5, INDENT = 9 };

static const struct section {
    const char *list;
    const char *title;
} sections[] = {
    {"unanswered", "The most voiced that nobody has answered"},
    {"most-voiced", "The most voiced"},
    {"divided", "Divided: some are for, some against"},
    {"tension", "Words in tension"},
    {"blocked", "Constraints stand in their way"},
    {"outcome", "Something came of these"},
    {"due", "Promises that are waited for, by when they are due"},
};

struct saying {
    const struct section *section;
    cJSON *array; // NULL: lines for people
    size_t n;
};

// --- for people ---

static void day(int64_t ms, char out[INSTANT_BYTES])
{
    instant_print_utc(ms, out);
    out[strcspn(out, "T")] = 0;
}

static void put_state(struct buf *line, const struct folkmoot_pictured *item)
{
    char date[INSTANT_BYTES];
    int64_t since = item->outcomes      ? item->outcome_since
                    : item->commitments ? item->commitment_since
                                        : item->solution_since;
    if (!item->outcomes && !item->commitments && !item->solutions) {
        buf_put_text(line, "nobody has answered");
        return;
    }
    day(since, date);
    buf_put_format(line, "%s on %s",
                   item->outcomes      ? "an outcome"
                   : item->commitments ? "a commitment"
                                       : "a solution",
                   date);
}

static void print_promise(const struct folkmoot_pictured *item)
{
    struct buf BUF_CLEANUP line = {0};
    char date[INSTANT_BYTES];
    day((int64_t)item->due * 24 * 60 * 60 * 1000, date);
    buf_put_format(&line, "%s  ", date);
    page_put_value(&line, item->title);
    page_line(2, &line);
}

static void print_item(const struct folkmoot_pictured *item)
{
    struct buf BUF_CLEANUP line = {0};
    char id[REF_SHORT_BYTES];
    char date[INSTANT_BYTES];
    ref_short(item->id, id);
    day(item->since, date);
    buf_put_format(&line, "%6u  %s  ", item->votes_for + item->votes_against + item->votes_unsure,
                   id);
    page_put_cut(&line, item->title, page_width() - REF_SHORT_BYTES - INDENT, false);
    page_line(0, &line);
    buf_put_format(&line, "for %u, against %u, unsure %u; ", item->votes_for, item->votes_against,
                   item->votes_unsure);
    if (item->place[0]) {
        page_put_value(&line, item->place);
        buf_put_text(&line, ", ");
    }
    buf_put_format(&line, "since %s; ", date);
    put_state(&line, item);
    if (item->damaged)
        buf_put_text(&line, "; damaged");
    page_line(INDENT, &line);
}

// --- for programs ---

static void add_time(cJSON *object, const char *name, int64_t ms)
{
    if (ms)
        json_add_time(object, name, ms);
}

static cJSON *item_json(const struct folkmoot_pictured *item, bool is_due)
{
    cJSON *object = json_ref(is_due ? "commitment" : "need", item->id);
    cJSON_AddStringToObject(object, "title", item->title);
    cJSON_AddStringToObject(object, "place", item->place);
    cJSON_AddNumberToObject(object, "for", item->votes_for);
    cJSON_AddNumberToObject(object, "against", item->votes_against);
    cJSON_AddNumberToObject(object, "unsure", item->votes_unsure);
    add_time(object, "since", item->since);
    cJSON_AddNumberToObject(object, "solutions", item->solutions);
    add_time(object, "solution_since", item->solution_since);
    cJSON_AddNumberToObject(object, "commitments", item->commitments);
    add_time(object, "commitment_since", item->commitment_since);
    cJSON_AddNumberToObject(object, "outcomes", item->outcomes);
    add_time(object, "outcome_since", item->outcome_since);
    cJSON_AddNumberToObject(object, "constraints",
                            item->financial + item->practical + item->policy + item->unspecified);
    cJSON_AddNumberToObject(object, "joined", item->joined);
    if (item->has_due)
        cJSON_AddNumberToObject(object, "due", item->due);
    return object;
}

// --- both ---

static bool each(const struct folkmoot_pictured *item, void *arg)
{
    struct saying *saying = arg;
    bool is_due = strcmp(saying->section->list, "due") == 0;
    if (saying->array) {
        cJSON_AddItemToArray(saying->array, item_json(item, is_due));
        return true;
    }
    if (saying->n++ == 0)
        printf("\n%s\n", saying->section->title);
    if (is_due)
        print_promise(item);
    else
        print_item(item);
    return true;
}

static void print_numbers(const struct folkmoot_picture *p)
{
    printf("%u needs, %u voices on them; %u persons have a voice on something\n",
           p->unanswered + p->solution + p->commitment + p->outcome,
           p->votes_for + p->votes_against + p->votes_unsure, p->heard);
    printf("%u that nobody has answered, %u with a solution, %u with a commitment, %u with an "
           "outcome\n",
           p->unanswered, p->solution, p->commitment, p->outcome);
    printf("%u divided, %u whose words are in tension, %u with constraints in their way\n",
           p->divided, p->tension, p->blocked);
}

static cJSON *numbers_json(const struct folkmoot_picture *p)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *total = cJSON_AddObjectToObject(document, "total");
    cJSON_AddNumberToObject(total, "unanswered", p->unanswered);
    cJSON_AddNumberToObject(total, "solution", p->solution);
    cJSON_AddNumberToObject(total, "commitment", p->commitment);
    cJSON_AddNumberToObject(total, "outcome", p->outcome);
    cJSON_AddNumberToObject(total, "divided", p->divided);
    cJSON_AddNumberToObject(total, "tension", p->tension);
    cJSON_AddNumberToObject(total, "blocked", p->blocked);
    cJSON_AddNumberToObject(total, "for", p->votes_for);
    cJSON_AddNumberToObject(total, "against", p->votes_against);
    cJSON_AddNumberToObject(total, "unsure", p->votes_unsure);
    cJSON_AddNumberToObject(total, "heard", p->heard);
    return document;
}

enum command_exit picture_command(struct app *app)
{
    struct folkmoot_picture numbers;
    struct folkmoot_error error = {0};
    enum folkmoot_code code = folkmoot_picture(app->fm, &numbers, &error);
    cJSON *document = !code && app->json ? numbers_json(&numbers) : NULL;
    if (!code && !document)
        print_numbers(&numbers);
    for (size_t i = 0; !code && i < sizeof sections / sizeof *sections; i++) {
        struct saying saying = {.section = &sections[i]};
        if (document)
            saying.array = cJSON_AddArrayToObject(document, sections[i].list);
        code = folkmoot_picture_list(app->fm, sections[i].list, MOST, each, &saying, &error);
    }
    if (!code)
        code = unheard_say(app, document, &error);
    if (code) {
        cJSON_Delete(document);
        return app_fail(&error);
    }
    return document ? json_print(document) : COMMAND_OK;
}
