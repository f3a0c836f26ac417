#include "client/command/unheard.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/command/page.h"

enum { PARTIES_MAX = 16 };

struct party {
    const char *name; // the library's
    uint32_t persons;
};

struct parties {
    struct party of[PARTIES_MAX];
    size_t n;
    uint32_t said;     // persons who say for what sort of party they speak
    uint32_t not_said; // and who do not
};

static bool take(const char *party, uint32_t persons, void *arg)
{
    struct parties *parties = arg;
    if (!party[0]) {
        parties->not_said = persons;
        return true;
    }
    parties->said += persons;
    parties->of[parties->n++] = (struct party){party, persons};
    return parties->n < PARTIES_MAX;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = ((const struct party *)a)->persons;
    uint32_t y = ((const struct party *)b)->persons;
    return (x > y) - (x < y);
}

static void print(struct parties *parties)
{
    struct buf BUF_CLEANUP line = {0};
    if (parties->said + parties->not_said == 0)
        return;
    printf("\nWho has not been heard\n");
    if (parties->said == 0) {
        printf("  None of whoever has a voice said for what sort of party they speak, or it is not "
               "known here.\n");
        return;
    }
    qsort(parties->of, parties->n, sizeof *parties->of, compare);
    buf_put_text(&line, "by the sort of party, fewest first: ");
    for (size_t i = 0; i < parties->n; i++)
        buf_put_format(&line, "%s%s %u", i ? ", " : "", parties->of[i].name,
                       parties->of[i].persons);
    if (parties->not_said)
        buf_put_format(&line, "; %u did not say", parties->not_said);
    page_line(2, &line);
}

static void add(const struct parties *parties, cJSON *document)
{
    cJSON *heard = cJSON_AddObjectToObject(document, "heard");
    for (size_t i = 0; i < parties->n; i++)
        cJSON_AddNumberToObject(heard, parties->of[i].name, parties->of[i].persons);
    cJSON_AddNumberToObject(heard, "not_said", parties->not_said);
}

enum folkmoot_code unheard_say(struct app *app, cJSON *document, struct folkmoot_error *error)
{
    struct parties parties = {.n = 0};
    enum folkmoot_code code = folkmoot_picture_heard(app->fm, take, &parties, error);
    if (!code && document)
        add(&parties, document);
    else if (!code)
        print(&parties);
    return code;
}
