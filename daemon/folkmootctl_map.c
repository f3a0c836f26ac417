// The map of the page: outlines of places, shaded by their numbers of needs. Positions are set on a
// grid, which becomes coarser until all paths are short enough, so that what two places share stays
// shared.

#include <math.h>
#include <stdlib.h>

#include "daemon/folkmootctl_picture.h"

enum { STEPS = 5, GRID_MAX = 2000, GRID_MIN = 50, PATHS_BYTES_MAX = 190000 };

// Light to dark, so that grey paper tells them apart, too.
static const char *const shades[STEPS] = {"#dbe9ec", "#b0d0d7", "#7dafba", "#447f8e", "#11475a"};

// --- a path ---

struct point {
    long x, y;
};

struct map {
    const struct outlines *outlines;
    double narrow; // how much shorter a degree of longitude is than one of latitude, in the middle
    double scale;  // units of the grid to a degree of latitude
    struct buf path;
    // Of the ring that is drawn.
    struct point first, last, next;
    size_t points; // of the path; `next` is one more
};

static struct point place_on(const struct map *map, const cJSON *position)
{
    double longitude = position->child->valuedouble;
    double latitude = position->child->next->valuedouble;
    return (struct point){
        lround((longitude - map->outlines->west) * map->narrow * map->scale),
        lround((map->outlines->north - latitude) * map->scale),
    };
}

static void put_step(struct map *map, struct point to)
{
    long x = to.x - map->last.x;
    long y = to.y - map->last.y;
    if (map->points == 0)
        buf_put_format(&map->path, "M%ld %ldl", to.x, to.y);
    else
        buf_put_format(&map->path, "%s%ld%s%ld", x < 0 || map->points == 1 ? "" : " ", x,
                       y < 0 ? "" : " ", y);
    map->last = to;
    map->points++;
}

static bool is_same(struct point a, struct point b)
{
    return a.x == b.x && a.y == b.y;
}

// Straight on from the last point over the next one.
static bool is_straight(const struct map *map, struct point to)
{
    long x = map->next.x - map->last.x;
    long y = map->next.y - map->last.y;
    long on_x = to.x - map->next.x;
    long on_y = to.y - map->next.y;
    return x * on_y == y * on_x && x * on_x + y * on_y > 0;
}

static void go_to(struct map *map, struct point to)
{
    if (is_same(to, map->next))
        return;
    bool is_begun = map->points > 0;
    if (!is_begun || !is_straight(map, to))
        put_step(map, map->next);
    map->next = to;
}

// What is too small for the grid has no area, and is left out.
static bool draw_ring(const cJSON *ring, void *arg)
{
    struct map *map = arg;
    const cJSON *position;
    size_t before = map->path.n;
    map->points = 0;
    map->first = map->next = place_on(map, ring->child);
    cJSON_ArrayForEach(position, ring) go_to(map, place_on(map, position));
    if (map->points > 0 && !is_same(map->next, map->first))
        put_step(map, map->next);
    if (map->points < 3)
        map->path.n = before;
    else
        buf_put_text(&map->path, "z");
    return !map->path.err;
}

static bool draw_dot(const cJSON *ring, void *arg)
{
    struct map *map = arg;
    struct point at = place_on(map, ring->child);
    buf_put_format(&map->path, "M%ld %ldh1v1h-1z", at.x, at.y);
    return false;
}

static void draw(struct map *map, const struct outline *outline)
{
    size_t before = map->path.n;
    outlines_each_ring(outline->geometry, draw_ring, map);
    if (map->path.n == before)
        outlines_each_ring(outline->geometry, draw_dot, map);
}

// --- the grid ---

static double width_of(const struct map *map)
{
    return (map->outlines->east - map->outlines->west) * map->narrow;
}

static double height_of(const struct map *map)
{
    return map->outlines->north - map->outlines->south;
}

static bool fits(struct map *map, int grid)
{
    double extent = fmax(fmax(width_of(map), height_of(map)), 1e-6);
    map->scale = grid / extent;
    buf_reset(&map->path);
    for (size_t i = 0; i < map->outlines->n && !map->path.err; i++)
        draw(map, &map->outlines->all[i]);
    return !map->path.err;
}

static bool choose_grid(struct map *map)
{
    for (int grid = GRID_MAX; grid >= GRID_MIN; grid = grid * 3 / 4) {
        if (fits(map, grid))
            return true;
    }
    return false;
}

// --- shades ---

static double most_records(const struct outlines *outlines)
{
    double most = 0;
    for (size_t i = 0; i < outlines->n; i++)
        most = fmax(most, outlines->all[i].count ? picture_records(outlines->all[i].count) : 0);
    return most;
}

// Equal steps up to the most.
static const char *shade_of(double records, double most)
{
    size_t step = 0;
    while (step + 1 < STEPS && records * STEPS > most * (double)(step + 1))
        step++;
    return shades[step];
}

static void put_legend(FILE *out, double most)
{
    (void)fputs("<p class=\"key small\">", out);
    for (int i = 0; i < STEPS; i++) {
        double from = floor(i * most / STEPS) + 1;
        double to = floor((i + 1) * most / STEPS);
        if (from > to)
            continue;
        (void)fprintf(out, "<span style=\"background:%s\"></span>%.0f", shades[i], from);
        if (to > from)
            (void)fprintf(out, " to %.0f", to);
        (void)fprintf(out, " need%s &nbsp; ", to == 1 ? "" : "s");
    }
    (void)fputs("<span style=\"border:1px solid #555\"></span>none</p>\n", out);
}

// --- the section ---

// Isolated, so that its direction leaves the rest where it is (U+2068, U+2069).
static void put_title(FILE *out, const struct outline *outline, double records)
{
    (void)fputs("<title>\xe2\x81\xa8", out);
    picture_put_text(out, *outline->name ? outline->name : picture_text(outline->count, "place"));
    (void)fprintf(out, "\xe2\x81\xa9: %.0f need%s, %.0f of them unanswered; %.0f voices</title>",
                  records, records == 1 ? "" : "s", picture_number(outline->count, "unanswered"),
                  picture_persons(outline->count, NULL));
}

static bool has_needs(const struct outline *outline)
{
    return outline->count && picture_records(outline->count) > 0;
}

static void put_empty(FILE *out, struct map *map)
{
    buf_reset(&map->path);
    for (size_t i = 0; i < map->outlines->n; i++) {
        if (!has_needs(&map->outlines->all[i]))
            draw(map, &map->outlines->all[i]);
    }
    buf_put_u8(&map->path, 0);
    if (!map->path.err && map->path.n > 1)
        (void)fprintf(out, "<path fill=\"none\" d=\"%s\"/>\n", (const char *)map->path.p);
}

static void put_shaded(FILE *out, struct map *map, const struct outline *outline, double most)
{
    double records = picture_records(outline->count);
    buf_reset(&map->path);
    draw(map, outline);
    buf_put_u8(&map->path, 0);
    if (map->path.err)
        return;
    (void)fprintf(out, "<path fill=\"%s\" d=\"%s\">", shade_of(records, most),
                  (const char *)map->path.p);
    put_title(out, outline, records);
    (void)fputs("</path>\n", out);
}

static void put_picture(FILE *out, struct map *map, double most)
{
    (void)fprintf(out,
                  "<svg class=\"map\" viewBox=\"-2 -2 %.0f %.0f\" role=\"img\" aria-label=\"Map of "
                  "%zu place%s, shaded by how many needs each has\">\n",
                  ceil(width_of(map) * map->scale) + 5, ceil(height_of(map) * map->scale) + 5,
                  map->outlines->n, map->outlines->n == 1 ? "" : "s");
    put_empty(out, map);
    for (size_t i = 0; i < map->outlines->n; i++) {
        if (has_needs(&map->outlines->all[i]))
            put_shaded(out, map, &map->outlines->all[i], most);
    }
    (void)fputs("</svg>\n", out);
}

static void put_missing(FILE *out, const cJSON *answer, const struct outlines *outlines)
{
    size_t places = 0;
    const cJSON *count;
    cJSON_ArrayForEach(count, picture_list(answer, "counts")) places +=
        *picture_text(count, "place") && picture_records(count) > 0;
    for (size_t i = 0; i < outlines->n; i++)
        places -= has_needs(&outlines->all[i]);
    if (places > 0)
        (void)fprintf(out,
                      "<p class=\"small\">%zu more place%s needs, without an outline of %s own: "
                      "the table tells them.</p>\n",
                      places, places == 1 ? " has" : "s have", places == 1 ? "its" : "their");
}

void ctl_put_map(FILE *out, const cJSON *answer, const struct outlines *outlines)
{
    static const double degree = 3.14159265358979323846 / 180;
    double most = most_records(outlines);
    struct map map = {
        .outlines = outlines,
        .narrow = cos((outlines->north + outlines->south) / 2 * degree),
        .path = {.max = PATHS_BYTES_MAX},
    };
    (void)fputs("<section><h2>On the map</h2>\n", out);
    if (choose_grid(&map)) {
        (void)fputs("<p>The darker, the more needs. North is up. The table \"By place\" says the "
                    "same in numbers.</p>\n",
                    out);
        put_picture(out, &map, most);
        put_legend(out, most);
    } else
        (void)fputs("<p>The outlines are too fine for a page: simplify them.</p>\n", out);
    put_missing(out, answer, outlines);
    (void)fputs("</section>\n", out);
    buf_done(&map.path);
}
