#pragma once

// Carries a session's requests to the hub and the answers back: HTTP/2 over TLS, by libcurl. No
// certificate authority is asked: trust is the key that the request names, and to any other key not
// a byte of a request is sent. One connection lasts as long as it is needed. A transfer may be as
// slow as the line is; one that stands still for HTTP_STALL_SECONDS ends.

#include "base/err.h"
#include "client/folkmoot.h"

enum { HTTP_STALL_SECONDS = 60 };

struct http;

// NULL: libcurl cannot be used. `moved` (may be NULL) is called as parts of an answer arrive.
struct http *http_new(void (*moved)(void *), void *arg) must_check;
// Sends one request and feeds the answer to the session: answer, receive as parts arrive, finish.
void http_carry(struct http *http, struct folkmoot_session *session,
                const struct folkmoot_request *request);
// What the last request ended with, for people: "" when all went well.
const char *http_trouble(const struct http *http);
void http_free(struct http **http);
