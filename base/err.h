#pragma once

// What can go wrong, in three kinds that are never mixed. A bug is an assert. A peer's fault is a
// code of the middle block with a sentence for people (struct fault). The environment's failure is
// a code of the last block, handed to the caller. Any thread.

#define must_check __attribute__((warn_unused_result))

#define ERR_TABLE(X)                                                                               \
    X(OK, "ok")                                                                                    \
    X(ERR_MALFORMED, "malformed input")                                                            \
    X(ERR_LIMIT, "over a limit")                                                                   \
    X(ERR_VERSION, "unknown version")                                                              \
    X(ERR_UNAUTHENTICATED, "not authenticated")                                                    \
    X(ERR_FORBIDDEN, "not permitted")                                                              \
    X(ERR_NOT_FOUND, "not found")                                                                  \
    X(ERR_EXISTS, "exists already")                                                                \
    X(ERR_WRONG_STATE, "not possible in this state")                                               \
    X(ERR_CUT, "cut off before its end")                                                           \
    X(ERR_QUOTA, "over a quota")                                                                   \
    X(ERR_NOMEM, "out of memory")                                                                  \
    X(ERR_IO, "input or output failed")                                                            \
    X(ERR_FULL, "no room left on the disk or in the database")                                     \
    X(ERR_DAMAGED, "stored data is damaged")                                                       \
    X(ERR_BUSY, "unavailable at the moment")

enum err {
#define ERR_NAME(name, text) name,
    ERR_TABLE(ERR_NAME)
#undef ERR_NAME
};

// The code in plain words; static.
const char *err_text(enum err err);

// An error and a sentence that says what went wrong, where, and what to do. Never holds words of a
// record, a token or a code.
struct fault {
    enum err err;
    char text[240];
};

// Fills `fault` (which may be NULL) and returns `err`, so that a check reads "return
// fault_set(...)". A sentence that is too long is cut at a whole UTF-8 character.
enum err fault_set(struct fault *fault, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
