#include "client/card.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/text.h"

// A card's code has at least 100 random bits; the longest telephone number has 15 digits.
enum { CODE_POINTS_MIN = 16 };

static bool is_control(utf8proc_int32_t c)
{
    return utf8proc_category(c) == UTF8PROC_CATEGORY_CC;
}

// Appends the code points in upper case and counts them; a control character is no part of a code.
static enum err put_upper(const utf8proc_uint8_t *text, struct buf *out, size_t *count)
{
    utf8proc_int32_t c;
    for (*count = 0; *text;) {
        utf8proc_ssize_t n = utf8proc_iterate(text, -1, &c);
        if (n <= 0 || is_control(c))
            return ERR_MALFORMED;
        text += n;
        if (c == ' ' || c == '-')
            continue;
        utf8proc_uint8_t upper[4];
        n = utf8proc_encode_char(utf8proc_toupper(c), upper);
        buf_put(out, bytes_of(upper, (size_t)n));
        ++*count;
    }
    return out->err;
}

enum err card_normalise(const char *code, struct buf *out, struct fault *fault)
{
    size_t n = strnlen(code, CARD_CODE_MAX + 1);
    if (n > CARD_CODE_MAX)
        return fault_set(fault, ERR_LIMIT, "a card's code has at most %d bytes", CARD_CODE_MAX);
    if (!text_is_utf8(bytes_of(code, n)))
        return fault_set(fault, ERR_MALFORMED, "a card's code is text in UTF-8");
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t got =
        utf8proc_map((const utf8proc_uint8_t *)code, 0, &folded,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE);
    if (got < 0)
        return got == UTF8PROC_ERROR_NOMEM ? ERR_NOMEM : ERR_MALFORMED;
    size_t count;
    enum err err = put_upper(folded, out, &count);
    free(folded);
    if (err == ERR_MALFORMED)
        return fault_set(fault, err,
                         "a card's code has no line breaks or other control characters");
    if (!err && count < CODE_POINTS_MIN)
        return fault_set(
            fault, ERR_MALFORMED,
            "a card's code has at least %d characters: no telephone or official number",
            CODE_POINTS_MIN);
    return err;
}
