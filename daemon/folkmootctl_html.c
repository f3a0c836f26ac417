// The picture as one page: no script, nothing from elsewhere, for print and for readers of screens;
// what people wrote is set in its own direction.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/folkmootctl_picture.h"

static const double day_ms = 24.0 * 60 * 60 * 1000;

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n";

static const char style[] =
    "<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:60rem;"
    "margin:0 auto;padding:1rem}\n"
    "h1{margin-block-end:0}h2{border-block-start:3px solid #1a1a1a;padding-block-start:.3rem;"
    "margin-block-start:2.5rem}\n"
    "ol{padding-inline-start:1.5rem}li{margin-block-end:1rem}\n"
    ".words{font-weight:600;display:block}.small{color:#444;font-size:.9rem}\n"
    ".first{background:#f3f1ea;padding:1rem;border-inline-start:6px solid #1a1a1a}\n"
    ".late{font-weight:700}\n"
    "table{border-collapse:collapse;width:100%}th,td{text-align:start;padding:.2rem .6rem .2rem "
    "0;border-block-end:1px solid #ccc}\n"
    "td.n,th.n{text-align:end;font-variant-numeric:tabular-nums}svg{display:block;width:100%}\n"
    ".key "
    "span{display:inline-block;box-sizing:border-box;width:.8rem;height:.8rem;margin-inline-end:."
    "3rem;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
    ".map{max-height:85vh}.map path{stroke:#555;stroke-width:.7px;vector-effect:"
    "non-scaling-stroke;fill-rule:evenodd}\n"
    "@media print{body{max-width:none}li,tr,svg{break-inside:avoid}}\n"
    "</style>\n";

#define FOR     "#1b6e5a"
#define AGAINST "#b3471f"
#define UNSURE  "#9a9a9a"

void picture_put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        case '"':
            (void)fputs("&quot;", out);
            break;
        default:
            if ((unsigned char)*text >= 0x20 || *text == '\n')
                (void)fputc(*text, out);
        }
    }
}

static void put_words(FILE *out, const char *element, const char *words)
{
    (void)fprintf(out, "<%s dir=\"auto\" class=\"words\">", element);
    picture_put_text(out, *words ? words : "(no words)");
    (void)fprintf(out, "</%s>", element);
}

// --- a bar of persons ---

static const char *person_or_persons(const cJSON *item)
{
    return picture_persons(item, NULL) == 1 ? "person" : "persons";
}

static void put_part(FILE *out, double *at, double part, double most, const char *colour)
{
    double width = most > 0 ? part / most * 1000 : 0;
    if (width > 0)
        (void)fprintf(out, "<rect x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>",
                      *at, width, colour);
    *at += width;
}

static void put_bar(FILE *out, const cJSON *item, double most)
{
    double at = 0;
    (void)fprintf(out,
                  "<svg viewBox=\"0 0 1000 16\" height=\"16\" preserveAspectRatio=\"none\" "
                  "role=\"img\" aria-label=\"%.0f for, %.0f against, %.0f unsure\">",
                  picture_persons(item, "for"), picture_persons(item, "against"),
                  picture_persons(item, "unsure"));
    put_part(out, &at, picture_persons(item, "for"), most, FOR);
    put_part(out, &at, picture_persons(item, "against"), most, AGAINST);
    put_part(out, &at, picture_persons(item, "unsure"), most, UNSURE);
    (void)fputs("</svg>", out);
}

static double most_persons(const cJSON *list)
{
    double most = 0;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        double persons = picture_persons(item, NULL);
        most = persons > most ? persons : most;
    }
    return most;
}

// --- items ---

static void put_constraints(FILE *out, const cJSON *item)
{
    static const char *const natures[] = {"financial", "practical", "policy", "unspecified"};
    const cJSON *constraints = picture_list(item, "constraints");
    const char *before = "; in its way: ";
    for (size_t i = 0; i < 4; i++) {
        double n = picture_number(constraints, natures[i]);
        if (n == 0)
            continue;
        (void)fprintf(out, "%s%.0f %s", before, n,
                      i < 3 ? natures[i] : "of a nature that is not said");
        before = ", ";
    }
}

static void put_parties(FILE *out, const cJSON *item)
{
    const cJSON *voices;
    const char *before = " — ";
    cJSON_ArrayForEach(voices, picture_list(item, "voices"))
    {
        const char *party = picture_text(voices, "party");
        (void)fprintf(out, "%s%s %.0f", before, *party ? party : "party not said",
                      picture_number(voices, "for") + picture_number(voices, "against") +
                          picture_number(voices, "unsure"));
        before = ", ";
    }
}

static void put_item(FILE *out, const cJSON *item, double most)
{
    char since[32];
    char state[160];
    picture_date(picture_number(item, "since"), since);
    picture_state(item, state);
    (void)fputs("<li>", out);
    put_words(out, "span", picture_text(item, "title"));
    put_bar(out, item, most);
    (void)fprintf(out, "<span class=\"small\">%.0f %s: %.0f for, %.0f against, %.0f unsure",
                  picture_persons(item, NULL), person_or_persons(item),
                  picture_persons(item, "for"), picture_persons(item, "against"),
                  picture_persons(item, "unsure"));
    put_parties(out, item);
    (void)fputs("<br>", out);
    if (*picture_text(item, "place")) {
        (void)fputs("<bdi>", out);
        picture_put_text(out, picture_text(item, "place"));
        (void)fputs("</bdi>, ", out);
    }
    (void)fprintf(out, "since %s; %s", since, state);
    put_constraints(out, item);
    if (cJSON_IsTrue(picture_list(item, "tension")))
        (void)fputs("; its words are in tension", out);
    if (cJSON_IsTrue(picture_list(item, "strengths")))
        (void)fputs("; the community says what it can do itself", out);
    if (picture_number(item, "joined") > 1)
        (void)fprintf(out, "; %.0f records joined", picture_number(item, "joined"));
    (void)fputs("</span></li>\n", out);
}

static void put_section(FILE *out, const cJSON *answer, const char *name, const char *title,
                        const char *none)
{
    const cJSON *list = picture_list(answer, name);
    const cJSON *item;
    double most = most_persons(list);
    (void)fprintf(out, "<section><h2>%s</h2>\n", title);
    if (cJSON_GetArraySize(list) == 0) {
        (void)fprintf(out, "<p>%s</p></section>\n", none);
        return;
    }
    (void)fputs("<ol>\n", out);
    cJSON_ArrayForEach(item, list) put_item(out, item, most);
    (void)fputs("</ol></section>\n", out);
}

// --- what must be seen first ---

static void put_main_tension(FILE *out, const cJSON *answer)
{
    const cJSON *divided = cJSON_GetArrayItem(picture_list(answer, "divided"), 0);
    const cJSON *tension = cJSON_GetArrayItem(picture_list(answer, "tension"), 0);
    if (divided) {
        (void)fputs("<p>People are divided most over this:</p>", out);
        put_words(out, "p", picture_text(divided, "title"));
        (void)fprintf(out, "<p>%.0f are for it, %.0f against.</p>\n",
                      picture_persons(divided, "for"), picture_persons(divided, "against"));
    } else if (tension) {
        (void)fputs("<p>What is said of this does not agree:</p>", out);
        put_words(out, "p", picture_text(tension, "title"));
    }
}

static void put_first(FILE *out, const cJSON *answer)
{
    const cJSON *list = picture_list(answer, "unanswered");
    int n = cJSON_GetArraySize(list);
    (void)fputs("<section class=\"first\">", out);
    if (n > 0)
        (void)fputs("<p>Nobody has answered what most persons voice:</p><ol>", out);
    for (int i = 0; i < n && i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        (void)fputs("<li>", out);
        put_words(out, "span", picture_text(item, "title"));
        (void)fprintf(out, "<span class=\"small\">%.0f %s</span></li>", picture_persons(item, NULL),
                      person_or_persons(item));
    }
    if (n > 0)
        (void)fputs("</ol>\n", out);
    put_main_tension(out, answer);
    (void)fputs("</section>\n", out);
}

static void put_top(FILE *out, const cJSON *answer, double now)
{
    char date[32];
    const cJSON *total = picture_list(answer, "total");
    picture_date(now, date);
    (void)fputs(head, out);
    (void)fputs("<title>", out);
    picture_put_text(out, picture_text(answer, "community"));
    (void)fputs(": the picture</title>\n", out);
    (void)fputs(style, out);
    (void)fputs("</head>\n<body>\n<h1 dir=\"auto\">", out);
    picture_put_text(out, picture_text(answer, "community"));
    (void)fprintf(out,
                  "</h1>\n<p class=\"small\">The picture of %s, at position %.0f of the log. Each "
                  "person counts once.</p>\n",
                  date, picture_number(answer, "position"));
    (void)fprintf(
        out,
        "<p>%.0f needs with %.0f voices on them: %.0f that nobody has answered, %.0f with "
        "a solution, %.0f with a commitment, %.0f with an outcome. %.0f are divided, in "
        "%.0f words are in tension, in the way of %.0f stand constraints.</p>\n",
        picture_records(total), picture_persons(total, NULL), picture_number(total, "unanswered"),
        picture_number(total, "solution"), picture_number(total, "commitment"),
        picture_number(total, "outcome"), picture_number(total, "divided"),
        picture_number(total, "tension"), picture_number(total, "blocked"));
    put_first(out, answer);
    (void)fputs("<p class=\"key small\"><span style=\"background:" FOR "\"></span>for &nbsp; "
                "<span style=\"background:" AGAINST "\"></span>against &nbsp; "
                "<span style=\"background:" UNSURE "\"></span>unsure</p>\n",
                out);
}

// --- tables ---

static void put_counts(FILE *out, const cJSON *answer, const char *by, const char *title)
{
    const cJSON *count;
    double most = 0;
    cJSON_ArrayForEach(count, picture_list(answer, "counts"))
    {
        double persons = *picture_text(count, by) ? picture_persons(count, NULL) : 0;
        most = persons > most ? persons : most;
    }
    (void)fprintf(out,
                  "<section><h2>By %s</h2><table><thead><tr><th scope=\"col\">%s</th><th "
                  "scope=\"col\" class=\"n\">Needs</th><th scope=\"col\" class=\"n\">Unanswered"
                  "</th><th scope=\"col\" class=\"n\">Voices</th><th scope=\"col\">For, against, "
                  "unsure</th></tr></thead><tbody>\n",
                  by, title);
    cJSON_ArrayForEach(count, picture_list(answer, "counts"))
    {
        if (!*picture_text(count, by))
            continue;
        (void)fputs("<tr><th scope=\"row\"><bdi>", out);
        picture_put_text(out, picture_text(count, by));
        (void)fprintf(out,
                      "</bdi></th><td class=\"n\">%.0f</td><td class=\"n\">%.0f</td><td "
                      "class=\"n\">%.0f</td><td>",
                      picture_records(count), picture_number(count, "unanswered"),
                      picture_persons(count, NULL));
        put_bar(out, count, most);
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_heard(FILE *out, const cJSON *answer)
{
    const cJSON *row;
    (void)fputs("<section><h2>Who has been heard</h2><p>Persons with a voice on anything, each "
                "once.</p><table><thead><tr><th scope=\"col\">Place</th><th scope=\"col\">Speaks "
                "for</th><th scope=\"col\" class=\"n\">Persons</th></tr></thead><tbody>\n",
                out);
    cJSON_ArrayForEach(row, picture_list(answer, "heard"))
    {
        const char *place = picture_text(row, "place");
        const char *party = picture_text(row, "party");
        (void)fputs("<tr><td><bdi>", out);
        picture_put_text(out, *place ? place : "everywhere");
        (void)fprintf(out, "</bdi></td><td>%s</td><td class=\"n\">%.0f</td></tr>\n",
                      *party ? party : "not said", picture_number(row, "persons"));
    }
    (void)fputs("</tbody></table></section>\n", out);
}

static void put_due(FILE *out, const cJSON *answer, double now)
{
    const cJSON *item;
    const cJSON *list = picture_list(answer, "due");
    (void)fputs("<section><h2>Promises, by when they are due</h2>\n", out);
    if (cJSON_GetArraySize(list) == 0)
        (void)fputs("<p>No promise with a date is waited for.</p>", out);
    (void)fputs("<ol>\n", out);
    cJSON_ArrayForEach(item, list)
    {
        char due[32];
        double at = picture_number(item, "due") * day_ms;
        picture_date(at, due);
        (void)fputs("<li>", out);
        put_words(out, "span", picture_text(item, "title"));
        (void)fprintf(out, "<span class=\"%s\">due %s%s</span></li>\n",
                      at + day_ms < now ? "late" : "small", due,
                      at + day_ms < now ? ": overdue" : "");
    }
    (void)fputs("</ol></section>\n", out);
}

bool ctl_write_picture(const cJSON *answer, const char *path, double now,
                       const struct outlines *outlines)
{
    FILE *out = fopen(path, "we");
    if (!out)
        return false;
    put_top(out, answer, now);
    put_section(out, answer, "unanswered", "Nobody has answered",
                "Everything has been answered by something.");
    put_section(out, answer, "most_voiced", "Most voiced", "Nothing has been voiced yet.");
    put_section(out, answer, "divided", "Divided", "Nobody is against what others are for.");
    put_section(out, answer, "tension", "Words in tension", "What is said agrees.");
    put_section(out, answer, "blocked", "Constraints in the way", "None was named.");
    put_section(out, answer, "answered", "What came of it", "No outcome was told yet.");
    put_due(out, answer, now);
    put_counts(out, answer, "category", "Category");
    if (outlines)
        ctl_put_map(out, answer, outlines);
    put_counts(out, answer, "place", "Place");
    put_heard(out, answer);
    ctl_put_unheard(out, answer);
    (void)fputs("<p class=\"small\">This picture is <code>", out);
    picture_put_text(out, picture_text(answer, "name"));
    (void)fputs("</code>: a commitment may name it as the one that it answers.</p>\n", out);
    (void)fputs("</body>\n</html>\n", out);
    bool good = !ferror(out);
    return fclose(out) == 0 && good;
}
