#include "tests/e2e/hub.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/check.h"
#include "tests/e2e/child.h"

enum {
    START_SECONDS_MAX = 30,
    STOP_SECONDS_MAX = 90,
    WORDS_MAX = 12,
    COMMAND_FIRST = 6,
    PATH_BYTES = 160
};

// --- the directory ---

static void path_of(const struct hub *hub, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", hub->dir, name);
}

// root: NULL: in memory where there is such a place.
static void make_dir(struct hub *hub, const char *root)
{
    if (!root)
        root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(hub->dir, sizeof hub->dir, "%s/folkmoot-e2e-XXXXXX", root);
    CHECK(mkdtemp(hub->dir), "%s: %s", hub->dir, strerror(errno));
    char state[PATH_BYTES], say[PATH_BYTES];
    path_of(hub, "state", state);
    CHECK(mkdir(state, 0700) == 0, "%s: %s", state, strerror(errno));
    (void)snprintf(say, sizeof say, "what the hub said: %s/stderr", hub->dir);
    check_on_failure_say(say);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    CHECK(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, "%s: %s", path, strerror(errno));
}

// --- the port ---

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

// The kernel chooses it; a socket that is bound and does not listen keeps others from it and lets
// the hub in (both have SO_REUSEADDR).
static void take_port(struct hub *hub)
{
    int on = 1;
    struct sockaddr_in address = loopback(0);
    socklen_t n = sizeof address;
    hub->holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(hub->holder >= 0, "socket: %s", strerror(errno));
    (void)setsockopt(hub->holder, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CHECK(bind(hub->holder, (struct sockaddr *)&address, n) == 0, "bind: %s", strerror(errno));
    CHECK(getsockname(hub->holder, (struct sockaddr *)&address, &n) == 0, "getsockname");
    hub->port = ntohs(address.sin_port);
}

// A socket that is connected; -1: nobody listens.
static int connect_to(uint16_t port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool accepts(uint16_t port)
{
    int fd = connect_to(port);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

// A hub whose loop turns closes what is closed: ThreadSanitizer of LLVM 14 may lose a signal that
// comes while a thread begins its first wait, so it is not enough that the kernel accepts.
static bool turns(uint16_t port)
{
    const struct timeval patience = {.tv_sec = START_SECONDS_MAX};
    char byte;
    int fd = connect_to(port);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)shutdown(fd, SHUT_WR);
    bool is_closed = read(fd, &byte, 1) == 0 || errno == ECONNRESET;
    close(fd);
    return is_closed;
}

static const char many_attempts[] = "enrol_attempts_per_minute = 100000\n"
                                    "enrol_attempts_per_minute_per_address = 100000\n";

static void write_config(struct hub *hub, const char *more)
{
    FILE *file = fopen(hub->config, "we");
    CHECK(file, "%s: %s", hub->config, strerror(errno));
    fprintf(file,
            "[hub]\nstate_dir = %s/state\naddress = 127.0.0.1:%u\n"
            "[listen]\ntls = 127.0.0.1:%u\ncontrol = %s\n"
            "[limits]\n%s%s",
            hub->dir, hub->port, hub->port, hub->socket,
            strstr(more, "enrol_attempts") ? "" : many_attempts, more);
    CHECK(fclose(file) == 0, "%s: %s", hub->config, strerror(errno));
}

// --- running ---

static void start_process(struct hub *hub)
{
    char errors[PATH_BYTES];
    path_of(hub, "stderr", errors);
    char limited[64];
    (void)snprintf(limited, sizeof limited, "ulimit -n %u && exec \"$@\"", hub->files_max);
    // The first four make a shell that becomes the hub.
    const char *const argv[] = {"/bin/sh",      "-c",       limited,     "sh",
                                FOLKMOOTD_PATH, "--config", hub->config, NULL};
    CHECK(!hub->pid, "the hub runs already");
    hub->pid = child_start(hub->files_max ? argv : argv + 4, errors, NULL);
    hub->starts++;
}

void hub_start(struct hub *hub)
{
    start_process(hub);
    int64_t end = check_now_ms() + INT64_C(1000) * START_SECONDS_MAX;
    while (!turns(hub->port)) {
        int status;
        CHECK(waitpid(hub->pid, &status, WNOHANG) == 0, "the hub ended instead of starting");
        CHECK(check_now_ms() < end, "the hub does not accept connections");
        check_sleep_ms(1);
    }
}

void hub_stop(struct hub *hub)
{
    CHECK(kill(hub->pid, SIGTERM) == 0, "kill: %s", strerror(errno));
    int code = child_wait(hub->pid, STOP_SECONDS_MAX);
    hub->pid = 0;
    CHECK(code == 0, "the hub ended with %d", code);
}

void hub_kill(struct hub *hub)
{
    CHECK(kill(hub->pid, SIGKILL) == 0, "kill: %s", strerror(errno));
    int code = child_wait(hub->pid, STOP_SECONDS_MAX);
    hub->pid = 0;
    CHECK(code == 128 + SIGKILL, "the hub had ended by itself with %d", code);
}

bool hub_start_and_kill(struct hub *hub, uint64_t after_us)
{
    const struct timespec wait = {(time_t)(after_us / 1000000), (long)(after_us % 1000000) * 1000};
    start_process(hub);
    (void)nanosleep(&wait, NULL);
    bool early = !accepts(hub->port);
    hub_kill(hub);
    return early;
}

static void prepare(struct hub *hub, const char *root, const char *more)
{
    *hub = (struct hub){0};
    make_dir(hub, root);
    (void)snprintf(hub->config, sizeof hub->config, "%s/folkmootd.conf", hub->dir);
    (void)snprintf(hub->socket, sizeof hub->socket, "%s/control.sock", hub->dir);
    take_port(hub);
    write_config(hub, more);
}

void hub_open(struct hub *hub, const char *more)
{
    hub_open_in(hub, NULL, more);
}

void hub_open_in(struct hub *hub, const char *root, const char *more)
{
    prepare(hub, root, more);
    hub_start(hub);
    hub_found(hub);
}

void hub_found(struct hub *hub)
{
    const char *const words[] = {"community", "create", "Nettle Valley", NULL};
    cJSON *answer = hub_control(hub, words);
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "id"));
    CHECK(id && strlen(id) == 32, "no id of the new community");
    memcpy(hub->community, id, sizeof hub->community);
    cJSON_Delete(answer);
}

static void check_errors(const struct hub *hub)
{
    static const char *const reports[] = {
        "AddressSanitizer", "LeakSanitizer",  "runtime error:", "ThreadSanitizer",
        "Assertion",        "stack smashing", "buffer overflow"};
    char path[PATH_BYTES], line[1024];
    path_of(hub, "stderr", path);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file))
        for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
            CHECK(!strstr(line, reports[i]), "the hub's report: %s", line);
    fclose(file);
}

void hub_close(struct hub *hub)
{
    if (hub->pid)
        hub_stop(hub);
    check_errors(hub);
    check_on_failure_say("");
    close(hub->holder);
    remove_tree(hub->dir);
}

void hub_lose_everything(struct hub *hub)
{
    char path[PATH_BYTES];
    CHECK(!hub->pid, "the hub runs");
    path_of(hub, "state", path);
    remove_tree(path);
    CHECK(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
}

// --- copies of the state ---

static void copy_tree(struct hub *hub, const char *from, const char *to)
{
    char errors[PATH_BYTES];
    int code;
    const char *const argv[] = {"/bin/cp", "-a", from, to, NULL};
    path_of(hub, "stderr", errors);
    free(child_output(argv, errors, &code));
    CHECK(code == 0, "cp of %s ended with %d", from, code);
}

void hub_keep_state(struct hub *hub)
{
    char state[PATH_BYTES], kept[PATH_BYTES];
    path_of(hub, "state", state);
    path_of(hub, "kept", kept);
    CHECK(!hub->pid, "the hub runs");
    copy_tree(hub, state, kept);
}

void hub_restore_state(struct hub *hub)
{
    char state[PATH_BYTES], kept[PATH_BYTES];
    path_of(hub, "state", state);
    path_of(hub, "kept", kept);
    CHECK(!hub->pid, "the hub runs");
    remove_tree(state);
    copy_tree(hub, kept, state);
}

void hub_open_twin(struct hub *twin, const struct hub *hub)
{
    char kept[PATH_BYTES];
    path_of(hub, "kept", kept);
    hub_open_copy(twin, NULL, kept, hub->community, "");
}

void hub_open_copy(struct hub *hub, const char *root, const char *state_dir, const char *community,
                   const char *more)
{
    char state[PATH_BYTES];
    prepare(hub, root, more);
    (void)snprintf(hub->community, sizeof hub->community, "%s", community);
    path_of(hub, "state", state);
    remove_tree(state);
    copy_tree(hub, state_dir, state);
    hub_start(hub);
}

void hub_lose_database(struct hub *hub)
{
    char path[PATH_BYTES];
    CHECK(!hub->pid, "the hub runs");
    path_of(hub, "state/db", path);
    remove_tree(path);
}

// --- folkmootctl ---

static size_t fill_command(struct hub *hub, const char *const *words, const char **argv)
{
    const char *const first[] = {FOLKMOOTCTL_PATH, "--socket",  hub->socket,
                                 "--config",       hub->config, "--json"};
    size_t n = 0;
    for (; n < COMMAND_FIRST; n++)
        argv[n] = first[n];
    for (size_t i = 0; words[i]; i++) {
        CHECK(i < WORDS_MAX, "too many words");
        argv[n++] = words[i];
    }
    argv[n] = NULL;
    return n;
}

cJSON *hub_on_files(struct hub *hub, const char *const *words, bool may_fail)
{
    char errors[PATH_BYTES];
    path_of(hub, "stderr", errors);
    const char *argv[WORDS_MAX + COMMAND_FIRST + 1];
    (void)fill_command(hub, words, argv);
    int code;
    char *text = child_output(argv, errors, &code);
    CHECK(may_fail || code == 0, "folkmootctl %s ended with %d: %s", words[0], code, text);
    cJSON *answer = cJSON_Parse(text);
    CHECK(answer, "folkmootctl %s said no JSON: %s", words[0], text);
    free(text);
    return answer;
}

cJSON *hub_control(struct hub *hub, const char *const *words)
{
    return hub_on_files(hub, words, false);
}

void hub_kill_command(struct hub *hub, const char *const *words, uint64_t after_us)
{
    char errors[PATH_BYTES];
    path_of(hub, "stderr", errors);
    const char *argv[WORDS_MAX + COMMAND_FIRST + 1];
    (void)fill_command(hub, words, argv);
    const struct timespec wait = {(time_t)(after_us / 1000000), (long)(after_us % 1000000) * 1000};
    int output;
    pid_t pid = child_start(argv, errors, &output);
    (void)nanosleep(&wait, NULL);
    (void)kill(pid, SIGKILL);
    (void)child_wait(pid, STOP_SECONDS_MAX);
    // What it has begun apart ends when nobody reads what it says.
    char c;
    while (read(output, &c, 1) > 0)
        continue;
    (void)close(output);
}

void hub_path_of(const struct hub *hub, const char *name, char *path)
{
    (void)snprintf(path, HUB_PATH_BYTES, "%s/%s", hub->dir, name);
}

void hub_invite(struct hub *hub, const char *role, char link[HUB_LINK_BYTES])
{
    const char *const words[] = {"invite", hub->community, "--role", role, NULL};
    cJSON *answer = hub_control(hub, words);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "link"));
    CHECK(text && strlen(text) < HUB_LINK_BYTES, "no link in the invitation");
    memcpy(link, text, strlen(text) + 1);
    cJSON_Delete(answer);
}

uint64_t hub_log_size(struct hub *hub)
{
    const char *const words[] = {"community", "list", NULL};
    cJSON *answer = hub_control(hub, words);
    const cJSON *item;
    double size = -1;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(answer, "communities"))
    {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(item, "id"));
        if (id && strcmp(id, hub->community) == 0)
            size = cJSON_GetNumberValue(cJSON_GetObjectItem(item, "changes"));
    }
    cJSON_Delete(answer);
    CHECK(size >= 1, "the community is not in the list");
    return (uint64_t)size;
}

char *hub_communities(struct hub *hub)
{
    const char *const words[] = {"community", "list", NULL};
    cJSON *answer = hub_control(hub, words);
    char *text = cJSON_PrintUnformatted(answer);
    cJSON_Delete(answer);
    CHECK(text, "out of memory");
    return text;
}
