#pragma once

// Words of some documents and in which of them each stands: sorted, packed, never changed
// (docs/disk-format.md, Text search). In memory alone. Any thread; a writer or cursor is one's.

#include "base/buf.h"
#include "base/words.h"

struct segment;

// What a document's number becomes, or that it is left out.
enum { SEGMENT_GONE = UINT32_MAX };

// A word in a document.
struct segment_word {
    uint32_t term; // where it begins among the bytes that they share
    uint8_t term_n;
    bool in_title;
    uint32_t document;
    uint64_t head; // segment_make's own
};

// Sorts the words (in place) and packs them. ERR_NOMEM.
enum err segment_make(struct bytes terms, struct segment_word *words, size_t n,
                      struct segment **segment) must_check;
// Packs several as one. They are in the order of their documents. numbers: the new number of each
// document from the number `first` on, ascending, or SEGMENT_GONE. ERR_NOMEM.
enum err segment_merge(const struct segment *const *segments, size_t n, const uint32_t *numbers,
                       uint32_t first, struct segment **merged) must_check;
// Overwrites and frees it. NULL is fine.
void segment_free(struct segment **segment);
// Bytes of memory.
size_t segment_bytes(const struct segment *segment);

// Calls `each` for every document with this word, or (is_prefix) with words that begin so, until it
// returns false: of one word in the order of numbers; whole: it is the word itself.
bool segment_each(const struct segment *segment, struct bytes term, bool is_prefix,
                  bool (*each)(uint32_t document, bool in_title, bool whole, void *arg), void *arg);
