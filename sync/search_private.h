#pragma once

// What search.c and search_follow.c share.

#include <pthread.h>

#include "sync/search.h"
#include "sync/search_segment.h"

enum { SEGMENTS_MAX = 64 };

// A record as it was when it was indexed.
struct document {
    uint64_t at; // position of its latest text
    uint16_t kind;
    bool is_dead; // the record has another, or no text
    uint8_t id[ID_SIZE];
};

// Only the thread that follows changes it, under the lock; so it reads without.
struct search {
    pthread_mutex_t lock;
    uint32_t community;
    uint64_t seed;
    uint8_t log[HANDLE_SIZE];
    uint64_t position;
    uint64_t since; // the log's size when it was begun: all words were read after that
    uint8_t root[HASH_SIZE];
    bool is_damaged; // words may be missing
    struct document *documents;
    uint32_t n;
    uint32_t cap;
    uint32_t dead;
    uint32_t *places; // by hash of the record: number of its document + 1; 0: none
    uint32_t places_n;
    struct segment *segments[SEGMENTS_MAX];
    uint32_t begins[SEGMENTS_MAX]; // number of the first document of each
    size_t segments_n;
};

// The record's document that is not dead; NULL: it has none.
struct document *search_document(const struct search *search, const struct record_key *record);
// Gives the record a new document; the one that it had is dead. ERR_NOMEM, ERR_LIMIT.
enum err search_add(struct search *search, const struct record_key *record, uint64_t at,
                    uint32_t *number) must_check;
void search_kill(struct search *search, struct document *document);
// Takes in the words of the documents from the number `first` on. Segments are merged, or all is
// rewritten without what is dead.
enum err search_take(struct search *search, uint32_t first, struct bytes terms,
                     struct segment_word *words, size_t n, bool rewrite) must_check;
// Forgets all.
void search_empty(struct search *search);
