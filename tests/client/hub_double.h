#pragma once

// A hub without a network: the real hub of sync/hub.h behind requests and answers as the client
// library makes and takes them. Time and randomness are the test's. Whatever goes wrong inside it
// ends the test (assert).

#include "base/buf.h"
#include "client/folkmoot.h"
#include "client/link.h"
#include "proto/messages.h"
#include "sync/hub.h"

struct hub_double;

// Founds a community in a new store in the directory `path`. seed: makes its keys; the hub's clock
// starts at `now` (ms since 1970 UTC).
struct hub_double *hub_double_new(const char *path, uint64_t seed, int64_t now);
void hub_double_free(struct hub_double **hub);
// Ends it and begins it again, from the same directory or a copy of it: its keys stay its own.
void hub_double_close(struct hub_double *hub);
void hub_double_open(struct hub_double *hub, const char *path);
// It was opened from an older copy and knows that: its chain begins anew, and what the file beside
// the database says was erased is erased again.
void hub_double_begin_anew(struct hub_double *hub);
void hub_double_set_now(struct hub_double *hub, int64_t now);
// Gives the hub another TLS key; the old one is no longer answered to.
void hub_double_renew_tls(struct hub_double *hub);
// Voids every token: devices must log in again.
void hub_double_forget_tokens(struct hub_double *hub);
// Makes an invitation and its link. link: LINK_MAX bytes.
void hub_double_invite(struct hub_double *hub, enum role role, char *link);
// Decides something, in a transaction of its own.
typedef enum err hub_double_decision(struct hub_decider *decider, void *arg);
enum err hub_double_decide(struct hub_double *hub, hub_double_decision *decide,
                           void *arg) must_check;
// Revokes a device by its handle.
void hub_double_revoke(struct hub_double *hub, const uint8_t *device);
// The store, for looking into it.
struct store *hub_double_store(struct hub_double *hub);
// SHA-256 of the TLS key, 32 bytes.
const uint8_t *hub_double_tls_key(const struct hub_double *hub);

struct hub_answer {
    int status; // of HTTP
    struct buf body;
};

// Serves one request. The caller frees answer->body.
void hub_double_serve(struct hub_double *hub, const struct folkmoot_request *request,
                      struct hub_answer *answer);

// How the line between device and hub behaves. All zero: it works.
struct hub_line {
    size_t part; // bytes of the answer that arrive at a time; 0: all at once
    bool cuts;   // the answer to Sync is cut after cut_at bytes
    size_t cut_at;
    bool is_down;                // no connection comes about
    bool loses_requests;         // nothing reaches the hub
    const char *loses_answer_to; // the end of a path whose answers are lost
    const uint8_t *tls_key;      // of somebody who stands between; NULL: nobody
    // What came about:
    unsigned requests;
    size_t answer_n;    // bytes of the last answer, cut or not
    bool told_a_secret; // a request with a secret went to another key than its own
};

// Turns a session until it is done or has failed. line may be NULL.
enum folkmoot_next hub_double_run(struct hub_double *hub, struct folkmoot_session *session,
                                  struct hub_line *line);
