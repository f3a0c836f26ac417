// Letters.

#include "proto/messages_letter.h"

#include "proto/messages_private.h"

static const struct field letter_fields[] = {
    {1, FIELD_U32, .offset = AT(letter, version)},
    {2, FIELD_BYTES, .offset = AT(letter, community), .size_min = COMMUNITY_SIZE,
     .size_max = COMMUNITY_SIZE},
    {3, FIELD_BYTES, .offset = AT(letter, key), .size_min = KEY_SIZE, .size_max = KEY_SIZE},
    {4, FIELD_BYTES, .offset = AT(letter, nonce), .size_min = 16, .size_max = 16},
    {5, FIELD_BYTES, .offset = AT(letter, answer_nonce), .size_min = 32, .size_max = 32},
    {6, FIELD_BYTES, .offset = AT(letter, sealed), .size_max = LETTER_MAX},
};
const struct message letter_message = {"Letter", sizeof(struct letter), FIELDS(letter_fields)};

static const struct field letter_content_fields[] = {
    {1, FIELD_BYTES, .offset = AT(letter_content, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_BYTES, .offset = AT(letter_content, request), .size_max = REQUEST_MAX},
    {3, FIELD_BYTES, .offset = AT(letter_content, signature), .size_min = 64, .size_max = 64},
    {4, FIELD_BYTES, .offset = AT(letter_content, memo), .size_max = LETTER_MEMO_MAX},
};
const struct message letter_content_message = {"LetterContent", sizeof(struct letter_content),
                                               FIELDS(letter_content_fields)};

static const struct field letter_answer_fields[] = {
    {1, FIELD_BYTES, .offset = AT(letter_answer, response), .size_max = LETTER_MAX},
    {2, FIELD_BYTES, .offset = AT(letter_answer, memo), .size_max = LETTER_MEMO_MAX},
};
const struct message letter_answer_message = {"LetterAnswer", sizeof(struct letter_answer),
                                              FIELDS(letter_answer_fields)};

static const struct field deliver_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(deliver, letter), .of = &letter_message},
};
const struct message deliver_request_message = {"DeliverRequest", sizeof(struct deliver),
                                                FIELDS(deliver_fields)};
const struct message deliver_response_message = {"DeliverResponse", sizeof(struct deliver),
                                                 FIELDS(deliver_fields)};
