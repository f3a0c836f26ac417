#include "daemon/belong.h"

#include "storage/community.h"
#include "storage/device.h"

struct question {
    struct txn *txn;
    const uint8_t *identity_key;
    struct community other; // the first that is of another hub
    bool is_other;
};

static bool ask(const struct community *community, void *arg)
{
    struct question *question = arg;
    struct device hub;
    if (!community->is_hub)
        return true;
    question->is_other =
        !question->identity_key ||
        (device_get(question->txn, community->number, community->log, &hub) == OK &&
         memcmp(hub.identity, question->identity_key, KEY_SIZE) != 0);
    question->other = *community;
    return !question->is_other;
}

enum err belong_check(struct gate *gate, const uint8_t *identity_key, struct fault *fault)
{
    struct question question = {.identity_key = identity_key};
    question.txn = gate_begin_read(gate);
    if (!question.txn)
        return fault_set(fault, ERR_BUSY, "the database cannot be read");
    community_each(question.txn, ask, &question);
    gate_end_read(gate, &question.txn);
    if (!question.is_other)
        return OK;
    return fault_set(fault, ERR_WRONG_STATE,
                     "the database has the community \"%s\", which was founded with %s: put the "
                     "right identity.key back, for devices trust no other",
                     question.other.name,
                     identity_key ? "another identity key" : "an identity key that is not here");
}
