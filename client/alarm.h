#pragma once

// What was found to be wrong with a hub's log, for people. Any thread.

#include "storage/community.h"

// out: n bytes; "" where there is no alarm.
void alarm_text(const struct checked *checked, char *out, size_t n);
