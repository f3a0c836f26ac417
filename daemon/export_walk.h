#pragma once

// Goes over the records that an export gives, page by page, each page in a short read transaction
// of its own. What is written while it goes on may be met or not. One thread at a time.

#include "storage/store.h"
#include "sync/given.h"
#include "sync/names.h"

struct export_page {
    struct arena arena;
    struct given *records;
    size_t n;
};

struct export_walk {
    struct store *store;
    struct given_to to;
    uint32_t kind; // that it is at
    // From here on its own.
    uint8_t after[ID_SIZE]; // the last that was looked at; has_after: there was one
    bool has_after;
    struct names names; // of outsiders: records come in the order of their names
    size_t at;          // in names
    bool is_named;      // names are there
    bool is_over;       // of this kind
    uint64_t closed;    // records that were not for this audience
    bool damaged;
    void (*left_out)(void *arg, uint32_t kind, const uint8_t *id, const char *why);
    void *arg;
};

// Begins with the first record of a kind.
void export_walk_kind(struct export_walk *walk, uint32_t kind);
// Reads the next page; it is ended by export_page_done in any case. An empty one is no end: that
// is when is_over says so.
enum err export_walk_page(struct export_walk *walk, struct export_page *page) must_check;
void export_page_done(struct export_page *page);
// One record, under the id that it is given by. ERR_NOT_FOUND as given_record.
enum err export_walk_look(struct export_walk *walk, uint32_t kind, struct bytes id,
                          struct arena *arena, struct given *given) must_check;
void export_walk_done(struct export_walk *walk);
