#pragma once

// Calls of Connect and of gRPC, unary and with a stream of answers: heads and bodies to a call, and
// answers back. Takes and makes what HTTP/2 carries, does no I/O and knows no method
// (connectrpc.com/docs/protocol, gRPC over HTTP/2). Any thread.

#include "daemon/etag.h"
#include "daemon/http2.h"
#include "proto/messages.h"
#include "storage/device.h"

enum rpc_protocol { RPC_CONNECT, RPC_CONNECT_GET, RPC_CONNECT_STREAM, RPC_GRPC };

// The sixteen codes that both protocols know, and 0.
enum rpc_code {
    RPC_OK,
    RPC_CANCELED,
    RPC_UNKNOWN,
    RPC_INVALID_ARGUMENT,
    RPC_DEADLINE_EXCEEDED,
    RPC_NOT_FOUND,
    RPC_ALREADY_EXISTS,
    RPC_PERMISSION_DENIED,
    RPC_RESOURCE_EXHAUSTED,
    RPC_FAILED_PRECONDITION,
    RPC_ABORTED,
    RPC_OUT_OF_RANGE,
    RPC_UNIMPLEMENTED,
    RPC_INTERNAL,
    RPC_UNAVAILABLE,
    RPC_DATA_LOSS,
    RPC_UNAUTHENTICATED,
    RPC_CODE_COUNT,
};

enum {
    RPC_PREFIX = 5,                    // before a message of gRPC or of Connect's streams
    RPC_TIMEOUT_MS_MAX = 24 * 3600000, // longer ones are cut to a day
};

enum rpc_token { RPC_TOKEN_NONE, RPC_TOKEN_MALFORMED, RPC_TOKEN_GIVEN };

// What the head says.
struct rpc_head {
    enum rpc_protocol protocol;
    struct bytes path;  // borrows from the headers, without a query
    struct bytes query; // borrows; of a GET
    struct etags known; // of a GET: answers that the client has
    int64_t timeout_ms; // -1: none
    bool has_length;
    uint64_t length;
    enum rpc_token token;
    uint8_t token_bytes[TOKEN_SIZE];
    char app[CONTACT_APP_MAX + 1]; // the beginning of its user-agent; what is not printable is '?'
};

// An error to answer with. status 0: the code's own.
struct rpc_error {
    enum rpc_code code;
    unsigned status;
    const char *text;
    const char *header; // one more field: its name, or NULL
    const char *value;
};

// Reads a head. False: answer with `error`; head->protocol is set even then.
bool rpc_read_head(const struct headers *headers, struct rpc_head *head,
                   struct rpc_error *error) must_check;
// The message in a body, borrowed; of a GET, from its query to `decoded`.
bool rpc_read_body(const struct rpc_head *head, struct bytes body, struct buf *decoded,
                   struct bytes *message, struct rpc_error *error) must_check;

// The code for an error of the core. Its sentence goes out only when rpc_is_peer_fault.
enum rpc_code rpc_code_of(enum err err);
bool rpc_is_peer_fault(enum err err);
// As Connect writes it: "not_found".
const char *rpc_code_name(enum rpc_code code);
unsigned rpc_http_status(enum rpc_code code);

// Starts an answer with a message; the caller appends the encoded message to answer->body and then
// calls rpc_answer_end.
void rpc_answer_begin(enum rpc_protocol protocol, struct http2_answer *answer);
void rpc_answer_end(enum rpc_protocol protocol, struct http2_answer *answer);
// A stream of answers: its head; the end of a message that was put behind rpc_stream_message (which
// tells where it began); and the end, as bytes and trailers, text NULL: all is well.
void rpc_stream_begin(enum rpc_protocol protocol, struct http2_answer *answer);
size_t rpc_stream_message(struct buf *out);
void rpc_stream_message_end(struct buf *out, size_t begin);
void rpc_stream_end(enum rpc_protocol protocol, enum rpc_code code, const char *text,
                    struct buf *last, struct headers *trailers);
// Of a GET, after rpc_answer_end: names the answer, and leaves its body out where the client has
// it.
void rpc_answer_name(const struct rpc_head *head, struct http2_answer *answer);
void rpc_answer_error(enum rpc_protocol protocol, const struct rpc_error *error,
                      struct http2_answer *answer);
