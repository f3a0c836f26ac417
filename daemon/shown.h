#pragma once

// The certificate that devices are shown: the hub's own, or what the configuration names; made,
// read anew, and with the keys of TLS tickets beside it. The loop's thread.

#include <limits.h>

#include "daemon/config.h"
#include "daemon/tickets.h"
#include "daemon/tls.h"

struct shown {
    const struct config *config;
    char certificate[PATH_MAX];
    char key[PATH_MAX];
    struct tickets *tickets;
    struct tls_context *tls; // NULL: nobody is listened to with it
};

// Reads it; the hub's own is made where it is not there.
enum err shown_open(const struct config *config, struct shown *shown,
                    struct fault *fault) must_check;
void shown_close(struct shown *shown);
// Makes the hub's own key anew. New connections are shown it; those that are there go on with
// theirs. ERR_WRONG_STATE: the certificate is not the hub's own.
enum err shown_rotate(struct shown *shown, struct fault *fault) must_check;
// Reads the files anew; what cannot be read stays as it was, and that is reported.
void shown_reload(struct shown *shown);
// Now and then: new keys for tickets.
void shown_turn(struct shown *shown);
