#pragma once

// What was heard of devices and is not yet in the store: kept here so that a sync which brings
// nothing costs no commit. The writer takes them along with what it commits anyway, or once a
// minute. Any thread.

#include "sync/hub.h"

struct contacts;

enum { CONTACTS_MAX = 4096 }; // devices waiting; more are forgotten until the next taking

struct contacts *contacts_new(void) must_check;
void contacts_free(struct contacts **contacts);
// Adds what a sync told to the caller's note (hub_add_contact).
void contacts_add(struct contacts *contacts, const struct hub_caller *caller,
                  const struct contact *heard);
// Adds what is not yet in the store to a contact that was read from it.
void contacts_add_to(struct contacts *contacts, uint32_t community,
                     const uint8_t handle[HANDLE_SIZE], struct contact *contact);
bool contacts_any(struct contacts *contacts) must_check;
// Writes all to the transaction and empties the list.
void contacts_write(struct contacts *contacts, struct txn *txn);
