#pragma once

// A hub and some devices in a directory of their own. Whatever goes wrong in making them ends the
// test (assert).

#include "tests/client/hub_double.h"

enum { WORLD_DEVICES_MAX = 4 };

// A device with a clock and randomness that the test rules.
struct phone {
    struct folkmoot *fm;
    int64_t now;
    uint64_t seed;
    uint64_t drawn;
    char path[96];
};

struct world {
    char path[64];
    struct hub_double *hub;
    struct phone phones[WORLD_DEVICES_MAX];
    size_t n;
    unsigned copies;
};

// 2026-11-23T10:00:00Z, when every world begins.
#define WORLD_NOW INT64_C(1795428000000)

// A hub and n devices that have joined it, the first as coordinator, the others as volunteers.
void world_open(struct world *world, size_t n);
// The same, but the devices have not joined.
void world_open_apart(struct world *world, size_t n);
void world_close(struct world *world);
// Opens a device's store, which may exist.
void phone_open(struct phone *phone, const char *path, uint64_t seed);
// Copies a phone with its store, which is closed meanwhile; the copy's randomness is its own. The
// caller closes it.
void phone_clone(struct world *world, struct phone *phone, struct phone *copy);
// Joins with a new invitation.
void world_join(struct world *world, struct phone *phone, enum role role);

// Syncs; the code of the session's error, FOLKMOOT_OK when it is done. line may be NULL.
enum folkmoot_code phone_sync(struct phone *phone, struct hub_double *hub, struct hub_line *line,
                              struct folkmoot_progress *progress);
// Joins by a link; the code as above.
enum folkmoot_code phone_join(struct phone *phone, struct hub_double *hub, const char *link,
                              struct hub_line *line);
// Syncs every device twice, so that all have all.
void world_sync_all(struct world *world);
// How many live values a field has; `text` (may be NULL) the one that is shown, in `size` bytes.
size_t phone_values(struct phone *phone, const char *kind, const uint8_t *id, const char *name,
                    bool *tension, char *text, size_t size);
// How many records of a kind it lists.
size_t phone_count(struct phone *phone, const char *kind);
// Edits one field.
enum folkmoot_code phone_put(struct phone *phone, const char *kind, const uint8_t *id,
                             const char *field, const char *value);
// Adds a need with this title.
void phone_add_need(struct phone *phone, const char *title, uint8_t id[16]);
