#pragma once

// The commands that write a change: add, edit, resolve, same and undo.

#include "client/command/ref.h"

// Each writes one commit or nothing, and prints which record it was.
enum command_exit writing_add(struct app *app);
enum command_exit writing_edit(struct app *app);
enum command_exit writing_resolve(struct app *app);
enum command_exit writing_same(struct app *app);
enum command_exit writing_undo(struct app *app);

// --time in ms since 1970 UTC, 0 (now) when it is not given.
enum command_exit writing_time(const struct app *app, int64_t *time);
// Says what was done to a record; `card` is a new card's code or "".
enum command_exit writing_report(const struct app *app, const char *done, const struct ref *ref,
                                 const char *card);
