#pragma once

// One HTTP/2 request of any kind over TLS, by libcurl, without asking who the other end is. Any
// thread.

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"

struct post {
    const char *path;
    const char *method;         // NULL: POST
    const char *type;           // content-type; NULL: application/proto, "": none
    const char *const *headers; // "name: value", ended by NULL; may be NULL
    const char *token;          // NULL: none
    const char *from;           // the own address; NULL: any
    struct bytes body;
    bool no_length;   // without content-length
    size_t cut_at;    // the body breaks off there; 0: it does not
    long version;     // of HTTP for libcurl; 0: 2 over TLS
    long seconds_max; // 0: 60
};

struct post_answer {
    CURLcode curl; // CURLE_OK: an answer came to its end
    long status;   // 0: none
    char type[64]; // content-type
    char code[40]; // Connect's code, or gRPC's number; "" when none
    char message[256];
    char retry_after[16]; // as it came; "" when none
    char request_id[16];  // the same
    struct buf body;
};

// answer: out; empty it by post_done.
void post_send(uint16_t port, const struct post *post, struct post_answer *answer);
void post_done(struct post_answer *answer);
