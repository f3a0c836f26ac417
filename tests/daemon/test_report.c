// Where the log's lines go: to a journal that stands where systemd's does, or as text to standard
// error.

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/report.h"
#include "tests/daemon/process.h"

static char directory[] = "/tmp/folkmoot-report-XXXXXX";
static char error_path[64];

enum stream { STREAM_NONE, STREAM_OURS, STREAM_ANOTHER };

// Whoever redirects standard error leaves the variable as it was.
static void set_stream(enum stream stream)
{
    char text[64];
    struct stat about;
    EXPECT(fstat(STDERR_FILENO, &about) == 0);
    (void)snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)about.st_dev,
                   (unsigned long long)about.st_ino + (stream == STREAM_ANOTHER));
    (void)unsetenv("JOURNAL_STREAM");
    if (stream != STREAM_NONE)
        (void)setenv("JOURNAL_STREAM", text, 1);
}

// In a process of its own, because where lines go is found once.
static void say(enum stream stream)
{
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(error_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)dup2(fd, STDERR_FILENO);
        set_stream(stream);
        const struct report_about about = {
            .event = "fork", .device = "0011223344556677", .request = ""};
        report_event(REPORT_WARNING, &about, "one\ntwo %d", 3);
        report_put(REPORT_DEBUG, "not urgent");
        _exit(0);
    }
    int status;
    EXPECT(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
}

static void expect_error_text(const char *text)
{
    char said[256];
    FILE *file = fopen(error_path, "re");
    EXPECT(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    (void)fclose(file);
    if (strcmp(said, text) != 0)
        printf("it said: %s\n", said);
    EXPECT(strcmp(said, text) == 0);
}

static int open_journal(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)mkdir("/run/systemd", 0755);
    (void)mkdir("/run/systemd/journal", 0755);
    EXPECT(fd >= 0 && bind(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0);
    return fd;
}

static void a_journal_gets_fields(void)
{
    static const char expected[] = "MESSAGE=one two 3\nPRIORITY=4\n"
                                   "SYSLOG_IDENTIFIER=test_daemon_report\nFOLKMOOT_EVENT=fork\n"
                                   "FOLKMOOT_DEVICE=0011223344556677\n";
    char datagram[2000];
    int fd = open_journal();
    say(STREAM_OURS);
    ssize_t n = recv(fd, datagram, sizeof datagram, 0);
    EXPECT(n == (ssize_t)strlen(expected) && memcmp(datagram, expected, (size_t)n) == 0);
    EXPECT(recv(fd, datagram, sizeof datagram, 0) < 0 && errno == EAGAIN);
    expect_error_text("");
    say(STREAM_ANOTHER);
    EXPECT(recv(fd, datagram, sizeof datagram, 0) < 0 && errno == EAGAIN);
    expect_error_text("warning: one two 3\n");
    (void)close(fd);
}

int main(void)
{
    EXPECT(mkdtemp(directory));
    (void)snprintf(error_path, sizeof error_path, "%s/err", directory);
    say(STREAM_NONE);
    expect_error_text("warning: one two 3\n");
    if (mount("tmpfs", "/run", "tmpfs", 0, "size=1m") != 0) {
        printf("SKIPPED: a journal of one's own cannot be put in its place (%s)\n",
               strerror(errno));
    } else {
        // Nobody listens there: standard error leads to the journal all the same.
        say(STREAM_OURS);
        expect_error_text("<4>one two 3\n");
        a_journal_gets_fields();
        EXPECT(umount("/run") == 0);
    }
    return process_remove(directory) == 0 ? 0 : 1;
}
