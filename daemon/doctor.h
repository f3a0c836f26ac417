#pragma once

// Looks at what a hub stands on: its files, disk, clock, certificate, limits, and whether it can be
// reached; and says what to do about each. In a process of its own, with the right to the hub's
// files; it changes nothing.

#include <cjson/cJSON.h>

#include "daemon/config.h"

enum doctor_state { DOCTOR_WELL, DOCTOR_CARE, DOCTOR_ILL };

struct doctor_finding {
    const char *of;
    enum doctor_state state;
    char text[300];
    const char *advice; // NULL: none is needed
};

// status: what the hub says of itself (folkmootctl status), NULL: it does not answer.
void doctor_look(const struct config *config, const cJSON *status,
                 void (*told)(void *arg, const struct doctor_finding *finding), void *arg);
