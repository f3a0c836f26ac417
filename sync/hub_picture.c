// The picture, for callers of a hub: each as far as the role goes.

#include "sync/hub.h"
#include "sync/hub_private.h"
#include "sync/picture.h"
#include "sync/tree.h"

// What stands behind an eye that looks by a call.
struct looking {
    struct eye eye;
    struct mask mask;
    struct picture_eye picture;
};

static uint32_t least_of(const struct hub_policy *policy)
{
    return policy->observer_least ? policy->observer_least : HUB_OBSERVER_LEAST;
}

static void look(const struct hub_caller *caller, struct looking *looking)
{
    bool is_observer = role_may_call(caller->device.role, CALL_LIST) == REACH_AUDIENCE;
    *looking = (struct looking){
        .eye = {.role = caller->device.role,
                .device = caller->device.handle,
                .is_in_audience = true},
        .mask = {caller->policy.observer_secret, caller->device.handle},
    };
    looking->picture = (struct picture_eye){
        .eye = &looking->eye,
        .mask = is_observer ? &looking->mask : NULL,
        .least = is_observer ? least_of(&caller->policy) : 0,
        .population = caller->policy.population,
    };
}

enum err hub_name_log(struct txn *txn, const struct community *community, struct arena *arena,
                      struct log_head **log, struct fault *fault)
{
    uint8_t root[HASH_SIZE];
    enum err err = tree_root(txn, community->number, community->size, root);
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    *log = arena_alloc(arena, 1, sizeof **log);
    if (!*log)
        return ERR_NOMEM;
    **log = (struct log_head){arena_copy(arena, BYTES(community->log)), community->size,
                              arena_copy(arena, BYTES(root))};
    return (*log)->log.p && (*log)->root.p ? OK : ERR_NOMEM;
}

enum err hub_picture(struct txn *txn, const struct hub_caller *caller,
                     const struct picture_request *request, struct arena *arena,
                     struct picture_response *response, struct fault *fault)
{
    struct looking looking;
    look(caller, &looking);
    *response = (struct picture_response){.more = false};
    enum err err = picture_counts(txn, &caller->community, request->kind, &looking.picture, arena,
                                  response, fault);
    return err ? err : hub_name_log(txn, &caller->community, arena, &response->log, fault);
}

enum err hub_show(struct txn *txn, const struct hub_caller *caller,
                  const struct show_request *request, struct arena *arena,
                  struct show_response *response, struct fault *fault)
{
    struct looking looking;
    look(caller, &looking);
    *response = (struct show_response){.least = 0};
    enum err err =
        picture_show(txn, &caller->community, request, &looking.picture, arena, response, fault);
    return err ? err : hub_name_log(txn, &caller->community, arena, &response->log, fault);
}

static enum err look_at(struct txn *txn, const struct hub_caller *caller,
                        const struct record_request *request, struct arena *arena,
                        struct record_response *response, struct fault *fault)
{
    const struct get_request get = {.kind = request->kind, .id = request->id};
    struct get_response got = {NULL};
    enum err err = hub_get(txn, caller, &get, arena, &got, fault);
    response->record = got.record;
    return err;
}

enum err hub_record(struct txn *txn, const struct hub_caller *caller,
                    const struct record_request *request, struct arena *arena,
                    struct record_response *response, struct fault *fault)
{
    struct looking looking;
    struct record_key record = {.kind = request->kind};
    look(caller, &looking);
    *response = (struct record_response){.more = false};
    enum err err = look_at(txn, caller, request, arena, response, fault);
    if (err)
        return err;
    memcpy(record.id, request->id.p, ID_SIZE);
    err = looking.picture.mask ? mask_id_back(looking.picture.mask, record.kind, record.id) : OK;
    if (!err)
        err = picture_record(txn, &caller->community, &record, request, &looking.picture, arena,
                             response, fault);
    return err ? err : hub_name_log(txn, &caller->community, arena, &response->log, fault);
}

enum err hub_trail(struct txn *txn, const struct hub_caller *caller,
                   const struct trail_request *request, struct arena *arena,
                   struct trail_response *response, struct fault *fault)
{
    struct looking looking;
    look(caller, &looking);
    *response = (struct trail_response){.more = false};
    enum err err =
        picture_trail(txn, &caller->community, request, &looking.picture, arena, response, fault);
    return err ? err : hub_name_log(txn, &caller->community, arena, &response->log, fault);
}
