#include "base/err.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *err_text(enum err err)
{
    static const char *const texts[] = {
#define ERR_TEXT(name, text) [name] = (text),
        ERR_TABLE(ERR_TEXT)
#undef ERR_TEXT
    };
    size_t i = (size_t)err;
    return i < sizeof texts / sizeof *texts ? texts[i] : "unknown error";
}

// Takes off a character that the end of the room cut in two: the sentence goes out as UTF-8.
static void drop_cut_character(char *text)
{
    size_t n = strlen(text);
    size_t tail = 0;
    while (tail < n && tail < 3 && ((uint8_t)text[n - 1 - tail] & 0xc0) == 0x80)
        tail++;
    if (tail == n)
        return;
    uint8_t lead = (uint8_t)text[n - 1 - tail];
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (tail < wanted)
        text[n - 1 - tail] = 0;
}

enum err fault_set(struct fault *fault, enum err err, const char *format, ...)
{
    if (!fault)
        return err;
    fault->err = err;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    if (n >= (int)sizeof fault->text)
        drop_cut_character(fault->text);
    return err;
}
