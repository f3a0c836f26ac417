#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>

#include "daemon/listen.h"

typedef enum err text_check(const char *value, struct fault *fault);

enum type { TYPE_TEXT, TYPE_NUMBER, TYPE_BYTES };

struct key {
    const char *section;
    const char *name;
    enum type type;
    size_t offset;
    const char *fallback;
    uint64_t min;
    uint64_t max;
    text_check *check; // of a text; NULL: anything
};

bool config_next(struct bytes *rest, struct bytes *item)
{
    while (rest->n > 0 && (*rest->p == ' ' || *rest->p == ',' || *rest->p == '\t'))
        *rest = bytes_of(rest->p + 1, rest->n - 1);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *item = bytes_of(rest->p, n);
    *rest = bytes_of(rest->p + n, rest->n - n);
    return n > 0;
}

// --- checks of texts ---

static enum err check_addresses(const char *value, bool local_only, struct fault *fault)
{
    struct bytes rest = bytes_of_text(value), item;
    struct listen_address address;
    for (int n = 0; config_next(&rest, &item); n++) {
        if (n == CONFIG_LISTEN_MAX)
            return fault_set(fault, ERR_LIMIT, "at most %d addresses", CONFIG_LISTEN_MAX);
        enum err err = listen_parse(item, &address, fault);
        if (err)
            return err;
        if (local_only && !listen_is_local(&address))
            return fault_set(fault, ERR_FORBIDDEN,
                             "\"%.*s\" can be reached from outside; without TLS only a loopback "
                             "address or a unix socket is allowed",
                             (int)item.n, (const char *)item.p);
    }
    return OK;
}

static enum err check_tls_addresses(const char *value, struct fault *fault)
{
    return check_addresses(value, false, fault);
}

static enum err check_plain_addresses(const char *value, struct fault *fault)
{
    return check_addresses(value, true, fault);
}

static enum err check_path(const char *value, struct fault *fault)
{
    return value[0] == '\0' || value[0] == '/'
               ? OK
               : fault_set(fault, ERR_MALFORMED, "the path must begin with /");
}

static enum err check_set_path(const char *value, struct fault *fault)
{
    return value[0] == '/' ? OK : fault_set(fault, ERR_MALFORMED, "a path that begins with /");
}

// What may stand in a link without being escaped.
static enum err check_public_address(const char *value, struct fault *fault)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".-:[]";
    const char *colon = strrchr(value, ':');
    bool ok = colon && colon != value && strspn(value, allowed) == strlen(value) &&
              colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1);
    return value[0] == '\0' || ok
               ? OK
               : fault_set(fault, ERR_MALFORMED, "HOST:PORT, such as hub.example.org:8443");
}

static enum err check_level(const char *value, struct fault *fault)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(value, levels[i]) == 0)
            return OK;
    return fault_set(fault, ERR_MALFORMED, "one of error, warning, info, debug");
}

// --- the table ---

#define TEXT(section, name, fallback, check)                                                       \
    {                                                                                              \
        section, #name, TYPE_TEXT, offsetof(struct config, name), fallback, 0, 0, check            \
    }
#define NUMBER(section, name, fallback, min, max)                                                  \
    {                                                                                              \
        section, #name, TYPE_NUMBER, offsetof(struct config, name), fallback, min, max, NULL       \
    }
#define SIZE(section, name, fallback, min, max)                                                    \
    {                                                                                              \
        section, #name, TYPE_BYTES, offsetof(struct config, name), fallback, min, max, NULL        \
    }
#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const struct key keys[] = {
    TEXT("hub", state_dir, "/var/lib/folkmoot", check_set_path),
    TEXT("hub", identity, "", check_path),
    TEXT("hub", address, "", check_public_address),
    SIZE("hub", database_bytes, "0", 0, 1024 * GIB),
    TEXT("listen", tls, "0.0.0.0:8443", check_tls_addresses),
    TEXT("listen", plain, "", check_plain_addresses),
    TEXT("listen", control, "/run/folkmoot/control.sock", check_set_path),
    TEXT("listen", metrics, "", check_plain_addresses),
    TEXT("tls", certificate, "", check_path),
    TEXT("tls", key, "", check_path),
    TEXT("tls", proxy_certificate, "", check_path),
    NUMBER("limits", connections, "1000", 1, 100000),
    NUMBER("limits", connections_per_address, "64", 1, 100000),
    NUMBER("limits", streams, "100", 1, 1000),
    SIZE("limits", body_bytes, "1M", 64 * KIB, 1 * MIB),
    SIZE("limits", header_bytes, "16K", 2 * KIB, 64 * KIB),
    SIZE("limits", queued_bytes, "256K", 16 * KIB, 8 * MIB),
    SIZE("limits", memory_bytes, "256M", 4 * MIB, 64 * GIB),
    NUMBER("limits", inbox, "256", 1, 100000),
    SIZE("limits", inbox_bytes, "128M", 1 * MIB, 64 * GIB),
    NUMBER("limits", token_days, "30", 1, 3650),
    NUMBER("limits", device_changes_per_day, "20000", 0, 1000000000),
    SIZE("limits", device_bytes_per_day, "64M", 0, 1024 * GIB),
    NUMBER("limits", handshake_seconds, "30", 1, 600),
    NUMBER("limits", request_seconds, "60", 1, 3600),
    NUMBER("limits", idle_seconds, "300", 1, 86400),
    NUMBER("limits", progress_seconds, "120", 1, 3600),
    SIZE("limits", progress_bytes, "512", 1, 1 * MIB),
    NUMBER("limits", stop_seconds, "10", 1, 600),
    NUMBER("limits", enrol_attempts_per_minute, "300", 1, 1000000),
    NUMBER("limits", enrol_attempts_per_minute_per_address, "20", 1, 1000000),
    NUMBER("picture", observer_least, "5", 2, 1000),
    TEXT("picture", population, "", check_path),
    TEXT("log", level, "info", check_level),
};

enum { KEYS_N = sizeof keys / sizeof *keys };

// --- values ---

static char *text_at(struct config *config, const struct key *key)
{
    return (char *)config + key->offset;
}

static uint64_t *number_at(struct config *config, const struct key *key)
{
    return (uint64_t *)(void *)((char *)config + key->offset);
}

static enum err set_text(struct config *config, const struct key *key, const char *value,
                         struct fault *fault)
{
    size_t n = strlen(value);
    if (n >= CONFIG_TEXT_MAX)
        return fault_set(fault, ERR_LIMIT, "longer than %d bytes", CONFIG_TEXT_MAX - 1);
    enum err err = key->check ? key->check(value, fault) : OK;
    if (!err)
        memcpy(text_at(config, key), value, n + 1);
    return err;
}

// K, M and G stand for powers of 1024.
static bool scale(const char *unit, enum type type, uint64_t *number)
{
    static const char units[] = "KMG";
    if (*unit == '\0')
        return true;
    const char *found = strchr(units, *unit);
    if (type != TYPE_BYTES || !found || unit[1] != '\0' || *number > UINT64_MAX / GIB)
        return false;
    for (const char *p = units; p <= found; p++)
        *number *= KIB;
    return true;
}

static enum err set_number(struct config *config, const struct key *key, const char *value,
                           struct fault *fault)
{
    char *end;
    errno = 0;
    unsigned long long parsed = strtoull(value, &end, 10);
    uint64_t number = parsed;
    if (*value < '0' || *value > '9' || errno || !scale(end, key->type, &number))
        return fault_set(fault, ERR_MALFORMED, "\"%.40s\" is not a number%s", value,
                         key->type == TYPE_BYTES ? " of bytes (K, M, G allowed)" : "");
    if (number < key->min || number > key->max)
        return fault_set(fault, ERR_LIMIT, "%.40s is not within %llu and %llu", value,
                         (unsigned long long)key->min, (unsigned long long)key->max);
    *number_at(config, key) = number;
    return OK;
}

static enum err set(struct config *config, const struct key *key, const char *value,
                    struct fault *fault)
{
    return key->type == TYPE_TEXT ? set_text(config, key, value, fault)
                                  : set_number(config, key, value, fault);
}

void config_default(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < KEYS_N; i++) {
        struct fault fault;
        if (set(config, &keys[i], keys[i].fallback, &fault))
            abort(); // a bug in the table
    }
}

// --- the file ---

struct reading {
    const char *path;
    FILE *file;
    int line;
    bool line_too_long;
    struct config *config;
    struct fault *fault;
    enum err err; // the first
    bool given[KEYS_N];
};

static int fail(struct reading *reading, enum err err, const char *what, const char *why)
{
    if (!reading->err)
        reading->err = fault_set(reading->fault, err, "%s:%d: %s%s%s", reading->path, reading->line,
                                 what, why[0] ? ": " : "", why);
    return 0;
}

static int on_value(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    char what[120];
    (void)snprintf(what, sizeof what, "[%.40s] %.60s", section, name);
    for (size_t i = 0; i < KEYS_N; i++) {
        if (strcmp(section, keys[i].section) != 0 || strcmp(name, keys[i].name) != 0)
            continue;
        if (reading->given[i])
            return fail(reading, ERR_EXISTS, what, "given twice, or goes on in a second line");
        reading->given[i] = true;
        struct fault fault = {0};
        enum err err = set(reading->config, &keys[i], value, &fault);
        return err ? fail(reading, err, what, fault.text) : 1;
    }
    return fail(reading, ERR_NOT_FOUND, what, "no such key");
}

// Counts lines, which inih's handler is not told, and sees those that inih would cut in two.
static char *read_line(char *line, int size, void *stream)
{
    struct reading *reading = stream;
    if (reading->err || !fgets(line, size, reading->file))
        return NULL;
    reading->line++;
    size_t n = strlen(line);
    if (n > 0 && line[n - 1] != '\n' && !feof(reading->file)) {
        (void)fail(reading, ERR_LIMIT, "this line is too long", "");
        return NULL;
    }
    return line;
}

enum err config_read(const char *path, struct config *config, struct fault *fault)
{
    struct reading reading = {.path = path, .config = config, .fault = fault};
    reading.file = fopen(path, "re");
    if (!reading.file)
        return fault_set(fault, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    int line = ini_parse_stream(read_line, &reading, on_value, &reading);
    bool failed = ferror(reading.file) != 0;
    (void)fclose(reading.file);
    if (reading.err)
        return reading.err;
    if (failed)
        return fault_set(fault, ERR_IO, "cannot read %s", path);
    if (line)
        return fault_set(fault, ERR_MALFORMED,
                         "%s:%d: neither a [section], nor \"key = value\", nor a comment", path,
                         line);
    return OK;
}

enum err config_check(const struct config *config, struct fault *fault)
{
    if (!config->certificate[0] != !config->key[0])
        return fault_set(fault, ERR_MALFORMED,
                         "[tls] certificate and key must both be given, or neither");
    if (!config->tls[0] && !config->plain[0])
        return fault_set(fault, ERR_MALFORMED,
                         "[listen] tls and plain are both empty: nobody could reach the hub");
    return OK;
}

// What is read each time that it is used, by the loop's thread alone.
static bool is_live(const char *name)
{
    static const char *const names[] = {"address",      "certificate", "key",  "request_seconds",
                                        "stop_seconds", "population",  "level"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void config_take(const struct config *fresh, struct config *config,
                 void (*waiting)(const char *section, const char *name))
{
    for (size_t i = 0; i < KEYS_N; i++) {
        const struct key *key = &keys[i];
        const char *from = (const char *)fresh + key->offset;
        char *to = text_at(config, key);
        bool same = key->type == TYPE_TEXT ? strcmp(from, to) == 0
                                           : memcmp(from, to, sizeof(uint64_t)) == 0;
        if (!same && is_live(key->name))
            memcpy(to, from, key->type == TYPE_TEXT ? strlen(from) + 1 : sizeof(uint64_t));
        else if (!same)
            waiting(key->section, key->name);
    }
}

void config_print(const struct config *config, FILE *file)
{
    const char *section = "";
    for (size_t i = 0; i < KEYS_N; i++) {
        const struct key *key = &keys[i];
        if (strcmp(section, key->section) != 0)
            (void)fprintf(file, "%s[%s]\n", section[0] ? "\n" : "", key->section);
        section = key->section;
        const char *at = (const char *)config + key->offset;
        if (key->type == TYPE_TEXT)
            (void)fprintf(file, "%s = %s\n", key->name, at);
        else
            (void)fprintf(file, "%s = %llu\n", key->name,
                          (unsigned long long)*(const uint64_t *)(const void *)at);
    }
}
