// folkmootctl, the administrator's tool: a command to the hub's control socket, and its answer for
// people or as JSON. See --help.

#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/folkmootctl_ask.h"
#include "daemon/folkmootctl_show.h"
#include "daemon/folkmootctl_store.h"
#include "daemon/terminal.h"
#include "sync/fingerprint.h"

enum exit_code { CODE_OK, CODE_REFUSED, CODE_USAGE, CODE_UNREACHABLE };

static const char default_socket[] = "/run/folkmoot/control.sock";
static const char default_config[] = "/etc/folkmoot/folkmootd.conf";

static const char help[] =
    "usage: folkmootctl [--socket PATH] [--config FILE] [--json] COMMAND\n"
    "\n"
    "Commands:\n"
    "  status                     what the hub is and does\n"
    "  community create NAME      found a community on this hub\n"
    "  community list             the communities of this hub\n"
    "  invite COMMUNITY           make an invitation: a link and a QR code\n"
    "      --role ROLE            member, volunteer (if not given), coordinator or observer\n"
    "      --uses N               for so many devices (1)\n"
    "      --label TEXT           how the device will be called in lists\n"
    "      --valid TIME           30m, 12h or 7d (if not given)\n"
    "  devices COMMUNITY          the devices of a community\n"
    "  role COMMUNITY DEVICE ROLE give a device another role from its next change on\n"
    "  revoke COMMUNITY DEVICE    a stolen phone, say: it gets nothing more, and what it\n"
    "                             delivers from now on is set apart\n"
    "  reinstate COMMUNITY DEVICE take that back\n"
    "  apart COMMUNITY            what is set apart, and why\n"
    "  release COMMUNITY DEVICE   let take effect what only its revocation set apart\n"
    "      --change DEVICE:SEQ    or this one change, also what its role did not allow\n"
    "  erase COMMUNITY            destroy words, here and on each device at its next sync\n"
    "      --record KIND:ID       of a record and all that hangs on it\n"
    "      --person ID            of all that a person said\n"
    "      --change DEVICE:SEQ    of one change\n"
    "  audit COMMUNITY            what was decided last, and who asked for it\n"
    "      --since TIME           2026-03-01, \"2026-03-01 12:00\", 7d ago, or a decision's "
    "number\n"
    "      --limit N              how many lines (200)\n"
    "  who-may [ROLE]             which role may call, write and see what\n"
    "  rotate tokens COMMUNITY [DEVICE]  void tokens: devices log in anew by themselves\n"
    "  rotate tls                 make the hub's own TLS key anew\n"
    "  fingerprint COMMUNITY      one number for all its records, to compare with a device's;\n"
    "                             reads the database, so it needs the right to\n"
    "\n"
    "On the hub's files, with the right to them (as root, or as the hub's user):\n"
    "  backup FILE                write a backup, while the hub runs; - is standard output\n"
    "  verify [FILE]              read all of the database, or of a backup: every hash, chain,\n"
    "                             signature, index; the hub may run\n"
    "  restore FILE               put a backup in the database's place; the hub is stopped\n"
    "  doctor                     look at what the hub stands on, and say what to do\n"
    "  compact                    write the database anew, as small as it can be; the hub is\n"
    "                             stopped\n"
    "\n"
    "COMMUNITY is its name, or 8 or more digits of its id. DEVICE is its label, or 6 or more\n"
    "digits of its handle.\n"
    "\n"
    "  --socket PATH  the hub's control socket; if not given, $FOLKMOOT_CONTROL or\n"
    "                 /run/folkmoot/control.sock\n"
    "  --config FILE  the hub's configuration, for what is done on its files; if not given,\n"
    "                 /etc/folkmoot/folkmootd.conf where that is there\n"
    "  --json         print the hub's answer as JSON\n"
    "  --version      print the version\n"
    "  --help         print this\n"
    "\n"
    "Exit status: 0 done; 1 refused, or something is damaged, and why; 2 called wrongly;\n"
    "3 the hub cannot be reached.\n";

struct arguments {
    const char *socket;
    const char *config;
    bool json;
    const char *role;
    const char *label;
    const char *valid;
    const char *uses;
    const char *record;
    const char *person;
    const char *change;
    const char *since;
    const char *limit;
};

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

static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text ? text : "";
}

// --- commands ---

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

// The options that go into the request as they are.
static void fill_options(const struct arguments *arguments, cJSON *request)
{
    if (arguments->role)
        (void)cJSON_AddStringToObject(request, "role", arguments->role);
    if (arguments->label)
        (void)cJSON_AddStringToObject(request, "label", arguments->label);
    if (arguments->record)
        (void)cJSON_AddStringToObject(request, "record", arguments->record);
    if (arguments->uses)
        (void)cJSON_AddNumberToObject(request, "uses", strtod(arguments->uses, NULL));
    if (arguments->limit)
        (void)cJSON_AddNumberToObject(request, "limit", strtod(arguments->limit, NULL));
}

static bool fill_valid(const struct arguments *arguments, cJSON *request)
{
    if (!arguments->valid)
        return true;
    double ms = read_span(arguments->valid);
    if (ms > 0)
        return cJSON_AddNumberToObject(request, "valid_ms", ms);
    (void)fputs("folkmootctl: --valid is a time such as 30m, 12h or 7d\n", stderr);
    return false;
}

// A date and perhaps a time of day, in the local time zone, to milliseconds since 1970 UTC. False:
// it is something else.
static bool read_date(const char *text, double *ms)
{
    struct tm parts = {.tm_isdst = -1};
    const char *end = strptime(text, "%Y-%m-%d", &parts);
    if (end && (*end == ' ' || *end == 'T'))
        end = strptime(end + 1, "%H:%M", &parts);
    time_t seconds = end && *end == '\0' ? mktime(&parts) : -1;
    *ms = (double)seconds * 1000;
    return seconds >= 0;
}

// --since: a decision's number, a span back from now, or a date.
static bool fill_since(const struct arguments *arguments, cJSON *request)
{
    double ms;
    if (!arguments->since)
        return true;
    if (arguments->since[0] && strspn(arguments->since, "0123456789") == strlen(arguments->since))
        return cJSON_AddNumberToObject(request, "from", strtod(arguments->since, NULL));
    if (read_span(arguments->since) > 0)
        return cJSON_AddNumberToObject(request, "since_ms",
                                       (double)time(NULL) * 1000 - read_span(arguments->since));
    if (read_date(arguments->since, &ms))
        return cJSON_AddNumberToObject(request, "since_ms", ms);
    (void)fputs("folkmootctl: --since is 2026-03-01, \"2026-03-01 12:00\", 7d, 12h, 30m, or a "
                "decision's number\n",
                stderr);
    return false;
}

// --change DEVICE:SEQ
static bool fill_change(const struct arguments *arguments, cJSON *request)
{
    if (!arguments->change)
        return true;
    const char *colon = strrchr(arguments->change, ':');
    if (!colon)
        return false;
    char *device = strndup(arguments->change, (size_t)(colon - arguments->change));
    bool ok = device && cJSON_AddStringToObject(request, "device", device) &&
              cJSON_AddNumberToObject(request, "seq", strtod(colon + 1, NULL));
    free(device);
    return ok;
}

// --person ID is a record, too.
static bool fill_person(const struct arguments *arguments, cJSON *request)
{
    char record[64];
    if (!arguments->person)
        return true;
    (void)snprintf(record, sizeof record, "person:%s", arguments->person);
    return cJSON_AddStringToObject(request, "record", record);
}

static const struct command {
    const char *word;
    const char *second;   // NULL: one word
    const char *name;     // in the request
    const char *words[3]; // what stands behind the command, in the request
    int least;            // of them
    ctl_show *show;
} commands[] = {
    {"status", NULL, "status", {NULL}, 0, ctl_show_status},
    {"community", "create", "community create", {"name"}, 1, ctl_show_created},
    {"community", "list", "community list", {NULL}, 0, ctl_show_communities},
    {"invite", NULL, "invite", {"community"}, 1, ctl_show_invitation},
    {"devices", NULL, "devices", {"community"}, 1, ctl_show_devices},
    {"fingerprint", NULL, "fingerprint", {"community"}, 1, ctl_show_fingerprint},
    {"role", NULL, "role", {"community", "device", "role"}, 3, ctl_show_decided},
    {"revoke", NULL, "revoke", {"community", "device"}, 2, ctl_show_decided},
    {"reinstate", NULL, "reinstate", {"community", "device"}, 2, ctl_show_decided},
    {"release", NULL, "release", {"community", "device"}, 1, ctl_show_released},
    {"apart", NULL, "apart", {"community"}, 1, ctl_show_apart},
    {"erase", NULL, "erase", {"community"}, 1, ctl_show_erased},
    {"audit", NULL, "audit", {"community"}, 1, ctl_show_audit},
    {"who-may", NULL, "who-may", {"role"}, 0, ctl_show_who_may},
    {"rotate", "tokens", "rotate tokens", {"community", "device"}, 1, ctl_show_voided},
    {"rotate", "tls", "rotate tls", {NULL}, 0, ctl_show_rotated},
    {"backup", NULL, "backup", {"file"}, 1, ctl_show_backup},
    {"restore", NULL, "restore", {"file"}, 1, ctl_show_restored},
    {"compact", NULL, "compact", {NULL}, 0, ctl_show_compacted},
    {"verify", NULL, "verify", {"file"}, 0, ctl_show_verified},
    {"doctor", NULL, "doctor", {NULL}, 0, ctl_show_doctor},
};

// False: called wrongly.
static bool fill_request(const struct arguments *arguments, const struct command *command, int n,
                         char **words, cJSON *request)
{
    int most = 0;
    while (most < 3 && command->words[most])
        most++;
    if (n < command->least || n > most)
        return false;
    for (int i = 0; i < n; i++) {
        if (!cJSON_AddStringToObject(request, command->words[i], words[i]))
            return false;
    }
    fill_options(arguments, request);
    return fill_valid(arguments, request) && fill_since(arguments, request) &&
           fill_change(arguments, request) && fill_person(arguments, request);
}

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
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "damaged")))
        (void)fputs("folkmootctl: the hub's disk has damaged something, which is missing here: "
                    "restore a backup\n",
                    stderr);
    if (arguments->json) {
        char *text = cJSON_Print(answer);
        (void)puts(text ? text : "{}");
        cJSON_free(text);
        return ok ? CODE_OK : CODE_REFUSED;
    }
    bool has_error = cJSON_HasObjectItem(answer, "error");
    if (!has_error)
        command->show(answer);
    if (has_error) {
        (void)fputs("folkmootctl: ", stderr);
        terminal_text(stderr, text_of(answer, "error"));
        (void)fputc('\n', stderr);
    }
    return ok ? CODE_OK : CODE_REFUSED;
}

static cJSON *see_doctor(const struct arguments *arguments, const struct config *config)
{
    cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "command", "status");
    cJSON *status = ctl_ask(arguments->socket, request);
    cJSON *answer = ctl_doctor(config, status);
    cJSON_Delete(status);
    cJSON_Delete(request);
    return answer;
}

// NULL, with a line on standard error, when the configuration is wrong.
static cJSON *run_on_files(const struct arguments *arguments, const char *command,
                           const cJSON *request)
{
    static struct config config;
    struct fault fault = {0};
    const char *path = arguments->config;
    config_default(&config);
    if (!path && access(default_config, R_OK) == 0)
        path = default_config;
    enum err err = path ? config_read(path, &config, &fault) : OK;
    if (err) {
        (void)fprintf(stderr, "folkmootctl: %s\n", fault.text);
        return NULL;
    }
    const char *file = text_of(request, "file");
    cJSON *answer = strcmp(command, "doctor") == 0
                        ? see_doctor(arguments, &config)
                        : ctl_store_run(command, &config, *file ? file : NULL);
    // What was written there is not to be mixed with words about it.
    if (strcmp(file, "-") == 0)
        (void)dup2(STDERR_FILENO, STDOUT_FILENO);
    return answer;
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
    if (!command)
        return wrong_call();
    cJSON *request = cJSON_CreateObject();
    cJSON *answer = NULL;
    enum exit_code code = CODE_UNREACHABLE;
    (void)cJSON_AddStringToObject(request, "command", command->name);
    if (!fill_request(arguments, command, n - used, words + used, request))
        code = wrong_call();
    else
        answer = ctl_store_has(command->name) ? run_on_files(arguments, command->name, request)
                                              : ctl_ask(arguments->socket, request);
    if (answer && command->show == ctl_show_fingerprint)
        add_fingerprint(answer);
    if (answer)
        code = report(arguments, command, answer);
    cJSON_Delete(answer);
    cJSON_Delete(request);
    return code;
}

static void read_option(int option, struct arguments *arguments)
{
    const struct {
        int option;
        const char **to;
    } texts[] = {
        {'s', &arguments->socket}, {'c', &arguments->config}, {'r', &arguments->role},
        {'l', &arguments->label},  {'v', &arguments->valid},  {'u', &arguments->uses},
        {'R', &arguments->record}, {'P', &arguments->person}, {'C', &arguments->change},
        {'S', &arguments->since},  {'L', &arguments->limit},
    };
    arguments->json |= option == 'j';
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].option == option)
            *texts[i].to = optarg;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"socket", required_argument, NULL, 's'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"role", required_argument, NULL, 'r'},
                                            {"label", required_argument, NULL, 'l'},
                                            {"valid", required_argument, NULL, 'v'},
                                            {"uses", required_argument, NULL, 'u'},
                                            {"record", required_argument, NULL, 'R'},
                                            {"person", required_argument, NULL, 'P'},
                                            {"change", required_argument, NULL, 'C'},
                                            {"since", required_argument, NULL, 'S'},
                                            {"limit", required_argument, NULL, 'L'},
                                            {"version", no_argument, NULL, 'V'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
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
