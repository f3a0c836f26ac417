#pragma once

// What tests of joining anew share: a phone's work in the field, and where its words are. Whatever
// fails, fails the test.

#include "storage/carry.h"
#include "sync/tally.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, PHONE, DEVICES };

extern struct world world;

// The live edits that have a value.
struct sought {
    struct txn *txn;
    uint32_t community;
    struct bytes text;
    size_t n;
    struct record_key record; // of the last one, as are the others
    uint8_t device[HANDLE_SIZE];
    int64_t time;
};

// On a device, or (world.devices_n) on the hub. txn has ended.
struct sought seek_bytes(size_t where, struct bytes value);
struct sought seek(size_t where, const char *text);
// It stands in one place, the same on every device and on the hub.
struct record_key expect_once(const char *text);
void expect_gone(const char *text);
void expect_all_the_same(void);
struct tally tally_of(const struct record_key *record);

// What a device still carries.
uint32_t waiting(size_t device);
void pull_all(size_t device);
// Writes anew, and says how much. commit == false: a crash just before.
uint32_t finish(size_t index, bool commit);
// All of it: a new key, everything pulled, what is carried written anew, everybody synced.
uint32_t join_anew(size_t device, enum role role);

// A need with three voices, an edit, a constraint about it and a remark about a voice: 7 changes.
struct field_work {
    struct world_change need, renamed, remark, voices[3], constraint;
};

struct field_work work(size_t device);
void expect_work(void);
// The phone and a copy of it, which have a need in common. Returns the copy.
size_t part(void);
