#pragma once

// Names of answers to a GET, so that one which the client has need not be sent again (RFC 9110
// sections 8.8.3 and 13.1.2): a hash of what would be sent. Any thread.

#include "daemon/headers.h"

enum { ETAG_SIZE = 16, ETAGS_MAX = 4 };

// What an If-None-Match names, of the first few those that have our form.
struct etags {
    uint8_t tags[ETAGS_MAX][ETAG_SIZE];
    size_t n;
    bool is_any; // "*"
};

// value: p may be NULL. What is not understood names nothing.
void etags_read(struct bytes value, struct etags *etags);
bool etags_name(const struct etags *etags, const uint8_t tag[ETAG_SIZE]) must_check;
void etag_make(struct bytes body, uint8_t tag[ETAG_SIZE]);
// Appends it as it stands in a header, in quotes.
void etag_put(const uint8_t tag[ETAG_SIZE], struct buf *out);
