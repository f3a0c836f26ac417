#pragma once

// Join links: folkmoot://HOST:PORT/join?community=C&hub=K&code=I&name=N (docs/protocol.md section
// 7). Any thread.

#include "base/buf.h"
#include "proto/messages.h"
#include "storage/community.h"

struct link {
    char address[ADDRESS_MAX + 1]; // HOST:PORT
    uint8_t community[COMMUNITY_SIZE];
    uint8_t hub_key[KEY_SIZE];
    uint8_t code[CODE_SIZE];
    char name[NAME_MAX_BYTES + 1]; // "" when the link has none
};

enum { LINK_MAX = 2048 };

// Blanks around it do no harm, parameters that this version does not know neither. ERR_MALFORMED or
// ERR_LIMIT with a sentence that holds nothing of the link.
enum err link_parse(const char *text, struct link *link, struct fault *fault) must_check;
// Appends the link.
void link_format(const struct link *link, struct buf *out);
