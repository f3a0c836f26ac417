#include "sync/search_segment.h"

#include <assert.h>
#include <stdlib.h>

enum { BLOCK = 16, NUMBER_MAX = 10 };

static const size_t bytes_max = (size_t)1 << 30; // a block's place is a u32

struct segment {
    struct buf packed;
    struct buf blocks; // where each block begins: u32, big-endian
};

// --- numbers ---

static void put_number(struct buf *out, uint64_t v)
{
    uint8_t bytes[NUMBER_MAX];
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (uint8_t)(v | 0x80);
    bytes[n++] = (uint8_t)v;
    buf_put(out, bytes_of(bytes, n));
}

// What was packed here is sound.
static uint64_t take_number(struct bytes *in)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        assert(in->n > 0 && shift < 64);
        uint8_t byte = *in->p;
        *in = bytes_of(in->p + 1, in->n - 1);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
}

// --- writing ---

struct writer {
    struct segment *segment;
    uint8_t last[WORDS_BYTES_MAX]; // term that was packed
    size_t last_n;
    size_t terms;
    struct buf postings; // of the term that is being packed
    uint32_t before;     // document in them
    bool has_pending;    // a document that may be told once more
    bool pending_in_title;
    uint32_t pending;
};

static bool writer_begin(struct writer *w)
{
    *w = (struct writer){.segment = calloc(1, sizeof *w->segment)};
    if (w->segment)
        w->segment->packed.max = bytes_max;
    return w->segment != NULL;
}

static void put_pending(struct writer *w)
{
    if (w->has_pending) {
        put_number(&w->postings, (uint64_t)(w->pending - w->before) << 1 | w->pending_in_title);
        w->before = w->pending;
    }
    w->has_pending = false;
}

static void put_document(struct writer *w, uint32_t document, bool in_title)
{
    if (w->has_pending && w->pending == document) {
        w->pending_in_title |= in_title;
        return;
    }
    put_pending(w);
    w->has_pending = true;
    w->pending = document;
    w->pending_in_title = in_title;
}

static size_t shared_with_last(const struct writer *w, struct bytes term)
{
    size_t n = 0;
    while (n < term.n && n < w->last_n && term.p[n] == w->last[n])
        n++;
    return n;
}

static void end_term(struct writer *w, struct bytes term)
{
    struct buf *packed = &w->segment->packed;
    put_pending(w);
    if (w->postings.n > 0) {
        bool begins = w->terms++ % BLOCK == 0;
        size_t shared = begins ? 0 : shared_with_last(w, term);
        if (begins)
            buf_put_be32(&w->segment->blocks, (uint32_t)packed->n);
        const uint8_t sizes[] = {(uint8_t)shared, (uint8_t)(term.n - shared)};
        buf_put(packed, BYTES(sizes));
        buf_put(packed, bytes_of(term.p + shared, term.n - shared));
        put_number(packed, w->postings.n);
        buf_put(packed, buf_bytes(&w->postings));
        memcpy(w->last, term.p, term.n);
        w->last_n = term.n;
    }
    if (w->postings.err && !packed->err)
        packed->err = w->postings.err;
    buf_reset(&w->postings);
    w->before = 0;
}

static void wipe(struct buf *buf)
{
    if (buf->p)
        bytes_wipe(buf->p, buf->cap);
    buf_done(buf);
}

// Memory that was asked for and is not needed is given back, unless that fails.
static void shrink(struct buf *buf)
{
    uint8_t *p = buf->n ? malloc(buf->n) : NULL;
    if (!p)
        return;
    memcpy(p, buf->p, buf->n);
    bytes_wipe(buf->p, buf->cap);
    free(buf->p);
    buf->p = p;
    buf->cap = buf->n;
}

static enum err writer_end(struct writer *w, struct segment **segment)
{
    enum err err = w->segment->packed.err ? w->segment->packed.err : w->segment->blocks.err;
    wipe(&w->postings);
    bytes_wipe(w->last, sizeof w->last);
    if (err) {
        segment_free(&w->segment);
        return err;
    }
    shrink(&w->segment->packed);
    shrink(&w->segment->blocks);
    *segment = w->segment;
    return OK;
}

void segment_free(struct segment **segment)
{
    if (!*segment)
        return;
    wipe(&(*segment)->packed);
    wipe(&(*segment)->blocks);
    free(*segment);
    *segment = NULL;
}

size_t segment_bytes(const struct segment *segment)
{
    return sizeof *segment + segment->packed.cap + segment->blocks.cap;
}

// --- making ---

static struct bytes term_of(struct bytes terms, const struct segment_word *word)
{
    return bytes_of(terms.p + word->term, word->term_n);
}

// The first bytes as a number that is in the order of terms: no term has a byte of zero.
static uint64_t head_of(struct bytes term)
{
    uint8_t head[8] = {0};
    memcpy(head, term.p, term.n < sizeof head ? term.n : sizeof head);
    return be64_get(head);
}

static int by_term(const void *a, const void *b, void *arg)
{
    const struct bytes *terms = arg;
    const struct segment_word *x = a;
    const struct segment_word *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    int order = bytes_compare(term_of(*terms, x), term_of(*terms, y));
    if (order)
        return order;
    return x->document < y->document ? -1 : x->document > y->document;
}

enum err segment_make(struct bytes terms, struct segment_word *words, size_t n,
                      struct segment **segment)
{
    struct writer w;
    if (!writer_begin(&w))
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        words[i].head = head_of(term_of(terms, &words[i]));
    if (n > 1)
        qsort_r(words, n, sizeof *words, by_term, &terms);
    for (size_t i = 0; i < n; i++) {
        struct bytes term = term_of(terms, &words[i]);
        put_document(&w, words[i].document, words[i].in_title);
        if (i + 1 == n || !bytes_equal(term, term_of(terms, &words[i + 1])))
            end_term(&w, term);
    }
    return writer_end(&w, segment);
}

// --- reading ---

struct cursor {
    const struct segment *segment;
    struct bytes rest;
    uint8_t term[WORDS_BYTES_MAX];
    size_t term_n;
    struct bytes postings;
    bool ended;
};

static bool cursor_next(struct cursor *c)
{
    c->ended = c->rest.n == 0;
    if (c->ended)
        return false;
    size_t shared = c->rest.p[0];
    size_t n = c->rest.p[1];
    assert(shared <= c->term_n && shared + n <= WORDS_BYTES_MAX && n <= c->rest.n - 2);
    memcpy(c->term + shared, c->rest.p + 2, n);
    c->term_n = shared + n;
    c->rest = bytes_of(c->rest.p + 2 + n, c->rest.n - 2 - n);
    size_t size = (size_t)take_number(&c->rest);
    assert(size <= c->rest.n);
    c->postings = bytes_of(c->rest.p, size);
    c->rest = bytes_of(c->rest.p + size, c->rest.n - size);
    return true;
}

static void cursor_begin(struct cursor *c, const struct segment *segment, size_t at)
{
    *c = (struct cursor){.segment = segment};
    // An empty segment has no bytes to stand at.
    if (at < segment->packed.n)
        c->rest = bytes_of(segment->packed.p + at, segment->packed.n - at);
}

static size_t block_at(const struct segment *segment, size_t block)
{
    return be32_get(segment->blocks.p + block * 4);
}

// The last block whose first term is before `term`, or the first.
static size_t block_of(const struct segment *segment, struct bytes term)
{
    size_t low = 0;
    size_t high = segment->blocks.n / 4;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        const uint8_t *p = segment->packed.p + block_at(segment, middle);
        if (bytes_compare(bytes_of(p + 2, p[1]), term) < 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool give_postings(struct bytes postings, bool whole,
                          bool (*each)(uint32_t document, bool in_title, bool whole, void *arg),
                          void *arg)
{
    uint32_t document = 0;
    while (postings.n > 0) {
        uint64_t v = take_number(&postings);
        document += (uint32_t)(v >> 1);
        if (!each(document, v & 1, whole, arg))
            return false;
    }
    return true;
}

bool segment_each(const struct segment *segment, struct bytes term, bool is_prefix,
                  bool (*each)(uint32_t document, bool in_title, bool whole, void *arg), void *arg)
{
    struct cursor c;
    if (segment->blocks.n == 0)
        return true;
    cursor_begin(&c, segment, block_at(segment, block_of(segment, term)));
    while (cursor_next(&c)) {
        struct bytes found = bytes_of(c.term, c.term_n);
        if (bytes_compare(found, term) < 0)
            continue;
        bool whole = found.n == term.n;
        bool fits = found.n >= term.n && memcmp(found.p, term.p, term.n) == 0;
        if (!fits || !(whole || is_prefix))
            return true;
        if (!give_postings(c.postings, whole, each, arg))
            return false;
    }
    return true;
}

// --- merging ---

// Whose term comes first; NULL: all have ended.
static struct cursor *least(struct cursor *cursors, size_t n)
{
    struct cursor *first = NULL;
    for (size_t i = 0; i < n; i++) {
        struct cursor *c = &cursors[i];
        if (!c->ended && (!first || bytes_compare(bytes_of(c->term, c->term_n),
                                                  bytes_of(first->term, first->term_n)) < 0))
            first = c;
    }
    return first;
}

static void carry_postings(struct writer *w, struct bytes postings, const uint32_t *numbers,
                           uint32_t first)
{
    uint32_t document = 0;
    while (postings.n > 0) {
        uint64_t v = take_number(&postings);
        document += (uint32_t)(v >> 1);
        uint32_t number = numbers[document - first];
        if (number != SEGMENT_GONE)
            put_document(w, number, v & 1);
    }
}

static void merge_terms(struct writer *w, struct cursor *cursors, size_t n, const uint32_t *numbers,
                        uint32_t first)
{
    struct cursor *next;
    while ((next = least(cursors, n))) {
        uint8_t bytes[WORDS_BYTES_MAX];
        struct bytes term = bytes_of(bytes, next->term_n);
        memcpy(bytes, next->term, next->term_n);
        for (size_t i = 0; i < n; i++) {
            struct cursor *c = &cursors[i];
            if (c->ended || !bytes_equal(bytes_of(c->term, c->term_n), term))
                continue;
            carry_postings(w, c->postings, numbers, first);
            if (!cursor_next(c))
                c->ended = true;
        }
        end_term(w, term);
    }
}

enum err segment_merge(const struct segment *const *segments, size_t n, const uint32_t *numbers,
                       uint32_t first, struct segment **merged)
{
    struct writer w;
    struct cursor *cursors = calloc(n + 1, sizeof *cursors);
    if (!cursors)
        return ERR_NOMEM;
    if (!writer_begin(&w)) {
        free(cursors);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        cursor_begin(&cursors[i], segments[i], 0);
        cursors[i].ended = !cursor_next(&cursors[i]);
    }
    merge_terms(&w, cursors, n, numbers, first);
    bytes_wipe(cursors, (n + 1) * sizeof *cursors);
    free(cursors);
    return writer_end(&w, merged);
}
