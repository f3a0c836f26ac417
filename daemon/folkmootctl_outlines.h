#pragma once

// Outlines of places, read from a GeoJSON file (RFC 7946): a FeatureCollection of polygons and
// multipolygons. Places are found by what they are called: whichever property is equal to one.

#include <cjson/cJSON.h>

#include "base/buf.h"

enum {
    OUTLINES_BYTES_MAX = 64 << 20,
    OUTLINES_FEATURES_MAX = 5000,
    OUTLINES_VALUES_MAX = 4000000, // each takes some 100 bytes of memory while it is read
};

struct outline {
    const cJSON *geometry; // NULL: it has none that can be drawn
    const cJSON *count;    // of the picture's counts, by place; NULL: none of its
    const char *name;      // of the place, beside its code; "" when that is not told
};

// All zero is none.
struct outlines {
    cJSON *document; // what the others point into
    struct outline *all;
    size_t n;
    double west, south, east, north; // degrees, of everything
};

void outlines_done(struct outlines *outlines);
// Reads and checks the whole file, and finds in it the places of the answer (the hub's, which is
// borrowed from then on). A place that several outlines are called after is none's. The fault says
// what to do.
enum err outlines_read(const char *path, const cJSON *answer, struct outlines *outlines,
                       struct fault *fault) must_check;
// Calls `each` with each ring of a geometry: a list of at least four positions, all checked. It
// returns false to end.
void outlines_each_ring(const cJSON *geometry, bool (*each)(const cJSON *ring, void *), void *arg);
