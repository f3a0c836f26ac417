#pragma once

// Why the hub said no: Connect's error bodies (connectrpc.com/docs/protocol, unary errors). Any
// thread.

#include "base/bytes.h"
#include "client/folkmoot.h"

enum { REFUSAL_MAX = 4096 };

struct refusal_told {
    bool unauthenticated;    // log in again
    bool forbidden;          // the role does not allow it
    bool too_much;           // smaller requests may do
    bool key_is_spent;       // of Enrol: another key will do
    enum folkmoot_code code; // NETWORK when trying again later may help
    char text[200];          // for people
};

// Reads the body of an answer with a status other than 200; at most REFUSAL_MAX bytes of it.
void refusal_read(int http_status, struct bytes body, struct refusal_told *told);
