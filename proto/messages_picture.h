#pragma once

// The messages of proto/folkmoot/v1/picture_service.proto as plain structs; as messages.h.

#include "proto/messages.h"

struct picture_request {
    uint32_t kind;
};

struct picture_constraints {
    uint32_t unspecified;
    uint32_t financial;
    uint32_t practical;
    uint32_t policy;
};

struct picture_voices {
    uint32_t party_kind;
    uint32_t for_;
    uint32_t against;
    uint32_t unsure;
};

struct picture_count {
    struct bytes place;
    struct bytes category;
    uint32_t unanswered;
    uint32_t solution;
    uint32_t commitment;
    uint32_t outcome;
    uint32_t divided;
    uint32_t tension;
    uint32_t blocked;
    uint32_t strengths;
    struct picture_constraints *constraints;
    struct list voices; // struct picture_voices
};

struct picture_heard {
    struct bytes place;
    uint32_t party_kind;
    uint32_t persons;
};

struct picture_place {
    struct bytes code;
    struct bytes name;
    uint32_t population;
    uint32_t heard;
};

struct picture_response {
    struct log_head *log;
    uint32_t least;
    struct picture_count *total;
    struct list counts; // struct picture_count
    struct list heard;  // struct picture_heard
    bool more;
    struct list unheard; // struct picture_place
    bool more_unheard;
};

struct show_request {
    uint32_t kind;
    uint32_t list;
    uint32_t page_size;
    struct bytes page;
    struct bytes place;
    struct bytes category;
};

struct picture_item {
    uint32_t kind;
    struct bytes id;
    struct bytes title;
    int64_t since;
    struct bytes place;
    struct list category; // struct bytes
    struct list voices;   // struct picture_voices
    uint32_t solutions;
    int64_t solution_since;
    uint32_t commitments;
    int64_t commitment_since;
    uint32_t outcomes;
    int64_t outcome_since;
    struct picture_constraints *constraints;
    bool tension;
    bool strengths;
    bool has_due;
    int32_t due;
    uint32_t progress;
    uint32_t nature;
    uint32_t joined;
    bool damaged;
};

struct show_response {
    struct log_head *log;
    uint32_t least;
    struct list items; // struct picture_item
    struct bytes next_page;
};

struct record_request {
    uint32_t kind;
    struct bytes id;
    uint32_t page_size;
    struct bytes page;
};

struct record_edit {
    struct bytes edit;
    bool live;
    struct bytes over_device;
    uint32_t over_seq;
};

struct record_change {
    uint64_t position;
    struct bytes device;
    uint32_t seq;
    int64_t time;
    bool erased;
    struct list edits; // struct record_edit
};

struct record_response {
    struct log_head *log;
    uint32_t least;
    struct picture_item *item; // NULL: nothing of it is counted
    struct record_view *record;
    struct list history; // struct record_change
    struct bytes next_page;
    bool more;
};

struct trail_request {
    uint32_t kind;
    struct bytes id;
};

struct trail_step {
    struct picture_item *item;
    struct list answers; // struct ref
};

struct trail_response {
    struct log_head *log;
    uint32_t least;
    struct list steps; // struct trail_step
    bool more;
};

struct watch_request {
    struct bytes cursor;
};

struct watch_response {
    struct log_head *log;
    struct list changed; // struct ref
    bool more;
    struct bytes cursor;
};

extern const struct message watch_request_message, watch_response_message, picture_request_message,
    picture_constraints_message, picture_voices_message, picture_count_message,
    picture_heard_message, picture_place_message, picture_response_message, show_request_message,
    picture_item_message, show_response_message, record_request_message, record_edit_message,
    record_change_message, record_response_message, trail_request_message, trail_step_message,
    trail_response_message;
