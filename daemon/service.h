#pragma once

// The calls of the protocol, one row each: from a path to the messages' tables, the limits and the
// functions of the core that answer. Knows no connection.

#include "daemon/gate.h"
#include "daemon/identity.h"
#include "daemon/searching.h"
#include "sync/hub.h"
#include "sync/letter.h"

// What all calls share. The loop's thread fills it; the writer's only reads.
struct service {
    struct identity identity;
    uint8_t challenge_secret[32]; // of this process
    bool has_proxy_key;
    uint8_t proxy_key[HASH_SIZE]; // of the TLS key that a proxy before the hub shows
    uint32_t request_max;
    struct hub_policy policy;    // its population table is read by the loop alone
    struct kept *kept;           // the loop's
    struct searching *searching; // NULL: nothing is found
};

enum {
    SERVICE_METHODS = 17,
    SERVICE_CHALLENGE_MS = 10 * 60 * 1000,
    SERVICE_SMALL_ARENA = 64 << 10,
    SERVICE_READ_ARENA = 16 << 20,
    // A request of 1 MiB unpacks to 4 MiB and some structs a change; an answer holds 1 MiB twice.
    SERVICE_SYNC_ARENA = 64 << 20,
};

// One call on its way through the functions of its row.
struct service_call {
    const struct service *service;
    int64_t now; // ms since 1970 UTC, of the turn in which the request was given out
    struct arena arena;
    uint8_t token[TOKEN_SIZE]; // the caller's
    struct hub_caller caller;
    const uint8_t *tls_key; // that this connection showed; NULL: none
    const void *request;
    void *response;
    const struct sync_request *sync; // what is asked of Sync, as itself or by a letter
    struct letter_opened letter;     // once `sync` is there; of Deliver
    struct sync_response *synced;    // what is answered in it
    bool writes;                     // set by `check`: it goes through the writer
    struct hub_push_plan *plan;
    struct list receipts;
    struct hub_pulled pulled;
    struct hub_watched watched;
    struct hub_exported exported;
    bool has_news;              // of a stream: what was answered is to be sent
    bool has_more;              // the next is there to be asked for at once
    bool has_ended;             // this was the last
    struct hub_effects effects; // of the write
    uint8_t new_token[TOKEN_SIZE];
    bool is_renewed; // new_token goes into the answer
    uint8_t code[CODE_SIZE];
    uint8_t random[32];
};

typedef enum err service_function(struct service_call *call, struct txn *txn, struct fault *fault);

struct service_method {
    const char *path;
    const struct message *request;
    const struct message *response;
    size_t body_max;
    size_t arena_max;
    bool has_token; // needs the caller's, who must be allowed to make this call:
    enum role_call call;
    bool may_get;    // has no side effects: Connect's GET
    bool is_attempt; // is counted against guessing
    bool is_enrolment;
    bool is_sync;   // is noted as a contact
    bool is_letter; // its caller is the letter's author, once it is opened
    bool is_stream; // `answer` is asked again and again, until the peer has gone
    // Any of the three may be missing. In a read transaction on the loop; in the writer's; in a
    // read transaction on the loop.
    service_function *check;
    service_function *write;
    service_function *answer;
};

// NULL: no such method. The path as in ":path", without a query.
const struct service_method *service_find(struct bytes path);
// A number below SERVICE_METHODS; NULL: SERVICE_METHODS. And the name at the path's end by number,
// "unknown" for SERVICE_METHODS.
size_t service_number(const struct service_method *method);
const char *service_name(size_t number);

// Runs a step; `again` see writer.h. Authenticates anew first where the method needs a caller, so
// that a revoked device gets nothing more and the caller's state is that of the transaction.
enum err service_check(const struct service_method *method, struct service_call *call,
                       struct txn *txn, struct fault *fault) must_check;
enum err service_write(const struct service_method *method, struct service_call *call,
                       struct txn *txn, bool again, struct fault *fault) must_check;
enum err service_answer(const struct service_method *method, struct service_call *call,
                        struct txn *txn, struct fault *fault) must_check;
