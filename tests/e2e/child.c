#include "tests/e2e/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/check.h"

enum { OUTPUT_MAX = 1 << 20, RUN_SECONDS_MAX = 60 };

// Between fork and exec only what is safe there: other threads may have held locks.
static _Noreturn void become(const char *const *argv, int errors, int output)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (output >= 0)
        (void)dup2(output, STDOUT_FILENO);
    (void)dup2(errors, STDERR_FILENO);
    (void)execv(argv[0], (char *const *)(const void *)argv);
    _exit(127);
}

pid_t child_start(const char *const *argv, const char *errors, int *output)
{
    int ends[2] = {-1, -1};
    int log = open(errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(log >= 0, "%s: %s", errors, strerror(errno));
    CHECK(!output || pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    CHECK(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0)
        become(argv, log, ends[1]);
    close(log);
    if (output) {
        close(ends[1]);
        *output = ends[0];
    }
    return pid;
}

int child_wait(pid_t pid, unsigned seconds)
{
    int64_t end = check_now_ms() + (int64_t)seconds * 1000;
    int status;
    pid_t got;
    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && check_now_ms() < end)
        check_sleep_ms(2);
    CHECK(got == pid, "a child did not end within %u s", seconds);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *child_output(const char *const *argv, const char *errors, int *code)
{
    int from;
    size_t n = 0;
    pid_t pid = child_start(argv, errors, &from);
    char *text = malloc(OUTPUT_MAX + 1);
    CHECK(text, "out of memory");
    for (ssize_t got; n < OUTPUT_MAX && (got = read(from, text + n, OUTPUT_MAX - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    close(from);
    *code = child_wait(pid, RUN_SECONDS_MAX);
    return text;
}
