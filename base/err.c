#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

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

enum err fault_set(struct fault *fault, enum err err, const char *format, ...)
{
    if (!fault)
        return err;
    fault->err = err;
    va_list args;
    va_start(args, format);
    vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return err;
}
