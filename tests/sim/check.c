// What must hold, compared with the registry and the naive model of tests/sync/model.h.

#include <stdlib.h>

#include "client/state.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "sync/fingerprint.h"
#include "sync/merge.h"
#include "sync/view.h"
#include "tests/sim/sim.h"
#include "tests/sync/recount.h"
#include "tests/sync/world.h"

enum { VIEW_ARENA = 8 << 20 };

// --- the hub's log ---

static void place(struct sim *sim, const struct placed *placed)
{
    if (sim->log_n == sim->log_cap) {
        sim->log_cap = sim->log_cap ? sim->log_cap * 2 : 256;
        sim->log = realloc(sim->log, sim->log_cap * sizeof *sim->log);
        world_must(sim->log, "out of memory");
    }
    sim->log[sim->log_n++] = *placed;
}

// What the hub itself decided, or what somebody wrote and the hub has as it was written.
static const struct written *known(struct sim *sim, struct txn *txn,
                                   const struct community *community, uint64_t position,
                                   const struct log_entry *entry)
{
    struct device hub;
    struct log_body body;
    bool is_whole =
        entry->form == LOG_WHOLE && log_get_body(txn, community->number, position, &body) == OK;
    struct written *written =
        registry_find(&sim->registry, entry->device, entry->seq, log_tag(entry));
    if (!written && memcmp(entry->device, community->log, HANDLE_SIZE) == 0 && is_whole) {
        sim_must(sim, !device_get(txn, community->number, community->log, &hub),
                 "the hub does not know itself");
        written = registry_add(&sim->registry, hub.key, entry, &body);
    }
    sim_must(sim, written, "the hub's entry %llu (%08x change %u, tag %08x) is nobody's",
             (unsigned long long)position, be32_get(entry->device), entry->seq, log_tag(entry));
    sim_must(sim, bytes_equal(written->envelope, entry->envelope), "an envelope was altered");
    sim_must(sim, !is_whole || bytes_equal(written->fields, body.fields), "words were altered");
    if (!written->position) {
        written->position = position;
        written->was_never_sent = written->is_erased && entry->form == LOG_HUSK;
    }
    return written;
}

void check_log(struct sim *sim)
{
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(sim->hub));
    sim_must(sim, !community_get_number(txn, sim->community, &community), "the hub is empty");
    sim_must(sim, community.size >= sim->log_n, "the hub's log has become shorter");
    while (sim->log_n < community.size) {
        struct log_entry entry;
        uint64_t position = sim->log_n + 1;
        struct placed placed = {.again = false};
        enum err err = log_get(txn, sim->community, position, &entry);
        if (!err && entry.form == LOG_AGAIN) {
            placed.again = true;
            err = log_get(txn, sim->community, entry.first, &entry);
            position = entry.form == LOG_AGAIN ? position : position;
        }
        sim_must(sim, !err, "the hub's entry %llu cannot be read", (unsigned long long)position);
        placed.written = (size_t)(known(sim, txn, &community, position, &entry) - sim->registry.p);
        place(sim, &placed);
    }
}

// --- what a replica should hold ---

struct expected {
    struct model model;
    struct model_view view;
};

static bool is_about(const struct written *written, const struct record_key *record)
{
    return !record || (written->record.kind == record->kind &&
                       memcmp(written->record.id, record->id, ID_SIZE) == 0);
}

// What a device has destroyed of itself is gone there at once.
static enum model_fate fate_of(const struct fates *fates, const struct written *written,
                               ptrdiff_t device)
{
    bool is_a_devices_decision = written->record.kind == KIND_DECISION && written->authors;
    if (fates_refused(fates, written) || is_a_devices_decision || written->is_nameless)
        return MODEL_REFUSED;
    bool is_erased =
        fates_erased(fates, written) || written->was_never_sent || written->erasers >> device & 1;
    return is_erased ? MODEL_ERASED : MODEL_COUNTS;
}

static void expect_one(struct expected *expected, const struct fates *fates,
                       const struct written *written, ptrdiff_t device)
{
    (void)model_add(&expected->model, written->key, written->seq, written->salt, written->envelope,
                    written->fields, fate_of(fates, written, device));
}

// The first entries of the hub's log.
static void expect_log(struct sim *sim, struct expected *expected, const struct fates *fates,
                       size_t upto, const struct record_key *record, ptrdiff_t device)
{
    for (size_t i = 0; i < upto; i++) {
        const struct written *written = &sim->registry.p[sim->log[i].written];
        if (!sim->log[i].again && is_about(written, record))
            expect_one(expected, fates, written, device);
    }
}

// What stands in the device's own chain and not yet there.
static void expect_own(struct sim *sim, struct expected *expected, const struct fates *fates,
                       size_t upto, const struct record_key *record, const struct scope *scope,
                       ptrdiff_t device)
{
    for (uint32_t seq = 1; seq <= scope->device.seq; seq++) {
        uint64_t position;
        struct log_entry entry;
        enum err err =
            log_find(scope->txn, scope->community.number, scope->device.handle, seq, &position);
        if (!err)
            err = log_get(scope->txn, scope->community.number, position, &entry);
        sim_must(sim, !err, "a device has lost its change %u", seq);
        const struct written *written =
            registry_find(&sim->registry, entry.device, seq, log_tag(&entry));
        sim_must(sim, written, "a device's change %u is another than it wrote", seq);
        if ((written->position == 0 || written->position > upto) && is_about(written, record))
            expect_one(expected, fates, written, device);
    }
}

static void expected_done(struct expected *expected)
{
    model_view_done(&expected->view);
    model_done(&expected->model);
}

// --- a replica ---

struct replica {
    struct txn *txn;
    const struct community *community;
    struct eye eye;
    const char *name;
};

static void compare(struct sim *sim, const struct replica *replica, const struct expected *expected,
                    const struct model_record *record, bool voices)
{
    struct record_view view;
    struct record_key key = {.kind = record->kind};
    struct buf bytes BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    memcpy(key.id, record->id, ID_SIZE);
    arena_init(&arena, VIEW_ARENA);
    bool is_there = model_message(&expected->view, record, &bytes);
    enum err err =
        view_record(replica->txn, replica->community, &key, &replica->eye, &arena, &view);
    sim->records++;
    sim_must(sim, err == (is_there ? OK : ERR_NOT_FOUND),
             "%s: the record %u:%08x…%08x: %s, though %s", replica->name, record->kind,
             be32_get(record->id), be32_get(record->id + 12), err_text(err),
             is_there ? "it is there" : "it is not");
    if (!is_there)
        return;
    sim_must(sim, bytes_equal(view.record, buf_bytes(&bytes)),
             "%s: the record %u:%08x…%08x has other values", replica->name, record->kind,
             be32_get(record->id), be32_get(record->id + 12));
    for (size_t i = 0; i < view.fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view.fields, i);
        sim_must(sim, field->tension == model_has_tension(&expected->view, record, field->field),
                 "%s: the tension of field %u of kind %u", replica->name, field->field,
                 record->kind);
    }
    if (!voices)
        return;
    struct tally none = {0};
    struct tally told = view.tally ? *view.tally : none;
    struct tally counted = model_tally(&expected->view, record);
    sim_must(sim,
             told.for_ == counted.for_ && told.against == counted.against &&
                 told.unsure == counted.unsure,
             "%s: voices on kind %u: %u/%u/%u, and should be %u/%u/%u", replica->name, record->kind,
             told.for_, told.against, told.unsure, counted.for_, counted.against, counted.unsure);
}

static bool is_first_of_record(const struct model *model, size_t i)
{
    const struct model_record *record = &model->changes[i].record;
    for (size_t j = 0; j < i; j++) {
        if (model->changes[j].record.kind == record->kind &&
            memcmp(model->changes[j].record.id, record->id, ID_SIZE) == 0)
            return false;
    }
    return true;
}

// Every record of which anything was said.
static void compare_all(struct sim *sim, const struct replica *replica,
                        const struct expected *expected, bool only_ordinary)
{
    for (size_t i = 0; i < expected->model.n; i++) {
        const struct model_change *change = &expected->model.changes[i];
        if (is_first_of_record(&expected->model, i) &&
            !(only_ordinary && change->envelope.class != CLASS_ORDINARY))
            compare(sim, replica, expected, &change->record,
                    change->record.kind == KIND_NEED || change->record.kind == KIND_SOLUTION);
    }
}

// --- one device, now and then ---

static bool has_words(struct txn *txn, uint32_t community, const struct written *written)
{
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    return log_find(txn, community, written->device, written->seq, &position) == OK &&
           log_get(txn, community, position, &entry) == OK && log_tag(&entry) == written->tag &&
           log_get_body(txn, community, position, &body) == OK;
}

static bool is_own(const struct sim_device *device, const struct written *written)
{
    return memcmp(written->device, device->handle, HANDLE_SIZE) == 0 ||
           memcmp(written->record.id, device->handle, 8) == 0;
}

// Nobody has what is personal and others', nor what they know to be erased.
static void check_words(struct sim *sim, const struct sim_device *device, const struct scope *scope,
                        const struct fates *fates, const struct written *written)
{
    bool is_secret = written->class != CLASS_ORDINARY && device->role != ROLE_COORDINATOR &&
                     !device->had_other && !is_own(device, written);
    if (!is_secret && !fates_erased(fates, written))
        return;
    sim_must(sim, !has_words(scope->txn, scope->community.number, written),
             "device %td: has words that are %s", device - sim->devices,
             is_secret ? "personal" : "erased");
}

static void check_receipt(struct sim *sim, const struct scope *scope, uint32_t seq)
{
    uint64_t position;
    struct log_entry entry;
    enum err err =
        log_find(scope->txn, scope->community.number, scope->device.handle, seq, &position);
    if (!err)
        err = log_get(scope->txn, scope->community.number, position, &entry);
    sim_must(sim, !err, "a device has lost its change %u", seq);
    const struct written *written =
        registry_find(&sim->registry, entry.device, seq, log_tag(&entry));
    sim_must(sim, written && written->position,
             "a receipt is broken: change %u of a device is not on the hub", seq);
}

static struct replica replica_of(const struct sim_device *device, const struct scope *scope)
{
    return (struct replica){.txn = scope->txn,
                            .community = &scope->community,
                            .eye = {.role = device->role, .device = scope->device.handle},
                            .name = device->path + strlen(device->sim->folder) + 1};
}

static const uint8_t *told(const struct sim_device *device)
{
    return device->role == ROLE_COORDINATOR ? NULL : device->handle;
}

static void check_record(struct sim *sim, const struct sim_device *device,
                         const struct scope *scope, const struct fates *fates, size_t upto)
{
    struct expected expected = {.view = {0}};
    const struct written *any = &sim->registry.p[dice_below(&sim->dice, sim->registry.n)];
    const struct record_key record = any->record;
    if (device->had_other && any->class != CLASS_ORDINARY)
        return;
    model_init(&expected.model, scope->community.id);
    expect_log(sim, &expected, fates, upto, &record, device - sim->devices);
    expect_own(sim, &expected, fates, upto, &record, scope, device - sim->devices);
    model_look(&expected.model, told(device), &expected.view);
    struct replica replica = replica_of(device, scope);
    struct model_record key = {.kind = record.kind};
    memcpy(key.id, record.id, ID_SIZE);
    compare(sim, &replica, &expected, &key, false);
    expected_done(&expected);
}

static bool begin(struct sim_device *device, struct scope *scope, struct progress *progress)
{
    if (!device->is_joined || folkmoot_community_count(device->fm) == 0 ||
        state_begin(device->fm, 0, false, scope, NULL))
        return false;
    progress_get(scope->txn, scope->community.number, progress);
    return true;
}

static bool is_behind(const struct sim *sim, const struct sim_device *device)
{
    return device->round < sim->round;
}

// What a restored hub has not got back yet, who had seen it has; and until they sync again, from
// the beginning, they have what it has got back since.
static bool is_healing(struct sim *sim)
{
    for (size_t i = 0; i < sim->n; i++) {
        if (is_behind(sim, &sim->devices[i]))
            return true;
    }
    if (sim->rounds_left == 0)
        return false;
    sim->rounds_left--;
    sim->round++;
    return true;
}

void check_device(struct sim *sim, struct sim_device *device)
{
    struct scope scope;
    struct fates fates;
    struct progress progress;
    if (!begin(device, &scope, &progress))
        return;
    sim->checks++;
    size_t upto = (size_t)progress.position;
    bool is_sound = !device_is_dubious(device) && !progress.forked && !progress.revoked &&
                    !is_behind(sim, device);
    if (is_sound && progress.receipt_seq > 0) {
        check_receipt(sim, &scope, progress.receipt_seq);
        check_receipt(sim, &scope, 1 + (uint32_t)dice_below(&sim->dice, progress.receipt_seq));
    }
    if (is_sound && device->is_settled && sim->registry.n > 0 && upto <= sim->log_n &&
        !is_healing(sim)) {
        fates_init(sim, &fates, upto);
        check_record(sim, device, &scope, &fates, upto);
        check_words(sim, device, &scope, &fates,
                    &sim->registry.p[dice_below(&sim->dice, sim->registry.n)]);
        fates_done(&fates);
    }
    (void)state_end(device->fm, &scope, false, NULL);
}

// --- all, in peace ---

// Whether it has destroyed words of itself, and was revoked before the hub heard that they are to
// be erased: they stand elsewhere until a coordinator decides.
static bool erased_in_vain(const struct sim *sim, const struct sim_device *device,
                           const struct fates *fates)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        const struct written *written = &sim->registry.p[i];
        if (written->erasers >> (device - sim->devices) & 1 && written->position &&
            !written->was_never_sent && !fates_erased(fates, written))
            return device->had_other || device->was_revoked;
    }
    return false;
}

static void check_counts(struct sim *sim, const char *whose, struct txn *txn, uint32_t community,
                         const struct expected *expected)
{
    char why[400] = "";
    sim_must(sim, recount_is(&expected->view, txn, community, why), "%s: counts: %s", whose, why);
}

// hub: a transaction on it.
static void check_values(struct sim *sim, struct sim_device *device, struct txn *hub,
                         const struct fates *fates)
{
    struct scope scope;
    struct progress progress;
    struct expected expected = {.view = {0}};
    if (erased_in_vain(sim, device, fates))
        return;
    sim_must(sim, begin(device, &scope, &progress), "a device is not there");
    model_init(&expected.model, scope.community.id);
    expect_log(sim, &expected, fates, sim->log_n, NULL, device - sim->devices);
    model_look(&expected.model, told(device), &expected.view);
    struct replica replica = replica_of(device, &scope);
    compare_all(sim, &replica, &expected, device->had_other);
    if (!device->had_other)
        check_counts(sim, replica.name, scope.txn, scope.community.number, &expected);
    if (!told(device))
        check_counts(sim, "hub", hub, sim->community, &expected);
    expected_done(&expected);
    (void)state_end(device->fm, &scope, false, NULL);
}

static void check_settled(struct sim *sim, struct sim_device *device, struct txn *hub,
                          const struct fates *fates, const uint8_t print[HASH_SIZE])
{
    struct scope scope;
    struct progress progress;
    uint8_t own[HASH_SIZE];
    uint64_t records;
    struct folkmoot_community community = device_community(sim, device);
    sim_must(sim, community.unsent == 0 && community.carried == 0 && !community.forked,
             "device %td: %u unsent, %u carried%s", device - sim->devices, community.unsent,
             community.carried, community.forked ? ", forked" : "");
    sim_must(sim, begin(device, &scope, &progress), "device %td is not there",
             device - sim->devices);
    sim_must(sim, progress.position == sim->log_n, "device %td stands at %llu of %zu",
             device - sim->devices, (unsigned long long)progress.position, sim->log_n);
    for (size_t i = 0; i < sim->registry.n; i++)
        check_words(sim, device, &scope, fates, &sim->registry.p[i]);
    (void)state_end(device->fm, &scope, false, NULL);
    sim_must(sim, !folkmoot_fingerprint(device->fm, own, &records, NULL), "no fingerprint");
    if (memcmp(own, print, HASH_SIZE) == 0 || erased_in_vain(sim, device, fates))
        return;
    check_values(sim, device, hub, fates); // says which record it is
    sim_fail(sim, "device %td has another fingerprint", device - sim->devices);
}

// Under another key of the same phone; or it was, and was erased as that.
static bool is_said_elsewhere(const struct sim *sim, const struct fates *fates,
                              const struct written *written)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        const struct written *other = &sim->registry.p[i];
        bool is_or_was = other->position || other->is_erased || fates_erased(fates, other);
        if (is_or_was && bytes_equal(other->words, written->words))
            return true;
    }
    return false;
}

static bool goes_over(const struct written *by, const struct written *written)
{
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, VIEW_ARENA);
    if (envelope_decode(by->envelope, &arena, &envelope, NULL))
        return false;
    for (size_t i = 0; i < envelope.over.n; i++) {
        const struct dot *dot = LIST_AT(struct dot, envelope.over, i);
        const uint8_t *device = dot->device.n ? dot->device.p : by->device;
        if (dot->seq == written->seq && dot->tag == written->tag &&
            memcmp(device, written->device, HANDLE_SIZE) == 0)
            return true;
    }
    return false;
}

// A device that joins anew brings along what stands, not what somebody there has replaced.
static bool is_replaced(const struct sim *sim, const struct written *written)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        if (goes_over(&sim->registry.p[i], written))
            return true;
    }
    return false;
}

// Whatever anybody said is on the hub, word for word, but for what was erased, or went with a disk.
static void check_voices(struct sim *sim, struct txn *txn, const struct fates *fates)
{
    for (size_t i = 0; i < sim->registry.n; i++) {
        const struct written *written = &sim->registry.p[i];
        if (written->words.n == 0 || written->is_lost || written->is_erased ||
            fates_erased(fates, written))
            continue;
        bool is_there = written->position ? has_words(txn, sim->community, written)
                                          : is_said_elsewhere(sim, fates, written);
        sim_must(sim, is_there || (!written->position && is_replaced(sim, written)),
                 "\"%.*s\" is lost", (int)written->words.n, (const char *)written->words.p);
    }
}

void check_all(struct sim *sim)
{
    struct community community;
    struct fates fates;
    uint8_t print[HASH_SIZE];
    uint64_t records;
    check_log(sim);
    fates_init(sim, &fates, sim->log_n);
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub_double_store(sim->hub));
    sim_must(sim, !community_get_number(txn, sim->community, &community), "the hub is empty");
    sim_must(sim, !fingerprint(txn, &community, print, &records), "no fingerprint");
    check_voices(sim, txn, &fates);
    for (size_t i = 0; i < sim->n; i++)
        check_settled(sim, &sim->devices[i], txn, &fates, print);
    check_values(sim, &sim->devices[0], txn, &fates);
    check_values(sim, &sim->devices[sim->n - 1], txn, &fates);
    fates_done(&fates);
}
