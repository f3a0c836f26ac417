#include "proto/messages_letter.h"
#include "proto/messages_picture.h"
#include "proto/messages_private.h"

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
    {9, FIELD_U32, .offset = AT(incarnation, previous_seq)},
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
    {8, FIELD_BYTES, .offset = AT(enrolment, previous), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {9, FIELD_BYTES, .offset = AT(enrolment, previous_signature), .size_min = 64, .size_max = 64},
    {10, FIELD_BYTES, .offset = AT(enrolment, first_device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
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
    &export_request_message,
    &export_response_message,
    &search_request_message,
    &search_response_message,
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
    &picture_request_message,
    &picture_constraints_message,
    &picture_voices_message,
    &picture_count_message,
    &picture_heard_message,
    &picture_place_message,
    &picture_response_message,
    &show_request_message,
    &picture_item_message,
    &show_response_message,
    &record_request_message,
    &record_edit_message,
    &record_change_message,
    &record_response_message,
    &trail_request_message,
    &trail_step_message,
    &trail_response_message,
    &watch_request_message,
    &watch_response_message,
    &letter_message,
    &letter_content_message,
    &letter_answer_message,
    &deliver_request_message,
    &deliver_response_message,
    NULL,
};
