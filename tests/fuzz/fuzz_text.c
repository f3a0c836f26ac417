// Text from outside: UTF-8 against a second, slower decoder; hexadecimal and base64url both ways.

#include <stdlib.h>

#include "base/text.h"
#include "tests/fuzz/fuzz.h"

// How many bytes follow the lead byte, and the bits that it holds; -1: none leads so.
static int lead_of(uint8_t byte, uint32_t *bits)
{
    static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
    static const uint8_t leads[] = {0x00, 0xc0, 0xe0, 0xf0};
    for (int i = 0; i < 4; i++) {
        if ((byte & ~masks[i] & 0xff) == leads[i]) {
            *bits = byte & masks[i];
            return i;
        }
    }
    return -1;
}

static bool code_is_sound(uint32_t code, int follow)
{
    static const uint32_t least[] = {1, 0x80, 0x800, 0x10000};
    return code >= least[follow] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

static bool decodes(struct bytes text)
{
    for (size_t i = 0; i < text.n;) {
        uint32_t code;
        int follow = lead_of(text.p[i++], &code);
        if (follow < 0)
            return false;
        for (int k = 0; k < follow; k++, i++) {
            if (i == text.n || (text.p[i] & 0xc0) != 0x80)
                return false;
            code = code << 6 | (text.p[i] & 0x3f);
        }
        if (!code_is_sound(code, follow))
            return false;
    }
    return true;
}

static void check_hex(struct bytes bytes)
{
    char *text = malloc(2 * bytes.n + 1);
    uint8_t *back = malloc(bytes.n + 1);
    assert(text && back);
    text_hex(bytes, text);
    enum err err = text_unhex(bytes_of_text(text), back, bytes.n);
    assert(!err && bytes_equal(bytes, bytes_of(back, bytes.n)));
    if (text_unhex(bytes, back, bytes.n / 2) == OK) {
        text_hex(bytes_of(back, bytes.n / 2), text);
        for (size_t i = 0; i < bytes.n; i++)
            assert((text[i] | 0x20) == (bytes.p[i] | 0x20));
    }
    free(text);
    free(back);
}

static void check_base64url(struct bytes bytes)
{
    struct buf text BUF_CLEANUP = {0};
    uint8_t *back = malloc(bytes.n + 1);
    assert(back);
    text_base64url(&text, bytes);
    enum err err = text_unbase64url(buf_bytes(&text), back, bytes.n);
    assert(!text.err && !err && bytes_equal(bytes, bytes_of(back, bytes.n)));
    // Read as text there is one way to write it at most.
    size_t n = bytes.n * 6 / 8;
    if (text_unbase64url(bytes, back, n) == OK) {
        buf_reset(&text);
        text_base64url(&text, bytes_of(back, n));
        assert(bytes_equal(buf_bytes(&text), bytes));
    }
    err = text_unbase64url(bytes, back, n + 1);
    assert(err == ERR_MALFORMED);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = bytes_of(data, size);
    assert(text_is_utf8(bytes) == decodes(bytes));
    check_hex(bytes);
    check_base64url(bytes);
    return 0;
}
