// The line between devices and hub: it loses, cuts at any byte, delays, repeats, reorders, parts;
// and at either end the process may die.

#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/faults.h"
#include "tests/sim/sim.h"

enum { DEATH_WITHIN = 400 }; // operations

// --- what is still on its way ---

static void drop_done(struct drop *drop)
{
    buf_done(&drop->body);
    *drop = (struct drop){.has_token = false};
}

static void keep_for_later(struct sim *sim, const struct folkmoot_request *request)
{
    if (sim->pond_n == SIM_POND_MAX)
        return;
    struct drop *drop = &sim->pond[sim->pond_n++];
    *drop = (struct drop){.has_token = request->token != NULL};
    (void)snprintf(drop->path, sizeof drop->path, "%s", request->path);
    (void)snprintf(drop->token, sizeof drop->token, "%s", request->token ? request->token : "");
    buf_put(&drop->body, bytes_of(request->body, request->body_n));
}

void line_late(struct sim *sim)
{
    if (sim->pond_n == 0)
        return;
    struct hub_answer answer = {.status = 0};
    size_t i = dice_below(&sim->dice, sim->pond_n);
    struct drop drop = sim->pond[i];
    sim->pond[i] = sim->pond[--sim->pond_n];
    const struct folkmoot_request request = {.path = drop.path,
                                             .token = drop.has_token ? drop.token : NULL,
                                             .body = drop.body.p,
                                             .body_n = drop.body.n};
    bool voids_token = strstr(drop.path, "/Login") || strstr(drop.path, "/Enrol");
    for (size_t k = 0; voids_token && k < sim->n; k++)
        sim->devices[k].login_late = true;
    hub_double_serve(sim->hub, &request, &answer);
    sim_tell(sim, "late %s %d", drop.path, answer.status);
    buf_done(&answer.body);
    drop_done(&drop);
    check_log(sim);
}

void line_done(struct sim *sim)
{
    while (sim->pond_n > 0)
        drop_done(&sim->pond[--sim->pond_n]);
}

// --- one request ---

void hub_restart(struct sim *sim)
{
    hub_double_close(sim->hub);
    faults_clear();
    hub_double_open(sim->hub, sim->hub_path);
}

static void arm(struct sim *sim)
{
    enum faults_last last = dice_percent(&sim->dice, 50) ? FAULTS_LAST_DONE : FAULTS_LAST_UNDONE;
    faults_arm(1 + dice_below(&sim->dice, DEATH_WITHIN), last);
}

void line_arm(struct sim *sim)
{
    if (!sim->is_calm && dice_percent(&sim->dice, 4))
        arm(sim);
}

// False when the hub died over it.
static bool serve(struct sim *sim, const struct folkmoot_request *request,
                  struct hub_answer *answer)
{
    line_arm(sim);
    hub_double_serve(sim->hub, request, answer);
    bool died = faults_dead();
    if (died) {
        sim->deaths++;
        sim_tell(sim, "the hub died over %s", request->path);
        hub_restart(sim);
    }
    faults_clear();
    check_log(sim);
    return !died;
}

static void no_answer(struct folkmoot_session *session, int status)
{
    folkmoot_session_answer(session, status, NULL);
    folkmoot_session_finish(session, false);
}

// In parts, and not all of it where the line breaks.
static void deliver(struct sim *sim, struct sim_device *device, const struct hub_answer *answer)
{
    size_t n = answer->body.n;
    bool breaks = !sim->is_calm && dice_percent(&sim->dice, 12);
    if (breaks)
        n = dice_below(&sim->dice, n + 1);
    line_arm(sim);
    folkmoot_session_answer(device->session, answer->status, hub_double_tls_key(sim->hub));
    for (size_t at = 0; at < n;) {
        size_t part = 1 + dice_below(&sim->dice, n < 64 ? n : n - n / 4);
        part = part > n - at ? n - at : part;
        folkmoot_session_receive(device->session, answer->body.p + at, part);
        at += part;
    }
    folkmoot_session_finish(device->session, !breaks);
}

static bool is_lost(struct sim *sim, unsigned percent)
{
    return !sim->is_calm && dice_percent(&sim->dice, percent);
}

static void send_one(struct sim *sim, struct sim_device *device,
                     const struct folkmoot_request *request)
{
    struct hub_answer answer = {.status = 0};
    if (!sim->is_calm && sim->step < device->cut_off_until) {
        no_answer(device->session, FOLKMOOT_NOT_SENT);
        return;
    }
    if (is_lost(sim, 8)) {
        if (dice_percent(&sim->dice, 50))
            keep_for_later(sim, request);
        no_answer(device->session, 0);
        return;
    }
    if (is_lost(sim, 4))
        keep_for_later(sim, request);
    if (is_lost(sim, 5)) {
        (void)serve(sim, request, &answer);
        buf_reset(&answer.body);
    }
    bool is_served = serve(sim, request, &answer);
    if (!is_served || is_lost(sim, 8))
        no_answer(device->session, 0);
    else
        deliver(sim, device, &answer);
    buf_done(&answer.body);
}

// --- a session ---

// Whether such an end is what may come of it. Two with one key take each other's token.
static bool is_expected(const struct sim_device *device, const struct folkmoot_error *error)
{
    enum folkmoot_code code = error->code;
    // A sample of what it has not got back.
    bool has_forgotten = device->sim->round > 0 && strstr(error->text, "no such change");
    return code == FOLKMOOT_OK || code == FOLKMOOT_NETWORK ||
           (code == FOLKMOOT_FORKED && device->has_twin) ||
           (code == FOLKMOOT_REFUSED && (device_is_dubious(device) || device->has_twin ||
                                         device->login_late || has_forgotten)) ||
           (code == FOLKMOOT_STORE && faults_dead());
}

static enum folkmoot_code end(struct sim *sim, struct sim_device *device)
{
    const struct folkmoot_error *error = folkmoot_session_error(device->session);
    struct folkmoot_progress progress;
    folkmoot_session_progress(device->session, &progress);
    sim_must(sim, is_expected(device, error), "device %td: a sync ended with: %s",
             device - sim->devices, error->text);
    sim_must(sim, !progress.alarm || sim->round > 0, "device %td: an honest hub raised an alarm",
             device - sim->devices);
    device->is_copy |= error->code == FOLKMOOT_FORKED;
    device->is_settled = error->code == FOLKMOOT_OK;
    if (device->is_settled)
        device->round = device->session_round;
    sim_tell(sim, "device %td: %d, %u pushed, %u pulled", device - sim->devices, error->code,
             progress.pushed, progress.pulled);
    sim->syncs++;
    enum folkmoot_code code = error->code;
    device->login_late = false;
    folkmoot_session_done(&device->session);
    return code;
}

// Where the process died it is back, and knows nothing of its session.
static bool comes_back(struct sim *sim, struct sim_device *device)
{
    if (!faults_dead()) {
        faults_clear();
        return false;
    }
    sim->deaths++;
    sim_tell(sim, "device %td died", device - sim->devices);
    device_restart(sim, device);
    return true;
}

// FOLKMOOT_NETWORK also while it is not over.
static enum folkmoot_code turn(struct sim *sim, struct sim_device *device, bool whole)
{
    enum folkmoot_code code = FOLKMOOT_NETWORK;
    struct folkmoot_request request;
    enum folkmoot_next next;
    do {
        next = folkmoot_session_next(device->session, &request);
        if (next == FOLKMOOT_SEND && !faults_dead())
            device_note(sim, device);
        if (next == FOLKMOOT_SEND)
            send_one(sim, device, &request);
        if (comes_back(sim, device))
            return code;
    } while (whole && next == FOLKMOOT_SEND);
    if (next != FOLKMOOT_SEND)
        code = end(sim, device);
    device_note(sim, device);
    return code;
}

void line_turn(struct sim *sim, struct sim_device *device, bool whole)
{
    struct folkmoot_error error;
    enum folkmoot_code code = FOLKMOOT_OK;
    device->is_settled = false;
    if (!device->session) {
        device->session_round = sim->round;
        code = dice_percent(&sim->dice, 10)
                   ? folkmoot_sync_and_check(device->fm, &device->session, &error)
                   : folkmoot_sync(device->fm, &device->session, &error);
    }
    sim_must(sim, !code, "device %td: no sync begins: %s", device - sim->devices, error.text);
    (void)turn(sim, device, whole);
}

void line_join(struct sim *sim, struct sim_device *device)
{
    char link[LINK_MAX];
    struct folkmoot_error error;
    folkmoot_session_done(&device->session);
    hub_double_invite(sim->hub, device->role, link);
    enum folkmoot_code code = folkmoot_join(device->fm, link, &device->session, &error);
    sim_must(sim, !code, "device %td: no joining begins: %s", device - sim->devices, error.text);
    uint8_t before[HANDLE_SIZE];
    memcpy(before, device->handle, HANDLE_SIZE);
    device->session_round = device->round;
    device->is_revoked = false;
    device->is_joined = turn(sim, device, true) == FOLKMOOT_OK;
    device->is_settled = false;
    check_log(sim);
    if (memcmp(before, device->handle, HANDLE_SIZE) != 0)
        device->is_copy = false;
    sim_tell(sim, "device %td joins: %d", device - sim->devices, device->is_joined);
}
