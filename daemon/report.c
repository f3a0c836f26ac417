#include "daemon/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int least = REPORT_INFO;

// syslog's numbers, which the journal reads off the line's beginning.
static const struct {
    const char *word;
    const char *journal;
} levels[] = {
    [REPORT_ERROR] = {"error: ", "<3>"},
    [REPORT_WARNING] = {"warning: ", "<4>"},
    [REPORT_INFO] = {"info: ", "<6>"},
    [REPORT_DEBUG] = {"debug: ", "<7>"},
};

void report_set_level(enum report_level level)
{
    atomic_store(&least, (int)level);
}

static void make_one_line(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
}

void report_put(enum report_level level, const char *format, ...)
{
    if ((int)level > atomic_load(&least))
        return;
    char line[1024];
    const char *prefix = getenv("JOURNAL_STREAM") ? levels[level].journal : levels[level].word;
    size_t n = strlen(prefix);
    memcpy(line, prefix, n);
    va_list args;
    va_start(args, format);
    int made = vsnprintf(line + n, sizeof line - n - 1, format, args);
    va_end(args);
    if (made < 0)
        return;
    make_one_line(line + n);
    n = strlen(line);
    line[n++] = '\n';
    while (write(STDERR_FILENO, line, n) < 0 && errno == EINTR)
        ;
}
