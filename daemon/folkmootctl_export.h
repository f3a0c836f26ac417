#pragma once

// folkmootctl export --as: the call, its answer, and what is shown of it.

#include <cjson/cJSON.h>

#include "daemon/export.h"
#include "daemon/folkmootctl_show.h"

// Runs it in this process. The answer is an object with "ok", which the caller frees.
cJSON *ctl_export(const struct config *config, const struct export_call *call);
ctl_show ctl_show_given;

// What a shell can offer for FORM, KIND and AUDIENCE: words with spaces between. NULL: it is none
// of these.
const char *ctl_export_offer(const char *args);
