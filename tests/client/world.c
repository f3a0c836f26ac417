#include "tests/client/world.h"

#include <assert.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"

// --- a device ---

static int64_t phone_now(void *arg)
{
    struct phone *phone = arg;
    return phone->now++;
}

static void phone_random(void *arg, void *out, size_t n)
{
    struct phone *phone = arg;
    uint8_t *p = out;
    for (size_t i = 0; i < n; i += HASH_SIZE) {
        uint8_t block[HASH_SIZE];
        struct hash hash;
        hash_begin(&hash, "phone");
        hash_put_be64(&hash, phone->seed);
        hash_put_be64(&hash, phone->drawn++);
        hash_end(&hash, block);
        memcpy(p + i, block, n - i < HASH_SIZE ? n - i : HASH_SIZE);
    }
}

void phone_open(struct phone *phone, const char *path, uint64_t seed)
{
    struct folkmoot_error error;
    *phone = (struct phone){.now = WORLD_NOW, .seed = seed};
    snprintf(phone->path, sizeof phone->path, "%s", path);
    struct folkmoot_host host = {phone_now, phone_random, phone};
    enum folkmoot_code code = folkmoot_open(path, &host, &phone->fm, &error);
    assert(code == FOLKMOOT_OK);
}

static void copy_folder(const char *from, const char *to)
{
    const char *const words[] = {"cp", "-r", from, to, NULL};
    pid_t pid;
    int status;
    int failed = posix_spawnp(&pid, "cp", NULL, NULL, (char *const *)words, environ);
    assert(!failed);
    pid_t ended = waitpid(pid, &status, 0);
    assert(ended == pid && status == 0);
}

void phone_clone(struct world *world, struct phone *phone, struct phone *copy)
{
    char path[sizeof phone->path];
    int64_t now = phone->now;
    uint64_t seed = phone->seed;
    uint64_t drawn = phone->drawn;
    snprintf(copy->path, sizeof copy->path, "%s/copy%u", world->path, world->copies++);
    folkmoot_close(&phone->fm);
    copy_folder(phone->path, copy->path);
    memcpy(path, phone->path, sizeof path);
    phone_open(phone, path, seed);
    phone->drawn = drawn;
    phone->now = now;
    memcpy(path, copy->path, sizeof path);
    phone_open(copy, path, seed + 5000);
    copy->now = now;
}

static enum folkmoot_code run(struct hub_double *hub, struct folkmoot_session *session,
                              struct hub_line *line, struct folkmoot_progress *progress)
{
    enum folkmoot_next next = hub_double_run(hub, session, line);
    enum folkmoot_code code = folkmoot_session_error(session)->code;
    if (progress)
        folkmoot_session_progress(session, progress);
    assert((next == FOLKMOOT_DONE) == (code == FOLKMOOT_OK));
    if (code)
        fprintf(stderr, "session: %s\n", folkmoot_session_error(session)->text);
    folkmoot_session_done(&session);
    return code;
}

enum folkmoot_code phone_sync(struct phone *phone, struct hub_double *hub, struct hub_line *line,
                              struct folkmoot_progress *progress)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_sync(phone->fm, &session, NULL);
    return code ? code : run(hub, session, line, progress);
}

enum folkmoot_code phone_join(struct phone *phone, struct hub_double *hub, const char *link,
                              struct hub_line *line)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_join(phone->fm, link, &session, NULL);
    return code ? code : run(hub, session, line, NULL);
}

size_t phone_values(struct phone *phone, const char *kind, const uint8_t *id, const char *name,
                    bool *tension, char *text, size_t size)
{
    struct folkmoot_record record;
    size_t n = 0;
    *tension = false;
    if (text)
        *text = 0;
    if (folkmoot_record_get(phone->fm, kind, id, FOLKMOOT_BRIEF, &record, NULL))
        return 0;
    for (size_t i = 0; i < record.fields_n; i++) {
        const struct folkmoot_field *field = &record.fields[i];
        if (strcmp(field->name, name) != 0)
            continue;
        n = field->values_n;
        *tension = field->tension;
        if (text)
            snprintf(text, size, "%s", field->values[n - 1].text);
    }
    folkmoot_record_done(&record);
    return n;
}

enum folkmoot_code phone_put(struct phone *phone, const char *kind, const uint8_t *id,
                             const char *field, const char *value)
{
    struct folkmoot_put put = {field, value};
    return folkmoot_edit(phone->fm, kind, id, &put, 1, 0, NULL);
}

void phone_add_need(struct phone *phone, const char *title, uint8_t id[16])
{
    struct folkmoot_put put = {"title", title};
    enum folkmoot_code code = folkmoot_add(phone->fm, "need", &put, 1, 0, id, NULL);
    assert(code == FOLKMOOT_OK);
}

// --- all of them ---

void world_open_apart(struct world *world, size_t n)
{
    assert(n <= WORLD_DEVICES_MAX);
    *world = (struct world){.path = "/tmp/folkmoot-world-XXXXXX", .n = n};
    char *made = mkdtemp(world->path);
    assert(made);
    char path[96];
    snprintf(path, sizeof path, "%s/hub", world->path);
    world->hub = hub_double_new(path, 1, WORLD_NOW);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/phone%zu", world->path, i);
        phone_open(&world->phones[i], path, 100 + i);
    }
}

void world_join(struct world *world, struct phone *phone, enum role role)
{
    char link[LINK_MAX];
    hub_double_invite(world->hub, role, link);
    enum folkmoot_code code = phone_join(phone, world->hub, link, NULL);
    assert(code == FOLKMOOT_OK);
}

void world_open(struct world *world, size_t n)
{
    world_open_apart(world, n);
    for (size_t i = 0; i < n; i++)
        world_join(world, &world->phones[i], i == 0 ? ROLE_COORDINATOR : ROLE_VOLUNTEER);
}

void world_sync_all(struct world *world)
{
    for (size_t i = 0; i < 2 * world->n; i++) {
        enum folkmoot_code code = phone_sync(&world->phones[i % world->n], world->hub, NULL, NULL);
        assert(code == FOLKMOOT_OK);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->n; i++)
        folkmoot_close(&world->phones[i].fm);
    hub_double_free(&world->hub);
    nftw(world->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static bool count_one(const struct folkmoot_record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return true;
}

size_t phone_count(struct phone *phone, const char *kind)
{
    size_t n = 0;
    enum folkmoot_code code = folkmoot_list(phone->fm, kind, count_one, &n, NULL);
    assert(code == FOLKMOOT_OK);
    return n;
}
