#include "tests/sync/sample.h"

void sample_draw(struct world *world, size_t device, uint64_t number, struct arena *arena,
                 struct sample *sample)
{
    struct fault fault = {0};
    struct checked checked;
    struct community community;
    struct device own;
    struct hub_caller caller = world_caller(world, device);
    struct txn *txn = txn_begin_read(world->devices[device].store);
    world_self(txn, &world->devices[device], &community, &own);
    world_must(!proof_draw(txn, &community, &own, number, sample->device, &sample->seq),
               "nothing was drawn");
    checked_get(txn, community.number, &checked);
    txn_abort(&txn);
    struct prove_request request = {bytes_of(sample->device, HANDLE_SIZE), sample->seq,
                                    checked.frontier.size};
    txn = txn_begin_read(world->hub);
    world_must(!hub_prove(txn, &caller, &request, arena, &sample->proof, &fault), fault.text);
    txn_abort(&txn);
}
