#include "daemon/folkmootctl_outlines.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/file.h"
#include "daemon/folkmootctl_picture.h"

enum { PROPERTIES_MAX = 100 }; // of a feature, that are looked at

struct reading {
    const char *path;
    struct outlines *outlines;
    const cJSON *answer;
    struct fault *fault;
    size_t feature; // from 1
    enum err err;   // the first; sticks
};

static void fail(struct reading *r, enum err err, const char *why)
{
    if (!r->err && r->feature)
        r->err = fault_set(r->fault, err, "%s: feature %zu: %s", r->path, r->feature, why);
    else if (!r->err)
        r->err = fault_set(r->fault, err, "%s: %s", r->path, why);
}

// --- rings ---

static bool each_in_polygon(const cJSON *polygon, bool (*each)(const cJSON *ring, void *),
                            void *arg)
{
    const cJSON *ring;
    cJSON_ArrayForEach(ring, polygon)
    {
        if (!each(ring, arg))
            return false;
    }
    return true;
}

void outlines_each_ring(const cJSON *geometry, bool (*each)(const cJSON *ring, void *), void *arg)
{
    const cJSON *coordinates = picture_list(geometry, "coordinates");
    const cJSON *polygon;
    if (strcmp(picture_text(geometry, "type"), "Polygon") == 0) {
        (void)each_in_polygon(coordinates, each, arg);
        return;
    }
    cJSON_ArrayForEach(polygon, coordinates)
    {
        if (!each_in_polygon(polygon, each, arg))
            return;
    }
}

static bool is_position(const cJSON *position)
{
    const cJSON *longitude = cJSON_IsArray(position) ? position->child : NULL;
    return longitude && cJSON_IsNumber(longitude) && cJSON_IsNumber(longitude->next);
}

static bool is_in_world(double longitude, double latitude)
{
    return isfinite(longitude) && isfinite(latitude) && fabs(longitude) <= 180 &&
           fabs(latitude) <= 90;
}

static void widen(struct outlines *outlines, double longitude, double latitude)
{
    outlines->west = fmin(outlines->west, longitude);
    outlines->east = fmax(outlines->east, longitude);
    outlines->south = fmin(outlines->south, latitude);
    outlines->north = fmax(outlines->north, latitude);
}

static bool check_ring(const cJSON *ring, void *arg)
{
    struct reading *r = arg;
    const cJSON *position;
    size_t n = 0;
    cJSON_ArrayForEach(position, ring)
    {
        if (!is_position(position)) {
            fail(r, ERR_MALFORMED, "a position that is not [longitude, latitude]");
            return false;
        }
        double longitude = position->child->valuedouble;
        double latitude = position->child->next->valuedouble;
        if (!is_in_world(longitude, latitude)) {
            fail(r, ERR_MALFORMED,
                 "positions have to be longitude and latitude in degrees (WGS 84): convert the "
                 "file, with ogr2ogr -t_srs EPSG:4326, say");
            return false;
        }
        widen(r->outlines, longitude, latitude);
        n++;
    }
    if (n < 4)
        fail(r, ERR_MALFORMED, "a ring of a polygon needs at least four positions");
    return !r->err;
}

// --- which place an outline is of ---

static bool is_word(const cJSON *property)
{
    return cJSON_IsString(property) && property->valuestring[0];
}

static const cJSON *find_count(const cJSON *answer, const char *name)
{
    const cJSON *count;
    cJSON_ArrayForEach(count, picture_list(answer, "counts"))
    {
        if (strcmp(picture_text(count, "place"), name) == 0)
            return count;
    }
    return NULL;
}

// Beside WD25CD stands WD25NM, as statistical offices call them; others say "name".
static const char *find_name(const cJSON *properties, const cJSON *code)
{
    size_t n = strlen(code->string);
    const cJSON *property;
    cJSON_ArrayForEach(property, properties)
    {
        bool is_pair = n > 2 && strcmp(code->string + n - 2, "CD") == 0 &&
                       strlen(property->string) == n &&
                       strncmp(property->string, code->string, n - 2) == 0 &&
                       strcmp(property->string + n - 2, "NM") == 0;
        if (property != code && is_word(property) &&
            (is_pair || strcmp(property->string, "name") == 0))
            return property->valuestring;
    }
    return "";
}

static void find_place(struct reading *r, const cJSON *properties, struct outline *outline)
{
    const cJSON *property;
    size_t n = 0;
    if (!cJSON_IsObject(properties))
        return;
    cJSON_ArrayForEach(property, properties)
    {
        if (++n > PROPERTIES_MAX)
            return;
        outline->count = is_word(property) ? find_count(r->answer, property->valuestring) : NULL;
        if (!outline->count)
            continue;
        outline->name = find_name(properties, property);
        return;
    }
}

static int compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)(*(struct outline *const *)a)->count;
    uintptr_t y = (uintptr_t)(*(struct outline *const *)b)->count;
    return (x > y) - (x < y);
}

// A name is not an id: what several are called is nobody's.
static void forget_doubtful(struct reading *r)
{
    struct outlines *outlines = r->outlines;
    struct outline **by_count = calloc(outlines->n + 1, sizeof(struct outline *));
    if (!by_count) {
        fail(r, ERR_NOMEM, "out of memory");
        return;
    }
    for (size_t i = 0; i < outlines->n; i++)
        by_count[i] = &outlines->all[i];
    qsort(by_count, outlines->n, sizeof(struct outline *), compare);
    for (size_t i = 0, end; i < outlines->n; i = end) {
        const cJSON *count = by_count[i]->count;
        for (end = i + 1; end < outlines->n && by_count[end]->count == count; end++)
            continue;
        for (size_t k = i; end - i > 1 && k < end; k++)
            by_count[k]->count = NULL;
    }
    free(by_count);
}

// One that nothing is found in is likely to be of other places.
static void check_found(struct reading *r)
{
    const char *example = NULL;
    const cJSON *count;
    for (size_t i = 0; i < r->outlines->n; i++) {
        if (r->outlines->all[i].count)
            return;
    }
    cJSON_ArrayForEach(count, picture_list(r->answer, "counts"))
    {
        if (!example && *picture_text(count, "place"))
            example = picture_text(count, "place");
    }
    if (example)
        r->err = fault_set(r->fault, ERR_NOT_FOUND,
                           "%s: no property of exactly one feature is a place of the picture, such "
                           "as \"%.80s\"",
                           r->path, example);
}

// --- the file ---

static bool can_be_drawn(const cJSON *geometry)
{
    const char *type = picture_text(geometry, "type");
    return strcmp(type, "Polygon") == 0 || strcmp(type, "MultiPolygon") == 0;
}

static void take_feature(struct reading *r, const cJSON *feature)
{
    const cJSON *geometry = picture_list(feature, "geometry");
    struct outline *outline = &r->outlines->all[r->outlines->n];
    if (!can_be_drawn(geometry))
        return;
    *outline = (struct outline){.geometry = geometry, .name = ""};
    outlines_each_ring(geometry, check_ring, r);
    find_place(r, picture_list(feature, "properties"), outline);
    r->outlines->n++;
}

static void take_features(struct reading *r)
{
    const cJSON *features = picture_list(r->outlines->document, "features");
    const cJSON *feature;
    int n = cJSON_IsArray(features) ? cJSON_GetArraySize(features) : 0;
    if (n > OUTLINES_FEATURES_MAX) {
        fail(r, ERR_LIMIT, "it has more than 5,000 features: take larger places, or a part");
        return;
    }
    r->outlines->all = calloc((size_t)n + 1, sizeof(struct outline));
    if (!r->outlines->all) {
        fail(r, ERR_NOMEM, "out of memory");
        return;
    }
    cJSON_ArrayForEach(feature, features)
    {
        r->feature++;
        if (!r->err)
            take_feature(r, feature);
    }
    r->feature = 0;
    if (r->outlines->n == 0)
        fail(r, ERR_MALFORMED,
             "it has no outlines: a GeoJSON FeatureCollection of polygons is needed (RFC 7946)");
}

// Memory before it is taken: no value without one of these before it.
static bool has_too_many_values(struct bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == ',' || text.p[i] == '[' || text.p[i] == '{';
    return n > OUTLINES_VALUES_MAX;
}

static void read(struct reading *r)
{
    struct buf text BUF_CLEANUP = {0};
    r->err = file_read(r->path, OUTLINES_BYTES_MAX, &text, r->fault);
    if (r->err)
        return;
    if (has_too_many_values(buf_bytes(&text))) {
        fail(r, ERR_LIMIT, "its outlines are too fine: simplify them, with mapshaper, say");
        return;
    }
    r->outlines->document = cJSON_ParseWithLength((const char *)text.p, text.n);
    if (!r->outlines->document)
        fail(r, ERR_MALFORMED, "it is no JSON");
}

void outlines_done(struct outlines *outlines)
{
    cJSON_Delete(outlines->document);
    free(outlines->all);
    *outlines = (struct outlines){.document = NULL};
}

enum err outlines_read(const char *path, const cJSON *answer, struct outlines *outlines,
                       struct fault *fault)
{
    struct outlines fresh = {.west = 180, .south = 90, .east = -180, .north = -90};
    struct reading r = {.path = path, .outlines = &fresh, .answer = answer, .fault = fault};
    read(&r);
    if (!r.err)
        take_features(&r);
    if (!r.err)
        forget_doubtful(&r);
    if (!r.err)
        check_found(&r);
    if (r.err)
        outlines_done(&fresh);
    else
        *outlines = fresh;
    return r.err;
}
