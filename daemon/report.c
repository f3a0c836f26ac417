#include "daemon/report.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1000, DATAGRAM_MAX = 1500 };

static atomic_int least = REPORT_INFO;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_journal; // set once
static int journal_fd = -1;

static const struct {
    const char *word;
    char priority; // syslog's number
} levels[] = {
    [REPORT_ERROR] = {"error: ", '3'},
    [REPORT_WARNING] = {"warning: ", '4'},
    [REPORT_INFO] = {"info: ", '6'},
    [REPORT_DEBUG] = {"debug: ", '7'},
};

void report_set_level(enum report_level level)
{
    atomic_store(&least, (int)level);
}

// Whoever redirected standard error left the variable as it was: device and inode have to fit.
static void find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char ours[48];
    struct stat about;
    if (!stream || fstat(STDERR_FILENO, &about))
        return;
    (void)snprintf(ours, sizeof ours, "%llu:%llu", (unsigned long long)about.st_dev,
                   (unsigned long long)about.st_ino);
    is_journal = strcmp(stream, ours) == 0;
    if (is_journal)
        journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

// --- the journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL) ---

static void put_field(char *datagram, size_t *n, const char *name, const char *value)
{
    if (!value || !value[0] || *n >= DATAGRAM_MAX)
        return;
    int made = snprintf(datagram + *n, DATAGRAM_MAX - *n, "%s=%s\n", name, value);
    if (made > 0 && (size_t)made < DATAGRAM_MAX - *n)
        *n += (size_t)made;
}

// False: it was not taken, and the line goes to standard error.
static bool put_in_journal(enum report_level level, const struct report_about *about,
                           const char *sentence)
{
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX,
                                               .sun_path = "/run/systemd/journal/socket"};
    const char priority[2] = {levels[level].priority, '\0'};
    char datagram[DATAGRAM_MAX];
    size_t n = 0;
    if (journal_fd < 0)
        return false;
    put_field(datagram, &n, "MESSAGE", sentence);
    put_field(datagram, &n, "PRIORITY", priority);
    put_field(datagram, &n, "SYSLOG_IDENTIFIER", program_invocation_short_name);
    put_field(datagram, &n, "FOLKMOOT_EVENT", about->event);
    put_field(datagram, &n, "FOLKMOOT_DEVICE", about->device);
    put_field(datagram, &n, "FOLKMOOT_REQUEST", about->request);
    return sendto(journal_fd, datagram, n, MSG_NOSIGNAL,
                  (const struct sockaddr *)(const void *)&journal, sizeof journal) == (ssize_t)n;
}

// --- standard error ---

// The journal reads the level off the line's beginning (sd-daemon(3)).
static void put_on_stderr(enum report_level level, const char *sentence)
{
    char line[LINE_MAX_BYTES + 24];
    int n = is_journal ? snprintf(line, sizeof line, "<%c>%s\n", levels[level].priority, sentence)
                       : snprintf(line, sizeof line, "%s%s\n", levels[level].word, sentence);
    while (write(STDERR_FILENO, line, (size_t)n) < 0 && errno == EINTR)
        ;
}

// --- both ---

static void make_one_line(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
}

__attribute__((format(printf, 3, 0))) static void
put(enum report_level level, const struct report_about *about, const char *format, va_list args)
{
    char sentence[LINE_MAX_BYTES + 1];
    if ((int)level > atomic_load(&least) || vsnprintf(sentence, sizeof sentence, format, args) < 0)
        return;
    make_one_line(sentence);
    (void)pthread_once(&once, find_journal);
    if (!is_journal || !put_in_journal(level, about, sentence))
        put_on_stderr(level, sentence);
}

void report_put(enum report_level level, const char *format, ...)
{
    const struct report_about nothing = {0};
    va_list args;
    va_start(args, format);
    put(level, &nothing, format, args);
    va_end(args);
}

void report_event(enum report_level level, const struct report_about *about, const char *format,
                  ...)
{
    va_list args;
    va_start(args, format);
    put(level, about, format, args);
    va_end(args);
}
