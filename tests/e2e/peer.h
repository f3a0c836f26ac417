#pragma once

// A device made by hand: its key enrolled by bare calls, its changes and runs built here, so that a
// test may say what no library of ours would. Any thread.

#include "proto/messages.h"
#include "tests/e2e/post.h"

enum { PEER_CHANGES_MAX = 16 };

struct peer {
    uint16_t port;
    uint8_t seed[32];
    uint8_t key[KEY_SIZE];
    uint8_t community[COMMUNITY_SIZE];
    uint8_t hub_key[KEY_SIZE]; // the hub's identity
    uint8_t handle[HANDLE_SIZE];
    char token[48]; // in base64url
    uint32_t seq;   // of the chain as far as the hub took it
    uint8_t head[32];
    uint8_t tag[4]; // of the last change
};

struct peer_change {
    struct envelope envelope;
    struct bytes fields;
};

// How a request of the peer's is spoiled.
struct peer_spoil {
    bool no_signature;
    bool wrong_signature;
    bool high_s;               // the same S, the group's order added
    size_t signature_bytes;    // 0: as many as there are; at most 65
    const uint8_t *signed_for; // another community, whose chain it is made for; NULL: the peer's
    uint32_t version;          // 0: the right one
    uint32_t skip;             // seqs left out before the run
};

// One call, of which the answer is to be decoded when its status is 200.
struct peer_call {
    uint16_t port;
    const char *path;
    const char *token; // NULL: none
    const char *from;  // the own address; NULL: any
    const struct message *asked;
    const void *request;
    const struct message *told;
};

// response: what it borrows is in the arena; as it was, unless the status is 200. answer: empty it
// by post_done.
void peer_call(const struct peer_call *call, struct arena *arena, void *response,
               struct post_answer *answer);
// Calls Info and Enrol.
void peer_enrol(struct peer *peer, uint16_t port, const char *join_link);
// The same, from an address (NULL: any), and the hub may refuse. answer: Enrol's; empty it by
// post_done.
void peer_try_enrol(struct peer *peer, uint16_t port, const char *join_link, const char *from,
                    struct post_answer *answer);
// Calls Info and Login.
void peer_login(struct peer *peer);
// From now on it comes with this token, of TOKEN_SIZE bytes.
void peer_keep_token(struct peer *peer, struct bytes token);
// A change with a record of a kind that it creates.
struct peer_change peer_create(uint32_t kind, struct bytes fields);
// The id of the record that the chain's last change created.
void peer_last_id(const struct peer *peer, uint8_t id[ID_SIZE]);
// Encodes a SyncRequest that pushes one run with these changes after the chain's end. after: out,
// the chain behind them (may be NULL). The caller's (buf_done).
void peer_request(const struct peer *peer, const struct peer_change *changes, size_t n,
                  const struct peer_spoil *spoil, struct buf *request, struct peer *after);
// Sends it as it is to Sync.
void peer_send(const struct peer *peer, struct bytes request, struct post_answer *answer);
// Pushes the changes, and fails the test unless the hub gives a receipt for all.
void peer_push(struct peer *peer, const struct peer_change *changes, size_t n);
// Up to which seq the first receipt in an answer reaches; 0 when there is none.
uint32_t peer_receipt(const struct post_answer *answer, uint32_t *standing);
// How many of its changes the first receipt in an answer says were set apart.
size_t peer_set_apart(const struct post_answer *answer);
