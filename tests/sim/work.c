// What people say and do: on their devices, and as an administrator on the hub.

#include <stdio.h>
#include <stdlib.h>

#include "client/state.h"
#include "storage/carry.h"
#include "storage/log.h"
#include "tests/sim/faults.h"
#include "tests/sim/sim.h"

enum { WORDS_MAX = 32, CHOICE_MAX = 64 };

static const char *const kinds[] = {"need",    "need",   "need",       "constraint", "solution",
                                    "outcome", "remark", "commitment", "party"};

// --- choosing ---

struct choice {
    struct sim *sim;
    size_t seen;
    struct folkmoot_link link;
    bool with_tension;
};

static bool has_tension(const struct folkmoot_record *record)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        if (record->fields[i].tension)
            return true;
    }
    return false;
}

// Each of those seen is chosen with the same chance.
static bool choose_one(const struct folkmoot_record *record, void *arg)
{
    struct choice *choice = arg;
    // Which stand there for a while where somebody lied.
    bool is_anybodys = strcmp(record->kind, "membership") != 0;
    if (!is_anybodys || (choice->with_tension && !has_tension(record)))
        return true;
    if (dice_below(&choice->sim->dice, ++choice->seen) == 0) {
        memcpy(choice->link.kind, record->kind, sizeof choice->link.kind);
        memcpy(choice->link.id, record->id, sizeof choice->link.id);
    }
    return true;
}

static bool choose(struct sim *sim, struct sim_device *device, const char *kind, bool with_tension,
                   struct folkmoot_link *link)
{
    struct choice choice = {.sim = sim, .with_tension = with_tension};
    enum folkmoot_code code = folkmoot_list(device->fm, kind, choose_one, &choice, NULL);
    *link = choice.link;
    return !code && choice.seen > 0;
}

static void person_of(struct sim *sim, uint8_t id[16])
{
    memset(id, 0, 16);
    id[0] = (uint8_t)(1 + dice_below(&sim->dice, SIM_PERSONS));
}

static void words_of(struct sim *sim, char words[WORDS_MAX])
{
    (void)snprintf(words, WORDS_MAX, "said %u in world %llx", ++sim->said,
                   (unsigned long long)sim->options.seed & 0xffff);
}

static void ref_of(const struct folkmoot_link *link, char text[64])
{
    size_t n = (size_t)snprintf(text, 64, "%s:", link->kind);
    for (size_t i = 0; i < 16; i++)
        (void)snprintf(text + n + 2 * i, 3, "%02x", link->id[i]);
}

// --- saying ---

typedef enum folkmoot_code work(struct sim *sim, struct sim_device *device);

static enum folkmoot_code add(struct sim *sim, struct sim_device *device)
{
    char words[WORDS_MAX];
    char about[64];
    uint8_t id[16];
    struct folkmoot_link link;
    words_of(sim, words);
    struct folkmoot_put puts[3] = {{"words", words}};
    size_t n = 1;
    const char *kind = kinds[dice_below(&sim->dice, sizeof kinds / sizeof *kinds)];
    if (strcmp(kind, "need") != 0 && choose(sim, device, "need", false, &link)) {
        ref_of(&link, about);
        puts[n++] = (struct folkmoot_put){"about", about};
    }
    if (dice_percent(&sim->dice, 20))
        puts[n++] = (struct folkmoot_put){"speaker", dice_percent(&sim->dice, 50)
                                                         ? "01000000000000000000000000000000"
                                                         : "02000000000000000000000000000000"};
    return folkmoot_add(device->fm, kind, puts, n, 0, id, NULL);
}

static enum folkmoot_code edit(struct sim *sim, struct sim_device *device)
{
    static const char *const fields[] = {"words", "title", "language", "audience", "sensitivity"};
    static const char *const audiences[] = {"community", "organisations", "public"};
    char words[WORDS_MAX];
    struct folkmoot_link link;
    if (!choose(sim, device, NULL, dice_percent(&sim->dice, 40), &link))
        return FOLKMOOT_NOT_FOUND;
    words_of(sim, words);
    size_t i = dice_below(&sim->dice, sizeof fields / sizeof *fields);
    struct folkmoot_put put = {fields[i], words};
    if (i == 2)
        put.value = dice_percent(&sim->dice, 50) ? "en" : "pl";
    if (i == 3)
        put.value = audiences[dice_below(&sim->dice, 3)];
    if (i == 4)
        put.value = dice_percent(&sim->dice, 50) ? "ordinary" : "sensitive";
    if (dice_percent(&sim->dice, 10))
        put.value = NULL;
    return folkmoot_edit(device->fm, link.kind, link.id, &put, 1, 0, NULL);
}

static enum folkmoot_code sort(struct sim *sim, struct sim_device *device)
{
    static const char *const categories[] = {"water", "roads", "light"};
    struct folkmoot_link link;
    if (!choose(sim, device, "need", false, &link))
        return FOLKMOOT_NOT_FOUND;
    const char *value = categories[dice_below(&sim->dice, 3)];
    struct folkmoot_put put = {"category", value};
    if (dice_percent(&sim->dice, 30))
        return folkmoot_remove(device->fm, "need", link.id, "category", value, 0, NULL);
    return folkmoot_edit(device->fm, "need", link.id, &put, 1, 0, NULL);
}

static enum folkmoot_code voice(struct sim *sim, struct sim_device *device)
{
    static const char *const stances[] = {"for", "for", "against", "unsure", "withdrawn"};
    char words[WORDS_MAX];
    uint8_t person[16];
    struct folkmoot_link link;
    if (!choose(sim, device, dice_percent(&sim->dice, 70) ? "need" : "solution", false, &link))
        return FOLKMOOT_NOT_FOUND;
    person_of(sim, person);
    words_of(sim, words);
    bool speaks = dice_percent(&sim->dice, 50);
    return folkmoot_voice(device->fm, link.kind, link.id, person,
                          stances[dice_below(&sim->dice, 5)], speaks ? words : NULL,
                          speaks ? "en" : NULL, 0, NULL);
}

static enum folkmoot_code join_two(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_link a = {.kind = "person"};
    struct folkmoot_link b = {.kind = "person"};
    bool of_persons = dice_percent(&sim->dice, 40);
    bool same = dice_percent(&sim->dice, 60);
    if (of_persons) {
        person_of(sim, a.id);
        person_of(sim, b.id);
    } else if (!choose(sim, device, "need", false, &a) || !choose(sim, device, "need", false, &b)) {
        return FOLKMOOT_NOT_FOUND;
    }
    return folkmoot_same(device->fm, a.kind, a.id, b.id, same, 0, NULL);
}

static enum folkmoot_code undo(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_community community;
    enum folkmoot_code code = folkmoot_community_at(device->fm, 0, &community);
    if (code)
        return faults_dead() ? FOLKMOOT_STORE : code;
    return folkmoot_undo(device->fm,
                         (uint32_t)dice_below(&sim->dice, (size_t)community.written + 1), NULL);
}

static enum folkmoot_code reach(struct sim *sim, struct sim_device *device)
{
    char words[WORDS_MAX];
    char about[64];
    uint8_t id[16];
    struct folkmoot_link person = {.kind = "person"};
    person_of(sim, person.id);
    ref_of(&person, about);
    words_of(sim, words);
    struct folkmoot_put puts[] = {{"about", about}, {"name", "Ann"}, {"words", words}};
    return folkmoot_add(device->fm, "contact", puts, 3, 0, id, NULL);
}

// --- erasing ---

struct carried {
    const struct written *written;
    bool is_there;
};

static bool find_carried(const struct carry *carry, void *arg)
{
    struct carried *carried = arg;
    carried->is_there = carry->seq == carried->written->seq &&
                        carry->tag == carried->written->tag &&
                        memcmp(carry->device, carried->written->device, HANDLE_SIZE) == 0;
    return !carried->is_there;
}

// In its chain, or waiting to be written under another key.
static bool has_words(const struct scope *scope, const struct written *written)
{
    uint64_t position;
    struct log_entry entry;
    struct carried carried = {.written = written};
    uint32_t community = scope->community.number;
    if (log_find(scope->txn, community, written->device, written->seq, &position) == OK &&
        log_get(scope->txn, community, position, &entry) == OK && log_tag(&entry) == written->tag)
        return entry.form == LOG_WHOLE;
    carry_each(scope->txn, community, find_carried, &carried);
    return carried.is_there;
}

// What a device asks to be erased is gone from itself at once: what it wrote and has words of
// before is compared with what it has words of after.
static void note_erased(struct sim *sim, struct sim_device *device, bool is_after)
{
    struct scope scope;
    uint32_t bit = 1U << (device - sim->devices);
    enum folkmoot_code code = state_begin(device->fm, 0, false, &scope, NULL);
    sim_must(sim, !code, "a device cannot read its own row");
    for (size_t i = 0; i < sim->registry.n; i++) {
        struct written *written = &sim->registry.p[i];
        bool has = written->authors & bit && has_words(&scope, written);
        if (!is_after)
            written->had_words = has;
        else if (written->had_words && !has) {
            written->is_erased = true;
            written->erasers |= bit;
        }
    }
    (void)state_end(device->fm, &scope, false, NULL);
}

static enum folkmoot_code erase(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_link link = {.kind = "person"};
    if (dice_percent(&sim->dice, 15))
        person_of(sim, link.id);
    else if (!choose(sim, device, NULL, false, &link))
        return FOLKMOOT_NOT_FOUND;
    return folkmoot_erase(device->fm, link.kind, link.id, dice_percent(&sim->dice, 70), NULL, NULL);
}

// --- one thing ---

static const struct {
    const char *name;
    work *does;
    unsigned percent;
} works[] = {
    {"add", add, 26},     {"edit", edit, 22},    {"sort", sort, 8},
    {"voice", voice, 20}, {"join", join_two, 8}, {"undo", undo, 6},
    {"reach", reach, 4},  {"erase", erase, 4},   {"lie", work_lie, 2},
};

static size_t pick_work(struct sim *sim)
{
    size_t i = 0;
    size_t drawn = dice_below(&sim->dice, 100);
    while (i + 1 < sizeof works / sizeof *works && drawn >= works[i].percent)
        drawn -= works[i++].percent;
    return i;
}

static enum folkmoot_code do_it(struct sim *sim, struct sim_device *device, size_t i)
{
    enum folkmoot_code code = works[i].does(sim, device);
    bool is_fine = code == FOLKMOOT_OK || code == FOLKMOOT_NOT_FOUND || code == FOLKMOOT_INVALID ||
                   (code == FOLKMOOT_STORE && faults_dead()) ||
                   (code == FOLKMOOT_REFUSED && works[i].does == undo); // of a lie
    sim_must(sim, is_fine, "device %td: %s ended with code %d", device - sim->devices,
             works[i].name, code);
    return code;
}

static void do_some(struct sim *sim, struct sim_device *device, size_t i)
{
    // What is written and erased in one commit was never anywhere.
    size_t other = pick_work(sim);
    bool together =
        dice_percent(&sim->dice, 10) && works[i].does != erase && works[other].does != erase;
    if (together && folkmoot_begin(device->fm, NULL))
        return;
    enum folkmoot_code code = do_it(sim, device, i);
    if (together) {
        code = do_it(sim, device, other);
        (void)folkmoot_end(device->fm, dice_percent(&sim->dice, 70), NULL);
    }
    sim_tell(sim, "device %td: %s: %d", device - sim->devices, works[i].name, code);
}

void work_something(struct sim *sim, struct sim_device *device)
{
    size_t i = pick_work(sim);
    if (works[i].does == erase)
        note_erased(sim, device, false);
    if (!sim->is_calm && dice_percent(&sim->dice, 4))
        faults_arm(1 + dice_below(&sim->dice, 60),
                   dice_percent(&sim->dice, 50) ? FAULTS_LAST_DONE : FAULTS_LAST_UNDONE);
    do_some(sim, device, i);
    if (faults_dead()) {
        sim->deaths++;
        sim_tell(sim, "device %td died", device - sim->devices);
        device_restart(sim, device);
    }
    faults_clear();
    device_note(sim, device);
    if (works[i].does == erase)
        note_erased(sim, device, true);
}

// --- an administrator ---

static enum err revoke(struct hub_decider *decider, void *arg)
{
    return hub_revoke(decider, NULL, ((const struct sim_device *)arg)->handle);
}

static enum err reinstate(struct hub_decider *decider, void *arg)
{
    return hub_reinstate(decider, NULL, ((const struct sim_device *)arg)->handle);
}

static enum err release(struct hub_decider *decider, void *arg)
{
    uint32_t released;
    return hub_release(decider, NULL, ((const struct sim_device *)arg)->handle, 1, UINT32_MAX,
                       &released);
}

static enum err erase_change(struct hub_decider *decider, void *arg)
{
    const struct written *written = arg;
    uint64_t erased = 0;
    struct change_ref ref = {BYTES(written->device), written->seq, written->tag};
    return hub_erase(decider, &(struct hub_erasing){.changes = {&ref, 1}}, &erased);
}

void work_as_admin(struct sim *sim)
{
    static hub_double_decision *const decisions[] = {revoke, reinstate, release};
    enum err err = OK;
    size_t what = dice_below(&sim->dice, 5);
    // The first is never revoked: somebody must be able to see it all in the end.
    struct sim_device *device = &sim->devices[1 + dice_below(&sim->dice, sim->n - 1)];
    for (size_t i = 1; what > 0 && i < sim->n && !device->was_revoked; i++)
        device = &sim->devices[i];
    if (what < 3 && sim->restores)
        return;
    if (what < 3 && device->is_joined) {
        err = hub_double_decide(sim->hub, decisions[what], device);
        for (size_t i = 0; what == 0 && !err && i < sim->n; i++) {
            bool is_meant = memcmp(sim->devices[i].handle, device->handle, HANDLE_SIZE) == 0;
            sim->devices[i].is_revoked |= is_meant;
            sim->devices[i].was_revoked |= is_meant;
        }
    } else if (sim->log_n > 0) {
        size_t i = sim->log[dice_below(&sim->dice, sim->log_n)].written;
        err = hub_double_decide(sim->hub, erase_change, &sim->registry.p[i]);
    }
    sim_must(sim, !err || err == ERR_WRONG_STATE || err == ERR_NOT_FOUND,
             "the hub could not decide: %s", err_text(err));
    sim_tell(sim, "admin %zu: %d", what, err);
    check_log(sim);
}
