#pragma once

// What this version knows of the kinds of record: one table, beside proto/folkmoot/v1/record.proto
// (a test compares them). What is not in it is stored and merged all the same. Any thread.

#include "proto/messages.h"
#include "proto/wire.h"

// The fields that mean the same in every kind.
enum {
    FIELD_ABOUT = 1,
    FIELD_SPEAKER,
    FIELD_AUDIENCE,
    FIELD_CONSENT,
    FIELD_SENSITIVITY,
    FIELD_KEEP_UNTIL,
    FIELD_WORDS,
    FIELD_TITLE,
    FIELD_LANGUAGE,
    FIELD_PLACE,
    FIELD_VOICE_STANCE = 11,
    FIELD_SAME = 11,
    FIELD_CATEGORY = 11,   // of a Need
    FIELD_STRENGTHS = 13,  // of a Need
    FIELD_NATURE = 11,     // of a Constraint
    FIELD_DUE = 15,        // of a Commitment
    FIELD_PROGRESS = 16,   // of a Commitment
    FIELD_PARTY_KIND = 11, // of a Person
    FIELD_INCARNATION = 11,
    FIELD_ENROLMENT = 12,
    FIELD_REFUSAL = 13,
    FIELD_GRANT = 14,
    FIELD_REVOCATION = 15,
    FIELD_FORK = 16,
    FIELD_ERASURE = 17,
    FIELD_CLOSING = 18,
    FIELD_CLOSING_ALONE = 19,
    FIELD_MEMBERSHIP_DEVICE = 11,
    FIELD_MEMBERSHIP_ROLE = 12,
    FIELD_MEMBERSHIP_REVOKED = 13,
    FIELD_REQUEST_ERASE = 11,
    FIELD_REQUEST_ERASE_RECORD = 12,
    FIELD_REQUEST_RELEASE = 13,
};

enum schema_type {
    SCHEMA_TEXT,
    SCHEMA_ID,     // 16 bytes
    SCHEMA_HANDLE, // 12 bytes
    SCHEMA_ENUM,
    SCHEMA_TIME,   // int64, ms since 1970 UTC
    SCHEMA_AMOUNT, // int64, minor units, not negative
    SCHEMA_DAY,    // sint32, days since 1970-01-01
    SCHEMA_BOOL,
    SCHEMA_MESSAGE,
};

struct schema_field {
    uint32_t number;
    const char *name;
    enum schema_type type;
    bool set;                  // else a register
    uint32_t max;              // text: bytes
    const char *const *values; // enum: names in lower case by number, ended by NULL; [0] is ""
    const struct message *of;  // message
};

struct schema_kind {
    uint32_t kind;
    const char *name; // in lower case, as people type it
    const char *message;
    uint32_t class;
    bool derived; // its id comes from two parts
    const struct schema_field *fields;
    size_t fields_n;
};

// NULL for what this version does not know.
const struct schema_kind *schema_kind(uint32_t kind);
const struct schema_kind *schema_kind_by_name(const char *name);
const struct schema_field *schema_field(uint32_t kind, uint32_t number);
const struct schema_field *schema_field_by_name(const struct schema_kind *kind, const char *name);

// Why the form of a change of a known kind sets it apart, or REASON_NONE; of an unknown kind,
// always REASON_NONE. fields passed fields_check. Who may write it: sync/role.h.
enum reason schema_check(const struct envelope *envelope, struct bytes fields) must_check;
