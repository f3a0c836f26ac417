#pragma once

// Somebody who asks the hub to come in, for the tests of that. Whatever fails, fails the test.

#include "sync/digest.h"
#include "tests/sync/world.h"

// Somebody who asks to come in.
struct guest {
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t key[KEY_SIZE];
    uint8_t code[CODE_SIZE];
    uint8_t challenge[16];
    uint8_t signature[SIGN_SIZE];
    uint8_t token[TOKEN_SIZE];
    int64_t expires;
};

extern struct world world;
extern struct arena arena; // of the answers
extern struct fault fault; // the last
extern uint8_t chance[32];
extern struct guest guest;

// A world, and `guest` with an invitation to it as volunteer.
void guest_set_up(void);
void guest_tear_down(void);
void guest_challenge(struct guest *g);
void guest_invite(struct guest *g, enum role role, int64_t expires);
void guest_init(struct guest *g);
// key: whose enrolment or login it is.
void guest_sign_for(struct guest *g, enum enrol_purpose purpose, const uint8_t key[KEY_SIZE]);
void guest_sign(struct guest *g, enum enrol_purpose purpose);
struct hub_admitting guest_admitting(struct guest *g);
struct enrol_request guest_enrolment(struct guest *g);
// The same, and `before` vouches for it.
struct enrol_request guest_succession(struct guest *g, struct guest *before);
struct login_request guest_login(struct guest *g);
enum err guest_ask_enrol(struct guest *g, const struct enrol_request *request);
enum err guest_ask_login(struct guest *g, const struct login_request *request);
enum err guest_authenticate(const uint8_t token[TOKEN_SIZE], struct hub_caller *caller);
// The enrolment is refused with this error, and the hub's store is as it was, though it committed.
void guest_expect_refused(struct guest *g, const struct enrol_request *request, enum err expected);
