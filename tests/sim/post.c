// Letters: written on one device, carried by another, answered by the hub, and read or lost, in any
// order and as often as somebody likes.

#include <stdlib.h>

#include "tests/sim/faults.h"
#include "tests/sim/sim.h"

static void letter_done(struct sim_letter *letter)
{
    free(letter->p);
}

void post_done(struct sim *sim)
{
    while (sim->letters_n > 0)
        letter_done(&sim->letters[--sim->letters_n]);
}

// One that lies about goes where there is no room.
static void put(struct sim *sim, struct sim_letter letter)
{
    size_t at = sim->letters_n;
    if (at == SIM_LETTERS_MAX) {
        at = dice_below(&sim->dice, at);
        letter_done(&sim->letters[at]);
    } else {
        sim->letters_n++;
    }
    sim->letters[at] = letter;
}

static struct sim_letter take(struct sim *sim, size_t i)
{
    struct sim_letter letter = sim->letters[i];
    sim->letters[i] = sim->letters[--sim->letters_n];
    return letter;
}

// The process may die over it.
static bool comes_back(struct sim *sim, struct sim_device *device)
{
    bool died = faults_clear();
    if (died) {
        sim->deaths++;
        sim_tell(sim, "device %td died over a letter", device - sim->devices);
        device_restart(sim, device);
    }
    return died;
}

static void write_one(struct sim *sim, struct sim_device *device)
{
    struct folkmoot_error error = {0};
    struct sim_letter letter = {.author = device};
    uint32_t left = 0;
    device_note(sim, device);
    line_arm(sim);
    enum folkmoot_code code =
        folkmoot_letter_write(device->fm, &letter.p, &letter.n, &left, &error);
    if (comes_back(sim, device)) {
        if (!code)
            letter_done(&letter);
        return;
    }
    sim_must(sim, !code, "device %td: no letter is written: %s", device - sim->devices, error.text);
    sim_tell(sim, "device %td writes a letter of %zu bytes", device - sim->devices, letter.n);
    put(sim, letter);
}

// Whether the hub may say so: of somebody whom it does not know (it was restored), whom it has
// revoked, or whose chain has parted; or to a carrier whose token is void.
static bool may_refuse(const struct sim *sim, const struct sim_device *carrier,
                       const struct sim_device *author, enum folkmoot_code code)
{
    bool is_odd = device_is_dubious(carrier) || carrier->has_twin || carrier->login_late ||
                  device_is_dubious(author) || author->has_twin || author->had_other ||
                  sim->round > 0;
    return (code == FOLKMOOT_REFUSED || code == FOLKMOOT_NOT_FOUND || code == FOLKMOOT_INVALID) &&
           is_odd;
}

static void keep_answer(struct sim *sim, const struct folkmoot_session *session,
                        struct sim_device *author)
{
    struct sim_letter answer = {.author = author, .is_answer = true};
    const void *p = folkmoot_session_letter(session, &answer.n);
    sim_must(sim, p, "a letter was delivered without an answer");
    answer.p = malloc(answer.n);
    sim_must(sim, answer.p, "no memory for an answer");
    memcpy(answer.p, p, answer.n);
    put(sim, answer);
}

static void deliver_one(struct sim *sim, struct sim_device *carrier, struct sim_letter *letter)
{
    struct folkmoot_session *session = NULL;
    struct folkmoot_error error = {0};
    enum folkmoot_code code = folkmoot_deliver(carrier->fm, letter->p, letter->n, &session, &error);
    sim_must(sim, !code, "device %td: no delivery begins: %s", carrier - sim->devices, error.text);
    if (hub_double_run(sim->hub, session, NULL) != FOLKMOOT_DONE) {
        error = *folkmoot_session_error(session);
        code = error.code;
    }
    sim_must(sim, !code || may_refuse(sim, carrier, letter->author, code),
             "device %td delivers a letter of %td: %s", carrier - sim->devices,
             letter->author - sim->devices, error.text);
    sim_tell(sim, "device %td delivers a letter of %td: %d", carrier - sim->devices,
             letter->author - sim->devices, code);
    if (!code)
        keep_answer(sim, session, letter->author);
    folkmoot_session_done(&session);
    check_log(sim);
}

// By its author; it may have another key by now, or be one of two that had the same.
static void read_one(struct sim *sim, const struct sim_letter *letter)
{
    struct sim_device *device = letter->author;
    struct folkmoot_progress progress = {0};
    struct folkmoot_error error = {0};
    enum folkmoot_letter kind = folkmoot_letter_kind(device->fm, letter->p, letter->n);
    sim_must(sim, kind == FOLKMOOT_LETTER_ANSWER || kind == FOLKMOOT_LETTER_OTHERS,
             "an answer is taken for something else");
    if (kind == FOLKMOOT_LETTER_OTHERS) {
        sim_must(sim, device->had_other || device->has_twin || device->is_copy,
                 "device %td does not know its own answer", device - sim->devices);
        return;
    }
    device->is_settled = false;
    line_arm(sim);
    enum folkmoot_code code =
        folkmoot_letter_read(device->fm, letter->p, letter->n, &progress, &error);
    if (comes_back(sim, device))
        return;
    sim_must(sim,
             !code || code == FOLKMOOT_REFUSED || (code == FOLKMOOT_FORKED && device->has_twin),
             "device %td: an answer is not read: %s", device - sim->devices, error.text);
    sim_must(sim, code != FOLKMOOT_REFUSED || device->was_revoked, "device %td: an answer says: %s",
             device - sim->devices, error.text);
    sim_must(sim, !progress.alarm || sim->round > 0, "device %td: an honest hub's answer alarms",
             device - sim->devices);
    sim_tell(sim, "device %td reads an answer: %u pushed, %u pulled", device - sim->devices,
             progress.pushed, progress.pulled);
    device_note(sim, device);
    check_device(sim, device);
}

void post_something(struct sim *sim, struct sim_device *device)
{
    if (!device->is_joined || dice_percent(&sim->dice, 35) || sim->letters_n == 0) {
        if (device->is_joined)
            write_one(sim, device);
        return;
    }
    struct sim_letter letter = take(sim, dice_below(&sim->dice, sim->letters_n));
    if (letter.is_answer)
        read_one(sim, &letter);
    else
        deliver_one(sim, device, &letter);
    // It may come again.
    if (dice_percent(&sim->dice, 30))
        put(sim, letter);
    else
        letter_done(&letter);
}
