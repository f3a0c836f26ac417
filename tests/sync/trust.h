#pragma once

// Two communities on one hub, each with records of every kind by two authors; and a caller of the
// first, of any role and in any state, who asks the hub whatever the hub can be asked. What cannot
// fail in a sound world ends the program with a sentence.

#include "tests/sync/handmade.h"

enum { TRUST_ROWS = 18, TRUST_NEEDLE_MAX = 100 };

// Whose record it is: made by the caller, by another device, by another device for everybody.
enum trust_place { PLACE_OWN, PLACE_OTHER, PLACE_PUBLIC, TRUST_PLACES };
// Who wrote a change of it. Every record has one of each.
enum trust_author { BY_OTHER, BY_SELF, TRUST_AUTHORS };
// What is written: something new of one's own, the same again, or to another's record.
enum trust_write { WRITE_NEW, WRITE_AGAIN, WRITE_FOREIGN, TRUST_WRITES };
enum trust_state {
    STATE_CURRENT,
    STATE_EXPIRED, // the token is too old
    STATE_VOIDED,  // revoked, with the token of before
    STATE_REVOKED, // revoked, and logged in anew
    STATE_UNKNOWN, // a token that the hub never gave
    TRUST_STATES,
};

struct trust_row {
    const char *name;
    uint32_t kind;
    uint32_t class;
    bool is_named; // its id comes from what it is about, and from no change
    // Whether it may be written and seen: '-', 'o' own, 'a' meant for outsiders, 'y'; by a revoked
    // device, a member, a volunteer, a coordinator, an observer, a hub.
    const char *writes;
    const char *sees;
};

struct trust_record {
    struct record_key key;
    uint32_t seq[TRUST_AUTHORS];
};

struct trust_side {
    struct world world; // both sides have the same stores
    char letter;        // stands in all words of this side
    struct trust_record records[TRUST_ROWS][TRUST_PLACES];
};

struct trust {
    const struct trust_row *rows; // TRUST_ROWS
    struct trust_side ours;       // the caller's community
    struct trust_side theirs;     // in which the caller's person has another device
    struct arena arena;
    enum role role;
    enum trust_state state;
    uint8_t token[TOKEN_SIZE];
    struct hub_policy policy;
    int64_t now;
};

// Makes all of it. The caller wrote its records as a coordinator, and then came to this role and
// state; a hub's chain can be no other's and stays current.
void trust_begin(struct trust *trust, const struct trust_row *rows, enum role role,
                 enum trust_state state);
// The same for a caller that is there already.
void trust_come_to(struct trust *trust, enum role role, enum trust_state state);
void trust_end(struct trust *trust);

// What the hub answered.
struct trust_answer {
    enum err err;
    struct fault fault;
    struct buf bytes; // the whole answer, encoded; empty when refused
    struct receipt receipt;
    struct bytes code; // of an invitation
};

void trust_answer_done(struct trust_answer *answer);
#define TRUST_ANSWER_CLEANUP __attribute__((cleanup(trust_answer_done)))
bool trust_answer_has(const struct trust_answer *answer, struct bytes needle);

// What stands in the words of this change of a record and nowhere else.
struct bytes trust_needle(const struct trust *trust, const struct trust_side *side, size_t row,
                          enum trust_place place, enum trust_author author,
                          char text[TRUST_NEEDLE_MAX]);

// The token's caller. Every call asks for it first.
enum err trust_caller(const struct trust *trust, enum role_call call, struct hub_caller *caller,
                      struct fault *fault) must_check;
// The calls, answered by the hub's own functions. They ask about `side`, or name what is there.
void trust_sync(struct trust *trust, struct sync_request *request, struct trust_answer *answer);
// The same for a caller whose token was looked at before; its chain is looked at now.
void trust_sync_as(struct trust *trust, struct hub_caller *caller, struct sync_request *request,
                   struct trust_answer *answer);
void trust_pull(struct trust *trust, const struct trust_side *side, struct trust_answer *answer);
void trust_get(struct trust *trust, const struct record_key *record, struct trust_answer *answer);
void trust_list(struct trust *trust, uint32_t kind, struct trust_answer *answer);
// Looks for the row's name, which all its needles have.
void trust_search(struct trust *trust, const struct trust_row *row, struct trust_answer *answer);
void trust_prove(struct trust *trust, const struct trust_side *side, size_t row,
                 enum trust_place place, enum trust_author author, struct trust_answer *answer);
void trust_me(struct trust *trust, struct trust_answer *answer);
void trust_invite(struct trust *trust, enum role role, struct trust_answer *answer);
// Whether somebody new comes in by this code, and as what. Nothing of it is kept.
enum err trust_try_code(struct trust *trust, const struct trust_side *side, struct bytes code,
                        enum role *role) must_check;

// --- a run of the caller's ---

struct trust_change {
    struct record_key record;
    uint32_t class;
    uint32_t seq;
};

// Begins a run where the hub's copy of the caller's chain ends, made for this side's community.
void trust_run(struct trust *trust, const struct trust_side *side, struct handmade *run);
// Adds a change of a row's kind.
struct trust_change trust_say(struct trust *trust, struct handmade *run, size_t i,
                              enum trust_write write);
// Whether what the caller's change says counts in its community.
bool trust_counts(struct trust *trust, const struct trust_change *change);

// The end of the caller's chain, and the entries of both logs.
struct trust_sizes {
    uint64_t chain;
    uint64_t ours;
    uint64_t theirs;
};

struct trust_sizes trust_sizes(struct trust *trust);
