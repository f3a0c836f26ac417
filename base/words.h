#pragma once

// Text as the words by which it is found, in any script. NFKC (UAX 15) and case folding, without
// the marks that people leave out when they type: accents (and the points of Hebrew and Arabic),
// not the vowels of India or the sounds of kana. A word is a run of letters, marks and numbers by
// Unicode's categories; scripts that put no spaces between words (Chinese, Japanese, Thai, Lao,
// Khmer, Burmese) give each two neighbouring characters as one word, and the last by itself.
// No memory is asked for, no word is left out for being frequent. Any thread.

#include "base/bytes.h"

enum {
    WORDS_BYTES_MAX = 48, // bytes of a word; what is longer is cut at a character
};

enum words_flag {
    WORDS_AT_END = 1, // the text ends with it
    WORDS_LAST = 2,   // the last character of a run, which is in the word before it, too
    WORDS_ALONE = 4,  // one character of a script without spaces, with no other beside it
};

// Calls `each` for every word (UTF-8, 1 to WORDS_BYTES_MAX bytes) in the order of the text until it
// returns false. What is no UTF-8 parts words. The text may be of any length.
void words_each(struct bytes text, bool (*each)(struct bytes word, unsigned flags, void *arg),
                void *arg);
