#pragma once

// Text forms of bytes, and a check of text from outside. Any thread.

#include "base/buf.h"

// Well-formed UTF-8 (RFC 3629: shortest forms, no surrogates, at most U+10FFFF), without NUL.
bool text_is_utf8(struct bytes text);

// Lower-case hexadecimal; out has room for 2n + 1 characters.
void text_hex(struct bytes bytes, char *out);
// Decodes hexadecimal of either case to exactly `n` bytes; ERR_MALFORMED leaves out untouched.
enum err text_unhex(struct bytes text, uint8_t *out, size_t n) must_check;

// base64url without padding (RFC 4648 section 5).
void text_base64url(struct buf *out, struct bytes bytes);
// Decodes to exactly `n` bytes; padding, other alphabets and stray bits are ERR_MALFORMED, which
// leaves out untouched.
enum err text_unbase64url(struct bytes text, uint8_t *out, size_t n) must_check;
