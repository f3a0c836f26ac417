// folkmootctl, the administrator's tool: a command to the hub's control socket, and its answer for
// people or as JSON. See --help.

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/terminal.h"
#include "sync/fingerprint.h"

enum exit_code { CODE_OK, CODE_REFUSED, CODE_USAGE, CODE_UNREACHABLE };

static const char default_socket[] = "/run/folkmoot/control.sock";

static const char help[] =
    "usage: folkmootctl [--socket PATH] [--json] COMMAND\n"
    "\n"
    "Commands:\n"
    "  status                   what the hub is and does\n"
    "  community create NAME    found a community on this hub\n"
    "  community list           the communities of this hub\n"
    "  invite COMMUNITY         make an invitation for one device: a link and a QR code\n"
    "      --role ROLE          volunteer (if not given) or coordinator\n"
    "      --label TEXT         how the device will be called in lists\n"
    "      --valid TIME         30m, 12h or 7d (if not given)\n"
    "  devices COMMUNITY        the devices of a community\n"
    "  fingerprint COMMUNITY    one number for all its records, to compare with a device's;\n"
    "                           reads the database, so it needs the right to\n"
    "\n"
    "COMMUNITY is its name, or 8 or more digits of its id.\n"
    "\n"
    "  --socket PATH  the hub's control socket; if not given, $FOLKMOOT_CONTROL or\n"
    "                 /run/folkmoot/control.sock\n"
    "  --json         print the hub's answer as JSON\n"
    "  --version      print the version\n"
    "  --help         print this\n"
    "\n"
    "Exit status: 0 done; 1 the hub refused, and says why; 2 called wrongly;\n"
    "3 the hub cannot be reached.\n";

struct arguments {
    const char *socket;
    bool json;
    const char *role;
    const char *label;
    const char *valid;
};

// --- the hub ---

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&address, sizeof address)) {
        int code = errno;
        (void)close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

static bool send_line(int fd, const char *text)
{
    struct buf line = {0};
    buf_put_text(&line, text);
    buf_put_u8(&line, '\n');
    bool ok = !line.err;
    for (size_t at = 0; ok && at < line.n;) {
        ssize_t n = send(fd, line.p + at, line.n - at, MSG_NOSIGNAL);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    buf_done(&line);
    return ok;
}

static bool read_line(int fd, struct buf *line)
{
    for (;;) {
        uint8_t *room = buf_room(line, 4096);
        ssize_t n = room ? read(fd, room, 4096) : -1;
        if (n < 0 && room && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        line->n += (size_t)n;
        if (line->p[line->n - 1] == '\n')
            return true;
    }
}

// NULL, with a line on standard error, when the hub cannot be reached.
static cJSON *ask(const char *path, const cJSON *request)
{
    struct buf line = {0};
    cJSON *answer = NULL;
    char *text = cJSON_PrintUnformatted(request);
    int fd = connect_to(path);
    if (fd < 0)
        (void)fprintf(stderr, "folkmootctl: cannot reach the hub at %s: %s\n", path,
                      strerror(errno));
    else if (!text || !send_line(fd, text) || !read_line(fd, &line) ||
             !(answer = cJSON_ParseWithLength((const char *)line.p, line.n)))
        (void)fprintf(stderr, "folkmootctl: the hub at %s did not answer\n", path);
    if (fd >= 0)
        (void)close(fd);
    cJSON_free(text);
    buf_done(&line);
    return answer;
}

// --- what this process reads by itself ---

static enum err read_fingerprint(const char *database, const char *id_hex, uint8_t hash[HASH_SIZE],
                                 uint64_t *records, struct fault *fault)
{
    uint8_t id[COMMUNITY_SIZE];
    struct community community;
    struct store *store = NULL;
    struct store_options options = {.read_only = true};
    if (text_unhex(bytes_of_text(id_hex), id, sizeof id))
        return fault_set(fault, ERR_MALFORMED, "the hub's answer is not understood");
    enum err err = store_open(database, &options, &store, fault);
    if (err)
        return err;
    struct txn *txn = txn_begin_read(store);
    err = txn_error(txn);
    if (!err)
        err = community_get(txn, id, &community);
    if (!err)
        err = fingerprint(txn, &community, hash, records);
    txn_abort(&txn);
    store_close(&store);
    return err ? fault_set(fault, err, "the database %s could not be read: %s", database,
                           err_text(err))
               : OK;
}

// Puts the number into the answer, or what went wrong.
static void add_fingerprint(cJSON *answer)
{
    uint8_t hash[HASH_SIZE];
    char hex[2 * HASH_SIZE + 1];
    uint64_t records = 0;
    struct fault fault = {0};
    const char *database =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "database"));
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "id"));
    if (!database || !id)
        return;
    if (read_fingerprint(database, id, hash, &records, &fault)) {
        (void)cJSON_ReplaceItemInObjectCaseSensitive(answer, "ok", cJSON_CreateFalse());
        (void)cJSON_AddStringToObject(answer, "error", fault.text);
        return;
    }
    text_hex(BYTES(hash), hex);
    (void)cJSON_AddStringToObject(answer, "fingerprint", hex);
    (void)cJSON_AddNumberToObject(answer, "records", (double)records);
}

// --- answers for people ---

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void show_text(const cJSON *object, const char *title, const char *name)
{
    (void)printf("%-20s ", title);
    terminal_text(stdout, text_of(object, name));
    (void)putchar('\n');
}

static void show_number(const cJSON *object, const char *title, const char *name)
{
    (void)printf("%-20s %.0f\n", title, number_of(object, name));
}

static void show_status(const cJSON *answer)
{
    show_text(answer, "version", "version");
    show_text(answer, "hub key", "hub_key");
    show_text(answer, "address", "address");
    show_number(answer, "up, seconds", "up_seconds");
    show_number(answer, "communities", "communities");
    show_number(answer, "connections", "connections");
    show_number(answer, "  turned away", "connections_refused");
    show_number(answer, "calls", "calls");
    show_number(answer, "  refused", "calls_refused");
    show_number(answer, "writes waiting", "writes_waiting");
    (void)printf("%-20s %.1f of %.0f MiB\n", "database",
                 number_of(answer, "database_bytes") / (1 << 20),
                 number_of(answer, "database_bytes_max") / (1 << 20));
}

static void show_created(const cJSON *answer)
{
    show_text(answer, "founded", "name");
    show_text(answer, "id", "id");
}

static void show_communities(const cJSON *answer)
{
    const cJSON *item;
    (void)printf("%-32s %10s  NAME\n", "ID", "CHANGES");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "communities"))
    {
        (void)printf("%-32s %10.0f  ", text_of(item, "id"), number_of(item, "changes"));
        terminal_text(stdout, text_of(item, "name"));
        (void)putchar('\n');
    }
}

static void show_devices(const cJSON *answer)
{
    const cJSON *item;
    (void)printf("%-24s %-11s %8s  %-16s  LABEL\n", "HANDLE", "ROLE", "CHANGES", "LAST SYNC");
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "devices"))
    {
        (void)printf("%-24s %-11s %8.0f  ", text_of(item, "handle"), text_of(item, "role"),
                     number_of(item, "changes"));
        double last = number_of(item, "last_sync");
        terminal_time(stdout, (int64_t)last);
        (void)fputs(last == 0 ? "             " : "  ", stdout); // "never" is eleven shorter
        terminal_text(stdout, text_of(item, "label"));
        (void)putchar('\n');
    }
}

static void show_fingerprint(const cJSON *answer)
{
    (void)printf("%s  %.0f records\n", text_of(answer, "fingerprint"),
                 number_of(answer, "records"));
}

static void show_invitation(const cJSON *answer)
{
    const char *link = text_of(answer, "link");
    (void)printf("An invitation for one device, as %s, to ", text_of(answer, "role"));
    terminal_text(stdout, text_of(answer, "community"));
    (void)printf(".\nIt is valid until ");
    terminal_time(stdout, (int64_t)number_of(answer, "expires"));
    (void)printf(". Whoever has the link may use it: give it to nobody else.\n\n");
    if (!terminal_qr(stdout, link, isatty(STDOUT_FILENO)))
        (void)fputs("(the link is too long for a QR code)\n", stdout);
    (void)printf("\n%s\n", link);
}

// --- commands ---

// Fills the request from what stands behind the command. False: called wrongly.
typedef bool fill_function(const struct arguments *arguments, const char *name, cJSON *request);

static bool fill_nothing(const struct arguments *arguments, const char *name, cJSON *request)
{
    (void)arguments;
    (void)request;
    return !name;
}

static bool fill_name(const struct arguments *arguments, const char *name, cJSON *request)
{
    (void)arguments;
    return name && cJSON_AddStringToObject(request, "name", name);
}

static bool fill_community(const struct arguments *arguments, const char *name, cJSON *request)
{
    (void)arguments;
    return name && cJSON_AddStringToObject(request, "community", name);
}

// "30m", "12h", "7d" in milliseconds; 0: none of these.
static double read_span(const char *text)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    double minute = 60000;
    if (errno || number <= 0 || end == text || end[0] == '\0' || end[1] != '\0')
        return 0;
    switch (*end) {
    case 'm':
        return (double)number * minute;
    case 'h':
        return (double)number * 60 * minute;
    case 'd':
        return (double)number * 24 * 60 * minute;
    default:
        return 0;
    }
}

static bool fill_invitation(const struct arguments *arguments, const char *name, cJSON *request)
{
    if (!fill_community(arguments, name, request))
        return false;
    if (arguments->role)
        (void)cJSON_AddStringToObject(request, "role", arguments->role);
    if (arguments->label)
        (void)cJSON_AddStringToObject(request, "label", arguments->label);
    if (!arguments->valid)
        return true;
    double ms = read_span(arguments->valid);
    if (ms > 0)
        return cJSON_AddNumberToObject(request, "valid_ms", ms);
    (void)fputs("folkmootctl: --valid is a time such as 30m, 12h or 7d\n", stderr);
    return false;
}

static const struct command {
    const char *word;
    const char *second; // NULL: one word
    const char *name;   // in the request
    fill_function *fill;
    void (*show)(const cJSON *answer);
} commands[] = {
    {"status", NULL, "status", fill_nothing, show_status},
    {"community", "create", "community create", fill_name, show_created},
    {"community", "list", "community list", fill_nothing, show_communities},
    {"invite", NULL, "invite", fill_invitation, show_invitation},
    {"devices", NULL, "devices", fill_community, show_devices},
    {"fingerprint", NULL, "fingerprint", fill_community, show_fingerprint},
};

// Words that stand behind the options; *used says how many the command is.
static const struct command *find_command(int n, char **words, int *used)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *command = &commands[i];
        int length = command->second ? 2 : 1;
        if (n < length || strcmp(words[0], command->word) != 0 ||
            (command->second && strcmp(words[1], command->second) != 0))
            continue;
        *used = length;
        return command;
    }
    return NULL;
}

static enum exit_code report(const struct arguments *arguments, const struct command *command,
                             const cJSON *answer)
{
    bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"));
    if (arguments->json) {
        char *text = cJSON_Print(answer);
        (void)puts(text ? text : "{}");
        cJSON_free(text);
    } else if (ok) {
        command->show(answer);
    } else {
        (void)fputs("folkmootctl: ", stderr);
        terminal_text(stderr, text_of(answer, "error"));
        (void)fputc('\n', stderr);
    }
    return ok ? CODE_OK : CODE_REFUSED;
}

static enum exit_code wrong_call(void)
{
    (void)fputs("See folkmootctl --help.\n", stderr);
    return CODE_USAGE;
}

static enum exit_code run(const struct arguments *arguments, int n, char **words)
{
    int used = 0;
    const struct command *command = n > 0 ? find_command(n, words, &used) : NULL;
    if (!command || n - used > 1)
        return wrong_call();
    cJSON *request = cJSON_CreateObject();
    cJSON *answer = NULL;
    enum exit_code code = CODE_UNREACHABLE;
    (void)cJSON_AddStringToObject(request, "command", command->name);
    if (!command->fill(arguments, n > used ? words[used] : NULL, request))
        code = wrong_call();
    else
        answer = ask(arguments->socket, request);
    if (answer && command->show == show_fingerprint)
        add_fingerprint(answer);
    if (answer)
        code = report(arguments, command, answer);
    cJSON_Delete(answer);
    cJSON_Delete(request);
    return code;
}

static void read_option(int option, struct arguments *arguments)
{
    switch (option) {
    case 's':
        arguments->socket = optarg;
        break;
    case 'j':
        arguments->json = true;
        break;
    case 'r':
        arguments->role = optarg;
        break;
    case 'l':
        arguments->label = optarg;
        break;
    default:
        arguments->valid = optarg;
        break;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
        {"role", required_argument, NULL, 'r'},   {"label", required_argument, NULL, 'l'},
        {"valid", required_argument, NULL, 'v'},  {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {0}};
    const char *chosen = getenv("FOLKMOOT_CONTROL");
    struct arguments arguments = {.socket = chosen ? chosen : default_socket};
    for (int option; (option = getopt_long(argc, argv, "s:jh", options, NULL)) != -1;) {
        if (option == 'h' || option == 'V') {
            (void)fputs(option == 'h' ? help : "folkmootctl " FOLKMOOT_VERSION "\n", stdout);
            return CODE_OK;
        }
        if (option == '?')
            return (int)wrong_call();
        read_option(option, &arguments);
    }
    return (int)run(&arguments, argc - optind, argv + optind);
}
