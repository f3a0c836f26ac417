#pragma once

// One person's voice on a record: the commands voice and withdraw, and `add voice`.

#include "client/command/command.h"

// voice REF STANCE --person CARD
enum command_exit voice_give(struct app *app);
// add voice --about REF --stance STANCE --person CARD
enum command_exit voice_add(struct app *app);
// withdraw REF --person CARD
enum command_exit voice_withdraw(struct app *app);
