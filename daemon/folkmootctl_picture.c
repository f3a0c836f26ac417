#include "daemon/folkmootctl_picture.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/terminal.h"

static const double day_ms = 24.0 * 60 * 60 * 1000;

// --- reading the answer ---

const char *picture_text(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

double picture_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

const cJSON *picture_list(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

double picture_persons(const cJSON *item, const char *stance)
{
    static const char *const all[] = {"for", "against", "unsure"};
    double persons = 0;
    const cJSON *voices;
    cJSON_ArrayForEach(voices, picture_list(item, "voices"))
    {
        for (size_t i = 0; i < 3; i++)
            persons += !stance || strcmp(stance, all[i]) == 0 ? picture_number(voices, all[i]) : 0;
    }
    return persons;
}

double picture_records(const cJSON *count)
{
    return picture_number(count, "unanswered") + picture_number(count, "solution") +
           picture_number(count, "commitment") + picture_number(count, "outcome");
}

void picture_date(double ms, char out[32])
{
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    // A clock may have been anywhere.
    if (!gmtime_r(&seconds, &parts) || strftime(out, 32, "%Y-%m-%d", &parts) == 0)
        (void)snprintf(out, 32, "some day");
}

void picture_state(const cJSON *item, char out[160])
{
    static const struct {
        const char *count;
        const char *since;
        const char *words;
    } states[] = {{"outcomes", "outcome_since", "an outcome"},
                  {"commitments", "commitment_since", "a commitment"},
                  {"solutions", "solution_since", "a solution"}};
    for (size_t i = 0; i < 3; i++) {
        char date[32];
        if (picture_number(item, states[i].count) == 0)
            continue;
        double days =
            (picture_number(item, states[i].since) - picture_number(item, "since")) / day_ms;
        picture_date(picture_number(item, states[i].since), date);
        if (days >= 0)
            (void)snprintf(out, 160, "%s on %s, after %.0f day%s", states[i].words, date, days,
                           (int)days == 1 ? "" : "s");
        else
            (void)snprintf(out, 160, "%s on %s", states[i].words, date);
        return;
    }
    (void)snprintf(out, 160, "nobody has answered");
}

// --- in a terminal ---

static void say_parties(const cJSON *item)
{
    const cJSON *voices;
    const char *before = "; ";
    cJSON_ArrayForEach(voices, picture_list(item, "voices"))
    {
        const char *party = picture_text(voices, "party");
        double persons = picture_number(voices, "for") + picture_number(voices, "against") +
                         picture_number(voices, "unsure");
        (void)printf("%s%s %.0f", before, *party ? party : "not said", persons);
        before = ", ";
    }
}

static void say_item(const cJSON *item)
{
    char since[32];
    char state[160];
    picture_date(picture_number(item, "since"), since);
    picture_state(item, state);
    (void)printf("%7.0f  ", picture_persons(item, NULL));
    terminal_text(stdout, picture_text(item, "title"));
    (void)printf("\n         for %.0f, against %.0f, unsure %.0f", picture_persons(item, "for"),
                 picture_persons(item, "against"), picture_persons(item, "unsure"));
    say_parties(item);
    (void)printf("\n         ");
    if (*picture_text(item, "place")) {
        terminal_text(stdout, picture_text(item, "place"));
        (void)fputs(", ", stdout);
    }
    (void)printf("since %s; %s", since, state);
    if (picture_number(item, "joined") > 1)
        (void)printf("; %.0f joined", picture_number(item, "joined"));
    (void)printf("\n");
}

static void say_items(const cJSON *answer, const char *name, const char *title)
{
    const cJSON *item;
    const cJSON *list = picture_list(answer, name);
    if (cJSON_GetArraySize(list) == 0)
        return;
    (void)printf("\n%s\n", title);
    cJSON_ArrayForEach(item, list) say_item(item);
}

static void say_due(const cJSON *answer)
{
    const cJSON *item;
    const cJSON *list = picture_list(answer, "due");
    if (cJSON_GetArraySize(list) == 0)
        return;
    (void)printf("\nPromises that are waited for, by when they are due\n");
    cJSON_ArrayForEach(item, list)
    {
        char due[32];
        picture_date(picture_number(item, "due") * day_ms, due);
        (void)printf("  %s  ", due);
        terminal_text(stdout, picture_text(item, "title"));
        (void)putchar('\n');
    }
}

static void say_total(const cJSON *answer)
{
    const cJSON *total = picture_list(answer, "total");
    double heard = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, picture_list(answer, "heard"))
    {
        heard += *picture_text(row, "place") ? 0 : picture_number(row, "persons");
    }
    terminal_text(stdout, picture_text(answer, "community"));
    (void)printf(": the picture at position %.0f of the log\n", picture_number(answer, "position"));
    (void)printf("%.0f needs, %.0f voices on them; %.0f persons have a voice on something\n",
                 picture_records(total), picture_persons(total, NULL), heard);
    (void)printf(
        "%.0f that nobody has answered, %.0f with a solution, %.0f with a commitment, %.0f "
        "with an outcome\n",
        picture_number(total, "unanswered"), picture_number(total, "solution"),
        picture_number(total, "commitment"), picture_number(total, "outcome"));
    (void)printf("%.0f divided, %.0f whose words are in tension, %.0f with constraints in their "
                 "way\n",
                 picture_number(total, "divided"), picture_number(total, "tension"),
                 picture_number(total, "blocked"));
}

static void say_counts(const cJSON *answer, const char *by, const char *title)
{
    const cJSON *count;
    bool any = false;
    cJSON_ArrayForEach(count, picture_list(answer, "counts"))
    {
        const char *name = picture_text(count, by);
        if (!*name)
            continue;
        if (!any)
            (void)printf("\n%-32s %8s %8s %10s\n", title, "NEEDS", "VOICES", "UNANSWERED");
        any = true;
        terminal_text(stdout, name);
        (void)printf("%*s %8.0f %8.0f %10.0f\n", strlen(name) < 32 ? 32 - (int)strlen(name) : 0, "",
                     picture_records(count), picture_persons(count, NULL),
                     picture_number(count, "unanswered"));
    }
}

void ctl_show_picture(const cJSON *answer)
{
    say_total(answer);
    say_items(answer, "most_voiced", "The most voiced needs, by how many persons");
    say_items(answer, "unanswered", "The most voiced that nobody has answered");
    say_items(answer, "divided", "Divided: some are for, some against");
    say_items(answer, "tension", "Words in tension");
    say_items(answer, "blocked", "Constraints stand in their way");
    say_items(answer, "answered", "Something came of these");
    say_due(answer);
    say_counts(answer, "category", "BY CATEGORY");
    say_counts(answer, "place", "BY PLACE");
    ctl_say_unheard(answer);
    (void)printf("\nA commitment says that it answers this picture by --picture '%s'\n",
                 picture_text(answer, "name"));
}
