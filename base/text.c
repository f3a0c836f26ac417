#include "base/text.h"

// Length of the sequence that this lead byte opens; 0 when it opens none.
static size_t sequence_length(uint8_t lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

// Table 3-7 of the Unicode standard: the second byte's bounds depend on the lead byte.
static bool second_is_sound(uint8_t lead, uint8_t second)
{
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

bool text_is_utf8(struct bytes text)
{
    for (size_t i = 0; i < text.n;) {
        uint8_t lead = text.p[i];
        size_t n = sequence_length(lead);
        if (lead == 0 || n == 0 || n > text.n - i)
            return false;
        if (n > 1 && !second_is_sound(lead, text.p[i + 1]))
            return false;
        for (size_t k = 2; k < n; k++) {
            if ((text.p[i + k] & 0xc0) != 0x80)
                return false;
        }
        i += n;
    }
    return true;
}

void text_hex(struct bytes bytes, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        *out++ = digits[bytes.p[i] >> 4];
        *out++ = digits[bytes.p[i] & 15];
    }
    *out = 0;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err text_unhex(struct bytes text, uint8_t *out, size_t n)
{
    if (text.n / 2 != n || text.n % 2)
        return ERR_MALFORMED;
    for (size_t i = 0; i < text.n; i++) {
        if (hex_digit(text.p[i]) < 0)
            return ERR_MALFORMED;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned high = (unsigned)hex_digit(text.p[2 * i]);
        out[i] = (uint8_t)(high << 4 | (unsigned)hex_digit(text.p[2 * i + 1]));
    }
    return OK;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void text_base64url(struct buf *out, struct bytes bytes)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < bytes.n; i++) {
        bits = (bits << 8 | bytes.p[i]) & 0xffff;
        for (held += 8; held >= 6; held -= 6)
            buf_put_u8(out, (uint8_t)alphabet[bits >> (held - 6) & 63]);
    }
    if (held)
        buf_put_u8(out, (uint8_t)alphabet[bits << (6 - held) & 63]);
}

static int base64url_digit(uint8_t c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

// The text of exactly n bytes, with no bit set behind the last of them.
static bool is_base64url(struct bytes text, size_t n)
{
    if (n > text.n || text.n != (n * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (base64url_digit(text.p[i]) < 0)
            return false;
    }
    unsigned stray = (unsigned)(text.n * 6 - n * 8);
    return text.n == 0 || (base64url_digit(text.p[text.n - 1]) & ((1 << stray) - 1)) == 0;
}

enum err text_unbase64url(struct bytes text, uint8_t *out, size_t n)
{
    if (!is_base64url(text, n))
        return ERR_MALFORMED;
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < text.n; i++) {
        bits = (bits << 6 | (uint32_t)base64url_digit(text.p[i])) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (uint8_t)(bits >> held);
        }
    }
    return OK;
}
