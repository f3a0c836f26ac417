#include "tests/daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 30000, END_MS = 30000 };

long process_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void process_sleep_ms(long ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&span, NULL);
}

void process_fail(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: this does not hold: %s (errno: %s)\n", file, line, condition,
                  strerror(errno));
    exit(1);
}

static void path_in(const struct process *process, const char *name, char path[128])
{
    (void)snprintf(path, 128, "%s/%s", process->directory, name);
}

static void write_config(const struct process *process, const char *more)
{
    char path[128];
    path_in(process, "conf", path);
    FILE *file = fopen(path, "we");
    EXPECT(file);
    (void)fprintf(file,
                  "[hub]\nstate_dir = %s/state\naddress = 127.0.0.1:8443\n"
                  "[listen]\ntls = 127.0.0.1:0\nplain = 127.0.0.1:0\ncontrol = %s/control\n%s",
                  process->directory, process->directory, more);
    EXPECT(fclose(file) == 0);
}

// The program's standard error goes to the file "err".
static void become(const struct process *process)
{
    char path[128];
    // A hub that outlived its test would hold what the next one waits for.
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    path_in(process, "err", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(fd, STDERR_FILENO);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("JOURNAL_STREAM");
    path_in(process, "conf", path);
    (void)execl(FOLKMOOTD, "folkmootd", "--config", path, (char *)NULL);
    _exit(127);
}

static size_t read_file(const struct process *process, const char *name, char *out, size_t size)
{
    char path[128];
    path_in(process, name, path);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(out, 1, size - 1, file) : 0;
    out[n] = '\0';
    if (file)
        (void)fclose(file);
    return n;
}

bool process_has_said(const struct process *process, const char *text)
{
    static char said[64 << 10];
    (void)read_file(process, "err", said, sizeof said);
    return strstr(said, text) != NULL;
}

static bool find_port(const char *said, const char *kind, char port[8])
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "listening (%s) on 127.0.0.1:", kind);
    const char *at = strstr(said, wanted);
    return at && strchr(at, '\n') && sscanf(at + strlen(wanted), "%7[0-9]", port) == 1;
}

void process_start(struct process *process, const char *more)
{
    (void)snprintf(process->directory, sizeof process->directory, "/tmp/folkmoot-hub-XXXXXX");
    EXPECT(mkdtemp(process->directory));
    write_config(process, more);
    process->pid = fork();
    EXPECT(process->pid >= 0);
    if (process->pid == 0)
        become(process);
    char said[4096];
    for (long end = process_now_ms() + START_MS;; process_sleep_ms(20)) {
        (void)read_file(process, "err", said, sizeof said);
        if (find_port(said, "TLS", process->tls_port) &&
            find_port(said, "plain", process->plain_port))
            return;
        if (process_now_ms() > end || waitpid(process->pid, NULL, WNOHANG) != 0) {
            (void)fprintf(stderr, "the hub did not start: %s\n", said);
            exit(1);
        }
    }
}

int process_ctl(const struct process *process, char *out, size_t size, const char *const *words)
{
    char control[128];
    path_in(process, "control", control);
    const char *arguments[16] = {"folkmootctl", "--socket", control, "--json"};
    for (size_t i = 0; words[i]; i++)
        arguments[4 + i] = words[i];
    int ends[2];
    EXPECT(pipe(ends) == 0);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)execv(FOLKMOOTCTL, (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    (void)close(ends[1]);
    size_t n = 0;
    for (ssize_t got; n < size - 1 && (got = read(ends[0], out + n, size - 1 - n)) > 0;)
        n += (size_t)got;
    out[n] = '\0';
    (void)close(ends[0]);
    int status;
    EXPECT(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void process_signal(const struct process *process, int number)
{
    EXPECT(kill(process->pid, number) == 0);
}

static void show_errors(const struct process *process)
{
    static char said[64 << 10];
    (void)read_file(process, "err", said, sizeof said);
    (void)fprintf(stderr, "the hub said:\n%s", said);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int process_remove(const char *directory)
{
    return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int process_end(struct process *process)
{
    int status;
    for (long end = process_now_ms() + END_MS; process_now_ms() < end; process_sleep_ms(10)) {
        if (waitpid(process->pid, &status, WNOHANG) != process->pid)
            continue;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (code != 0)
            show_errors(process);
        return process_remove(process->directory) == 0 ? code : -1;
    }
    show_errors(process);
    return -1;
}
