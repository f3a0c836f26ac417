#pragma once

// The messages of carry_service.proto; see messages.h.

#include "proto/messages.h"

enum { LETTER_MAX = REQUEST_MAX, LETTER_MEMO_MAX = 128 };

struct letter {
    uint32_t version;
    struct bytes community;
    struct bytes key;
    struct bytes nonce;
    struct bytes answer_nonce;
    struct bytes sealed;
};

struct letter_content {
    struct bytes device;
    struct bytes request;
    struct bytes signature;
    struct bytes memo;
};

struct letter_answer {
    struct bytes response;
    struct bytes memo;
};

// DeliverRequest and DeliverResponse.
struct deliver {
    struct letter *letter;
};

extern const struct message letter_message, letter_content_message, letter_answer_message,
    deliver_request_message, deliver_response_message;
