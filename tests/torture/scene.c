#include "tests/torture/scene.h"

#include "base/hash.h"

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

// Whether its place has come, on the hub.
static bool turn(struct scene *scene, struct folkmoot_session *session)
{
    struct folkmoot_request request;
    bool has_failed = false;
    uint64_t place = scene->place;
    while (folkmoot_session_next(session, &request) == FOLKMOOT_SEND) {
        struct hub_answer answer = {.status = 0};
        bool left = place && scene->on_hub && !has_failed;
        if (left)
            fail_arm(scene->what, place);
        (void)fail_pause(!scene->on_hub);
        hub_double_serve(scene->hub, &request, &answer);
        (void)fail_pause(false);
        if (left) {
            has_failed = fail_disarm();
            uint64_t counted = fail_counted();
            scene->counted = counted > scene->counted ? counted : scene->counted;
            MUST(answer.status == 200 || answer.status >= 500,
                 "what fails on the hub is called the phone's fault: %d %.*s", answer.status,
                 (int)answer.body.n, (const char *)answer.body.p);
        }
        folkmoot_session_answer(session, answer.status, hub_double_tls_key(scene->hub));
        folkmoot_session_receive(session, answer.body.p, answer.body.n);
        folkmoot_session_finish(session, true);
        buf_done(&answer.body);
    }
    return has_failed;
}

enum folkmoot_code scene_turn(struct scene *scene, struct folkmoot_session *session)
{
    bool has_failed = turn(scene, session);
    enum folkmoot_code code = folkmoot_session_error(session)->code;
    MUST(code == FOLKMOOT_OK || code == FOLKMOOT_STORE || code == FOLKMOOT_NETWORK ||
             code == FOLKMOOT_INTERNAL,
         "what failed for now is the hub's fault: %s", folkmoot_session_error(session)->text);
    folkmoot_session_done(&session);
    // The place is noted for whoever asks whether it has failed.
    if (scene->on_hub && has_failed)
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

// What was told, as one hash.
static bool note(const struct folkmoot_record *record, void *arg)
{
    struct hash *told = arg;
    size_t sizes[] = {record->fields_n, record->about_n,  record->from_n,
                      record->same_n,   record->voices_n, record->past_n};
    hash_put_sized(told, bytes_of(record->bytes, record->bytes_n));
    hash_put(told, bytes_of(record->id, sizeof record->id));
    hash_put(told, bytes_of_text(record->title));
    hash_put(told, bytes_of(sizes, sizeof sizes));
    hash_put_be32(told, record->votes_for);
    hash_put_be32(told, record->votes_against);
    return true;
}

static enum folkmoot_code look(struct scene *scene, struct hash *told)
{
    struct folkmoot_record record;
    enum folkmoot_code code =
        folkmoot_record_get(first(scene)->fm, "need", scene->need, FOLKMOOT_WHOLE, &record, NULL);
    if (code)
        return code;
    note(&record, told);
    folkmoot_record_done(&record);
    return code;
}

static enum folkmoot_code list(struct scene *scene, struct hash *told)
{
    return folkmoot_list(first(scene)->fm, NULL, note, told, NULL);
}

static enum folkmoot_code search(struct scene *scene, struct hash *told)
{
    char kind[16];
    uint8_t id[16];
    enum folkmoot_code code = folkmoot_find(first(scene)->fm, "a crossing", kind, id, NULL);
    if (!code)
        hash_put(told, BYTES(id));
    return code;
}

static enum folkmoot_code print(struct scene *scene, struct hash *told)
{
    uint8_t own[HASH];
    uint64_t records;
    enum folkmoot_code code = folkmoot_fingerprint(first(scene)->fm, own, &records, NULL);
    if (!code)
        hash_put(told, BYTES(own));
    return code;
}

// What is told although something failed is what is told else.
static enum folkmoot_code look_twice(struct scene *scene,
                                     enum folkmoot_code (*tell)(struct scene *, struct hash *))
{
    struct hash told[2];
    uint8_t prints[2][HASH];
    hash_begin_bare(&told[0]);
    hash_begin_bare(&told[1]);
    enum folkmoot_code code = tell(scene, &told[0]);
    (void)fail_pause(true);
    MUST(!tell(scene, &told[1]), "it does not tell again");
    (void)fail_pause(false);
    hash_end(&told[0], prints[0]);
    hash_end(&told[1], prints[1]);
    MUST(code || memcmp(prints[0], prints[1], HASH) == 0,
         "place %llu of %d: something failed, and is left out", (unsigned long long)scene->place,
         (int)scene->what);
    return code;
}

static enum folkmoot_code look_well(struct scene *scene)
{
    return look_twice(scene, look);
}

static enum folkmoot_code list_well(struct scene *scene)
{
    return look_twice(scene, list);
}

static enum folkmoot_code search_well(struct scene *scene)
{
    return look_twice(scene, search);
}

static enum folkmoot_code print_well(struct scene *scene)
{
    return look_twice(scene, print);
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

static enum folkmoot_code sync_and_check(struct scene *scene)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_sync_and_check(first(scene)->fm, &session, NULL);
    return code ? code : scene_turn(scene, session);
}

static enum folkmoot_code remark_sent(struct scene *scene)
{
    enum folkmoot_code code = remark(scene);
    return code ? code : scene_sync(scene, first(scene));
}

static enum folkmoot_code speak_sent(struct scene *scene)
{
    enum folkmoot_code code = speak(scene);
    return code ? code : scene_sync(scene, first(scene));
}

static enum folkmoot_code remark_due(struct scene *scene)
{
    enum folkmoot_code code = remark(scene);
    struct folkmoot_put put = {"keep_until", "2030-01-01"};
    if (!code)
        code = folkmoot_edit(first(scene)->fm, "remark", scene->remark, &put, 1, 0, NULL);
    return code ? code : scene_sync(scene, first(scene));
}

static enum folkmoot_code invite(struct scene *scene)
{
    hub_double_invite(scene->hub, ROLE_COORDINATOR, scene->link);
    return FOLKMOOT_OK;
}

// A link that a phone made, not the hub's administrator.
static enum folkmoot_code invite_by_phone(struct scene *scene)
{
    struct folkmoot_session *session;
    struct folkmoot_invitation invitation = {.role = "coordinator"};
    int64_t expires;
    enum folkmoot_code code = folkmoot_invite(first(scene)->fm, &invitation, &session, NULL);
    if (code)
        return code;
    (void)turn(scene, session);
    const char *link = folkmoot_session_link(session, &expires);
    (void)snprintf(scene->link, sizeof scene->link, "%s", link ? link : "");
    folkmoot_session_done(&session);
    return link ? FOLKMOOT_OK : FOLKMOOT_REFUSED;
}

static enum folkmoot_code join(struct scene *scene)
{
    struct folkmoot_session *session;
    enum folkmoot_code code = folkmoot_join(first(scene)->fm, scene->link, &session, NULL);
    return code ? code : scene_turn(scene, session);
}

const struct task tasks[] = {
    {.name = "open", .run = reopen, .reads = true},
    {.name = "add", .run = add},
    {.name = "edit", .run = edit},
    {.name = "voice", .run = speak},
    {.name = "same", .run = join_two},
    {.name = "undo", .run = undo, .before = edit},
    {.name = "batch", .run = together},
    {.name = "erase", .run = erase, .before = remark},
    {.name = "show", .run = look_well, .before = speak, .reads = true},
    {.name = "list", .run = list_well, .reads = true},
    {.name = "find", .run = search_well, .before = reopen, .reads = true},
    {.name = "fingerprint", .run = print_well, .reads = true},
    {.name = "sync of an edit", .run = sync_it, .before = edit, .is_session = true},
    {.name = "sync of a voice", .run = sync_it, .before = speak, .is_session = true},
    {.name = "sync of a request", .run = sync_it, .before = remark_and_erase, .is_session = true},
    {.name = "sync and proof", .run = sync_and_check, .before = edit, .is_session = true},
    {.name = "join", .run = join, .before = invite, .is_session = true},
    {.name = "join by a phone", .run = join, .before = invite_by_phone, .is_session = true},
    {.name = "role", .run = hub_changes_roles, .is_hubs = true},
    {.name = "revoke", .run = hub_revokes, .is_hubs = true},
    {.name = "erase record", .run = hub_erases, .before = remark_sent, .is_hubs = true},
    {.name = "erase due", .run = hub_erases_due, .before = remark_due, .is_hubs = true},
    {.name = "begin anew", .run = hub_begins_anew, .is_hubs = true},
    {.name = "get and list",
     .run = hub_reads,
     .before = speak_sent,
     .is_hubs = true,
     .reads = true},
    {.name = "masked", .run = hub_reads_masked, .is_hubs = true, .reads = true},
    {.name = "prove", .run = hub_proves, .is_hubs = true, .reads = true},
};

const size_t tasks_n = sizeof tasks / sizeof *tasks;
