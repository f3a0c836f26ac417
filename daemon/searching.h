#pragma once

// The indexes of words of all communities (sync/search.h), kept in step with their logs by a thread
// of its own that gives way to the others. They are in memory alone.

#include "daemon/gate.h"
#include "sync/search.h"

struct searching;

// Starts the thread, which reads all logs from their beginnings. The gate outlives it.
enum err searching_start(struct gate *gate, struct searching **out, struct fault *fault) must_check;
void searching_stop(struct searching **searching);
// There may be something new in some log. Any thread; costs next to nothing.
void searching_wake(struct searching *searching);
// The community's index, as long as the thread runs; NULL: there is none yet. Any thread.
struct search *searching_of(struct searching *searching, uint32_t community);
