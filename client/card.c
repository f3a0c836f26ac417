#include "client/card.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/text.h"

// 100 random bits are 20 characters; the longest telephone number has 15 digits.
enum { CODE_CHARACTERS_MIN = 20, CODE_CHARACTERS_MAX = 64 };

// Appends letters in upper case and digits, leaves out spaces and hyphens; nothing else is part of
// a code, so that every language's upper case agrees.
static enum err put_upper(const utf8proc_uint8_t *text, struct buf *out)
{
    for (; *text; text++) {
        bool lower = *text >= 'a' && *text <= 'z';
        bool upper = *text >= 'A' && *text <= 'Z';
        bool digit = *text >= '0' && *text <= '9';
        if (lower || upper || digit)
            buf_put_u8(out, lower ? (uint8_t)(*text - 'a' + 'A') : *text);
        else if (*text != ' ' && *text != '-')
            return ERR_MALFORMED;
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
    enum err err = put_upper(folded, out);
    free(folded);
    if (err == ERR_MALFORMED)
        return fault_set(fault, err,
                         "a card's code has letters A to Z and digits, spaces and hyphens only");
    if (!err && (out->n < CODE_CHARACTERS_MIN || out->n > CODE_CHARACTERS_MAX))
        return fault_set(
            fault, ERR_MALFORMED,
            "a card's code has %d to %d characters: it is no telephone or official number",
            CODE_CHARACTERS_MIN, CODE_CHARACTERS_MAX);
    return err;
}
