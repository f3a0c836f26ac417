#pragma once

// The one way to the store, because a store whose commit failed has to be opened anew while other
// threads may be about to read: readers pass together, the reopening passes alone. Any thread; a
// transaction ends on the thread that began it.

#include "storage/store.h"

struct gate;

// Opens the store in this directory; map_size in bytes, 0: the store's default.
enum err gate_open(const char *path, size_t map_size, struct gate **out,
                   struct fault *fault) must_check;
void gate_close(struct gate **gate);

// NULL when the store could not be opened again: the hub is unavailable.
struct txn *gate_begin_read(struct gate *gate) must_check;
void gate_end_read(struct gate *gate, struct txn **txn);
// The writer's: write transactions, and what follows a commit that failed. NULL, too, while the
// store could only be opened to be read.
struct txn *gate_begin_write(struct gate *gate) must_check;
// Ends it by a commit. After an error it is not known what took place: gate_reopen.
enum err gate_commit(struct gate *gate, struct txn **txn) must_check;
void gate_abort(struct gate *gate, struct txn **txn);
// When it cannot be opened to be written, reading goes on where that is possible.
enum err gate_reopen(struct gate *gate, struct fault *fault) must_check;

// What the file beside the database says was erased; see store.h.
enum err gate_orders_each(struct gate *gate, bool (*each)(const struct store_order *, void *),
                          void *arg) must_check;

// Whether it is open to be written.
bool gate_can_write(struct gate *gate);

// Housekeeping, and numbers for the administrator.
void gate_check_readers(struct gate *gate);
// Where the database is.
const char *gate_path(const struct gate *gate);
void gate_size(struct gate *gate, uint64_t *used, uint64_t *max);
