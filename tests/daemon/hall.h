#pragma once

// A running hub with a community of three devices made by hand: a coordinator, and the volunteers
// Ann and Ben; and folkmootctl beside it. Wherever folkmootctl's words say "COMMUNITY", the
// community is meant. The main thread.

#include "storage/store.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"

struct hall {
    struct hub hub;
    struct peer coordinator; // labelled "Office"
    struct peer ann;
    struct peer ben;
};

// more: as hub_open has it.
void hall_open(struct hall *hall, const char *more);
void hall_close(struct hall *hall);
// Stops the hub, changes its database by itself in one transaction, and starts it again: as if time
// had gone by, say.
void hall_edit(struct hall *hall, void (*edit)(struct txn *txn, uint32_t community, void *arg),
               void *arg);
// A further device comes in by an invitation.
void hall_enrol(struct hall *hall, struct peer *peer, const char *role, const char *label);

// --- folkmootctl; what is given is the caller's (cJSON_Delete, free) ---

cJSON *hall_ctl(struct hall *hall, const char *const *words);
// The same of what is done for its own sake.
void hall_do(struct hall *hall, const char *const *words);
// What it prints for people.
char *hall_print(struct hall *hall, const char *const *words);
// What it prints when it is refused with this exit status.
char *hall_refused(struct hall *hall, int status, const char *const *words);
// What `devices` says of one.
cJSON *hall_device(struct hall *hall, const struct peer *peer);
// "" and -1 when there is no such item.
const char *hall_text(const cJSON *object, const char *name);
double hall_number(const cJSON *object, const char *name);
// Whether the hub has said this on standard error by now.
bool hall_has_said(struct hall *hall, const char *text);

// --- devices ---

// The handle in hexadecimal; holds for three further calls.
const char *hall_hex(const struct peer *peer);
// Calls Me; the status and Connect's code ("" when it is answered) have to be these.
void hall_check_me(const struct peer *peer, long status, const char *code);
void hall_push_need(struct peer *peer, const char *title);
// A Membership about a device, in a new record or in the one with this id. ROLE_NONE: of no role;
// revoked: 1, 0, or -1: says nothing of that.
void hall_push_membership(struct peer *peer, const struct peer *of, const uint8_t *id,
                          enum role role, int revoked);
