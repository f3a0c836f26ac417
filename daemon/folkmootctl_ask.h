#pragma once

// One command to the control socket of a hub that runs.

#include <cjson/cJSON.h>

// The hub's answer, which the caller frees. NULL, with a line on standard error, when the hub
// cannot be reached.
cJSON *ctl_ask(const char *path, const cJSON *request);
