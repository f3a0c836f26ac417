#pragma once

// What tests of looking for words share: a small world whose hub has an index. Whatever fails,
// fails the test.

#include "sync/search_private.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, AUTHOR, OTHER, DEVICES };

extern struct world world;
extern struct arena arena;
extern struct search *search_of_hub;
extern struct fault fault;

void finding_open(void);
void finding_close(void);
// A new community, and an index of it that has followed nothing.
void finding_begin(uint64_t seed);
// An index that has followed nothing takes the place of the one that is there.
void finding_anew(uint64_t seed);

// The index follows the hub's log to its end.
void follow(void);
enum err ask(size_t device, const struct search_request *request,
             struct search_response *response) must_check;

// All that is found, page by page.
struct hits {
    struct record_key p[512];
    size_t n;
    size_t pages;
};

struct hits find_paged(size_t device, const char *text, uint32_t kind, uint32_t page_size);
// The same, by the author, once the log is followed.
struct hits find(const char *text);
// Whether the index itself has a word that begins so, be it of a record that is shown or not.
bool index_has(const char *word);
