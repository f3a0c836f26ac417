#pragma once

// A session: a row of steps, each one request and its answer. session.c turns them; joining and
// syncing each bring theirs. One thread at a time.

#include "client/link.h"
#include "client/state.h"
#include "client/stream.h"
#include "sync/digest.h"
#include "sync/exchange.h"

enum stage {
    STAGE_INFO,
    STAGE_ENROL,
    STAGE_LOGIN,
    STAGE_SYNC,
    STAGE_SAMPLE,
    STAGE_INVITE,
    STAGE_DELIVER,
    STAGE_DONE,
    STAGE_FAILED,
};

// What Info told, for Enrol and Login.
struct challenge {
    uint8_t challenge[16];
    int64_t expires;
};

// Taking in one answer of Sync.
struct taking {
    struct stream stream;
    struct buf top; // what stands before the pieces
    bool top_taken;
    bool moved; // something is further than before
    struct exchange_report report;
    struct proof_asked asked;
    bool revoked; // the hub takes what this device has, and gives nothing
    // The answer to a letter, written before what is known here now: of it only receipts are taken.
    bool overtaken;
};

// An invitation that is asked for, and what came of it.
struct inviting {
    enum role role;
    char label[LABEL_MAX + 1];
    int64_t valid_ms;
    uint32_t uses;
    struct buf link; // ended by a zero byte
    int64_t expires; // ms since 1970 UTC
};

struct folkmoot_session {
    struct folkmoot *fm;
    uint32_t number; // of the community; 0: it has no row yet
    bool joining;
    struct link link; // only when joining
    enum stage stage;
    enum stage after_info;
    enum stage after_login;
    bool asked; // a request is out
    bool noted; // it pushes, and that is on disk

    char address[ADDRESS_MAX + 1];
    char token[48];
    bool pinned; // the connection must have this key
    uint8_t tls_key[32];
    struct buf body;

    int status;   // of the answer; 0: none
    bool has_key; // the connection's, as the host says
    uint8_t key[32];
    struct buf answer; // but for Sync's

    uint8_t nonce[16];
    struct challenge challenge;
    struct taking taking;
    bool key_is_spent; // the hub takes no enrolment by it: it was revoked
    unsigned logins;
    unsigned proofs; // how often the hub had to prove its key
    unsigned stalls; // requests one after the other that moved nothing

    uint32_t probe;  // the own change of a forked chain that is asked about; 0: none
    uint32_t parted; // the first that is known not to be on the hub
    unsigned probes; // so far

    bool sample_wanted;
    unsigned samples; // that may still be asked for
    uint8_t sample_device[HANDLE_SIZE];
    uint32_t sample_seq;

    struct inviting inviting;
    struct buf letter; // that is delivered; once that is done, the answer
    struct folkmoot_progress progress;
    struct folkmoot_error error;
};

// Each step: makes the request's body; takes in a whole answer of status 200. Both go to
// STAGE_FAILED by session_fail when they cannot.
void session_ask_info(struct folkmoot_session *session);
void session_end_info(struct folkmoot_session *session);
void session_ask_login(struct folkmoot_session *session);
void session_end_login(struct folkmoot_session *session);
void session_ask_enrol(struct folkmoot_session *session);
void session_end_enrol(struct folkmoot_session *session);
void session_ask_sync(struct folkmoot_session *session);
void session_take_sync(struct folkmoot_session *session, struct bytes part);
void session_end_sync(struct folkmoot_session *session);
void session_ask_sample(struct folkmoot_session *session);
void session_end_sample(struct folkmoot_session *session);
void session_ask_invite(struct folkmoot_session *session);
void session_end_invite(struct folkmoot_session *session);
void session_ask_deliver(struct folkmoot_session *session);
void session_end_deliver(struct folkmoot_session *session);
// Gets ready for an answer of Sync, to a request that said so much.
void session_begin_taking(struct folkmoot_session *session);
// The hub has another branch of the own chain: asks how much of this one it has, request by
// request; then the session fails with FOLKMOOT_FORKED.
void session_probe(struct folkmoot_session *session);
// All is pulled: writes anew what an old key wrote and the hub lacks. False when it failed.
bool session_carry(struct folkmoot_session *session) must_check;
// Nothing of the request has left: its push needs not be asked about.
void session_not_sent(struct folkmoot_session *session);

// Ends the session with an error for people.
void session_fail(struct folkmoot_session *session, enum folkmoot_code code, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
// The same when a call has filled session->error.
void session_failed(struct folkmoot_session *session);
// The same when the answer cannot be understood.
void session_fail_answer(struct folkmoot_session *session, enum err err, const struct fault *fault);
// A new session about an address; NULL when memory runs out.
struct folkmoot_session *session_new(struct folkmoot *fm, const char *address);
// The same with the hub of a community that was joined, beginning with this stage.
struct folkmoot_session *session_about(struct folkmoot *fm, const struct scope *scope,
                                       enum stage stage);
// Encodes the request; fails the session when that is not possible.
void session_encode(struct folkmoot_session *session, const struct message *message,
                    const void *request);
// The hub has admitted the device: keeps token and name.
void session_admitted(struct folkmoot_session *session);
// Takes the token for the requests that follow.
void session_put_token(struct folkmoot_session *session, const struct secret *secret);
// Signs the enrolment transcript with a seed of the device's.
enum err session_sign(const struct folkmoot_session *session, const struct scope *scope,
                      enum enrol_purpose purpose, const uint8_t seed[32],
                      uint8_t signature[64]) must_check;
