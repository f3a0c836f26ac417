// The messages of PictureService.

#include "proto/messages_picture.h"

#include "proto/messages_private.h"

static const struct field picture_request_fields[] = {
    {1, FIELD_U32, .offset = AT(picture_request, kind)},
};
const struct message picture_request_message = {"PictureRequest", sizeof(struct picture_request),
                                                FIELDS(picture_request_fields)};

static const struct field picture_constraints_fields[] = {
    {1, FIELD_U32, .offset = AT(picture_constraints, unspecified)},
    {2, FIELD_U32, .offset = AT(picture_constraints, financial)},
    {3, FIELD_U32, .offset = AT(picture_constraints, practical)},
    {4, FIELD_U32, .offset = AT(picture_constraints, policy)},
};
const struct message picture_constraints_message = {
    "PictureConstraints", sizeof(struct picture_constraints), FIELDS(picture_constraints_fields)};

static const struct field picture_voices_fields[] = {
    {1, FIELD_U32, .offset = AT(picture_voices, party_kind)},
    {2, FIELD_U32, .offset = AT(picture_voices, for_)},
    {3, FIELD_U32, .offset = AT(picture_voices, against)},
    {4, FIELD_U32, .offset = AT(picture_voices, unsure)},
};
const struct message picture_voices_message = {"PictureVoices", sizeof(struct picture_voices),
                                               FIELDS(picture_voices_fields)};

static const struct field picture_count_fields[] = {
    {1, FIELD_TEXT, .offset = AT(picture_count, place), .size_max = 200},
    {2, FIELD_TEXT, .offset = AT(picture_count, category), .size_max = 100},
    {3, FIELD_U32, .offset = AT(picture_count, unanswered)},
    {4, FIELD_U32, .offset = AT(picture_count, solution)},
    {5, FIELD_U32, .offset = AT(picture_count, commitment)},
    {6, FIELD_U32, .offset = AT(picture_count, outcome)},
    {7, FIELD_U32, .offset = AT(picture_count, divided)},
    {8, FIELD_U32, .offset = AT(picture_count, tension)},
    {9, FIELD_U32, .offset = AT(picture_count, blocked)},
    {10, FIELD_U32, .offset = AT(picture_count, strengths)},
    {11, FIELD_MESSAGE, .offset = AT(picture_count, constraints),
     .of = &picture_constraints_message},
    {12, FIELD_MESSAGE, .offset = AT(picture_count, voices), .repeated = true, .count_max = 16,
     .of = &picture_voices_message},
};
const struct message picture_count_message = {"PictureCount", sizeof(struct picture_count),
                                              FIELDS(picture_count_fields)};

static const struct field picture_heard_fields[] = {
    {1, FIELD_TEXT, .offset = AT(picture_heard, place), .size_max = 200},
    {2, FIELD_U32, .offset = AT(picture_heard, party_kind)},
    {3, FIELD_U32, .offset = AT(picture_heard, persons)},
};
const struct message picture_heard_message = {"PictureHeard", sizeof(struct picture_heard),
                                              FIELDS(picture_heard_fields)};

static const struct field picture_place_fields[] = {
    {1, FIELD_TEXT, .offset = AT(picture_place, code), .size_max = 200},
    {2, FIELD_TEXT, .offset = AT(picture_place, name), .size_max = 200},
    {3, FIELD_U32, .offset = AT(picture_place, population)},
    {4, FIELD_U32, .offset = AT(picture_place, heard)},
};
const struct message picture_place_message = {"PicturePlace", sizeof(struct picture_place),
                                              FIELDS(picture_place_fields)};

static const struct field picture_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(picture_response, log), .of = &log_head_message},
    {2, FIELD_U32, .offset = AT(picture_response, least)},
    {3, FIELD_MESSAGE, .offset = AT(picture_response, total), .of = &picture_count_message},
    {4, FIELD_MESSAGE, .offset = AT(picture_response, counts), .repeated = true,
     .count_max = PICTURE_COUNTS_MAX, .of = &picture_count_message},
    {5, FIELD_MESSAGE, .offset = AT(picture_response, heard), .repeated = true,
     .count_max = 7 * PICTURE_COUNTS_MAX, .of = &picture_heard_message},
    {6, FIELD_BOOL, .offset = AT(picture_response, more)},
    {7, FIELD_MESSAGE, .offset = AT(picture_response, unheard), .repeated = true,
     .count_max = PICTURE_UNHEARD_MAX, .of = &picture_place_message},
    {8, FIELD_BOOL, .offset = AT(picture_response, more_unheard)},
};
const struct message picture_response_message = {"PictureResponse", sizeof(struct picture_response),
                                                 FIELDS(picture_response_fields)};

static const struct field show_request_fields[] = {
    {1, FIELD_U32, .offset = AT(show_request, kind)},
    {2, FIELD_U32, .offset = AT(show_request, list)},
    {3, FIELD_U32, .offset = AT(show_request, page_size)},
    {4, FIELD_BYTES, .offset = AT(show_request, page), .size_max = 64},
    {5, FIELD_TEXT, .offset = AT(show_request, place), .size_max = 200},
    {6, FIELD_TEXT, .offset = AT(show_request, category), .size_max = 100},
};
const struct message show_request_message = {"ShowRequest", sizeof(struct show_request),
                                             FIELDS(show_request_fields)};

static const struct field picture_item_fields[] = {
    {1, FIELD_U32, .offset = AT(picture_item, kind)},
    {2, FIELD_BYTES, .offset = AT(picture_item, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
    {3, FIELD_TEXT, .offset = AT(picture_item, title), .size_max = 400},
    {4, FIELD_I64, .offset = AT(picture_item, since)},
    {5, FIELD_TEXT, .offset = AT(picture_item, place), .size_max = 200},
    {6, FIELD_TEXT, .offset = AT(picture_item, category), .size_max = 100, .repeated = true,
     .count_max = 16},
    {7, FIELD_MESSAGE, .offset = AT(picture_item, voices), .repeated = true, .count_max = 16,
     .of = &picture_voices_message},
    {8, FIELD_U32, .offset = AT(picture_item, solutions)},
    {9, FIELD_I64, .offset = AT(picture_item, solution_since)},
    {10, FIELD_U32, .offset = AT(picture_item, commitments)},
    {11, FIELD_I64, .offset = AT(picture_item, commitment_since)},
    {12, FIELD_U32, .offset = AT(picture_item, outcomes)},
    {13, FIELD_I64, .offset = AT(picture_item, outcome_since)},
    {14, FIELD_MESSAGE, .offset = AT(picture_item, constraints),
     .of = &picture_constraints_message},
    {15, FIELD_BOOL, .offset = AT(picture_item, tension)},
    {16, FIELD_BOOL, .offset = AT(picture_item, strengths)},
    {17, FIELD_S32, .offset = AT(picture_item, due), .present = true,
     .has_offset = AT(picture_item, has_due)},
    {18, FIELD_U32, .offset = AT(picture_item, progress)},
    {19, FIELD_U32, .offset = AT(picture_item, nature)},
    {20, FIELD_U32, .offset = AT(picture_item, joined)},
    {21, FIELD_BOOL, .offset = AT(picture_item, damaged)},
};
const struct message picture_item_message = {"PictureItem", sizeof(struct picture_item),
                                             FIELDS(picture_item_fields)};

static const struct field show_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(show_response, log), .of = &log_head_message},
    {2, FIELD_U32, .offset = AT(show_response, least)},
    {3, FIELD_MESSAGE, .offset = AT(show_response, items), .repeated = true, .count_max = PAGE_MAX,
     .of = &picture_item_message},
    {4, FIELD_BYTES, .offset = AT(show_response, next_page), .size_max = 64},
};
const struct message show_response_message = {"ShowResponse", sizeof(struct show_response),
                                              FIELDS(show_response_fields)};

static const struct field record_request_fields[] = {
    {1, FIELD_U32, .offset = AT(record_request, kind)},
    {2, FIELD_BYTES, .offset = AT(record_request, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
    {3, FIELD_U32, .offset = AT(record_request, page_size)},
    {4, FIELD_BYTES, .offset = AT(record_request, page), .size_max = 64},
};
const struct message record_request_message = {"RecordRequest", sizeof(struct record_request),
                                               FIELDS(record_request_fields)};

static const struct field record_edit_fields[] = {
    {1, FIELD_BYTES, .offset = AT(record_edit, edit)},
    {2, FIELD_BOOL, .offset = AT(record_edit, live)},
    {3, FIELD_BYTES, .offset = AT(record_edit, over_device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {4, FIELD_U32, .offset = AT(record_edit, over_seq)},
};
const struct message record_edit_message = {"RecordEdit", sizeof(struct record_edit),
                                            FIELDS(record_edit_fields)};

static const struct field record_change_fields[] = {
    {1, FIELD_U64, .offset = AT(record_change, position)},
    {2, FIELD_BYTES, .offset = AT(record_change, device), .size_min = HANDLE_SIZE,
     .size_max = HANDLE_SIZE},
    {3, FIELD_U32, .offset = AT(record_change, seq)},
    {4, FIELD_I64, .offset = AT(record_change, time)},
    {5, FIELD_BOOL, .offset = AT(record_change, erased)},
    {6, FIELD_MESSAGE, .offset = AT(record_change, edits), .repeated = true, .count_max = EDITS_MAX,
     .of = &record_edit_message},
};
const struct message record_change_message = {"RecordChange", sizeof(struct record_change),
                                              FIELDS(record_change_fields)};

static const struct field record_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(record_response, log), .of = &log_head_message},
    {2, FIELD_U32, .offset = AT(record_response, least)},
    {3, FIELD_MESSAGE, .offset = AT(record_response, item), .of = &picture_item_message},
    {4, FIELD_MESSAGE, .offset = AT(record_response, record), .of = &record_view_message},
    {5, FIELD_MESSAGE, .offset = AT(record_response, history), .repeated = true,
     .count_max = PAGE_MAX, .of = &record_change_message},
    {6, FIELD_BYTES, .offset = AT(record_response, next_page), .size_max = 64},
    {7, FIELD_BOOL, .offset = AT(record_response, more)},
};
const struct message record_response_message = {"RecordResponse", sizeof(struct record_response),
                                                FIELDS(record_response_fields)};

static const struct field trail_request_fields[] = {
    {1, FIELD_U32, .offset = AT(trail_request, kind)},
    {2, FIELD_BYTES, .offset = AT(trail_request, id), .size_min = ID_SIZE, .size_max = ID_SIZE},
};
const struct message trail_request_message = {"TrailRequest", sizeof(struct trail_request),
                                              FIELDS(trail_request_fields)};

static const struct field trail_step_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(trail_step, item), .of = &picture_item_message},
    {2, FIELD_MESSAGE, .offset = AT(trail_step, answers), .repeated = true,
     .count_max = TRAIL_STEPS_MAX, .of = &ref_message},
};
const struct message trail_step_message = {"TrailStep", sizeof(struct trail_step),
                                           FIELDS(trail_step_fields)};

static const struct field trail_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(trail_response, log), .of = &log_head_message},
    {2, FIELD_U32, .offset = AT(trail_response, least)},
    {3, FIELD_MESSAGE, .offset = AT(trail_response, steps), .repeated = true,
     .count_max = TRAIL_STEPS_MAX, .of = &trail_step_message},
    {4, FIELD_BOOL, .offset = AT(trail_response, more)},
};
const struct message trail_response_message = {"TrailResponse", sizeof(struct trail_response),
                                               FIELDS(trail_response_fields)};

static const struct field watch_request_fields[] = {
    {1, FIELD_BYTES, .offset = AT(watch_request, cursor), .size_max = 64},
};
const struct message watch_request_message = {"WatchRequest", sizeof(struct watch_request),
                                              FIELDS(watch_request_fields)};

static const struct field watch_response_fields[] = {
    {1, FIELD_MESSAGE, .offset = AT(watch_response, log), .of = &log_head_message},
    {2, FIELD_MESSAGE, .offset = AT(watch_response, changed), .repeated = true,
     .count_max = WATCH_REFS_MAX, .of = &ref_message},
    {3, FIELD_BOOL, .offset = AT(watch_response, more)},
    {4, FIELD_BYTES, .offset = AT(watch_response, cursor), .size_max = 64},
};
const struct message watch_response_message = {"WatchResponse", sizeof(struct watch_response),
                                               FIELDS(watch_response_fields)};
