#pragma once

// How an administrator names a community of this hub. Any thread.

#include "storage/community.h"

// By its name, or by 8 or more digits of its id. ERR_NOT_FOUND, or ERR_EXISTS where there are
// several, with a sentence.
enum err named_community(struct txn *txn, const char *wanted, struct community *community,
                         struct fault *fault) must_check;
