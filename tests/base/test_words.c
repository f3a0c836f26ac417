#include <criterion/criterion.h>

#include "base/text.h"
#include "base/words.h"
#include "tests/leaks.h"

struct heard {
    char text[4096]; // the words, with a bar between them
    unsigned flags;  // of the last
    size_t n;
    size_t most; // words after which it ends
};

static bool hear(struct bytes word, unsigned flags, void *arg)
{
    struct heard *heard = arg;
    size_t n = strlen(heard->text);
    cr_assert(word.n > 0 && word.n <= WORDS_BYTES_MAX && text_is_utf8(word));
    if (n + word.n + 2 < sizeof heard->text) {
        if (n)
            heard->text[n++] = '|';
        memcpy(heard->text + n, word.p, word.n);
        heard->text[n + word.n] = 0;
    }
    heard->flags = flags;
    return ++heard->n != heard->most;
}

static struct heard words_of(const char *text)
{
    struct heard heard = {.n = 0};
    words_each(bytes_of_text(text), hear, &heard);
    return heard;
}

// As somebody wrote it, and its words.
static const char *const rows[][2] = {
    {"", ""},
    {" ,.-\n\t!", ""},
    {"Water", "water"},
    {"Don't wait, we NEED 24-hour water!", "don|t|wait|we|need|24|hour|water"},
    {"Stra\u00dfe STRASSE", "strasse|strasse"},
    {"\ufb01ve \uff37\uff41\uff54\uff45\uff52 \u2460", "five|water|1"},
    // With accents and without, composed or not.
    {"Caf\u00e9 Cafe\u0301 cafe", "cafe|cafe|cafe"},
    {"\u0141\u00f3d\u017a Lodz \u00d8rsted", "lodz|lodz|orsted"},
    {"n\u01b0\u1edbc u\u1ed1ng \u0110\u1ed3ng nuoc uong dong", "nuoc|uong|dong|nuoc|uong|dong"},
    {"\u0130stanbul \u0131s\u0131 ISI", "istanbul|isi|isi"},
    {"\u0412\u043e\u0434\u0430 \u0401\u043b\u043a\u0430 \u0435\u043b\u043a\u0430",
     "\u0432\u043e\u0434\u0430|\u0435\u043b\u043a\u0430|\u0435\u043b\u043a\u0430"},
    {"\u038e\u03b4\u03c9\u03c1 \u03a5\u0394\u03a9\u03a1 \u03bf\u03b4\u03cc\u03c2 "
     "\u039f\u0394\u039f\u03a3",
     "\u03c5\u03b4\u03c9\u03c1|\u03c5\u03b4\u03c9\u03c1|\u03bf\u03b4\u03bf\u03c3|"
     "\u03bf\u03b4\u03bf\u03c3"},
    // Arabic: with and without vowels, hamza and tatweel; Persian letters and digits.
    {"\u0645\u064e\u0627\u0621\u064c \u0645\u0627\u0621", "\u0645\u0627\u0621|\u0645\u0627\u0621"},
    {"\u0623\u0645\u0640\u0640\u0627\u0646 \u0627\u0645\u0627\u0646",
     "\u0627\u0645\u0627\u0646|\u0627\u0645\u0627\u0646"},
    {"\u0645\u062f\u0631\u0633\u0629 \u0645\u062f\u0631\u0633\u0647",
     "\u0645\u062f\u0631\u0633\u0647|\u0645\u062f\u0631\u0633\u0647"},
    {"\u06a9\u06cc \u0643\u064a \u0661\u0662 \u06f1\u06f2", "\u0643\u064a|\u0643\u064a|12|12"},
    // Hebrew with points and without.
    {"\u05de\u05b7\u05d9\u05b4\u05dd \u05de\u05d9\u05dd", "\u05de\u05d9\u05dd|\u05de\u05d9\u05dd"},
    // Hindi keeps its vowels and conjuncts; the dot below may be left out.
    {"\u092a\u093e\u0928\u0940 \u092a\u0928", "\u092a\u093e\u0928\u0940|\u092a\u0928"},
    {"\u0938\u0921\u093c\u0915 \u0938\u0921\u0915", "\u0938\u0921\u0915|\u0938\u0921\u0915"},
    {"\u0935\u093f\u0926\u094d\u092f\u093e\u0932\u092f",
     "\u0935\u093f\u0926\u094d\u092f\u093e\u0932\u092f"},
    // Joiners that nobody sees.
    {"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
     "\u0645\u064a\u062e\u0648\u0627\u0647\u0645"},
    {"wa\u00adter", "water"},
    // Korean: syllables, whole or in their parts.
    {"\ubb3c\uc774 \u1106\u116e\u11af\u110b\u1175", "\ubb3c\uc774|\ubb3c\uc774"},
    // Scripts without spaces.
    {"\u6c34", "\u6c34"},
    {"\u996e\u7528\u6c34", "\u996e\u7528|\u7528\u6c34|\u6c34"},
    {"\u6c34water\u6c34", "\u6c34|water|\u6c34"},
    {"\u304c\u304d \u304b\u3099\u304d \uff76\uff9e",
     "\u304c\u304d|\u304d|\u304c\u304d|\u304d|\u30ac"},
    {"\u0e19\u0e49\u0e33", "\u0e19\u0e49\u0e4d\u0e32|\u0e32"},
    // Marks without a letter are no word, and emoji part words.
    {"\u0301 a\u0301\u0301b", "ab"},
    {"a\U0001f4a7b", "a|b"},
};

Test(words, of_many_scripts_are_what_people_type)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct heard heard = words_of(rows[i][0]);
        cr_assert_str_eq(heard.text, rows[i][1], "%s: %s, not %s", rows[i][0], heard.text,
                         rows[i][1]);
    }
    expect_no_leaks();
}

Test(words, say_whether_the_text_ends_with_them)
{
    cr_assert_eq(words_of("clean water").flags, WORDS_AT_END);
    cr_assert_eq(words_of("clean water ").flags, 0);
    cr_assert_eq(words_of("\u6c34").flags, WORDS_AT_END | WORDS_ALONE);
    cr_assert_eq(words_of("\u996e\u6c34").flags, WORDS_AT_END | WORDS_LAST);
    cr_assert_eq(words_of("\u996e\u6c34\u3002").flags, WORDS_LAST);
}

Test(words, that_are_huge_are_cut_at_a_character)
{
    char text[4001];
    memset(text, 'A', 4000);
    text[4000] = 0;
    struct heard heard = words_of(text);
    cr_assert(heard.n == 1 && strlen(heard.text) == WORDS_BYTES_MAX);
    for (size_t i = 0; i < 4000; i += 4)
        memcpy(text + i, "\U00010400", 4);
    heard = words_of(text);
    cr_assert(heard.n == 1 && strlen(heard.text) == WORDS_BYTES_MAX);
    // A letter with a thousand marks, of each sort.
    for (size_t i = 0; i < 3999; i += 3)
        memcpy(text + i, i ? "\u0941" : "\u0928", 3);
    text[3999] = 0;
    heard = words_of(text);
    cr_assert(heard.n == 1 && strlen(heard.text) <= WORDS_BYTES_MAX);
    for (size_t i = 0; i < 3999; i += 3)
        memcpy(text + i, i % 999 ? "\u3099" : "\u304b", 3);
    heard = words_of(text);
    cr_assert_eq(heard.n, 5);
}

Test(words, are_parted_by_what_is_no_utf8)
{
    cr_assert_str_eq(words_of("a\xff"
                              "b\xc3")
                         .text,
                     "a|b");
    struct heard heard = {.n = 0};
    words_each(bytes_of("a\0b", 3), hear, &heard);
    cr_assert_str_eq(heard.text, "a|b");
}

Test(words, end_when_the_caller_has_enough)
{
    struct heard heard = {.most = 2};
    words_each(bytes_of_text("one two three"), hear, &heard);
    cr_assert_str_eq(heard.text, "one|two");
    heard = (struct heard){.most = 1};
    words_each(bytes_of_text("\u996e\u7528\u6c34 four"), hear, &heard);
    cr_assert_eq(heard.n, 1);
}

// U+FF01 to U+FF5E are the wide forms of ASCII, and U+3000 is that of the space.
static size_t put_wide(char c, char *out)
{
    unsigned code = c == ' ' ? 0x3000 : 0xff01 + (unsigned)(c - '!');
    out[0] = (char)(0xe0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3f));
    out[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

Test(words, of_ascii_are_those_of_its_wide_forms)
{
    enum { LENGTH = 300, TRIES = 2000 };
    uint32_t number = 1;
    for (unsigned try = 0; try < TRIES; try++) {
        char narrow[LENGTH + 1] = "", wide[3 * LENGTH + 1] = "", mixed[3 * LENGTH + 1] = "";
        size_t wide_n = 0, mixed_n = 0;
        for (size_t i = 0; i < LENGTH; i++) {
            number = number * 1664525 + 1013904223;
            char c = (char)(' ' + (number >> 16) % ('~' - ' ' + 1));
            // More letters than signs, and some long words.
            c = (number >> 8) % (2 + try % 60) ? (char)('A' + (number >> 20) % 26) : c;
            narrow[i] = c;
            wide_n += put_wide(c, wide + wide_n);
            if (number >> 31)
                mixed_n += put_wide(c, mixed + mixed_n);
            else
                mixed[mixed_n++] = c;
        }
        struct heard heard = words_of(narrow), of_wide = words_of(wide), of_mixed = words_of(mixed);
        cr_assert(heard.n == of_wide.n && heard.n == of_mixed.n, "%s", narrow);
        cr_assert_str_eq(heard.text, of_wide.text);
        cr_assert_str_eq(heard.text, of_mixed.text);
    }
}
