#pragma once

// The little of HTTP/1.1 (RFC 9110, RFC 9112) that monitoring needs: requests without a body, GET
// and HEAD. Strict, does no I/O. Any thread.

#include "base/buf.h"

enum { HTTP1_HEAD_MAX = 4096 };

struct http1_request {
    bool is_head;
    struct bytes path; // borrows from the text; without a query
};

struct http1_answer {
    unsigned status;
    const char *type; // of the body
    struct bytes body;
};

// 0: the head is not whole yet; 200: it is, and sound; any other status: it is to be refused so.
unsigned http1_read(struct bytes text, struct http1_request *request) must_check;
// Appends head and body; no body where the request was a HEAD. clock: seconds since 1970 UTC.
void http1_write(const struct http1_answer *answer, bool is_head, int64_t clock, struct buf *out);
// "Not Found"
const char *http1_reason(unsigned status);
