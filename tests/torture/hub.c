// What the hub alone does: deciding, reading for others, proving, beginning anew.

#include "proto/schema.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "tests/torture/scene.h"

enum { HUB_ARENA = 4 << 20 };

// Nothing is wrong with what was asked, nor with the disk.
static enum folkmoot_code code_of(enum err err)
{
    MUST(!err || err == ERR_NOMEM || err == ERR_IO || err == ERR_BUSY,
         "what failed for now is called: %s", err_text(err));
    return err ? FOLKMOOT_STORE : FOLKMOOT_OK;
}

// --- deciding ---

static void handle_of(struct scene *scene, uint8_t handle[HANDLE_SIZE])
{
    memcpy(handle, scene->second, HANDLE_SIZE);
}

static enum err change_roles(struct hub_decider *decider, void *arg)
{
    uint8_t handle[HANDLE_SIZE];
    struct scene *scene = arg;
    enum role role = ++scene->said % 2 ? ROLE_MEMBER : ROLE_VOLUNTEER;
    handle_of(scene, handle);
    return hub_grant(decider, NULL, handle, role);
}

enum folkmoot_code hub_changes_roles(struct scene *scene)
{
    return code_of(hub_double_decide(scene->hub, change_roles, scene));
}

static enum err revoke_second(struct hub_decider *decider, void *arg)
{
    uint8_t handle[HANDLE_SIZE];
    handle_of(arg, handle);
    return hub_revoke(decider, NULL, handle);
}

static enum err reinstate_second(struct hub_decider *decider, void *arg)
{
    uint8_t handle[HANDLE_SIZE];
    uint32_t released;
    handle_of(arg, handle);
    enum err err = hub_reinstate(decider, NULL, handle);
    if (err == ERR_WRONG_STATE)
        err = OK;
    return err ? err : hub_release(decider, NULL, handle, 1, UINT32_MAX, &released);
}

enum folkmoot_code hub_revokes(struct scene *scene)
{
    enum err err = hub_double_decide(scene->hub, revoke_second, scene);
    return code_of(err ? err : hub_double_decide(scene->hub, reinstate_second, scene));
}

static enum err erase_record(struct hub_decider *decider, void *arg)
{
    struct scene *scene = arg;
    uint64_t erased = 0;
    struct ref ref = {KIND_REMARK, bytes_of(scene->remark, ID_SIZE)};
    return hub_erase(decider, &(struct hub_erasing){.records = {&ref, 1}}, &erased);
}

enum folkmoot_code hub_erases(struct scene *scene)
{
    return code_of(hub_double_decide(scene->hub, erase_record, scene));
}

static enum err erase_due(struct hub_decider *decider, void *arg)
{
    uint64_t erased = 0;
    (void)arg;
    decider->now = INT64_C(4000000000000);
    return hub_erase_due(decider, &erased);
}

enum folkmoot_code hub_erases_due(struct scene *scene)
{
    return code_of(hub_double_decide(scene->hub, erase_due, scene));
}

static enum err begin_anew(struct hub_decider *decider, void *arg)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {1};
    struct hub_found_random random;
    struct scene *scene = arg;
    memset(&random, (int)(++scene->said & 0xff), sizeof random);
    struct community community = *decider->community;
    // Of another identity it counts for nobody, but costs the same.
    enum err err =
        hub_begin_anew(decider->txn, seed, decider->now, &random, &community, decider->fault);
    return err ? err : ERR_FORBIDDEN; // and is not kept
}

enum folkmoot_code hub_begins_anew(struct scene *scene)
{
    enum err err = hub_double_decide(scene->hub, begin_anew, scene);
    return code_of(err == ERR_FORBIDDEN ? OK : err);
}

// --- reading ---

struct looking {
    struct txn *txn;
    struct arena arena;
    struct fault fault;
    struct hub_caller caller;
    struct hash answers;
};

static void note_answer(struct looking *l, const struct message *message, const void *answer)
{
    struct buf encoded BUF_CLEANUP = {0};
    bool was_paused = fail_pause(true);
    message_encode(message, answer, &encoded);
    hash_put_sized(&l->answers, buf_bytes(&encoded));
    (void)fail_pause(was_paused);
}

static enum err begin_looking(struct scene *scene, enum role role, struct looking *l)
{
    *l = (struct looking){.caller = {.now = 1790000000000}};
    arena_init(&l->arena, HUB_ARENA);
    hash_begin_bare(&l->answers);
    l->txn = txn_begin_read(hub_double_store(scene->hub));
    enum err err = community_get_number(l->txn, 1, &l->caller.community);
    if (!err)
        err = device_get(l->txn, 1, scene->second, &l->caller.device);
    l->caller.device.role = role;
    return err;
}

static enum err end_looking(struct looking *l, enum err err, uint8_t answers[HASH_SIZE])
{
    if (!err)
        err = txn_error(l->txn);
    hash_end(&l->answers, answers);
    txn_abort(&l->txn);
    arena_done(&l->arena);
    return err;
}

typedef enum err look_function(struct scene *scene, enum role role, uint8_t answers[HASH_SIZE]);

// What is answered although something failed is the sound answer.
static enum folkmoot_code look_twice(struct scene *scene, enum role role, look_function *look)
{
    uint8_t answers[HASH_SIZE];
    uint8_t sound[HASH_SIZE];
    enum err err = look(scene, role, answers);
    (void)fail_pause(true);
    MUST(!look(scene, role, sound), "no sound answer");
    (void)fail_pause(false);
    MUST(err || memcmp(answers, sound, HASH_SIZE) == 0, "something failed, and is left out");
    return code_of(err);
}

static enum err look_as(struct scene *scene, enum role role, uint8_t answers[HASH_SIZE])
{
    struct looking l;
    struct ref about = {KIND_NEED, bytes_of(scene->need, ID_SIZE)};
    struct get_request get = {KIND_NEED, bytes_of(scene->need, ID_SIZE)};
    struct list_request list = {.kind = KIND_NEED, .page_size = 3};
    struct list_request of_one = {.kind = KIND_VOICE, .page_size = 3, .about = &about};
    struct get_response got = {0};
    struct list_response listed;
    struct me_response me;
    enum err err = begin_looking(scene, role, &l);
    if (!err && role != ROLE_OBSERVER)
        err = hub_get(l.txn, &l.caller, &get, &l.arena, &got, &l.fault);
    if (!err)
        note_answer(&l, &get_response_message, &got);
    if (!err)
        err = hub_list(l.txn, &l.caller, &list, &l.arena, &listed, &l.fault);
    if (!err)
        note_answer(&l, &list_response_message, &listed);
    if (!err)
        err = hub_list(l.txn, &l.caller, &of_one, &l.arena, &listed, &l.fault);
    if (!err)
        note_answer(&l, &list_response_message, &listed);
    if (!err && role != ROLE_OBSERVER)
        err = hub_me(l.txn, &l.caller, &l.arena, &me, &l.fault);
    return end_looking(&l, err, answers);
}

enum folkmoot_code hub_reads(struct scene *scene)
{
    return look_twice(scene, ROLE_COORDINATOR, look_as);
}

enum folkmoot_code hub_reads_masked(struct scene *scene)
{
    return look_twice(scene, ROLE_OBSERVER, look_as);
}

static enum err look_at_proof(struct scene *scene, enum role role, uint8_t answers[HASH_SIZE])
{
    struct looking l;
    struct prove_response response;
    enum err err = begin_looking(scene, role, &l);
    struct prove_request request = {
        .device = bytes_of(scene->second, HANDLE_SIZE), .seq = 1, .old_size = 3};
    if (!err)
        err = hub_prove(l.txn, &l.caller, &request, &l.arena, &response, &l.fault);
    if (!err)
        note_answer(&l, &prove_response_message, &response);
    return end_looking(&l, err, answers);
}

enum folkmoot_code hub_proves(struct scene *scene)
{
    return look_twice(scene, ROLE_VOLUNTEER, look_at_proof);
}
