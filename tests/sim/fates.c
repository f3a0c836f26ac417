// What the hub's decisions say of changes, read from their bytes as docs/protocol.md section 6 has
// it, without the code that folds them.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/sim/sim.h"
#include "tests/sync/world.h"

enum { FATES_ARENA = 64 << 20 };

static void add(struct fates *fates, const struct fate *fate)
{
    if ((fates->n & (fates->n - 1)) == 0) {
        fates->p = realloc(fates->p, (fates->n ? fates->n * 2 : 1) * sizeof *fates->p);
        world_must(fates->p, "out of memory");
    }
    fates->p[fates->n++] = *fate;
}

static void add_edits(struct fates *fates, const struct written *decision)
{
    struct wire_reader reader = wire_reader(decision->fields);
    struct wire_field field;
    for (uint32_t index = 0; !wire_at_end(&reader) && wire_next(&reader, &field) == OK; index++) {
        struct fate fate = {.decision = decision, .index = index};
        struct refusal refusal = {0};
        enum err err = ERR_NOT_FOUND;
        if (field.number == FIELD_REFUSAL) {
            err = message_decode(&refusal_message, field.bytes, &fates->arena, &refusal, NULL);
            fate.of = (struct change_ref){refusal.device, refusal.seq, refusal.tag};
        } else if (field.number == FIELD_ERASURE) {
            err = message_decode(&change_ref_message, field.bytes, &fates->arena, &fate.of, NULL);
            fate.erases = true;
        }
        if (!err)
            add(fates, &fate);
    }
}

static bool is_withdrawn_by(const struct fate *fate, const struct written *by,
                            const struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, envelope->over, i);
        bool same_hub = dot->device.n == 0
                            ? memcmp(by->device, fate->decision->device, HANDLE_SIZE) == 0
                            : memcmp(dot->device.p, fate->decision->device, HANDLE_SIZE) == 0;
        if (same_hub && dot->seq == fate->decision->seq && dot->tag == fate->decision->tag &&
            dot->index == fate->index)
            return true;
    }
    return false;
}

static void withdraw(struct fates *fates, const struct written *by)
{
    struct envelope envelope;
    world_must(!envelope_decode(by->envelope, &fates->arena, &envelope, NULL),
               "a decision's envelope is none");
    size_t kept = 0;
    for (size_t i = 0; i < fates->n; i++) {
        if (!is_withdrawn_by(&fates->p[i], by, &envelope))
            fates->p[kept++] = fates->p[i];
    }
    // The array grows at powers of two: what is kept is put in anew.
    struct fate *old = fates->p;
    fates->p = NULL;
    fates->n = 0;
    for (size_t i = 0; i < kept; i++)
        add(fates, &old[i]);
    free(old);
}

void fates_init(struct sim *sim, struct fates *fates, size_t upto)
{
    *fates = (struct fates){.n = 0};
    arena_init(&fates->arena, FATES_ARENA);
    for (size_t i = 0; i < upto; i++) {
        const struct written *written = &sim->registry.p[sim->log[i].written];
        // What a device says is decided is not.
        bool is_hubs = written->authors == 0;
        if (written->record.kind != KIND_DECISION || !is_hubs || sim->log[i].again)
            continue;
        withdraw(fates, written);
        add_edits(fates, written);
    }
}

void fates_done(struct fates *fates)
{
    arena_done(&fates->arena);
    free(fates->p);
}

static bool is_decided(const struct fates *fates, const struct written *written, bool erases)
{
    for (size_t i = 0; i < fates->n; i++) {
        const struct change_ref *of = &fates->p[i].of;
        if (fates->p[i].erases == erases && of->seq == written->seq && of->tag == written->tag &&
            bytes_equal(of->device, BYTES(written->device)))
            return true;
    }
    return false;
}

bool fates_erased(const struct fates *fates, const struct written *written)
{
    return is_decided(fates, written, true);
}

bool fates_refused(const struct fates *fates, const struct written *written)
{
    return is_decided(fates, written, false);
}
