// folkmootctl, the administrator's tool: a command to the hub's control socket, and its answer for
// people or as JSON. See --help.

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/folkmootctl_ask.h"
#include "daemon/folkmootctl_picture.h"
#include "daemon/folkmootctl_store.h"
#include "daemon/folkmootctl_table.h"
#include "daemon/terminal.h"
#include "sync/fingerprint.h"

enum exit_code { CODE_OK, CODE_REFUSED, CODE_USAGE, CODE_UNREACHABLE };

static const char default_socket[] = "/run/folkmoot/control.sock";
static const char default_config[] = "/etc/folkmoot/folkmootd.conf";

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
static void fill_options(const struct ctl_arguments *arguments, cJSON *request)
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

static bool fill_valid(const struct ctl_arguments *arguments, cJSON *request)
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
static bool fill_since(const struct ctl_arguments *arguments, cJSON *request)
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
static bool fill_change(const struct ctl_arguments *arguments, cJSON *request)
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
static bool fill_person(const struct ctl_arguments *arguments, cJSON *request)
{
    char record[64];
    if (!arguments->person)
        return true;
    (void)snprintf(record, sizeof record, "person:%s", arguments->person);
    return cJSON_AddStringToObject(request, "record", record);
}

static bool check_page(const struct ctl_arguments *arguments)
{
    if (!arguments->outlines || arguments->html)
        return true;
    (void)fputs("folkmootctl: --outlines draws a map on the page of picture --html FILE\n", stderr);
    return false;
}

static bool check_export(const struct ctl_arguments *arguments, const struct ctl_command *command)
{
    bool is_export = strcmp(command->name, "export") == 0;
    bool has_more = arguments->kind || arguments->audience || arguments->prefix || arguments->hxl;
    if ((is_export || !arguments->as) && (arguments->as || !has_more))
        return true;
    (void)fputs("folkmootctl: --as is for export, and --kind, --audience, --hxl and --prefix for "
                "export --as\n",
                stderr);
    return false;
}

// False: called wrongly.
static bool fill_request(const struct ctl_arguments *arguments, const struct ctl_command *command,
                         int n, char **words, cJSON *request)
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
    return fill_valid(arguments, request) && check_export(arguments, command) &&
           check_page(arguments) && fill_since(arguments, request) &&
           fill_change(arguments, request) && fill_person(arguments, request);
}

static enum exit_code write_page(const struct ctl_arguments *arguments, const cJSON *answer)
{
    struct outlines outlines = {.document = NULL};
    struct fault fault = {0};
    const char *path = arguments->outlines;
    if (path && outlines_read(path, answer, &outlines, &fault)) {
        (void)fprintf(stderr, "folkmootctl: %s\n", fault.text);
        return CODE_REFUSED;
    }
    bool good = ctl_write_picture(answer, arguments->html, (double)time(NULL) * 1000,
                                  path ? &outlines : NULL);
    if (!good)
        (void)fprintf(stderr, "folkmootctl: cannot write %s: %s\n", arguments->html,
                      strerror(errno));
    outlines_done(&outlines);
    return good ? CODE_OK : CODE_REFUSED;
}

static enum exit_code report(const struct ctl_arguments *arguments,
                             const struct ctl_command *command, const cJSON *answer)
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
    if (!has_error && arguments->html)
        return write_page(arguments, answer);
    if (!has_error)
        command->show(answer);
    else
        ctl_show_faults(answer);
    if (has_error) {
        (void)fputs("folkmootctl: ", stderr);
        terminal_text(stderr, text_of(answer, "error"));
        (void)fputc('\n', stderr);
    }
    return ok ? CODE_OK : CODE_REFUSED;
}

// False, with a line on standard error: the configuration is wrong.
static bool read_config(const struct ctl_arguments *arguments, struct config *config)
{
    struct fault fault = {0};
    const char *path = arguments->config;
    config_default(config);
    if (!path && access(default_config, R_OK) == 0)
        path = default_config;
    if (path && config_read(path, config, &fault)) {
        (void)fprintf(stderr, "folkmootctl: %s\n", fault.text);
        return false;
    }
    return true;
}

// Asks the hub whose socket was given, or else that of the configuration that was.
static cJSON *ask(const struct ctl_arguments *arguments, const cJSON *request)
{
    static struct config config;
    if (arguments->socket)
        return ctl_ask(arguments->socket, request);
    if (!arguments->config)
        return ctl_ask(default_socket, request);
    return read_config(arguments, &config) ? ctl_ask(config.control, request) : NULL;
}

static cJSON *see_doctor(const struct ctl_arguments *arguments, const struct config *config)
{
    cJSON *request = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(request, "command", "status");
    cJSON *status = ask(arguments, request);
    cJSON *answer = ctl_doctor(config, status);
    cJSON_Delete(status);
    cJSON_Delete(request);
    return answer;
}

static cJSON *run_on_files(const struct ctl_arguments *arguments, const char *command,
                           const cJSON *request)
{
    static struct config config;
    if (!read_config(arguments, &config))
        return NULL;
    const char *file = text_of(request, "file");
    const char *community = text_of(request, "community");
    const struct ctl_store call = {
        .community = *community ? community : NULL,
        .file = *file ? file : NULL,
        .is_forced = arguments->force,
        .as = arguments->as,
        .kind = arguments->kind,
        .audience = arguments->audience,
        .prefix = arguments->prefix,
        .hxl = arguments->hxl,
    };
    cJSON *answer = strcmp(command, "doctor") == 0 ? see_doctor(arguments, &config)
                                                   : ctl_store_run(command, &config, &call);
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

static enum exit_code run(const struct ctl_arguments *arguments, int n, char **words)
{
    int used = 0;
    const struct ctl_command *command = ctl_command_find(n, words, &used);
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
                                              : ask(arguments, request);
    if (answer && command->show == ctl_show_fingerprint)
        add_fingerprint(answer);
    if (answer)
        code = report(arguments, command, answer);
    cJSON_Delete(answer);
    cJSON_Delete(request);
    return code;
}

int main(int argc, char **argv)
{
    struct ctl_arguments arguments = {.socket = getenv("FOLKMOOT_CONTROL")};
    int first = ctl_parse(argc, argv, &arguments);
    if (first < 0)
        return (int)wrong_call();
    if (arguments.help)
        ctl_help();
    else if (arguments.version)
        (void)puts("folkmootctl " FOLKMOOT_VERSION);
    else if (arguments.completion)
        ctl_completion();
    else
        return (int)run(&arguments, argc - first, argv + first);
    return CODE_OK;
}
