#include "proto/messages.h"

// One row a field: the .proto files say what it means, this says where it goes and its bounds.
#define AT(struct_name, field) (uint16_t) offsetof(struct struct_name, field)
#define FIELDS(table)          (table), sizeof(table) / sizeof *(table)

static const struct field dot_fields[] = {
    {1, FIELD_BYTES, .offset = AT(dot, device), .size_min = 12, .size_max = 12},
    {2, FIELD_U32, .offset = AT(dot, seq)},
    {3, FIELD_U32, .offset = AT(dot, index)},
    {4, FIELD_FIXED32, .offset = AT(dot, tag)},
};
const struct message dot_message = {"Dot", sizeof(struct dot), FIELDS(dot_fields)};

static const struct field envelope_fields[] = {
    {1, FIELD_U32, .offset = AT(envelope, kind)},
    {2, FIELD_BYTES, .offset = AT(envelope, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
    {3, FIELD_BYTES, .offset = AT(envelope, parts), .size_min = 1, .size_max = PART_MAX,
     .repeated = true, .count_max = PARTS_MAX},
    {4, FIELD_I64, .offset = AT(envelope, time)},
    {5, FIELD_U32, .offset = AT(envelope, class)},
    {6, FIELD_MESSAGE, .repeated = true, .offset = AT(envelope, over), .count_max = OVER_MAX,
     .of = &dot_message},
};
const struct message envelope_message = {"Envelope", sizeof(struct envelope),
                                         FIELDS(envelope_fields)};

static const struct field change_fields[] = {
    {1, FIELD_BYTES, .offset = AT(change, envelope), .size_max = ENVELOPE_MAX},
    {2, FIELD_BYTES, .offset = AT(change, fields), .size_max = CHANGE_MAX},
    {3, FIELD_BYTES, .offset = AT(change, body_hash), .size_min = 32, .size_max = 32},
    {4, FIELD_BYTES, .offset = AT(change, leaf), .size_min = 32, .size_max = 32},
};
const struct message change_message = {"Change", sizeof(struct change), FIELDS(change_fields)};

static const struct field changes_fields[] = {
    {1, FIELD_MESSAGE, .repeated = true, .offset = AT(changes, changes),
     .count_max = RUN_CHANGES_MAX, .of = &change_message},
};
const struct message changes_message = {"Changes", sizeof(struct changes), FIELDS(changes_fields)};

static const struct field entry_fields[] = {
    {1, FIELD_U32, .offset = AT(entry, device)},
    {2, FIELD_U32, .offset = AT(entry, seq)},
    {3, FIELD_FIXED32, .offset = AT(entry, tag)},
    {4, FIELD_BYTES, .offset = AT(entry, envelope), .size_max = ENVELOPE_MAX},
    {5, FIELD_BYTES, .offset = AT(entry, fields), .size_max = CHANGE_MAX, .present = true},
};
const struct message entry_message = {"Entry", sizeof(struct entry), FIELDS(entry_fields)};

static const struct field entries_fields[] = {
    {1, FIELD_BYTES, .offset = AT(entries, devices), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE, .repeated = true, .count_max = 65536},
    {2, FIELD_MESSAGE, .repeated = true, .offset = AT(entries, entries), .count_max = 65536,
     .of = &entry_message},
};
const struct message entries_message = {"Entries", sizeof(struct entries), FIELDS(entries_fields)};

static const struct field pack_fields[] = {
    {1, FIELD_U32, .offset = AT(pack, packing)},
    {2, FIELD_U32, .offset = AT(pack, size)},
    {3, FIELD_BYTES, .offset = AT(pack, data), .size_max = PACK_MAX},
};
const struct message pack_message = {"Pack", sizeof(struct pack), FIELDS(pack_fields)};

static const struct field log_head_fields[] = {
    {1, FIELD_BYTES, .offset = AT(log_head, log), .size_min = HANDLE_SIZE, .size_max = HANDLE_SIZE},
    {2, FIELD_U64, .offset = AT(log_head, size)},
    {3, FIELD_BYTES, .offset = AT(log_head, root), .size_min = 32, .size_max = 32},
};
const struct message log_head_message = {"LogHead", sizeof(struct log_head),
                                         FIELDS(log_head_fields)};

static const struct field run_fields[] = {
    {1, FIELD_BYTES, .offset = AT(run, device), .size_min = HANDLE_SIZE, .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(run, first)},
    {3, FIELD_MESSAGE, .repeated = true, .offset = AT(run, packs), .count_max = RUN_PACKS_MAX,
     .of = &pack_message},
    {4, FIELD_BYTES, .offset = AT(run, salts), .size_max = RUN_CHANGES_MAX * SALT_SIZE},
    {5, FIELD_BYTES, .offset = AT(run, signature), .size_min = 64, .size_max = 64},
    {6, FIELD_MESSAGE, .offset = AT(run, seen), .of = &log_head_message},
};
const struct message run_message = {"Run", sizeof(struct run), FIELDS(run_fields)};

static const struct field cursor_fields[] = {
    {1, FIELD_BYTES, .offset = AT(cursor, log), .size_min = HANDLE_SIZE, .size_max = HANDLE_SIZE},
    {2, FIELD_U64, .offset = AT(cursor, position)},
    {3, FIELD_BYTES, .offset = AT(cursor, root), .size_min = CUT_SIZE, .size_max = CUT_SIZE},
    {4, FIELD_U32, .offset = AT(cursor, view)},
};
const struct message cursor_message = {"Cursor", sizeof(struct cursor), FIELDS(cursor_fields)};

static const struct field chain_point_fields[] = {
    {1, FIELD_BYTES, .offset = AT(chain_point, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(chain_point, seq)},
    {3, FIELD_BYTES, .offset = AT(chain_point, head), .size_min = CUT_SIZE, .size_max = CUT_SIZE},
    {4, FIELD_FIXED32, .offset = AT(chain_point, tag)},
};
const struct message chain_point_message = {"ChainPoint", sizeof(struct chain_point),
                                            FIELDS(chain_point_fields)};

static const struct field sync_request_fields[] = {
    {1, FIELD_U32, .offset = AT(sync_request, version)},
    {2, FIELD_BYTES, .offset = AT(sync_request, community), .size_min = COMMUNITY_SIZE,
     .size_max = COMMUNITY_SIZE},
    {3, FIELD_MESSAGE, .offset = AT(sync_request, cursor), .of = &cursor_message},
    {4, FIELD_MESSAGE, .offset = AT(sync_request, own), .of = &chain_point_message},
    {5, FIELD_MESSAGE, .repeated = true, .offset = AT(sync_request, push), .count_max = RUNS_MAX,
     .of = &run_message},
    {6, FIELD_U32, .present = true, .offset = AT(sync_request, answer_max),
     .has_offset = AT(sync_request, has_answer_max)},
    {7, FIELD_U32, .offset = AT(sync_request, packings)},
    {8, FIELD_MESSAGE, .repeated = true, .offset = AT(sync_request, vector),
     .count_max = VECTOR_MAX, .of = &chain_point_message},
    {9, FIELD_BOOL, .offset = AT(sync_request, own_too)},
    {10, FIELD_MESSAGE, .offset = AT(sync_request, seen), .of = &log_head_message},
};
const struct message sync_request_message = {"SyncRequest", sizeof(struct sync_request),
                                             FIELDS(sync_request_fields)};

static const struct field set_apart_fields[] = {
    {1, FIELD_U32, .offset = AT(set_apart, seq)},
    {2, FIELD_U32, .offset = AT(set_apart, reason)},
};
const struct message set_apart_message = {"SetApart", sizeof(struct set_apart),
                                          FIELDS(set_apart_fields)};

static const struct field receipt_fields[] = {
    {1, FIELD_BYTES, .offset = AT(receipt, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(receipt, seq)},
    {3, FIELD_BYTES, .offset = AT(receipt, head), .size_min = CUT_SIZE, .size_max = CUT_SIZE},
    {4, FIELD_U32, .offset = AT(receipt, standing)},
    {5, FIELD_MESSAGE, .repeated = true, .offset = AT(receipt, set_apart),
     .count_max = RUN_CHANGES_MAX, .of = &set_apart_message},
    {6, FIELD_TEXT, .offset = AT(receipt, message), .size_max = 1000},
};
const struct message receipt_message = {"Receipt", sizeof(struct receipt), FIELDS(receipt_fields)};

static const struct field piece_fields[] = {
    {1, FIELD_U64, .offset = AT(piece, position)},
    {2, FIELD_BYTES, .offset = AT(piece, root), .size_min = CUT_SIZE, .size_max = CUT_SIZE},
    {3, FIELD_MESSAGE, .offset = AT(piece, pack), .of = &pack_message},
};
const struct message piece_message = {"Piece", sizeof(struct piece), FIELDS(piece_fields)};

static const struct field own_entries_fields[] = {
    {1, FIELD_U64, .offset = AT(own_entries, position)},
    {2, FIELD_U32, .offset = AT(own_entries, seq)},
    {3, FIELD_U32, .offset = AT(own_entries, count)},
};
const struct message own_entries_message = {"OwnEntries", sizeof(struct own_entries),
                                            FIELDS(own_entries_fields)};

static const struct field growth_fields[] = {
    {1, FIELD_BYTES, .repeated = true, .offset = AT(growth, nodes), .size_min = 32, .size_max = 32,
     .count_max = GROWTH_NODES_MAX},
    {2, FIELD_MESSAGE, .repeated = true, .offset = AT(growth, own), .count_max = GROWTH_OWN_MAX,
     .of = &own_entries_message},
};
const struct message growth_message = {"Growth", sizeof(struct growth), FIELDS(growth_fields)};

static const struct field sync_response_fields[] = {
    {1, FIELD_MESSAGE, .repeated = true, .offset = AT(sync_response, receipts),
     .count_max = RUNS_MAX + 1, .of = &receipt_message},
    {2, FIELD_U32, .offset = AT(sync_response, packings)},
    {3, FIELD_MESSAGE, .offset = AT(sync_response, head), .of = &log_head_message},
    {4, FIELD_I64, .offset = AT(sync_response, clock)},
    {5, FIELD_U32, .offset = AT(sync_response, view)},
    {6, FIELD_BOOL, .offset = AT(sync_response, cursor_lost)},
    {7, FIELD_BOOL, .offset = AT(sync_response, more)},
    {8, FIELD_BYTES, .offset = AT(sync_response, head_signature), .size_min = 64, .size_max = 64},
    {9, FIELD_MESSAGE, .offset = AT(sync_response, growth), .of = &growth_message},
    {10, FIELD_BYTES, .offset = AT(sync_response, token), .size_min = TOKEN_SIZE,
     .size_max = TOKEN_SIZE},
    {15, FIELD_MESSAGE, .repeated = true, .offset = AT(sync_response, pieces), .count_max = 4096,
     .of = &piece_message},
};
const struct message sync_response_message = {"SyncResponse", sizeof(struct sync_response),
                                              FIELDS(sync_response_fields)};

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
};
const struct message enrol_response_message = {"EnrolResponse", sizeof(struct admission),
                                               FIELDS(enrol_response_fields)};

static const struct field login_response_fields[] = {
    {1, FIELD_BYTES, .offset = AT(admission, token), .size_min = TOKEN_SIZE,
     .size_max = TOKEN_SIZE},
    {2, FIELD_U32, .offset = AT(admission, role)},
    {3, FIELD_TEXT, .offset = AT(admission, community_name), .size_max = 200},
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

static const struct field ref_fields[] = {
    {1, FIELD_U32, .offset = AT(ref, kind)},
    {2, FIELD_BYTES, .offset = AT(ref, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
};
const struct message ref_message = {"Ref", sizeof(struct ref), FIELDS(ref_fields)};

static const struct field change_ref_fields[] = {
    {1, FIELD_BYTES, .offset = AT(change_ref, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(change_ref, seq)},
    {3, FIELD_FIXED32, .offset = AT(change_ref, tag)},
};
const struct message change_ref_message = {"ChangeRef", sizeof(struct change_ref),
                                           FIELDS(change_ref_fields)};

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
};
const struct message list_response_message = {"ListResponse", sizeof(struct list_response),
                                              FIELDS(list_response_fields)};

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
};
const struct message me_response_message = {"MeResponse", sizeof(struct me_response),
                                            FIELDS(me_response_fields)};

static const struct field incarnation_fields[] = {
    {1, FIELD_BYTES, .offset = AT(incarnation, identity_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
    {2, FIELD_BYTES, .offset = AT(incarnation, nonce), .size_min = 16, .size_max = 16},
    {3, FIELD_TEXT, .offset = AT(incarnation, name), .size_max = 200},
    {4, FIELD_BYTES, .offset = AT(incarnation, signature), .size_min = 64, .size_max = 64},
    {5, FIELD_BYTES, .offset = AT(incarnation, previous_log), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {6, FIELD_U64, .offset = AT(incarnation, previous_size)},
    {7, FIELD_BYTES, .offset = AT(incarnation, previous_root), .size_min = 32, .size_max = 32},
    {8, FIELD_BYTES, .offset = AT(incarnation, chain_key), .size_min = KEY_SIZE,
     .size_max = KEY_SIZE},
};
const struct message incarnation_message = {"Incarnation", sizeof(struct incarnation),
                                            FIELDS(incarnation_fields)};

static const struct field enrolment_fields[] = {
    {1, FIELD_BYTES, .offset = AT(enrolment, key), .size_min = KEY_SIZE, .size_max = KEY_SIZE},
    {2, FIELD_U32, .offset = AT(enrolment, role)},
    {3, FIELD_BYTES, .offset = AT(enrolment, invitation), .size_min = 32, .size_max = 32},
    {4, FIELD_BYTES, .offset = AT(enrolment, challenge), .size_min = 16, .size_max = 16},
    {5, FIELD_I64, .offset = AT(enrolment, expires)},
    {6, FIELD_BYTES, .offset = AT(enrolment, signature), .size_min = 64, .size_max = 64},
    {7, FIELD_U32, .offset = AT(enrolment, from)},
};
const struct message enrolment_message = {"Enrolment", sizeof(struct enrolment),
                                          FIELDS(enrolment_fields)};

static const struct field role_grant_fields[] = {
    {1, FIELD_BYTES, .offset = AT(role_grant, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(role_grant, role)},
    {3, FIELD_U32, .offset = AT(role_grant, from)},
};
const struct message role_grant_message = {"RoleGrant", sizeof(struct role_grant),
                                           FIELDS(role_grant_fields)};

static const struct field revocation_fields[] = {
    {1, FIELD_BYTES, .offset = AT(revocation, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(revocation, from)},
};
const struct message revocation_message = {"Revocation", sizeof(struct revocation),
                                           FIELDS(revocation_fields)};

static const struct field fork_fields[] = {
    {1, FIELD_BYTES, .offset = AT(fork, device), .size_min = HANDLE_SIZE, .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(fork, last)},
    {3, FIELD_BYTES, .offset = AT(fork, head), .size_min = 32, .size_max = 32},
    {4, FIELD_BYTES, .offset = AT(fork, signature), .size_min = 64, .size_max = 64},
    {5, FIELD_MESSAGE, .offset = AT(fork, seen), .of = &log_head_message},
};
const struct message fork_message = {"Fork", sizeof(struct fork), FIELDS(fork_fields)};

static const struct field refusal_fields[] = {
    {1, FIELD_BYTES, .offset = AT(refusal, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {2, FIELD_U32, .offset = AT(refusal, seq)},
    {3, FIELD_U32, .offset = AT(refusal, reason)},
    {4, FIELD_FIXED32, .offset = AT(refusal, tag)},
};
const struct message refusal_message = {"Refusal", sizeof(struct refusal), FIELDS(refusal_fields)};

static const struct field place_fields[] = {
    {1, FIELD_TEXT, .offset = AT(place, name), .size_max = 200},
    {2, FIELD_TEXT, .offset = AT(place, code), .size_max = 32},
    {3, FIELD_S32, .present = true, .offset = AT(place, latitude),
     .has_offset = AT(place, has_latitude)},
    {4, FIELD_S32, .present = true, .offset = AT(place, longitude),
     .has_offset = AT(place, has_longitude)},
};
const struct message place_message = {"Place", sizeof(struct place), FIELDS(place_fields)};

static const struct field consent_fields[] = {
    {1, FIELD_TEXT, .offset = AT(consent, wording), .size_max = 200},
    {2, FIELD_U32, .offset = AT(consent, version)},
    {3, FIELD_I64, .offset = AT(consent, time)},
    {4, FIELD_BYTES, .offset = AT(consent, person), .size_min = ID_SIZE, .size_max = ID_SIZE},
    {5, FIELD_BYTES, .offset = AT(consent, guardian), .size_min = ID_SIZE, .size_max = ID_SIZE},
};
const struct message consent_message = {"Consent", sizeof(struct consent), FIELDS(consent_fields)};

const struct message *const messages_all[] = {
    &dot_message,
    &envelope_message,
    &change_message,
    &changes_message,
    &entry_message,
    &entries_message,
    &pack_message,
    &log_head_message,
    &run_message,
    &cursor_message,
    &chain_point_message,
    &sync_request_message,
    &set_apart_message,
    &receipt_message,
    &piece_message,
    &sync_response_message,
    &enrol_request_message,
    &login_request_message,
    &enrol_response_message,
    &login_response_message,
    &info_request_message,
    &info_response_message,
    &ref_message,
    &get_request_message,
    &live_edit_message,
    &field_view_message,
    &tally_message,
    &record_view_message,
    &get_response_message,
    &list_request_message,
    &list_response_message,
    &me_request_message,
    &me_response_message,
    &incarnation_message,
    &enrolment_message,
    &refusal_message,
    &place_message,
    &consent_message,
    &change_ref_message,
    &role_grant_message,
    &revocation_message,
    &fork_message,
    &own_entries_message,
    &growth_message,
    &invite_request_message,
    &invite_response_message,
    &prove_request_message,
    &change_proof_message,
    &prove_response_message,
    NULL,
};
