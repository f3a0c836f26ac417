#pragma once

// A device destroys words of its own at once, also those that it has not sent yet: what is pushed
// of these is a husk.

#include "proto/messages.h"
#include "storage/community.h"
#include "storage/device.h"

// Destroys this device's own words about these records (struct ref), voices on them, what the
// persons among them spoke, and how to reach these: just what the hub does when it is asked for the
// same (docs/protocol.md section 6). Calls `each` (may be NULL) with every change that had words.
// Errors stick to the transaction, too.
enum err erase_own(struct txn *txn, const struct community *community, const struct device *own,
                   const struct list *records, void (*each)(const struct change_ref *, void *),
                   void *arg) must_check;
