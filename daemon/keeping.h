#pragma once

// What a hub does by itself with words: after a restore it erases again what was erased before, and
// it erases what may be kept no longer.

#include "daemon/conns.h"

// Before anything is served, when the database is an older copy: the chain of each community, or of
// the one with this number (else 0), begins anew, by the hub's identity seed (SIGN_SEED_SIZE).
enum err keeping_begin_anew(struct gate *gate, uint32_t only, const uint8_t *identity_seed,
                            int64_t now, struct fault *fault) must_check;
// Before anything is served: the orders of the file beside the database that it does not know; of
// the community with this number (0: of none) those that it knows, too.
enum err keeping_restore(struct gate *gate, uint32_t imported, int64_t now,
                         struct fault *fault) must_check;

struct keeping;

// The loop's thread. affected, arg: as in call.h.
struct keeping *keeping_new(struct loop *loop, struct writer *writer,
                            void (*affected)(void *arg, uint32_t community,
                                             const struct hub_effects *effects),
                            void *arg) must_check;
// Once the writer has stopped.
void keeping_free(struct keeping **keeping);
// Looks, by way of the writer, for what is due in any community; does nothing while it still looks.
void keeping_look(struct keeping *keeping);
