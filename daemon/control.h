#pragma once

// The administrator's unix socket (mode 0660): a JSON object a line, an answer a line. Who may open
// the socket may do everything. The loop's thread.

#include "daemon/admin.h"
#include "daemon/listen.h"

struct control;

enum { CONTROL_LINE_MAX = 64 << 10, CONTROL_CONNECTIONS_MAX = 16 };

// fd: a socket that listens already, and becomes the control's; -1: it is made at `path`.
enum err control_open(const char *path, int fd, struct admin_context *admin, struct control **out,
                      struct fault *fault) must_check;
// After the writer has stopped, so that no command is under way.
void control_close(struct control **control);
