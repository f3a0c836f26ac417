#pragma once

// What history.c and history_fields.c share.

#include "tests/sync/history.h"

// A change under construction.
struct draft {
    struct history *history;
    struct dice *dice;
    size_t device;
    struct envelope envelope;
    struct record_key record; // what it is about; kind 0: what it creates
    uint8_t part[2][4 + ID_SIZE];
    struct bytes parts[2];
    struct dot over[OVER_MAX];
    struct history_dot void_dots[3];
    struct buf fields;
    bool refused;   // must be set apart by the hub
    bool later_too; // has a field of the future in the envelope
};

void history_put_text(struct draft *draft, uint32_t field, const char *stem);
void history_put_future_field(struct draft *draft);
void history_put_need_field(struct draft *draft);
void history_put_place(struct draft *draft);
void history_put_about(struct draft *draft, const struct record_key *record);
// What a constraint, solution, commitment or outcome says of itself.
void history_put_answer_field(struct draft *draft);
