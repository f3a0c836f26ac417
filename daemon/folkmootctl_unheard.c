// Who has not been heard: places of the population table, and sorts of party, by how few of them
// have a voice on anything.

#include <stdlib.h>
#include <string.h>

#include "daemon/folkmootctl_picture.h"
#include "daemon/terminal.h"
#include "proto/schema.h"

enum { PARTIES_MAX = 16, PLACES_SHOWN = 20 };

// --- sorts of party ---

struct party {
    const char *name;
    double persons;
};

struct parties {
    struct party of[PARTIES_MAX]; // fewest first
    size_t n;
    double said;     // persons who say for what sort of party they speak
    double not_said; // and who do not
};

static int compare(const void *a, const void *b)
{
    double x = ((const struct party *)a)->persons;
    double y = ((const struct party *)b)->persons;
    return (x > y) - (x < y);
}

static double persons_of(const cJSON *answer, const char *party)
{
    double persons = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, picture_list(answer, "heard"))
    {
        bool is_it = !*picture_text(row, "place") && strcmp(picture_text(row, "party"), party) == 0;
        persons += is_it ? picture_number(row, "persons") : 0;
    }
    return persons;
}

static void add_up(const cJSON *answer, struct parties *parties)
{
    const struct schema_field *field = schema_field(KIND_PERSON, FIELD_PARTY_KIND);
    *parties = (struct parties){.not_said = persons_of(answer, "")};
    for (size_t i = 1; field && field->values[i] && parties->n < PARTIES_MAX; i++) {
        double persons = persons_of(answer, field->values[i]);
        parties->of[parties->n++] = (struct party){field->values[i], persons};
        parties->said += persons;
    }
    qsort(parties->of, parties->n, sizeof *parties->of, compare);
}

static void put_parties(FILE *out, const cJSON *answer)
{
    struct parties parties;
    add_up(answer, &parties);
    if (parties.said + parties.not_said == 0) {
        (void)fputs("Nobody has a voice on anything yet.", out);
        return;
    }
    if (parties.said == 0) {
        (void)fputs("None of whoever has a voice said for what sort of party they speak.", out);
        return;
    }
    (void)fputs("Persons heard by the sort of party for which they speak, fewest first: ", out);
    for (size_t i = 0; i < parties.n; i++)
        (void)fprintf(out, "%s%s %.0f", i ? ", " : "", parties.of[i].name, parties.of[i].persons);
    if (parties.not_said > 0)
        (void)fprintf(out, "; %.0f did not say", parties.not_said);
    (void)fputs(".", out);
}

// --- in a terminal ---

static void say_place(const cJSON *place)
{
    const char *name = picture_text(place, "name");
    (void)printf("%7.0f heard", picture_number(place, "heard"));
    if (picture_number(place, "population") > 0)
        (void)printf(" of %.0f", picture_number(place, "population"));
    (void)printf("  ");
    terminal_text(stdout, name);
    (void)printf("%s", *name ? " (" : "");
    terminal_text(stdout, picture_text(place, "code"));
    (void)printf("%s\n", *name ? ")" : "");
}

void ctl_say_unheard(const cJSON *answer)
{
    const cJSON *list = picture_list(answer, "unheard");
    int n = cJSON_GetArraySize(list);
    (void)printf("\nWho has not been heard\n");
    put_parties(stdout, answer);
    (void)putchar('\n');
    if (n > 0)
        (void)printf("Where few were heard, fewest of whoever lives there first:\n");
    for (int i = 0; i < n && i < PLACES_SHOWN; i++)
        say_place(cJSON_GetArrayItem(list, i));
    if (n > PLACES_SHOWN)
        (void)printf("        and %s%d others: --html or --json tells more\n",
                     cJSON_IsTrue(picture_list(answer, "more_unheard")) ? "more than " : "",
                     n - PLACES_SHOWN);
}

// --- on the page ---

static void put_place(FILE *out, const cJSON *place)
{
    const char *name = picture_text(place, "name");
    (void)fputs("<bdi>", out);
    picture_put_text(out, name);
    (void)fputs(*name ? "</bdi> (<bdi>" : "", out);
    picture_put_text(out, picture_text(place, "code"));
    (void)fputs(*name ? "</bdi>)" : "</bdi>", out);
}

// The places before the first where somebody was heard, which it returns.
static const cJSON *put_silent(FILE *out, const cJSON *first, bool has_more)
{
    if (!first || picture_number(first, "heard") > 0)
        return first;
    (void)fputs("<p>Nobody who lives in these places has a voice on anything yet:</p>\n<p>", out);
    const cJSON *place = first;
    for (; place && picture_number(place, "heard") == 0; place = place->next) {
        (void)fputs(place == first ? "" : ", ", out);
        put_place(out, place);
    }
    (void)fputs(!place && has_more ? " … and more.</p>\n" : ".</p>\n", out);
    return place;
}

static void put_few(FILE *out, const cJSON *first)
{
    const cJSON *place = first;
    if (!first)
        return;
    (void)fputs("<p>Where somebody was heard, fewest of whoever lives there first:</p>"
                "<table><thead><tr><th scope=\"col\">Place</th><th scope=\"col\" class=\"n\">Live "
                "there</th><th scope=\"col\" class=\"n\">Heard</th></tr></thead><tbody>\n",
                out);
    for (int i = 0; place && i < PLACES_SHOWN; i++, place = place->next) {
        double population = picture_number(place, "population");
        (void)fputs("<tr><th scope=\"row\">", out);
        put_place(out, place);
        (void)fputs("</th><td class=\"n\">", out);
        if (population > 0)
            (void)fprintf(out, "%.0f", population);
        else
            (void)fputs("not known", out);
        (void)fprintf(out, "</td><td class=\"n\">%.0f</td></tr>\n", picture_number(place, "heard"));
    }
    (void)fputs("</tbody></table>\n", out);
}

void ctl_put_unheard(FILE *out, const cJSON *answer)
{
    const cJSON *list = picture_list(answer, "unheard");
    bool has_more = cJSON_IsTrue(picture_list(answer, "more_unheard"));
    (void)fputs("<section><h2>Who has not been heard</h2>\n<p>", out);
    put_parties(out, answer);
    (void)fputs("</p>\n", out);
    put_few(out, put_silent(out, list ? list->child : NULL, has_more));
    (void)fputs("</section>\n", out);
}
