#pragma once

// Invitations to a community, by the hash of their code, and which devices have used them. A hub's.

#include "base/hash.h"
#include "proto/messages.h"
#include "storage/device.h"

struct invitation {
    uint32_t community;
    enum role role;
    int64_t expires; // ms since 1970 UTC
    uint16_t uses;   // for how many devices
    uint16_t used;   // by how many so far
    bool is_devices; // a device made it; else an administrator
    uint8_t maker[HANDLE_SIZE];
    uint32_t label_n;
    char label[LABEL_MAX + 1];
};

enum err invitation_get(struct txn *txn, const uint8_t hash[HASH_SIZE],
                        struct invitation *invitation) must_check;
void invitation_put(struct txn *txn, const uint8_t hash[HASH_SIZE],
                    const struct invitation *invitation);

// Whether this device used the invitation before; noting that it does.
bool invitation_used_by(struct txn *txn, const uint8_t hash[HASH_SIZE],
                        const uint8_t handle[HANDLE_SIZE]);
void invitation_note_use(struct txn *txn, const uint8_t hash[HASH_SIZE],
                         const uint8_t handle[HANDLE_SIZE]);
