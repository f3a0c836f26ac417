// Text from outside, its words, and what is looked for: words are bounded UTF-8 and the same when
// they are split again; a text has all the words of a question made of itself; segments give back
// what was put into them, merged or not.

#include <stdlib.h>

#include "base/text.h"
#include "sync/search_query.h"
#include "sync/search_segment.h"
#include "tests/fuzz/fuzz.h"

enum { HALVES = 2, WORDS_MOST = 4096 };

struct put {
    struct buf terms;
    struct segment_word words[WORDS_MOST];
    size_t n;
};

static bool put_word(struct bytes word, unsigned flags, void *arg)
{
    struct put *put = arg;
    assert(word.n > 0 && word.n <= WORDS_BYTES_MAX && text_is_utf8(word));
    assert((flags & ~(unsigned)(WORDS_AT_END | WORDS_LAST | WORDS_ALONE)) == 0);
    if (put->n == WORDS_MOST)
        return false;
    put->words[put->n] = (struct segment_word){.term = (uint32_t)put->terms.n,
                                               .term_n = (uint8_t)word.n,
                                               .in_title = put->n % 3 == 0,
                                               .document = (uint32_t)put->n % 7};
    put->n++;
    buf_put(&put->terms, word);
    assert(!put->terms.err);
    return true;
}

struct sought {
    uint32_t document;
    bool in_title;
    bool found;
};

static bool seek(uint32_t document, bool in_title, bool whole, void *arg)
{
    struct sought *sought = arg;
    if (whole && document == sought->document) {
        assert(in_title || !sought->in_title);
        sought->found = true;
    }
    return true;
}

static void expect_all(const struct segment *segment, const struct put *put, uint32_t shift,
                       uint32_t gone)
{
    for (size_t i = 0; i < put->n; i++) {
        const struct segment_word *word = &put->words[i];
        struct bytes term = bytes_of(put->terms.p + word->term, word->term_n);
        struct sought sought = {.document = word->document + shift, .in_title = word->in_title};
        segment_each(segment, term, i % 2, seek, &sought);
        assert(sought.found == (sought.document != gone));
    }
}

static void check_segments(struct put put[HALVES])
{
    static uint32_t numbers[14];
    struct segment *segments[HALVES];
    struct segment *merged = NULL;
    for (uint32_t i = 0; i < 14; i++)
        numbers[i] = i == 9 ? SEGMENT_GONE : i;
    for (size_t i = 0; i < HALVES; i++) {
        for (size_t k = 0; k < put[i].n; k++)
            put[i].words[k].document += (uint32_t)i * 7;
        enum err err = segment_make(buf_bytes(&put[i].terms), put[i].words, put[i].n, &segments[i]);
        assert(!err);
        expect_all(segments[i], &put[i], 0, UINT32_MAX);
    }
    enum err err =
        segment_merge((const struct segment *const *)segments, HALVES, numbers, 0, &merged);
    assert(!err);
    for (size_t i = 0; i < HALVES; i++)
        expect_all(merged, &put[i], 0, 9);
    segment_free(&merged);
    segment_free(&segments[0]);
    segment_free(&segments[1]);
}

static void check_question(struct bytes text)
{
    struct search_query query = {.n = 0};
    struct search_found found = {0};
    if (search_query_read(text, &query, NULL))
        return;
    assert(query.n > 0 && query.n <= SEARCH_WORDS_MAX);
    search_look(&query, text, true, &found);
    assert(search_rank(&query, &found) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct put put[HALVES];
    for (size_t i = 0; i < HALVES; i++) {
        struct bytes half = bytes_of(data + i * (size / 2), size / 2);
        put[i].n = 0;
        buf_reset(&put[i].terms);
        words_each(half, put_word, &put[i]);
        check_question(half);
    }
    check_segments(put);
    for (size_t i = 0; i < HALVES; i++)
        buf_done(&put[i].terms);
    return 0;
}
