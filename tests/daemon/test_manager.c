// The hub under a service manager, which is the test: sockets that it passes, what it is told, and
// the exit statuses by which it knows what may pass.

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/daemon/process.h"

enum { PATH_BYTES = 128, PATIENCE_MS = 30000, WATCHDOG_MS = 400, FIRST_FD = 3, SAID_BYTES = 8192 };

struct manager {
    char directory[64];
    int listening;
    in_port_t port;
    int told; // datagrams come in here
    const char *names;
    const char *nonsense; // a word too many; NULL: none
    pid_t pid;
};

static void path_of(const struct manager *manager, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", manager->directory, name);
}

static void configure(const struct manager *manager, const char *more)
{
    char path[PATH_BYTES];
    path_of(manager, "conf", path);
    FILE *file = fopen(path, "we");
    EXPECT(file);
    // Nobody may open that address: it is not this machine's.
    (void)fprintf(file,
                  "[hub]\nstate_dir = %s/state\n[listen]\ntls = 192.0.2.1:443\n"
                  "control = %s/control\n%s",
                  manager->directory, manager->directory, more);
    EXPECT(fclose(file) == 0);
}

static void listen_for_it(struct manager *manager)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    manager->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(manager->listening, (struct sockaddr *)(void *)&address, size) == 0);
    EXPECT(listen(manager->listening, 16) == 0);
    EXPECT(getsockname(manager->listening, (struct sockaddr *)(void *)&address, &size) == 0);
    manager->port = address.sin_port;
}

static void hear_it(struct manager *manager)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[PATH_BYTES];
    path_of(manager, "notify", path);
    EXPECT(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    manager->told = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    EXPECT(bind(manager->told, (struct sockaddr *)(void *)&address, sizeof address) == 0);
}

static void open_manager(struct manager *manager)
{
    *manager = (struct manager){.names = "tls"};
    (void)snprintf(manager->directory, sizeof manager->directory, "/tmp/folkmoot-manager-XXXXXX");
    EXPECT(mkdtemp(manager->directory));
    listen_for_it(manager);
    hear_it(manager);
    configure(manager, "");
}

static void close_manager(const struct manager *manager)
{
    (void)close(manager->listening);
    (void)close(manager->told);
    EXPECT(process_remove(manager->directory) == 0);
}

static void set_number(const char *name, long number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%ld", number);
    (void)setenv(name, text, 1);
}

static void become(const struct manager *manager)
{
    char path[PATH_BYTES];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    path_of(manager, "err", path);
    int errors = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(errors, STDERR_FILENO);
    int passed = fcntl(manager->listening, F_DUPFD, 20);
    (void)dup2(passed, FIRST_FD);
    path_of(manager, "notify", path);
    (void)setenv("NOTIFY_SOCKET", path, 1);
    (void)setenv("LISTEN_FDNAMES", manager->names, 1);
    set_number("LISTEN_FDS", 1);
    set_number("LISTEN_PID", getpid());
    set_number("WATCHDOG_PID", getpid());
    set_number("WATCHDOG_USEC", WATCHDOG_MS * 1000L);
    (void)unsetenv("JOURNAL_STREAM");
    path_of(manager, "conf", path);
    (void)execl(FOLKMOOTD, "folkmootd", "--config", path, manager->nonsense, (char *)NULL);
    _exit(127);
}

static void start(struct manager *manager)
{
    manager->pid = fork();
    EXPECT(manager->pid >= 0);
    if (manager->pid == 0)
        become(manager);
}

static int end_of(const struct manager *manager)
{
    int status;
    EXPECT(waitpid(manager->pid, &status, 0) == manager->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stop(const struct manager *manager)
{
    EXPECT(kill(manager->pid, SIGTERM) == 0);
    EXPECT(end_of(manager) == 0);
}

// Waits until it is told something that begins so; what was told before is passed over.
static void await_told(const struct manager *manager, const char *wanted)
{
    char text[512];
    for (long end = process_now_ms() + PATIENCE_MS; process_now_ms() < end;) {
        ssize_t n = recv(manager->told, text, sizeof text - 1, 0);
        text[n < 0 ? 0 : n] = '\0';
        if (n > 0 && strncmp(text, wanted, strlen(wanted)) == 0)
            return;
        if (n < 0)
            process_sleep_ms(5);
    }
    (void)fprintf(stderr, "never told: %s\n", wanted);
    exit(1);
}

static int signs_of_life(const struct manager *manager, long ms)
{
    char text[512];
    int signs = 0;
    for (long end = process_now_ms() + ms; process_now_ms() < end;) {
        ssize_t n = recv(manager->told, text, sizeof text, 0);
        signs += n == 10 && memcmp(text, "WATCHDOG=1", 10) == 0;
        if (n < 0)
            process_sleep_ms(5);
    }
    return signs;
}

static bool has_said(const struct manager *manager, const char *text)
{
    static char said[SAID_BYTES];
    char path[PATH_BYTES];
    path_of(manager, "err", path);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(said, 1, sizeof said - 1, file) : 0;
    said[n] = '\0';
    if (file)
        (void)fclose(file);
    return strstr(said, text) != NULL;
}

static int knock(const struct manager *manager)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = manager->port,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(connect(fd, (struct sockaddr *)(void *)&address, sizeof address) == 0);
    return fd;
}

// No TLS: whoever is served is told so, or cut.
static bool is_served(int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    char byte;
    EXPECT(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
    EXPECT(send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL) == 18);
    ssize_t n = recv(fd, &byte, 1, 0);
    return n >= 0 || errno == ECONNRESET;
}

// --- the tests ---

static void a_passed_socket_is_used_and_outlives_a_restart(void)
{
    struct manager manager;
    open_manager(&manager);
    start(&manager);
    await_told(&manager, "READY=1");
    EXPECT(has_said(&manager, ", which was passed"));
    int while_it_runs = knock(&manager);
    EXPECT(is_served(while_it_runs));
    stop(&manager);
    int while_there_is_none = knock(&manager);
    start(&manager);
    EXPECT(is_served(while_there_is_none));
    stop(&manager);
    (void)close(while_it_runs);
    (void)close(while_there_is_none);
    close_manager(&manager);
}

static void the_manager_is_told_how_the_hub_is(void)
{
    struct manager manager;
    open_manager(&manager);
    start(&manager);
    await_told(&manager, "READY=1");
    await_told(&manager, "STATUS=0 communities, 0 connections");
    int signs = signs_of_life(&manager, 5L * WATCHDOG_MS);
    EXPECT(signs >= 4 && signs <= 12);
    // A process that was stopped gives none.
    EXPECT(kill(manager.pid, SIGSTOP) == 0);
    (void)signs_of_life(&manager, 50);
    EXPECT(signs_of_life(&manager, 3L * WATCHDOG_MS) == 0);
    EXPECT(kill(manager.pid, SIGCONT) == 0);
    EXPECT(kill(manager.pid, SIGTERM) == 0);
    await_told(&manager, "STOPPING=1");
    EXPECT(end_of(&manager) == 0);
    close_manager(&manager);
}

static void a_reload_takes_what_can_change_and_names_the_rest(void)
{
    struct manager manager;
    open_manager(&manager);
    start(&manager);
    await_told(&manager, "READY=1");
    configure(&manager, "[limits]\ninbox = 100\n");
    EXPECT(kill(manager.pid, SIGHUP) == 0);
    await_told(&manager, "RELOADING=1\nMONOTONIC_USEC=");
    await_told(&manager, "READY=1");
    EXPECT(has_said(&manager, "[limits] inbox is different now"));
    configure(&manager, "[limits]\ninbox = none\n");
    EXPECT(kill(manager.pid, SIGHUP) == 0);
    await_told(&manager, "RELOADING=1");
    await_told(&manager, "READY=1");
    EXPECT(has_said(&manager, "the old configuration stays in use"));
    configure(&manager, "[log]\nlevel = error\n");
    EXPECT(kill(manager.pid, SIGHUP) == 0);
    await_told(&manager, "RELOADING=1");
    await_told(&manager, "READY=1");
    stop(&manager);
    EXPECT(!has_said(&manager, "stopping"));
    close_manager(&manager);
}

static void write_table(const struct manager *manager, const char *text)
{
    char path[PATH_BYTES];
    path_of(manager, "population.csv", path);
    FILE *file = fopen(path, "we");
    EXPECT(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void a_population_table_that_is_wrong_ends_a_start_and_leaves_the_old_one_at_a_reload(void)
{
    struct manager manager;
    char more[2 * PATH_BYTES];
    open_manager(&manager);
    (void)snprintf(more, sizeof more, "[picture]\npopulation = %s/population.csv\n",
                   manager.directory);
    configure(&manager, more);
    start(&manager);
    EXPECT(end_of(&manager) == 78);
    write_table(&manager, "code,name\nE1,a\nE1,b\n");
    start(&manager);
    EXPECT(end_of(&manager) == 78);
    EXPECT(has_said(&manager, "population.csv:3: a place before it has the same code"));
    write_table(&manager, "code,name\nE1,a\nE2,b\n");
    start(&manager);
    await_told(&manager, "READY=1");
    write_table(&manager, "code,name\nE1\n");
    EXPECT(kill(manager.pid, SIGHUP) == 0);
    await_told(&manager, "RELOADING=1");
    await_told(&manager, "READY=1");
    EXPECT(has_said(&manager, "the old population table stays in use"));
    EXPECT(has_said(&manager, "population.csv:2: this row has more or fewer cells"));
    write_table(&manager, "code,name\nE1,a\nE2,b\nE3,c\n");
    EXPECT(kill(manager.pid, SIGHUP) == 0);
    await_told(&manager, "RELOADING=1");
    await_told(&manager, "READY=1");
    EXPECT(has_said(&manager, "the population table was read anew: 3 places"));
    stop(&manager);
    close_manager(&manager);
}

static void the_exit_status_says_what_it_is_no_use_to_try_again(void)
{
    struct manager manager, other;
    open_manager(&manager);
    configure(&manager, "[limits]\nno_such_key = 1\n");
    start(&manager);
    EXPECT(end_of(&manager) == 78);
    configure(&manager, "");
    manager.names = "ssh";
    start(&manager);
    EXPECT(end_of(&manager) == 78);
    EXPECT(has_said(&manager, "a socket was passed by the name \"ssh\""));
    manager.names = "control";
    start(&manager);
    EXPECT(end_of(&manager) == 77);
    EXPECT(has_said(&manager, "must be a unix socket"));
    // Then the configured address is opened, which cannot be.
    manager.names = "plain";
    start(&manager);
    EXPECT(end_of(&manager) == 74);
    manager.names = "tls";
    start(&manager);
    await_told(&manager, "READY=1");
    // Another hub on the same state: that may pass.
    other = manager;
    start(&other);
    EXPECT(end_of(&other) == 69);
    stop(&manager);
    manager.nonsense = "--nonsense";
    start(&manager);
    EXPECT(end_of(&manager) == 64);
    close_manager(&manager);
}

int main(void)
{
    a_passed_socket_is_used_and_outlives_a_restart();
    the_manager_is_told_how_the_hub_is();
    a_reload_takes_what_can_change_and_names_the_rest();
    a_population_table_that_is_wrong_ends_a_start_and_leaves_the_old_one_at_a_reload();
    the_exit_status_says_what_it_is_no_use_to_try_again();
    return 0;
}
