#include "client/command/numbers.h"

#include <stdlib.h>
#include <string.h>

bool numbers_read(const char *text, double *out, size_t n)
{
    // No infinities and no hexadecimal ones, which strtod takes too.
    if (text[strspn(text, "0123456789+-.eE, ")])
        return false;
    for (size_t i = 0; i < n; i++) {
        char *end;
        out[i] = strtod(text, &end);
        if (end == text)
            return false;
        text = end + strspn(end, " ");
        if (i + 1 < n && *text++ != ',')
            return false;
    }
    return *text == 0;
}

bool numbers_digits(const char **text, unsigned most, int *out)
{
    const char *begin = *text;
    int v = 0;
    for (; **text >= '0' && **text <= '9' && *text < begin + most; ++*text)
        v = v * 10 + (**text - '0');
    *out = v;
    return *text > begin;
}
