#include "tests/torture/scene.h"

static int64_t phone_now(void *arg)
{
    return ++((struct phone *)arg)->now;
}

static void phone_random(void *arg, void *out, size_t n)
{
    dice_bytes(&((struct phone *)arg)->dice, out, n);
}

enum folkmoot_code scene_start(struct phone *phone)
{
    const struct folkmoot_host host = {phone_now, phone_random, phone};
    return folkmoot_open(phone->path, &host, &phone->fm, NULL);
}

enum folkmoot_code scene_turn(struct scene *scene, struct folkmoot_session *session)
{
    struct folkmoot_request request;
    bool has_failed = false;
    uint64_t place = scene->place;
    while (folkmoot_session_next(session, &request) == FOLKMOOT_SEND) {
        struct hub_answer answer = {.status = 0};
        bool left = place && scene->on_hub && !has_failed;
        if (left)
            fail_arm(scene->what, place);
        fail_pause(!scene->on_hub);
        hub_double_serve(scene->hub, &request, &answer);
        fail_pause(false);
        if (left) {
            has_failed = fail_disarm();
            uint64_t counted = fail_counted();
            scene->counted = counted > scene->counted ? counted : scene->counted;
        }
        folkmoot_session_answer(session, answer.status, hub_double_tls_key(scene->hub));
        folkmoot_session_receive(session, answer.body.p, answer.body.n);
        folkmoot_session_finish(session, true);
        buf_done(&answer.body);
    }
    enum folkmoot_code code = folkmoot_session_error(session)->code;
    folkmoot_session_done(&session);
    // The place is noted for whoever asks whether it has failed.
    if (place && scene->on_hub && has_failed)
        scene->place = 0;
    return code;
}

enum folkmoot_code scene_sync(struct scene *scene, struct phone *phone)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_sync(phone->fm, &session, NULL);
    return code ? code : scene_turn(scene, session);
}

// --- tasks: each can be done again and again ---

static struct phone *first(struct scene *scene)
{
    return &scene->phones[0];
}

static void say(struct scene *scene, char text[40])
{
    (void)snprintf(text, 40, "said %u", ++scene->said);
}

static enum folkmoot_code add(struct scene *scene)
{
    char text[40];
    uint8_t id[16];
    say(scene, text);
    struct folkmoot_put puts[] = {{"title", text}, {"category", "water"}, {"language", "en"}};
    return folkmoot_add(first(scene)->fm, "need", puts, 3, 0, id, NULL);
}

static enum folkmoot_code edit(struct scene *scene)
{
    char text[40];
    say(scene, text);
    struct folkmoot_put put = {"title", text};
    return folkmoot_edit(first(scene)->fm, "need", scene->need, &put, 1, 0, NULL);
}

static enum folkmoot_code speak(struct scene *scene)
{
    char text[40];
    uint8_t person[16] = {3};
    say(scene, text);
    return folkmoot_voice(first(scene)->fm, "need", scene->need, person, "for", text, "en", 0,
                          NULL);
}

static enum folkmoot_code join_two(struct scene *scene)
{
    return folkmoot_same(first(scene)->fm, "need", scene->need, scene->other,
                         ++scene->said % 2 == 0, 0, NULL);
}

static enum folkmoot_code undo(struct scene *scene)
{
    struct folkmoot_community community;
    enum folkmoot_code code = folkmoot_community_at(first(scene)->fm, 0, &community);
    return code ? code : folkmoot_undo(first(scene)->fm, community.written, NULL);
}

static enum folkmoot_code together(struct scene *scene)
{
    enum folkmoot_code code = folkmoot_begin(first(scene)->fm, NULL);
    if (code)
        return code;
    code = edit(scene);
    if (!code)
        code = speak(scene);
    enum folkmoot_code ended = folkmoot_end(first(scene)->fm, !code, NULL);
    return code ? code : ended;
}

static enum folkmoot_code remark(struct scene *scene)
{
    char text[40];
    say(scene, text);
    struct folkmoot_put put = {"title", text};
    return folkmoot_add(first(scene)->fm, "remark", &put, 1, 0, scene->remark, NULL);
}

static enum folkmoot_code erase(struct scene *scene)
{
    return folkmoot_erase(first(scene)->fm, "remark", scene->remark, false, NULL, NULL);
}

static enum folkmoot_code remark_and_erase(struct scene *scene)
{
    enum folkmoot_code code = remark(scene);
    return code ? code : erase(scene);
}

static enum folkmoot_code look(struct scene *scene)
{
    struct folkmoot_record record;
    enum folkmoot_code code =
        folkmoot_record_get(first(scene)->fm, "need", scene->need, FOLKMOOT_WHOLE, &record, NULL);
    if (!code)
        folkmoot_record_done(&record);
    return code;
}

static bool pass(const struct folkmoot_record *record, void *arg)
{
    (void)record;
    ++*(size_t *)arg;
    return true;
}

static enum folkmoot_code list(struct scene *scene)
{
    size_t n = 0;
    return folkmoot_list(first(scene)->fm, NULL, pass, &n, NULL);
}

static enum folkmoot_code search(struct scene *scene)
{
    char kind[16];
    uint8_t id[16];
    return folkmoot_find(first(scene)->fm, "a crossing", kind, id, NULL);
}

static enum folkmoot_code print(struct scene *scene)
{
    uint8_t own[HASH];
    uint64_t records;
    return folkmoot_fingerprint(first(scene)->fm, own, &records, NULL);
}

static enum folkmoot_code reopen(struct scene *scene)
{
    folkmoot_close(&first(scene)->fm);
    return scene_start(first(scene));
}

static enum folkmoot_code sync_it(struct scene *scene)
{
    return scene_sync(scene, first(scene));
}

static enum folkmoot_code invite(struct scene *scene)
{
    hub_double_invite(scene->hub, ROLE_COORDINATOR, scene->link);
    return FOLKMOOT_OK;
}

static enum folkmoot_code join(struct scene *scene)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_join(first(scene)->fm, scene->link, &session, NULL);
    return code ? code : scene_turn(scene, session);
}

const struct task tasks[] = {
    {"open", reopen, NULL, false, true},
    {"add", add, NULL, false, false},
    {"edit", edit, NULL, false, false},
    {"voice", speak, NULL, false, false},
    {"same", join_two, NULL, false, false},
    {"undo", undo, edit, false, false},
    {"batch", together, NULL, false, false},
    {"erase", erase, remark, false, false},
    {"show", look, NULL, false, true},
    {"list", list, NULL, false, true},
    {"find", search, reopen, false, true},
    {"fingerprint", print, NULL, false, true},
    {"sync of an edit", sync_it, edit, true, false},
    {"sync of a voice", sync_it, speak, true, false},
    {"sync of a request", sync_it, remark_and_erase, true, false},
    {"join", join, invite, true, false},
};

const size_t tasks_n = sizeof tasks / sizeof *tasks;
