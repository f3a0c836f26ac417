// The messages of the calls other than Sync.

#include "proto/messages_private.h"

static const struct field enrol_request_fields[] = {
    {1, FIELD_BYTES, .offset = AT(enrol_request, community), .size_min = COMMUNITY_SIZE,
     .size_max = COMMUNITY_SIZE},
    {2, FIELD_BYTES, .offset = AT(enrol_request, device_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
    {3, FIELD_BYTES, .offset = AT(enrol_request, invitation), .size_min = CODE_SIZE,
     .size_max = CODE_SIZE},
    {4, FIELD_BYTES, .offset = AT(enrol_request, challenge), .size_min = 16, .size_max = 16},
    {5, FIELD_I64, .offset = AT(enrol_request, expires)},
    {6, FIELD_BYTES, .offset = AT(enrol_request, signature), .size_min = 64, .size_max = 64},
    {7, FIELD_BYTES, .offset = AT(enrol_request, previous_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
    {8, FIELD_BYTES, .offset = AT(enrol_request, previous_signature), .size_min = 64,
     .size_max = 64},
};
const struct message enrol_request_message = {"EnrolRequest", sizeof(struct enrol_request),
                                              FIELDS(enrol_request_fields)};

static const struct field login_request_fields[] = {
    {1, FIELD_BYTES, .offset = AT(login_request, community), .size_min = COMMUNITY_SIZE,
     .size_max = COMMUNITY_SIZE},
    {2, FIELD_BYTES, .offset = AT(login_request, device_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
    {3, FIELD_BYTES, .offset = AT(login_request, challenge), .size_min = 16, .size_max = 16},
    {4, FIELD_I64, .offset = AT(login_request, expires)},
    {5, FIELD_BYTES, .offset = AT(login_request, signature), .size_min = 64, .size_max = 64},
};
const struct message login_request_message = {"LoginRequest", sizeof(struct login_request),
                                              FIELDS(login_request_fields)};

static const struct field enrol_response_fields[] = {
    {1, FIELD_BYTES, .offset = AT(admission, token), .size_min = TOKEN_SIZE,
     .size_max = TOKEN_SIZE},
    {2, FIELD_U32, .offset = AT(admission, role)},
    {3, FIELD_TEXT, .offset = AT(admission, community_name), .size_max = 200},
    {4, FIELD_BYTES, .offset = AT(admission, first_device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
};
const struct message enrol_response_message = {"EnrolResponse", sizeof(struct admission),
                                               FIELDS(enrol_response_fields)};

static const struct field login_response_fields[] = {
    {1, FIELD_BYTES, .offset = AT(admission, token), .size_min = TOKEN_SIZE,
     .size_max = TOKEN_SIZE},
    {2, FIELD_U32, .offset = AT(admission, role)},
    {3, FIELD_TEXT, .offset = AT(admission, community_name), .size_max = 200},
    {4, FIELD_BYTES, .offset = AT(admission, first_device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
};
const struct message login_response_message = {"LoginResponse", sizeof(struct admission),
                                               FIELDS(login_response_fields)};

static const struct field invite_request_fields[] = {
    {1, FIELD_U32, .offset = AT(invite_request, role)},
    {2, FIELD_TEXT, .offset = AT(invite_request, label), .size_max = 100},
    {3, FIELD_I64, .offset = AT(invite_request, valid)},
    {4, FIELD_U32, .offset = AT(invite_request, uses)},
};
const struct message invite_request_message = {"InviteRequest", sizeof(struct invite_request),
                                               FIELDS(invite_request_fields)};

static const struct field invite_response_fields[] = {
    {1, FIELD_BYTES, .offset = AT(invite_response, code), .size_min = CODE_SIZE,
     .size_max = CODE_SIZE},
    {2, FIELD_I64, .offset = AT(invite_response, expires)},
};
const struct message invite_response_message = {"InviteResponse", sizeof(struct invite_response),
                                                FIELDS(invite_response_fields)};

static const struct field prove_request_fields[] = {
    {1, FIELD_BYTES, .offset = AT(prove_request, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(prove_request, seq)},
    {3, FIELD_U64, .offset = AT(prove_request, old_size)},
};
const struct message prove_request_message = {"ProveRequest", sizeof(struct prove_request),
                                              FIELDS(prove_request_fields)};

static const struct field change_proof_fields[] = {
    {1, FIELD_BYTES, .offset = AT(change_proof, salt), .size_min = SALT_SIZE,
     .size_max = SALT_SIZE},
    {2, FIELD_BYTES, .offset = AT(change_proof, body_hash), .size_min = 32, .size_max = 32},
    {3, FIELD_U64, .offset = AT(change_proof, position)},
    {4, FIELD_BYTES, .repeated = true, .offset = AT(change_proof, path), .size_min = 32,
     .size_max = 32, .count_max = PATH_MAX_NODES},
    {5, FIELD_BYTES, .offset = AT(change_proof, key), .size_min = KEY_SIZE, .size_max = KEY_SIZE},
    {6, FIELD_BYTES, .offset = AT(change_proof, head_before), .size_min = 32, .size_max = 32},
    {7, FIELD_BYTES, .repeated = true, .offset = AT(change_proof, leaves), .size_min = 32,
     .size_max = 32, .count_max = RUN_CHANGES_MAX},
    {8, FIELD_BYTES, .offset = AT(change_proof, signature), .size_min = 64, .size_max = 64},
    {9, FIELD_MESSAGE, .offset = AT(change_proof, seen), .of = &log_head_message},
};
const struct message change_proof_message = {"ChangeProof", sizeof(struct change_proof),
                                             FIELDS(change_proof_fields)};

static const struct field prove_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(prove_response, head), .of = &log_head_message},
    {2, FIELD_BYTES, .offset = AT(prove_response, head_signature), .size_min = 64, .size_max = 64},
    {3, FIELD_MESSAGE, .offset = AT(prove_response, change), .of = &change_proof_message},
    {4, FIELD_BYTES, .repeated = true, .offset = AT(prove_response, consistency), .size_min = 32,
     .size_max = 32, .count_max = PATH_MAX_NODES},
};
const struct message prove_response_message = {"ProveResponse", sizeof(struct prove_response),
                                               FIELDS(prove_response_fields)};

static const struct field info_request_fields[] = {
    {1, FIELD_BYTES, .offset = AT(info_request, nonce), .size_min = 16, .size_max = 16},
};
const struct message info_request_message = {"InfoRequest", sizeof(struct info_request),
                                             FIELDS(info_request_fields)};

static const struct field info_response_fields[] = {
    {1, FIELD_U32, .offset = AT(info_response, version_min)},
    {2, FIELD_U32, .offset = AT(info_response, version_max)},
    {3, FIELD_TEXT, .offset = AT(info_response, software), .size_max = 200},
    {4, FIELD_BYTES, .offset = AT(info_response, hub_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
    {5, FIELD_BYTES, .offset = AT(info_response, tls_key), .size_min = 32, .size_max = 32},
    {6, FIELD_BYTES, .offset = AT(info_response, tls_signature), .size_min = 64, .size_max = 64},
    {7, FIELD_BYTES, .offset = AT(info_response, challenge), .size_min = 16, .size_max = 16},
    {8, FIELD_I64, .offset = AT(info_response, challenge_expires)},
    {9, FIELD_I64, .offset = AT(info_response, clock)},
    {10, FIELD_U32, .offset = AT(info_response, request_max)},
    {11, FIELD_U32, .offset = AT(info_response, packings)},
};
const struct message info_response_message = {"InfoResponse", sizeof(struct info_response),
                                              FIELDS(info_response_fields)};

static const struct field get_request_fields[] = {
    {1, FIELD_U32, .offset = AT(get_request, kind)},
    {2, FIELD_BYTES, .offset = AT(get_request, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
};
const struct message get_request_message = {"GetRequest", sizeof(struct get_request),
                                            FIELDS(get_request_fields)};

static const struct field live_edit_fields[] = {
    {1, FIELD_BYTES, .offset = AT(live_edit, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_I64, .offset = AT(live_edit, time)},
    {3, FIELD_BYTES, .offset = AT(live_edit, edit)},
};
const struct message live_edit_message = {"LiveEdit", sizeof(struct live_edit),
                                          FIELDS(live_edit_fields)};

static const struct field field_view_fields[] = {
    {1, FIELD_U32, .offset = AT(field_view, field)},
    {2, FIELD_BOOL, .offset = AT(field_view, tension)},
    {3, FIELD_MESSAGE, .repeated = true, .offset = AT(field_view, edits), .count_max = 65536,
     .of = &live_edit_message},
    {4, FIELD_MESSAGE, .repeated = true, .offset = AT(field_view, over), .count_max = 65536,
     .of = &dot_message},
};
const struct message field_view_message = {"FieldView", sizeof(struct field_view),
                                           FIELDS(field_view_fields)};

static const struct field tally_fields[] = {
    {1, FIELD_U32, .offset = AT(tally, for_)},
    {2, FIELD_U32, .offset = AT(tally, against)},
    {3, FIELD_U32, .offset = AT(tally, unsure)},
};
const struct message tally_message = {"Tally", sizeof(struct tally), FIELDS(tally_fields)};

static const struct field record_view_fields[] = {
    {1, FIELD_U32, .offset = AT(record_view, kind)},
    {2, FIELD_BYTES, .offset = AT(record_view, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
    {3, FIELD_U32, .offset = AT(record_view, class)},
    {4, FIELD_BYTES, .offset = AT(record_view, parts), .size_min = 1, .size_max = PART_MAX,
     .repeated = true, .count_max = PARTS_MAX},
    {5, FIELD_BYTES, .offset = AT(record_view, record)},
    {6, FIELD_MESSAGE, .repeated = true, .offset = AT(record_view, fields), .count_max = 65536,
     .of = &field_view_message},
    {7, FIELD_MESSAGE, .offset = AT(record_view, tally), .of = &tally_message},
    {8, FIELD_BOOL, .offset = AT(record_view, damaged)},
};
const struct message record_view_message = {"RecordView", sizeof(struct record_view),
                                            FIELDS(record_view_fields)};

static const struct field get_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(get_response, record), .of = &record_view_message},
};
const struct message get_response_message = {"GetResponse", sizeof(struct get_response),
                                             FIELDS(get_response_fields)};

static const struct field list_request_fields[] = {
    {1, FIELD_U32, .offset = AT(list_request, kind)},
    {2, FIELD_U32, .offset = AT(list_request, page_size)},
    {3, FIELD_BYTES, .offset = AT(list_request, page), .size_max = 64},
    {4, FIELD_MESSAGE, .offset = AT(list_request, about), .of = &ref_message},
};
const struct message list_request_message = {"ListRequest", sizeof(struct list_request),
                                             FIELDS(list_request_fields)};

static const struct field list_response_fields[] = {
    {1, FIELD_MESSAGE, .repeated = true, .offset = AT(list_response, records),
     .count_max = PAGE_MAX, .of = &record_view_message},
    {2, FIELD_BYTES, .offset = AT(list_response, next_page), .size_max = 64},
    {3, FIELD_BOOL, .offset = AT(list_response, damaged)},
};
const struct message list_response_message = {"ListResponse", sizeof(struct list_response),
                                              FIELDS(list_response_fields)};

static const struct field export_request_fields[] = {
    {1, FIELD_U32, .offset = AT(export_request, kind)},
    {2, FIELD_BYTES, .offset = AT(export_request, cursor), .size_max = 64},
};
const struct message export_request_message = {"ExportRequest", sizeof(struct export_request),
                                               FIELDS(export_request_fields)};

static const struct field export_response_fields[] = {
    {1, FIELD_MESSAGE, .repeated = true, .offset = AT(export_response, records),
     .count_max = PAGE_MAX, .of = &record_view_message},
    {2, FIELD_BYTES, .offset = AT(export_response, cursor), .size_max = 64},
    {3, FIELD_BOOL, .offset = AT(export_response, damaged)},
};
const struct message export_response_message = {"ExportResponse", sizeof(struct export_response),
                                                FIELDS(export_response_fields)};

static const struct field search_request_fields[] = {
    {1, FIELD_TEXT, .offset = AT(search_request, text), .size_max = 4096},
    {2, FIELD_U32, .offset = AT(search_request, kind)},
    {3, FIELD_U32, .offset = AT(search_request, page_size)},
    {4, FIELD_BYTES, .offset = AT(search_request, page), .size_max = 64},
};
const struct message search_request_message = {"SearchRequest", sizeof(struct search_request),
                                               FIELDS(search_request_fields)};

static const struct field search_response_fields[] = {
    {1, FIELD_MESSAGE, .repeated = true, .offset = AT(search_response, records),
     .count_max = PAGE_MAX, .of = &record_view_message},
    {2, FIELD_BYTES, .offset = AT(search_response, next_page), .size_max = 64},
    {3, FIELD_BOOL, .offset = AT(search_response, damaged)},
    {4, FIELD_BOOL, .offset = AT(search_response, incomplete)},
};
const struct message search_response_message = {"SearchResponse", sizeof(struct search_response),
                                                FIELDS(search_response_fields)};

const struct message me_request_message = {"MeRequest", sizeof(struct me_request), NULL, 0};

static const struct field me_response_fields[] = {
    {1, FIELD_BYTES, .offset = AT(me_response, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_BYTES, .offset = AT(me_response, community), .size_min = COMMUNITY_SIZE,
     .size_max = COMMUNITY_SIZE},
    {3, FIELD_U32, .offset = AT(me_response, role)},
    {4, FIELD_U32, .offset = AT(me_response, seq)},
    {5, FIELD_BYTES, .offset = AT(me_response, head), .size_min = 32, .size_max = 32},
    {6, FIELD_MESSAGE, .offset = AT(me_response, log), .of = &log_head_message},
    {7, FIELD_BYTES, .offset = AT(me_response, first_device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
};
const struct message me_response_message = {"MeResponse", sizeof(struct me_response),
                                            FIELDS(me_response_fields)};
