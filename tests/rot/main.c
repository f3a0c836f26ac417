// Damages copies of a small town's files, asks everything, and counts what came of it.
//
//   rot [--flips N] [--seed S] [--only I] [--tell]
//   rot --each-table [--seed S]     one byte in each table of the hub: verifying names the table
//
// FOLKMOOT_ROT_FLIPS: how many, where --flips does not say it.

#include <assert.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/rot/rot.h"

enum { FLIPS_DEFAULT = 2000, SECONDS_MAX = 20, TABLES_LEAST = 20 };
enum { EXIT_IN_LIBRARY = 90, EXIT_IN_OURS = 91 };
enum side { HUB, PHONE, SIDES };

static const char *const side_names[SIDES] = {"hub", "phone"};

// What came of one damage.
// END_SCRUB: only a scrub would find it; END_VERIFIED: and verifying does.
enum end { END_HARMLESS, END_NAMED, END_STOPPED, END_VERIFIED, END_SCRUB, END_WRONG, ENDS };

struct rot {
    struct town town;
    struct known known[SIDES];
    struct files files[SIDES];
    struct rows *rows[SIDES];
    struct answers *sound[SIDES]; // of the town without damage
    struct answers *answers;      // shared with the children, as is
    uint64_t *lost;
    uint64_t *told; // by verifying
    char base[ROT_PATH_MAX];
    bool tells;
    unsigned ends[ENDS];
    unsigned lost_in[ROT_TABLES_MAX];
};

// --- a process for each trial ---

// Whether it is a place in the map of LMDB's file, behind the file's end: LMDB gave it as a row's.
static bool is_in_database(const void *place)
{
    char line[1024];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && !found && fgets(line, sizeof line, maps)) {
        char *end;
        unsigned long long from = strtoull(line, &end, 16);
        unsigned long long to = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
        found = (uintptr_t)place >= from && (uintptr_t)place < to && strstr(line, "data.mdb");
    }
    if (maps)
        (void)fclose(maps);
    return found;
}

// LMDB trusts its file. Whether it is LMDB that stumbles is told by who is on the stack.
static void on_crash(int signal, siginfo_t *info, void *context)
{
    void *frames[64];
    int n = backtrace(frames, 64);
    (void)context;
    if (signal == SIGBUS && is_in_database(info->si_addr))
        _exit(EXIT_IN_LIBRARY);
    for (int i = 0; i < n; i++) {
        Dl_info of;
        if (dladdr(frames[i], &of) && of.dli_fname && strstr(of.dli_fname, "liblmdb"))
            _exit(EXIT_IN_LIBRARY);
    }
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
    _exit(EXIT_IN_OURS);
}

static void watch_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
    static uint8_t stack[1 << 16];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_ONSTACK | SA_SIGINFO};
    (void)sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)sigaction(signals[i], &action, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void fresh_copies(struct rot *rot)
{
    (void)nftw(rot->town.here, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    files_copy(rot->town.now, rot->town.here);
}

static void path_of(char path[ROT_PATH_MAX], const char *folder, enum side side)
{
    snprintf(path, ROT_PATH_MAX, "%.400s/%s", folder, side_names[side]);
}

static void ask_side(struct rot *rot, enum side side)
{
    char path[ROT_PATH_MAX];
    char hub[ROT_PATH_MAX];
    path_of(path, rot->town.here, side);
    path_of(hub, rot->town.here, HUB);
    rot->answers->n = 0;
    if (side == HUB)
        ask_hub(&rot->town, path, &rot->known[side], rot->answers);
    else
        ask_phone(&rot->town, path, hub, &rot->known[side], rot->answers);
}

static void count_lost(struct rot *rot, enum side side)
{
    char path[ROT_PATH_MAX];
    path_of(path, rot->town.here, side);
    rows_lost(rot->rows[side], path, rot->lost);
}

static void verify_side(struct rot *rot, enum side side)
{
    char path[ROT_PATH_MAX];
    path_of(path, rot->town.here, side);
    scrub_hub(path, rot->told);
}

// Its status as of wait().
static int in_a_child(struct rot *rot, enum side side, void (*act)(struct rot *, enum side))
{
    int status;
    fflush(NULL);
    pid_t pid = fork();
    assert(pid >= 0);
    if (pid == 0) {
        if (!rot->tells && !freopen("/dev/null", "w", stderr))
            _exit(1);
        watch_crashes();
        (void)alarm(SECONDS_MAX);
        act(rot, side);
        _exit(0);
    }
    pid_t ended = waitpid(pid, &status, 0);
    assert(ended == pid);
    return status;
}

// --- judging ---

// Equal to the sound one; after a sync that was refused, to that before it.
static bool is_right(const struct answers *sound, const struct answers *given, size_t i)
{
    if (memcmp(given->all[i].hash, sound->all[i].hash, HASH_SIZE) == 0)
        return true;
    size_t after = sound->n - sound->sync;
    return i > sound->sync && given->all[sound->sync].is_named &&
           memcmp(given->all[i].hash, sound->all[i - after].hash, HASH_SIZE) == 0;
}

// The first answer that is neither what the sound town gave nor names damage; NULL: there is none.
static const struct answer *find_wrong(const struct rot *rot, enum side side, bool *named)
{
    const struct answers *sound = rot->sound[side];
    const struct answers *given = rot->answers;
    *named = false;
    for (size_t i = 0; i < given->n; i++) {
        if (given->all[i].is_named)
            *named = true;
        else if (!is_right(sound, given, i))
            return &given->all[i];
    }
    return NULL;
}

static uint64_t tables_lost(struct rot *rot, enum side side)
{
    *rot->lost = 0;
    (void)in_a_child(rot, side, count_lost);
    return *rot->lost;
}

// Who crashes in LMDB has found it, too.
static uint64_t tables_told(struct rot *rot)
{
    *rot->told = 0;
    int status = in_a_child(rot, HUB, verify_side);
    bool stopped = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_IN_LIBRARY;
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!stopped && !ended) {
        printf("verifying crashed\n");
        rot->ends[END_WRONG]++;
    }
    return *rot->told | (stopped ? SCRUB_FAILED : 0);
}

static void tell_tables(uint64_t lost)
{
    for (unsigned i = 0; rows_table_name(i); i++) {
        if (lost >> i & 1)
            printf(" %s", rows_table_name(i));
    }
}

struct trial {
    unsigned number;
    enum side side;
    enum harm harm;
    const char *file;
    uint64_t dice; // at its damage
    char said[200];
};

static bool damage(struct rot *rot, struct trial *trial)
{
    char path[ROT_PATH_MAX];
    char old[ROT_PATH_MAX];
    uint64_t dice = trial->dice;
    fresh_copies(rot);
    path_of(path, rot->town.here, trial->side);
    path_of(old, rot->town.old, trial->side);
    return harm_do(trial->harm, path, old, trial->file, &dice, trial->said, sizeof trial->said);
}

// Rows that are gone, or of another time, and sound: no row shows it.
static enum end judge_wrong(struct rot *rot, struct trial *trial, const struct answer *wrong)
{
    struct answer answer = *wrong;
    damage(rot, trial);
    uint64_t lost = tables_lost(rot, trial->side);
    if (rot->tells || !lost) {
        printf("flip %u of %s's %s: \"%s\" is another answer; rows lost:", trial->number,
               side_names[trial->side], trial->said, answer.name);
        tell_tables(lost);
        printf("\n");
    }
    if (!lost)
        return END_WRONG;
    damage(rot, trial);
    if (trial->side == HUB && tables_told(rot))
        return END_VERIFIED;
    for (unsigned i = 0; i < ROT_TABLES_MAX; i++)
        rot->lost_in[i] += (unsigned)(lost >> i & 1);
    return END_SCRUB;
}

static enum end judge(struct rot *rot, struct trial *trial, int status)
{
    bool named;
    const struct answer *wrong = find_wrong(rot, trial->side, &named);
    if (wrong)
        return judge_wrong(rot, trial, wrong);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_IN_LIBRARY)
        return END_STOPPED;
    // Where nothing can be opened there is one answer.
    bool complete =
        rot->answers->n == rot->sound[trial->side]->n || (named && rot->answers->n == 1);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && complete)
        return named ? END_NAMED : END_HARMLESS;
    printf("flip %u of %s's %s: %s after \"%s\"\n", trial->number, side_names[trial->side],
           trial->said, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "crash",
           rot->answers->n ? rot->answers->all[rot->answers->n - 1].name : "");
    return END_WRONG;
}

// The database is most of what there is, and gets most of the damage.
static const char *draw_file(const struct files *files, uint64_t *dice)
{
    uint64_t drawn = dice_next(dice);
    return drawn % 4 ? "data.mdb" : files->names[(drawn >> 8) % files->n];
}

static enum harm draw_harm(uint64_t *dice)
{
    uint64_t drawn = dice_next(dice) % 10;
    return drawn < 6 ? HARM_BIT : (enum harm)(drawn - 5);
}

static void try_one(struct rot *rot, uint64_t seed, unsigned number)
{
    uint64_t dice = seed * 1000003 + number;
    struct trial trial = {.number = number, .side = (enum side)(dice_next(&dice) % SIDES)};
    trial.file = draw_file(&rot->files[trial.side], &dice);
    trial.harm = draw_harm(&dice);
    trial.dice = dice;
    enum end end = END_HARMLESS;
    if (damage(rot, &trial)) {
        rot->answers->n = 0;
        int status = in_a_child(rot, trial.side, ask_side);
        end = judge(rot, &trial, status);
    }
    rot->ends[end]++;
    if (rot->tells)
        printf("flip %u: %s's %s: end %d, %zu answers\n", number, side_names[trial.side],
               trial.said, (int)end, rot->answers->n);
}

// --- all of it ---

static void *shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert(p != MAP_FAILED);
    return p;
}

static void learn_side(struct rot *rot, enum side side)
{
    char path[ROT_PATH_MAX];
    path_of(path, rot->town.now, side);
    files_list(&rot->files[side], path);
    rot->rows[side] = rows_read(path);
    fresh_copies(rot);
    path_of(path, rot->town.here, side);
    known_of_store(&rot->known[side], path);
    fresh_copies(rot);
    int status = in_a_child(rot, side, ask_side);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    rot->sound[side] = malloc(sizeof *rot->sound[side]);
    assert(rot->sound[side]);
    *rot->sound[side] = *rot->answers;
    for (size_t i = 0; i < rot->answers->n; i++)
        assert(!rot->answers->all[i].is_named);
}

static void begin(struct rot *rot)
{
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    void *frames[2];
    snprintf(rot->base, sizeof rot->base, "%s/folkmoot-rot-XXXXXX", place);
    char *made = mkdtemp(rot->base);
    assert(made);
    rot->answers = shared(sizeof *rot->answers);
    rot->lost = shared(sizeof *rot->lost);
    rot->told = shared(sizeof *rot->told);
    // Loads what it needs, which must not happen in a crash.
    (void)backtrace(frames, 2);
    town_make(&rot->town, rot->base);
    for (int side = 0; side < SIDES; side++)
        learn_side(rot, (enum side)side);
}

static void end(struct rot *rot)
{
    for (int side = 0; side < SIDES; side++) {
        rows_free(&rot->rows[side]);
        free(rot->sound[side]);
    }
    town_remove(&rot->town);
    (void)nftw(rot->base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void say_files(const struct rot *rot)
{
    for (int side = 0; side < SIDES; side++) {
        printf("%s: %zu answers over", side_names[side], rot->sound[side]->n);
        for (size_t i = 0; i < rot->files[side].n; i++)
            printf(" %s", rot->files[side].names[i]);
        printf("\n");
    }
}

static void say_ends(const struct rot *rot, unsigned flips)
{
    printf("%u flips: %u harmless, %u named, %u stopped by the library, %u that only verifying "
           "finds, %u only another scrub would find, %u wrong\n",
           flips, rot->ends[END_HARMLESS], rot->ends[END_NAMED], rot->ends[END_STOPPED],
           rot->ends[END_VERIFIED], rot->ends[END_SCRUB], rot->ends[END_WRONG]);
    for (unsigned i = 0; rows_table_name(i); i++) {
        if (rot->lost_in[i])
            printf("  rows of %s lost unnoticed: %u\n", rows_table_name(i), rot->lost_in[i]);
    }
}

// --- one byte in each table ---

static bool is_named(struct rot *rot, unsigned table)
{
    uint64_t told = tables_told(rot);
    bool named = told >> table & 1 || told & SCRUB_FAILED;
    if (!named || rot->tells) {
        printf("a byte of %s: verifying tells of", rows_table_name(table));
        tell_tables(told);
        printf("\n");
    }
    return named;
}

static bool try_tables(struct rot *rot, uint64_t dice)
{
    unsigned tried = 0;
    unsigned named = 0;
    char path[ROT_PATH_MAX];
    path_of(path, rot->town.here, HUB);
    fresh_copies(rot);
    if (tables_told(rot))
        return false;
    for (unsigned i = 0; rows_table_name(i); i++) {
        fresh_copies(rot);
        if (!rows_flip(path, i, &dice))
            continue;
        tried++;
        named += is_named(rot, i);
    }
    printf("a byte in each of %u tables: %u named by verifying\n", tried, named);
    return named == tried && tried >= TABLES_LEAST;
}

int main(int argc, char **argv)
{
    bool by_table = false;
    static struct rot rot;
    const char *asked = getenv("FOLKMOOT_ROT_FLIPS");
    unsigned flips = asked ? (unsigned)strtoul(asked, NULL, 10) : FLIPS_DEFAULT;
    uint64_t seed = 1;
    unsigned only = 0;
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--tell") == 0)
            rot.tells = true;
        else if (strcmp(argv[i], "--each-table") == 0)
            by_table = true;
        else if (has_value && strcmp(argv[i], "--flips") == 0)
            flips = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else if (has_value && strcmp(argv[i], "--only") == 0)
            only = (unsigned)strtoul(argv[++i], NULL, 10);
    }
    begin(&rot);
    say_files(&rot);
    bool good = !by_table || try_tables(&rot, seed);
    for (unsigned i = only ? only : 1; !by_table && i <= (only ? only : flips); i++)
        try_one(&rot, seed, i);
    if (!by_table)
        say_ends(&rot, flips);
    end(&rot);
    return !good || rot.ends[END_WRONG] > 0;
}
