#pragma once

// A device that calls a hub by libcurl, over HTTP/2 and TLS unless it says otherwise.

#include "base/buf.h"
#include "proto/messages.h"
#include "tests/daemon/process.h"

struct answer {
    long status; // 0: there was none
    char content_type[64];
    char grpc_status[8]; // from head or trailers; empty: none
    struct buf body;
};

struct ask {
    const struct process *hub;
    const char *path; // "/folkmoot.v1.InfoService/Info"
    struct bytes body;
    const char *method; // NULL: POST
    const char *type;   // NULL: application/proto
    const char *header; // one more; NULL: none
    const char *token;  // base64url; NULL: none
    bool chunked;       // no content-length
    bool http1;
    bool plain;
};

// The answer is reset first; buf_done(&answer->body) is the caller's.
void caller_ask(const struct ask *ask, struct answer *answer);
// Encodes, asks with Connect, and decodes what came (into the arena) where the status is 200. Gives
// the status.
long caller_call(const struct process *hub, const char *path, const char *token,
                 const struct message *request_message, const void *request,
                 const struct message *response_message, void *response, struct arena *arena);
// Whether the body is a Connect error of this code.
bool caller_is_error(const struct answer *answer, const char *code);

// What a join link says.
struct joining {
    uint8_t community[COMMUNITY_SIZE];
    uint8_t hub_key[KEY_SIZE];
    uint8_t code[CODE_SIZE];
};

// Has folkmootctl make an invitation.
void caller_invite(const struct process *hub, const char *community, struct joining *joining);
// Enrols (or, with `login`, logs in) the device of this seed. Gives the status; on 200 the token,
// in base64url, stands in `token`.
long caller_enrol(const struct process *hub, const struct joining *joining, const uint8_t seed[32],
                  bool login, char token[64]);
