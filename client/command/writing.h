#pragma once

// The commands that write a change: add, edit, resolve, same and undo.

#include "client/command/command.h"

// Each writes one commit or nothing, and prints which record it was.
enum command_exit writing_add(struct app *app);
enum command_exit writing_edit(struct app *app);
enum command_exit writing_resolve(struct app *app);
enum command_exit writing_same(struct app *app);
enum command_exit writing_undo(struct app *app);
