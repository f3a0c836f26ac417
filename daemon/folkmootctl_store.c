#include "daemon/folkmootctl_store.h"

#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/copies.h"
#include "daemon/doctor.h"
#include "daemon/folkmootctl_export.h"

enum { FAULTS_MAX = 1000, PROGRESS_STEP = 50000 };

struct running {
    cJSON *answer;
    cJSON *faults;
    uint64_t faults_n;
    uint64_t rows;
    bool is_shown; // progress
};

// --- what is told ---

static const char *affected_by(const char *table)
{
    static const char *const affected[][2] = {
        {"meta", "the database's own notes"},
        {"community", "a community's name, and how long its log is"},
        {"entry", "a change: devices cannot sync past it"},
        {"body", "the words of a change"},
        {"chain", "where a device's change stands: it is not found"},
        {"run", "the signature that proves whose changes are"},
        {"tree", "the proof that the log was not altered"},
        {"device", "a device: its role, and the end of its chain"},
        {"contact", "when a device was heard of last"},
        {"live", "what a record says"},
        {"cover", "which value of a record went over which"},
        {"about", "what refers to a record, such as voices on it"},
        {"apart", "what is set apart"},
        {"invitation", "an invitation"},
        {"token", "a device's login: it logs in anew by itself"},
        {"secret", "the key by which the hub decides"},
        {"progress", "how far a device has come"},
        {"name", "what an import called a record"},
        {"role", "which role a device has"},
        {"quota", "how much a device has delivered today"},
        {"erased", "which words are erased"},
        {"closed", "of which records no words are kept"},
        {"keep", "until when a record may be kept"},
        {"evidence", "the proof of a fork"},
        {"carry", "what a device brings along to its new key"},
        {"dropped", "what is here no more"},
    };
    for (size_t i = 0; i < sizeof affected / sizeof *affected; i++) {
        if (strcmp(affected[i][0], table) == 0)
            return affected[i][1];
    }
    return "";
}

static const char *name_of(enum row_fault fault)
{
    switch (fault) {
    case ROW_DAMAGED:
        return "damaged";
    case ROW_MISSING:
        return "missing";
    case ROW_FALSE:
        return "one too many";
    case ROW_OTHER:
        return "not what the log says";
    case ROW_FORGED:
        return "not as it was signed";
    }
    return "";
}

static void add_hex(cJSON *object, const char *name, struct bytes bytes)
{
    char hex[2 * HASH_SIZE + 1];
    text_hex(bytes, hex);
    (void)cJSON_AddStringToObject(object, name, hex);
}

static void told(void *arg, const struct row *row, enum row_fault fault)
{
    static const uint8_t no_device[HANDLE_SIZE];
    struct running *running = arg;
    if (running->faults_n++ >= FAULTS_MAX)
        return;
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(item, "table", row->table);
    (void)cJSON_AddStringToObject(item, "fault", name_of(fault));
    (void)cJSON_AddStringToObject(item, "affects", affected_by(row->table));
    if (row->community)
        (void)cJSON_AddNumberToObject(item, "community", row->community);
    if (row->position)
        (void)cJSON_AddNumberToObject(item, "position", (double)row->position);
    if (memcmp(row->device, no_device, HANDLE_SIZE) != 0)
        add_hex(item, "device", BYTES(row->device));
    if (row->seq)
        (void)cJSON_AddNumberToObject(item, "change", row->seq);
    if (row->record.kind) {
        (void)cJSON_AddNumberToObject(item, "kind", row->record.kind);
        add_hex(item, "id", BYTES(row->record.id));
    }
    (void)cJSON_AddItemToArray(running->faults, item);
}

static void read_on(void *arg, uint64_t rows)
{
    struct running *running = arg;
    uint64_t before = running->rows;
    running->rows += rows;
    if (running->is_shown && before / PROGRESS_STEP != running->rows / PROGRESS_STEP)
        (void)fprintf(stderr, "\r%llu rows read", (unsigned long long)running->rows);
}

static void end_progress(const struct running *running)
{
    if (running->is_shown && running->rows >= PROGRESS_STEP)
        (void)fputs("\r                              \r", stderr);
}

// --- the commands ---

static enum err backup(const struct config *config, const struct ctl_store *call,
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    return copies_backup(config, call->community, call->file, scrub, copied, fault);
}

static struct restore restore_of(const struct ctl_store *call)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct restore){
        .file = call->file,
        .is_forced = call->is_forced,
        .now = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
    };
}

static enum err restore(const struct config *config, const struct ctl_store *call,
                        const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    const struct restore restore = restore_of(call);
    return copies_restore(config, &restore, scrub, copied, fault);
}

static enum err import(const struct config *config, const struct ctl_store *call,
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    const struct restore restore = restore_of(call);
    return copies_import(config, &restore, scrub, copied, fault);
}

static enum err compact(const struct config *config, const struct ctl_store *call,
                        const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    (void)call;
    return copies_compact(config, scrub, copied, fault);
}

static enum err verify(const struct config *config, const struct ctl_store *call,
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    *copied = (struct copied){.bytes = 0};
    return copies_verify(config, call->file, scrub, &copied->dump, fault);
}

static const struct store_command {
    const char *name;
    enum err (*run)(const struct config *config, const struct ctl_store *call,
                    const struct scrub *scrub, struct copied *copied, struct fault *fault);
    bool is_verifying; // so that something may be left of that
} store_commands[] = {
    {"backup", backup, false}, {"restore", restore, true},  {"export", backup, false},
    {"import", import, true},  {"compact", compact, false}, {"verify", verify, true},
};

static cJSON *run(const struct store_command *command, const struct config *config,
                  const struct ctl_store *call)
{
    struct copied copied;
    struct fault fault = {0};
    struct running running = {.answer = cJSON_CreateObject(), .is_shown = isatty(STDERR_FILENO)};
    const struct scrub scrub = {told, read_on, &running};
    running.faults = cJSON_CreateArray();
    enum err err = command->run(config, call, &scrub, &copied, &fault);
    end_progress(&running);
    cJSON *answer = running.answer;
    (void)cJSON_AddBoolToObject(answer, "ok", !err && running.faults_n == 0);
    if (err)
        (void)cJSON_AddStringToObject(answer, "error", fault.text[0] ? fault.text : err_text(err));
    (void)cJSON_AddNumberToObject(answer, "communities", (double)copied.dump.communities);
    (void)cJSON_AddNumberToObject(answer, "changes", (double)copied.dump.changes);
    (void)cJSON_AddNumberToObject(answer, "rows_read", (double)running.rows);
    (void)cJSON_AddNumberToObject(answer, "bytes", (double)copied.bytes);
    if (copied.kept[0])
        (void)cJSON_AddStringToObject(answer, "kept", copied.kept);
    (void)cJSON_AddNumberToObject(answer, "faults_in_all", (double)running.faults_n);
    (void)cJSON_AddItemToObject(answer, "faults", running.faults);
    return answer;
}

static cJSON *export(const struct config *config, const struct ctl_store *call)
{
    const struct export_call wanted = {call->community, call->file,   call->as, call->kind,
                                       call->audience,  call->prefix, call->hxl};
    return ctl_export(config, &wanted);
}

// --- apart: LMDB may crash over a page that is damaged ---

static pid_t child;

static void pass_on(int signal)
{
    if (child > 0)
        (void)kill(child, signal);
}

static void write_answer(const cJSON *answer, int to)
{
    char *text = cJSON_PrintUnformatted(answer);
    size_t n = text ? strlen(text) : 0;
    for (size_t at = 0; at < n;) {
        ssize_t written = write(to, text + at, n - at);
        if (written <= 0)
            break;
        at += (size_t)written;
    }
    cJSON_free(text);
}

static cJSON *read_answer(int from)
{
    struct buf text = {0};
    ssize_t n = 1;
    while (n > 0) {
        uint8_t *room = buf_room(&text, 65536);
        n = room ? read(from, room, 65536) : 0;
        text.n += n > 0 ? (size_t)n : 0;
    }
    cJSON *answer = cJSON_ParseWithLength((const char *)text.p, text.n);
    buf_done(&text);
    return answer;
}

static cJSON *failed(const char *text)
{
    cJSON *answer = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(answer, "ok", false);
    (void)cJSON_AddStringToObject(answer, "error", text);
    return answer;
}

static cJSON *ended_by(int status)
{
    char text[120];
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (by == SIGSEGV || by == SIGBUS || by == SIGABRT || by == SIGFPE || by == SIGILL)
        return failed("the database's own pages are damaged, so that reading it crashed: "
                      "restore a backup");
    if (by == 0 || by == SIGINT || by == SIGTERM)
        return failed("it was interrupted");
    (void)snprintf(text, sizeof text, "it was ended by a signal (%d)%s", by,
                   by == SIGKILL ? ": perhaps the machine has too little memory" : "");
    return failed(text);
}

// What root has left, the hub's user could not remove.
static void sweep(const struct config *config)
{
    int lock = -1;
    struct fault ignored;
    if (copies_lock(config, &lock, &ignored))
        copies_tidy(config);
    if (lock >= 0)
        (void)close(lock);
}

// What touches only the hub's own files needs no more rights than it has, and a hub that was broken
// into could use more.
static bool drop_rights(const struct config *config, const struct store_command *command,
                        const struct ctl_store *call)
{
    struct stat hub;
    bool is_own = command->run == compact || (command->run == verify && !call->file);
    if (!is_own || geteuid() != 0 || stat(config->state_dir, &hub) != 0 || hub.st_uid == 0)
        return true;
    sweep(config);
    return setgroups(0, NULL) == 0 && setresgid(hub.st_gid, hub.st_gid, hub.st_gid) == 0 &&
           setresuid(hub.st_uid, hub.st_uid, hub.st_uid) == 0;
}

static void run_in_child(const struct store_command *command, const struct config *config,
                         const struct ctl_store *call, int to)
{
    bool has_dropped = drop_rights(config, command, call);
    // Who is killed shall not go on in secret. After that, for it would take this away.
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    cJSON *answer = !has_dropped ? failed("the rights of the hub's user could not be taken on")
                    : call->as   ? export(config, call)
                                 : run(command, config, call);
    write_answer(answer, to);
    cJSON_Delete(answer);
}

static cJSON *run_apart(const struct store_command *command, const struct config *config,
                        const struct ctl_store *call)
{
    int ends[2];
    int status = 0;
    if (pipe(ends) != 0)
        return failed("no process could be started");
    child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        run_in_child(command, config, call, ends[1]);
        _exit(0);
    }
    (void)signal(SIGINT, pass_on);
    (void)signal(SIGTERM, pass_on);
    (void)close(ends[1]);
    cJSON *answer = child > 0 ? read_answer(ends[0]) : NULL;
    (void)close(ends[0]);
    if (child > 0)
        (void)waitpid(child, &status, 0);
    if (command->is_verifying)
        copies_tidy(config);
    return answer ? answer : ended_by(status);
}

static const struct store_command *find(const char *name)
{
    for (size_t i = 0; i < sizeof store_commands / sizeof *store_commands; i++) {
        if (strcmp(store_commands[i].name, name) == 0)
            return &store_commands[i];
    }
    return NULL;
}

bool ctl_store_has(const char *command)
{
    return find(command) || strcmp(command, "doctor") == 0;
}

cJSON *ctl_store_run(const char *command, const struct config *config, const struct ctl_store *call)
{
    const struct store_command *known = find(command);
    return known ? run_apart(known, config, call) : failed("there is no such command");
}

// --- the doctor ---

static void add_finding(void *arg, const struct doctor_finding *finding)
{
    static const char *const states[] = {
        [DOCTOR_WELL] = "well", [DOCTOR_CARE] = "care", [DOCTOR_ILL] = "ill"};
    cJSON *answer = arg;
    cJSON *item = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(item, "of", finding->of);
    (void)cJSON_AddStringToObject(item, "state", states[finding->state]);
    (void)cJSON_AddStringToObject(item, "text", finding->text);
    if (finding->advice)
        (void)cJSON_AddStringToObject(item, "advice", finding->advice);
    (void)cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(answer, "findings"), item);
    if (finding->state != DOCTOR_WELL)
        (void)cJSON_ReplaceItemInObjectCaseSensitive(answer, "ok", cJSON_CreateFalse());
}

cJSON *ctl_doctor(const struct config *config, const cJSON *status)
{
    cJSON *answer = cJSON_CreateObject();
    (void)cJSON_AddBoolToObject(answer, "ok", true);
    (void)cJSON_AddArrayToObject(answer, "findings");
    doctor_look(config, status, add_finding, answer);
    return answer;
}
