#pragma once

// Who may do what: the one table. Which call a role may make, which kinds of record it may write
// and which it may see. docs/roles.md shows the same, and a test compares them. Any thread.

#include "storage/device.h"

enum role_call {
    CALL_SYNC,
    CALL_GET,
    CALL_LIST,
    CALL_SEARCH,
    CALL_ME,
    CALL_PROVE,
    CALL_INVITE,
    CALL_DELIVER,
    CALL_COUNT,
};

// How far a role may do something.
enum role_reach {
    REACH_NONE,
    REACH_OWN,      // what is its own
    REACH_AUDIENCE, // what is for organisations or for all, under other ids, with coarse times
    REACH_ALL,
};

// What ROLE_NONE may is what a revoked device still may: deliver what it wrote (CALL_SYNC,
// REACH_OWN).
enum role_reach role_may_call(enum role role, enum role_call call);
// A kind that this version does not know is the last row.
enum role_reach role_may_write(enum role role, uint32_t kind);
// Of a class that is not ordinary nobody sees more than of a Contact.
enum role_reach role_may_see(enum role role, uint32_t kind, uint32_t class);

// Whether a role may write this change: REASON_NONE or REASON_NOT_PERMITTED. Own is: a Voice of the
// person that the device speaks as (digest_member of its first), the record of that Person and no
// other Person, and of every other kind a record that the device itself created.
enum reason role_judge(enum role role, const uint8_t community[COMMUNITY_SIZE],
                       const struct device *device, const struct envelope *envelope);

// Names, for people: of roles (ROLE_NONE: "revoked"), of calls, of how far.
const char *role_name(enum role role);
const char *role_call_name(enum role_call call);
const char *role_reach_name(enum role_reach reach);
// The role of this name; ROLE_NONE when there is none.
enum role role_by_name(const char *name);
