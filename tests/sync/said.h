#pragma once

// Short ways to say things in tests: a need, a voice, a reference, a request.

#include "tests/sync/world.h"

// A Need with this title, spoken by this person (NULL: nobody is named).
struct world_change said_need(struct world *world, size_t device, const char *title,
                              const struct record_key *speaker);
// A record of a kind with these words, about others.
struct world_change said_about(struct world *world, size_t device, uint32_t kind, const char *words,
                               const struct record_key *about, size_t n);
// A stance with words.
struct world_change said_voice(struct world *world, size_t device, const struct record_key *subject,
                               const struct record_key *person, const char *words);
// One enum, bool or time field of a record that is there, over nothing.
struct world_change said_number(struct world *world, size_t device, const struct record_key *record,
                                uint32_t field, uint64_t value);
// Another title, over the one that this change put as its first edit.
struct world_change said_again(struct world *world, size_t device,
                               const struct world_change *before, size_t author, const char *title);
struct record_key said_person(uint8_t n);

// A Request to erase a record, or one change.
struct world_change said_erase_record(struct world *world, size_t device,
                                      const struct record_key *record);
struct world_change said_erase(struct world *world, size_t device, size_t author,
                               const struct world_change *change);
// A Membership: another role (ROLE_NONE: none is asked for), revoked or not (-1: not asked for).
struct world_change said_membership(struct world *world, size_t device, size_t of, enum role role,
                                    int revoked);

// Whether the words of a change are in a store, and whether they count.
bool said_is_kept(struct store *store, uint32_t community, const uint8_t handle[HANDLE_SIZE],
                  uint32_t seq);
bool said_is_live(struct store *store, uint32_t community, const struct record_key *record);
