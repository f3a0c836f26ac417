#pragma once

// The commands that talk to the hub: join, sync, and making an invitation.

#include "base/buf.h"
#include "client/command/command.h"
#include "client/folkmoot.h"

// Runs a session that joins by the link args[0], or one that syncs the chosen community: up to
// three tries, progress on stderr when that is a terminal, and at the end what was exchanged.
enum command_exit online_join(struct app *app);
enum command_exit online_sync(struct app *app);
// Has the hub make an invitation. Appends its link, ended by a zero byte, to `link`. expires: ms
// since 1970 UTC.
enum command_exit online_invite(struct app *app, const struct folkmoot_invitation *invitation,
                                struct buf *link, int64_t *expires);
// Delivers somebody's letter. Appends the answer.
enum command_exit online_deliver(struct app *app, struct bytes letter, struct buf *answer);
