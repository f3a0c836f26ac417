#include "bench/figure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/check.h"

static FILE *out;

void figure_open(const char *path)
{
    out = path ? fopen(path, "ae") : stdout;
    CHECK(out, "%s: %s", path, strerror(errno));
}

void figure_close(void)
{
    CHECK(fflush(out) == 0 && (out == stdout || fclose(out) == 0), "%s", strerror(errno));
}

void figure(const char *row, const char *name, double value)
{
    fprintf(out, "{\"row\":\"%s\",\"figure\":\"%s\",\"value\":%.9g}\n", row, name, value);
    CHECK(fflush(out) == 0, "%s", strerror(errno));
    if (out != stdout)
        printf("  %s.%s %.6g\n", row, name, value);
    (void)fflush(stdout);
}

void figure_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("  ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    (void)fflush(stdout);
}
