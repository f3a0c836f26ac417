#include "sync/search_query.h"

struct reading {
    struct search_query *query;
    bool too_many;
};

static bool is_in(const struct search_query *query, const struct search_term *term)
{
    for (size_t i = 0; i < query->n; i++) {
        const struct search_term *other = &query->terms[i];
        if (other->is_prefix == term->is_prefix &&
            bytes_equal(bytes_of(other->p, other->n), bytes_of(term->p, term->n)))
            return true;
    }
    return false;
}

// One letter of an alphabet begins too much.
static bool is_one_letter(struct bytes word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.n; i++)
        n += (word.p[i] & 0xc0) != 0x80;
    return n < 2;
}

static bool take(struct bytes word, unsigned flags, void *arg)
{
    struct reading *reading = arg;
    struct search_query *query = reading->query;
    if (flags & WORDS_LAST) // in the word before it, too
        return true;
    struct search_term term = {.n = (uint8_t)word.n};
    memcpy(term.p, word.p, word.n);
    term.is_prefix = (flags & WORDS_ALONE) || ((flags & WORDS_AT_END) && !is_one_letter(word));
    if (is_in(query, &term))
        return true;
    reading->too_many = query->n == SEARCH_WORDS_MAX;
    if (!reading->too_many)
        query->terms[query->n++] = term;
    return !reading->too_many;
}

enum err search_query_read(struct bytes text, struct search_query *query, struct fault *fault)
{
    struct search_query read = {.n = 0};
    struct reading reading = {.query = &read};
    if (text.n > SEARCH_TEXT_MAX)
        return fault_set(fault, ERR_LIMIT, "the words to find have more than %d bytes",
                         SEARCH_TEXT_MAX);
    words_each(text, take, &reading);
    if (reading.too_many)
        return fault_set(fault, ERR_LIMIT, "more than %d words to find", SEARCH_WORDS_MAX);
    if (read.n == 0)
        return fault_set(fault, ERR_MALFORMED, "there is no word to find in it");
    *query = read;
    return OK;
}

struct looking {
    const struct search_query *query;
    struct search_found *found;
    bool is_title;
};

static bool compare(struct bytes word, unsigned flags, void *arg)
{
    (void)flags;
    struct looking *looking = arg;
    for (size_t i = 0; i < looking->query->n; i++) {
        const struct search_term *term = &looking->query->terms[i];
        bool whole = word.n == term->n;
        if (word.n < term->n || !(whole || term->is_prefix) ||
            memcmp(word.p, term->p, term->n) != 0)
            continue;
        uint32_t bit = (uint32_t)1 << i;
        looking->found->any |= bit;
        looking->found->whole |= whole ? bit : 0;
        looking->found->in_title |= looking->is_title ? bit : 0;
    }
    return true;
}

void search_look(const struct search_query *query, struct bytes text, bool is_title,
                 struct search_found *found)
{
    struct looking looking = {query, found, is_title};
    words_each(text, compare, &looking);
}

unsigned search_rank(const struct search_query *query, const struct search_found *found)
{
    uint32_t all = UINT32_MAX >> (SEARCH_WORDS_MAX - query->n);
    if (found->any != all)
        return SEARCH_NOT;
    return search_rank_of(found->whole == all, found->in_title == all);
}
