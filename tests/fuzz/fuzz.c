#include "tests/fuzz/fuzz.h"

uint8_t script_u8(struct script *script)
{
    if (script->n == 0)
        return 0;
    script->n--;
    return *script->p++;
}

uint32_t script_be32(struct script *script)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v << 8 | script_u8(script);
    return v;
}

struct bytes script_bytes(struct script *script)
{
    size_t n = script_u8(script);
    if (n == 255) {
        n = (size_t)script_u8(script) << 8;
        n |= script_u8(script);
    }
    if (n > script->n)
        n = script->n;
    struct bytes bytes = bytes_of(script->p, n);
    script->p += n;
    script->n -= n;
    return bytes;
}

uint32_t script_below(struct script *script, uint32_t n)
{
    return script_u8(script) % n;
}
