#pragma once

// Whether a hub's store is what its log makes it: every row is read, every hash, chain and
// signature checked, and the log folded anew in another store, so that what no row shows by itself,
// one too many or too few, is found, too.

#include "storage/scrub.h"

// `store` does not change meanwhile: its hub does not run, or it is a copy. `scratch` is another,
// empty, which holds as much afterwards; commits to it are many. What is wrong is told by scrub,
// and its `read` counts entries as well as rows. Of a community whose log is damaged no more is
// compared. OK also when something was told.
enum err verify_store(struct store *store, struct store *scratch, const struct scrub *scrub,
                      struct fault *fault) must_check;
