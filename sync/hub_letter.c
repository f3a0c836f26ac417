// What the hub does with a letter before it is a Sync: who wrote it, and what they ask.

#include "sync/hub.h"

static enum err open_it(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE],
                        const struct letter *letter, struct arena *arena,
                        const struct hub_caller *caller, struct letter_opened *opened,
                        const struct sync_request **request, struct fault *fault)
{
    struct device author;
    struct sync_request *sync = arena_alloc(arena, 1, sizeof *sync);
    if (!sync)
        return ERR_NOMEM;
    if (!letter)
        return fault_set(fault, ERR_MALFORMED, "DeliverRequest: no letter");
    if (!bytes_equal(letter->community, BYTES(caller->community.id)))
        return fault_set(fault, ERR_FORBIDDEN,
                         "Letter: of another community than whoever delivers it");
    enum err err = letter_open(identity_seed, letter, arena, opened, fault);
    if (!err)
        err = device_get(txn, caller->community.number, opened->content.device.p, &author);
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "Letter: of a device that is not of this community");
    if (!err)
        err = letter_check(opened, &author, fault);
    if (!err)
        err = message_decode(&sync_request_message, opened->content.request, arena, sync, fault);
    *request = sync;
    return err;
}

enum err hub_open_letter(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE],
                         const struct letter *letter, struct arena *arena,
                         struct hub_caller *caller, struct letter_opened *opened,
                         const struct sync_request **request, struct fault *fault)
{
    enum err err =
        *request ? OK : open_it(txn, identity_seed, letter, arena, caller, opened, request, fault);
    if (err) {
        *request = NULL;
        return err;
    }
    caller->token_is_due = caller->token_is_next = false;
    err = device_get(txn, caller->community.number, opened->content.device.p, &caller->device);
    if (!err && role_may_call(caller->device.role, CALL_SYNC) == REACH_NONE)
        err = fault_set(fault, ERR_FORBIDDEN, "Letter: whoever wrote it may not sync");
    return err;
}
