#pragma once

// Shared by import.c, which reads and decides, and import_write.c, which writes.

#include "client/command/gone.h"
#include "client/command/hashes.h"
#include "client/command/mapping.h"
#include "client/command/report.h"
#include "client/command/row.h"

enum import_state { ITEM_WAITS, ITEM_DONE, ITEM_LEFT_OUT };

// A record that is to be made of a row; made anew from the table whenever it is looked at.
struct import_item {
    uint32_t row;
    uint32_t twin;   // of one without a key: how many like it came before
    uint16_t column; // of a rule for many columns
    uint8_t rule;
    uint8_t state; // enum import_state
};

struct import {
    struct app *app;
    struct mapping mapping;
    struct table table;
    struct rows rows;
    struct import_item *items;
    size_t n, cap;
    struct hashes names, titles;
    struct report report;
    struct gone gone;
    bool strict, dry;
};

// A row that was made, with the memory that it lives in.
struct import_made {
    struct arena arena;
    struct row row;
    bool odd; // its pin
};

// Makes the record of an item. FOLKMOOT_NOT_FOUND: there is none to be made, for the rule's
// condition or the cell is empty. Else as row_read. Given back with import_unmake in any case.
enum folkmoot_code import_make(const struct import *import, const struct import_item *item,
                               struct import_made *made);
void import_unmake(struct import_made *made);
// Tells why an item is left out.
void import_leave_out(struct import *import, struct import_item *item, struct row *row);
// Writes all items, and what is to be done at the end, in as many commits as it takes, or, strict,
// in one.
enum command_exit import_write(struct import *import);
