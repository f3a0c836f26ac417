#include "daemon/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "daemon/certificate.h"
#include "daemon/place.h"
#include "daemon/reach.h"

enum { DAY_SECONDS = 24 * 60 * 60, RENEW_DAYS = 14 };

struct look {
    const struct config *config;
    const cJSON *status;
    void (*told)(void *arg, const struct doctor_finding *finding);
    void *arg;
};

static void tell(const struct look *look, const char *of, enum doctor_state state,
                 const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

static void tell(const struct look *look, const char *of, enum doctor_state state,
                 const char *advice, const char *format, ...)
{
    struct doctor_finding finding = {.of = of, .state = state, .advice = advice};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    look->told(look->arg, &finding);
}

static double number(const struct look *look, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(look->status, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void look_at_hub(const struct look *look)
{
    if (!look->status)
        tell(look, "hub", DOCTOR_ILL,
             "start it (systemctl start folkmootd), or read why it does not "
             "(journalctl -u folkmootd)",
             "it does not answer at %s", look->config->control);
    else
        tell(look, "hub", DOCTOR_WELL, NULL, "it runs, for %.0f hours; %.0f writes wait",
             number(look, "up_seconds") / 3600, number(look, "writes_waiting"));
}

// --- files ---

static void look_at_folder(const struct look *look)
{
    struct stat st;
    const char *folder = look->config->state_dir;
    if (stat(folder, &st) != 0)
        tell(look, "files", DOCTOR_ILL,
             "name the right configuration by --config, and call this as root or as the hub's user",
             "%s: %s", folder, strerror(errno));
    else if (st.st_mode & 077)
        tell(look, "files", DOCTOR_CARE, "chmod 700 it", "others than the hub may look into %s",
             folder);
    else
        tell(look, "files", DOCTOR_WELL, NULL, "%s is the hub's alone", folder);
}

static void look_at_identity(const struct look *look)
{
    char path[PATH_MAX];
    struct stat st;
    struct fault fault = {0};
    if (place_identity_of_hub(look->config, path, &fault) || stat(path, &st) != 0)
        tell(look, "identity key", DOCTOR_ILL,
             "put it back from where it is kept: no device trusts another",
             "%s is not there, or may not be read", path);
    else if (st.st_mode & 007)
        tell(look, "identity key", DOCTOR_ILL, "chmod 600 it: whoever reads it can be the hub",
             "everybody may read %s", path);
    else
        tell(look, "identity key", DOCTOR_WELL, NULL,
             "%s is there (is a copy kept apart from this machine?)", path);
}

static void look_at_leftovers(const struct look *look)
{
    size_t n = 0;
    char name[NAME_MAX + 1] = "";
    DIR *folder = opendir(look->config->state_dir);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, "db.before-", 10) == 0 ||
            strcmp(entry->d_name, "db.restoring") == 0) {
            (void)snprintf(name, sizeof name, "%s", entry->d_name);
            n++;
        }
    }
    (void)closedir(folder);
    if (n > 0)
        tell(look, "old databases", DOCTOR_CARE,
             "destroy them when all is well: they can read what was erased since",
             "%zu beside the hub's own, such as %.100s", n, name);
    else
        tell(look, "old databases", DOCTOR_WELL, NULL, "none is beside the hub's own");
}

static void look_at_disk(const struct look *look)
{
    struct statvfs about;
    double used = number(look, "database_bytes");
    if (statvfs(look->config->state_dir, &about) != 0)
        return;
    double free_bytes = (double)about.f_bavail * (double)about.f_frsize;
    double mib = 1 << 20;
    if (free_bytes < 64 * mib)
        tell(look, "disk", DOCTOR_ILL,
             "make room at once: a hub whose disk is full takes nothing from devices",
             "%.0f MiB are free for %s", free_bytes / mib, look->config->state_dir);
    else if (free_bytes < 3 * used || free_bytes < 1024 * mib)
        tell(look, "disk", DOCTOR_CARE,
             "make room: verifying and restoring take up to three times the database, and it grows",
             "%.0f MiB are free for %s, and the database has %.0f", free_bytes / mib,
             look->config->state_dir, used / mib);
    else
        tell(look, "disk", DOCTOR_WELL, NULL, "%.0f MiB are free", free_bytes / mib);
}

static void look_at_database(const struct look *look)
{
    double used = number(look, "database_bytes");
    double max = number(look, "database_bytes_max");
    if (!look->status || max <= 0)
        return;
    double percent = 100 * used / max;
    if (percent >= 80)
        tell(look, "database", percent >= 95 ? DOCTOR_ILL : DOCTOR_CARE,
             "raise [hub] database_bytes and restart the hub; folkmootctl compact may make it "
             "smaller",
             "%.0f %% of the room that it may take is used", percent);
    else
        tell(look, "database", DOCTOR_WELL, NULL, "%.0f of %.0f MiB that it may take",
             used / (1 << 20), max / (1 << 20));
}

// --- time ---

static void look_at_clock(const struct look *look)
{
    struct timex clock = {.modes = 0};
    char now[40];
    time_t seconds = time(NULL);
    struct tm parts;
    (void)strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &parts));
    if (adjtimex(&clock) == TIME_ERROR || clock.status & STA_UNSYNC)
        tell(look, "clock", DOCTOR_CARE,
             "timedatectl set-ntp true (or install systemd-timesyncd): decisions bear the hub's "
             "time",
             "nobody sets it; it says %s UTC", now);
    else
        tell(look, "clock", DOCTOR_WELL, NULL, "it is set by others, and says %s UTC", now);
}

// The one that devices are shown.
static const char *certificate_of(const struct look *look, char path[PATH_MAX])
{
    struct fault ignored;
    if (look->config->proxy_certificate[0])
        return look->config->proxy_certificate;
    if (look->config->certificate[0])
        return look->config->certificate;
    return place_in_state(look->config, "tls.pem", path, &ignored) ? "" : path;
}

static void look_at_certificate(const struct look *look)
{
    char own[PATH_MAX];
    int64_t expires;
    struct fault fault = {0};
    if (!look->config->tls[0] && !look->config->proxy_certificate[0])
        return;
    const char *path = certificate_of(look, own);
    if (certificate_expiry(path, &expires, &fault)) {
        tell(look, "certificate", DOCTOR_ILL, "renew it, and systemctl reload folkmootd", "%s",
             fault.text);
        return;
    }
    double days = (double)(expires - (int64_t)time(NULL)) / DAY_SECONDS;
    // Devices trust the identity key, but other clients may not.
    if (days < RENEW_DAYS)
        tell(look, "certificate", days < 0 ? DOCTOR_ILL : DOCTOR_CARE,
             "renew it, and systemctl reload folkmootd; folkmootctl rotate tls where it is the "
             "hub's "
             "own",
             days < 0 ? "%s expired %.0f days ago" : "%s expires in %.0f days", path,
             days < 0 ? -days : days);
    else
        tell(look, "certificate", DOCTOR_WELL, NULL, "%s holds for %.0f days", path, days);
}

// --- others ---

static void look_at_limits(const struct look *look)
{
    double most = number(look, "connections_max");
    if (!look->status || most <= 0)
        return;
    if (most < (double)look->config->connections)
        tell(look, "limits", DOCTOR_CARE,
             "raise LimitNOFILE of the service, or lower [limits] connections",
             "%.0f connections at most, and the configuration says %llu", most,
             (unsigned long long)look->config->connections);
    else
        tell(look, "limits", DOCTOR_WELL, NULL, "%.0f connections at a time", most);
}

static void look_from_outside(const struct look *look)
{
    char path[PATH_MAX];
    uint8_t own[HASH_SIZE], other[HASH_SIZE];
    struct fault fault = {0};
    const char *address = look->config->address;
    if (!address[0]) {
        tell(look, "address", DOCTOR_CARE, "set [hub] address to HOST:PORT as devices reach it",
             "without one no invitations can be made");
        return;
    }
    if (reach(address, other, &fault)) {
        tell(look, "address", DOCTOR_CARE,
             "see to firewall, port forwarding and name; from within the hub's own network it may "
             "be "
             "out of reach though phones reach it",
             "%s", fault.text);
        return;
    }
    const char *certificate = certificate_of(look, path);
    if (certificate_key_hash(certificate, own, &fault))
        tell(look, "address", DOCTOR_WELL, NULL, "%s answers", address);
    else if (memcmp(own, other, HASH_SIZE) != 0)
        tell(
            look, "address", DOCTOR_ILL,
            "a proxy before the hub is to be named by [tls] proxy_certificate; else it is not this "
            "hub, and devices will refuse it",
            "at %s somebody answers with another key than that of %s", address, certificate);
    else
        tell(look, "address", DOCTOR_WELL, NULL, "%s answers, with the hub's key", address);
}

void doctor_look(const struct config *config, const cJSON *status,
                 void (*told)(void *arg, const struct doctor_finding *finding), void *arg)
{
    const struct look look = {config, status, told, arg};
    look_at_hub(&look);
    look_at_folder(&look);
    look_at_identity(&look);
    look_at_leftovers(&look);
    look_at_disk(&look);
    look_at_database(&look);
    look_at_clock(&look);
    look_at_certificate(&look);
    look_at_limits(&look);
    look_from_outside(&look);
}
