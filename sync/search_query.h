#pragma once

// What somebody looks for: words that must all occur, the last of which may be the beginning of a
// word; and whether a text has them. Any thread.

#include "base/err.h"
#include "base/words.h"

enum {
    SEARCH_WORDS_MAX = 32,
    SEARCH_TEXT_MAX = 400, // bytes of what is asked
};

struct search_term {
    uint8_t p[WORDS_BYTES_MAX];
    uint8_t n;
    bool is_prefix;
};

struct search_query {
    struct search_term terms[SEARCH_WORDS_MAX];
    size_t n;
};

// Reads what somebody typed. ERR_MALFORMED: there is no word in it; ERR_LIMIT: too long, or too
// many.
enum err search_query_read(struct bytes text, struct search_query *query,
                           struct fault *fault) must_check;

// Which words were found; zeros at first. Bit i: the i-th.
struct search_found {
    uint32_t any;
    uint32_t in_title;
    uint32_t whole;
};

void search_look(const struct search_query *query, struct bytes text, bool is_title,
                 struct search_found *found);

// How well all the words were found: the lesser, the better. SEARCH_NOT: not all.
enum { SEARCH_RANKS = 4, SEARCH_NOT = SEARCH_RANKS };
// Whole words before beginnings, then all in titles before elsewhere.
static inline unsigned search_rank_of(bool all_whole, bool all_in_title)
{
    return (all_whole ? 0U : 2U) + (all_in_title ? 0U : 1U);
}
unsigned search_rank(const struct search_query *query, const struct search_found *found);
