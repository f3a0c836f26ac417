#include "base/words.h"

#include <utf8proc.h>

enum {
    RUN_MAX = 64,    // code points of a word
    DECOMPOSED = 32, // of one character; U+FDFA has 18
    CODE_BYTES = 4,
    ASCII_END = 0x80,
};

enum sort { SORT_BREAK, SORT_LETTER, SORT_DENSE, SORT_MARK };

struct splitting {
    bool (*each)(struct bytes word, unsigned flags, void *arg);
    void *arg;
    enum sort sort;       // of the run
    int32_t run[RUN_MAX]; // of a dense one: at most two characters with their marks
    size_t n;
    size_t second; // where the second character begins; 0: there is one
    bool had_two;  // the run has given a word of two
    bool ended;    // the text
    bool stopped;
};

// --- single characters ---

// Scripts without spaces between words.
static bool is_dense(int32_t c)
{
    static const int32_t ranges[][2] = {
        {0x0e00, 0x0eff},   {0x1000, 0x109f},   {0x1780, 0x17ff}, {0x19e0, 0x19ff},
        {0x3005, 0x3007},   {0x3041, 0x30ff},   {0x31f0, 0x31ff}, {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa9e0, 0xa9ff},   {0xaa60, 0xaa7f}, {0xf900, 0xfaff},
        {0x1b000, 0x1b16f}, {0x20000, 0x3ffff},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    }
    return false;
}

static enum sort sort_of(int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    if (category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
        category == UTF8PROC_CATEGORY_ME)
        return SORT_MARK;
    bool is_letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
    bool is_number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
    if (!is_letter && !is_number)
        return SORT_BREAK;
    return is_dense(c) ? SORT_DENSE : SORT_LETTER;
}

// Marks that many leave out: accents above, below and through; points of Hebrew, Arabic and Syriac;
// the dot of India. Not the vowels, tones and sounds of other scripts.
static bool is_left_out(int32_t c)
{
    int class = utf8proc_get_property(c)->combining_class;
    return class == 7 || (class >= 10 && class <= 36) || class >= 200 || c == 0x0640;
}

// Letters that do not decompose, and what people type for them.
static int32_t fold(int32_t c)
{
    static const int32_t pairs[][2] = {
        {0x00f8, 'o'},    {0x0111, 'd'},    {0x0127, 'h'},    {0x0131, 'i'},    {0x0142, 'l'},
        {0x0649, 0x064a}, {0x0629, 0x0647}, {0x06a9, 0x0643}, {0x06cc, 0x064a},
    };
    static const int32_t zeros[] = {0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0c66};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (c == pairs[i][0])
            return pairs[i][1];
    }
    for (size_t i = 0; i < sizeof zeros / sizeof *zeros; i++) {
        if (c >= zeros[i] && c < zeros[i] + 10)
            return '0' + c - zeros[i];
    }
    return c;
}

// --- words ---

// The Canonical Ordering Algorithm (Unicode, section 3.11).
static void put_marks_in_order(int32_t *codes, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int class = utf8proc_get_property(codes[i])->combining_class;
        for (size_t k = i; class && k > 0; k--) {
            if (utf8proc_get_property(codes[k - 1])->combining_class <= class)
                break;
            int32_t code = codes[k];
            codes[k] = codes[k - 1];
            codes[k - 1] = code;
        }
    }
}

static size_t compose(const int32_t *run, size_t run_n, uint8_t word[WORDS_BYTES_MAX])
{
    int32_t codes[RUN_MAX];
    size_t n = 0;
    memcpy(codes, run, run_n * sizeof *codes);
    put_marks_in_order(codes, run_n);
    utf8proc_ssize_t codes_n = utf8proc_normalize_utf32(codes, (utf8proc_ssize_t)run_n,
                                                        UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    for (utf8proc_ssize_t i = 0; i < codes_n; i++) {
        uint8_t bytes[CODE_BYTES];
        size_t got = (size_t)utf8proc_encode_char(codes[i], bytes);
        if (n + got > WORDS_BYTES_MAX)
            break;
        memcpy(word + n, bytes, got);
        n += got;
    }
    return n;
}

// Of ASCII alone, which is composed as it is. False: it is not.
static bool take_ascii(const int32_t *run, size_t run_n, uint8_t word[WORDS_BYTES_MAX], size_t *n)
{
    for (size_t i = 0; i < run_n; i++) {
        if (run[i] >= ASCII_END)
            return false;
        if (i < WORDS_BYTES_MAX)
            word[i] = (uint8_t)run[i];
    }
    *n = run_n < WORDS_BYTES_MAX ? run_n : WORDS_BYTES_MAX;
    return true;
}

static void give(struct splitting *s, size_t from, size_t to, unsigned flags)
{
    uint8_t word[WORDS_BYTES_MAX];
    size_t n;
    if (!take_ascii(s->run + from, to - from, word, &n))
        n = compose(s->run + from, to - from, word);
    if (n > 0 && !s->stopped)
        s->stopped = !s->each(bytes_of(word, n), flags | (s->ended ? WORDS_AT_END : 0), s->arg);
}

static void drop_first(struct splitting *s)
{
    memmove(s->run, s->run + s->second, (s->n - s->second) * sizeof *s->run);
    s->n -= s->second;
    s->second = 0;
}

static void give_two(struct splitting *s)
{
    give(s, 0, s->n, 0);
    s->had_two = true;
    drop_first(s);
}

static void end_run(struct splitting *s)
{
    if (s->second)
        give_two(s);
    if (s->n > 0 && s->sort == SORT_DENSE)
        give(s, 0, s->n, s->had_two ? WORDS_LAST : WORDS_ALONE);
    else if (s->n > 0)
        give(s, 0, s->n, 0);
    s->n = 0;
    s->had_two = false;
}

static void put_base(struct splitting *s, int32_t c, enum sort sort)
{
    if (sort != s->sort)
        end_run(s);
    s->sort = sort;
    if (sort == SORT_DENSE && s->second)
        give_two(s);
    if (sort == SORT_DENSE && s->n > 0)
        s->second = s->n;
    if (s->n < RUN_MAX)
        s->run[s->n++] = c;
}

static void put_code(struct splitting *s, int32_t c)
{
    if (is_left_out(c))
        return;
    c = fold(c);
    enum sort sort = sort_of(c);
    // Of a dense run room is left for a second character behind the marks of the first.
    size_t room = s->sort == SORT_DENSE && !s->second ? RUN_MAX / 2 : RUN_MAX;
    if (sort == SORT_MARK && s->n > 0 && s->n < room)
        s->run[s->n++] = c;
    else if (sort == SORT_BREAK)
        end_run(s);
    else if (sort != SORT_MARK)
        put_base(s, c, sort);
}

// What put_code would do, without asking Unicode's tables.
static void put_ascii(struct splitting *s, uint8_t c)
{
    uint8_t lower = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9'))
        put_base(s, lower, SORT_LETTER);
    else
        end_run(s);
}

void words_each(struct bytes text, bool (*each)(struct bytes word, unsigned flags, void *arg),
                void *arg)
{
    struct splitting s = {.each = each, .arg = arg};
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                      UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
    for (size_t i = 0; i < text.n && !s.stopped;) {
        int32_t c;
        int32_t codes[DECOMPOSED];
        if (text.p[i] < ASCII_END) {
            put_ascii(&s, text.p[i++]);
            continue;
        }
        utf8proc_ssize_t got = utf8proc_iterate(text.p + i, (utf8proc_ssize_t)(text.n - i), &c);
        i += got > 0 ? (size_t)got : 1;
        utf8proc_ssize_t n =
            got > 0 ? utf8proc_decompose_char(c, codes, DECOMPOSED, options, NULL) : -1;
        if (n < 0 || n > DECOMPOSED)
            end_run(&s);
        for (utf8proc_ssize_t k = 0; k < n && n <= DECOMPOSED; k++)
            put_code(&s, codes[k]);
    }
    s.ended = true;
    end_run(&s);
}
