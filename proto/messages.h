#pragma once

// The messages of proto/folkmoot/v1 as plain structs; see the .proto files for what the fields
// mean. Bytes and text borrow; a NULL pointer or an empty struct bytes is an absent field.

#include "proto/message.h"

enum {
    HANDLE_SIZE = 12,
    ID_SIZE = 16,
    COMMUNITY_SIZE = 16,
    KEY_SIZE = 32,
    SALT_SIZE = 16,
    TOKEN_SIZE = 32,
    CODE_SIZE = 16,
    CUT_SIZE = 16, // of a hash that is only compared

    PROTOCOL_VERSION = 1,
    REQUEST_MAX = 1 << 20,
    CHANGE_MAX = 64 << 10,
    ENVELOPE_MAX = 16 << 10,
    EDITS_MAX = 256,
    OVER_MAX = 256,
    PARTS_MAX = 4,
    PART_MAX = 64,
    RUNS_MAX = 64,
    RUN_CHANGES_MAX = 4096,
    RUN_PACKS_MAX = 256,
    PACK_MAX = 1 << 20,
    REQUEST_UNPACKED_MAX = 4 << 20,
    REQUEST_EDITS_MAX = 65536, // edits and dots together
    VECTOR_MAX = 4096,
    ANSWER_MAX = 1 << 20,
    ANSWER_DEFAULT = 256 << 10,
    RECORD_MAX = 1 << 20,
    PAGE_MAX = 200,
    PAGE_DEFAULT = 50,
    GROWTH_NODES_MAX = 4096,
    GROWTH_OWN_MAX = 4096,
    PATH_MAX_NODES = 64,
    PICTURE_COUNTS_MAX = 2000,
    PICTURE_UNHEARD_MAX = 200,
    TRAIL_STEPS_MAX = 500,
    WATCH_REFS_MAX = 500,
    INVITATION_USES_MAX = 1000,
    KIND_MAX = 65535,
};

enum kind {
    KIND_NEED = 1,
    KIND_VOICE,
    KIND_CONSTRAINT,
    KIND_SOLUTION,
    KIND_COMMITMENT,
    KIND_OUTCOME,
    KIND_REMARK,
    KIND_PARTY,
    KIND_PERSON,
    KIND_CONTACT,
    KIND_SAME_AS,
    KIND_MEMBERSHIP,
    KIND_DECISION,
    KIND_REQUEST,
};

enum role { ROLE_NONE, ROLE_MEMBER, ROLE_VOLUNTEER, ROLE_COORDINATOR, ROLE_OBSERVER, ROLE_HUB };
enum { ROLE_COUNT = ROLE_HUB + 1 };
enum class { CLASS_ORDINARY, CLASS_PERSONAL };
enum audience {
    AUDIENCE_NONE,
    AUDIENCE_COMMUNITY,
    AUDIENCE_ORGANISATIONS,
    AUDIENCE_PUBLIC,
};
enum sensitivity { SENSITIVITY_NONE, SENSITIVITY_ORDINARY, SENSITIVITY_SENSITIVE };
enum stance { STANCE_NONE, STANCE_FOR, STANCE_AGAINST, STANCE_UNSURE, STANCE_WITHDRAWN };
enum packing { PACKING_PLAIN = 1, PACKING_ZSTD = 2, PACKING_COLUMNS = 3 };
enum standing { STANDING_OK, STANDING_GAP, STANDING_FORK };
enum reason {
    REASON_NONE,
    REASON_MALFORMED_FIELD,
    REASON_WRONG_ID,
    REASON_NOT_PERMITTED,
    REASON_WRONG_CLASS,
    REASON_REVOKED,
};

// Packings that this version understands, bit n for packing n.
enum { PACKINGS_KNOWN = 1 << PACKING_PLAIN | 1 << PACKING_ZSTD | 1 << PACKING_COLUMNS };

struct dot {
    struct bytes device;
    uint32_t seq;
    uint32_t index;
    uint32_t tag;
};

struct envelope {
    uint32_t kind;
    struct bytes id;
    struct list parts; // struct bytes
    int64_t time;
    uint32_t class;
    struct list over; // struct dot
};

struct change {
    struct bytes envelope;
    struct bytes fields;
    struct bytes body_hash;
    struct bytes leaf;
};

struct changes {
    struct list changes; // struct change
};

struct entry {
    uint32_t device;
    uint32_t seq;
    uint32_t tag;
    struct bytes envelope;
    struct bytes fields; // p is NULL in a husk
};

struct entries {
    struct list devices; // struct bytes
    struct list entries; // struct entry
};

struct pack {
    uint32_t packing;
    uint32_t size;
    struct bytes data;
};

struct log_head {
    struct bytes log;
    uint64_t size;
    struct bytes root;
};

struct run {
    struct bytes device;
    uint32_t first;
    struct list packs; // struct pack
    struct bytes salts;
    struct bytes signature;
    struct log_head *seen;
};

struct cursor {
    struct bytes log;
    uint64_t position;
    struct bytes root;
    uint32_t view;
};

struct chain_point {
    struct bytes device;
    uint32_t seq;
    struct bytes head;
    uint32_t tag;
};

struct sync_request {
    uint32_t version;
    struct bytes community;
    struct cursor *cursor;
    struct chain_point *own;
    struct list push; // struct run
    uint32_t answer_max;
    bool has_answer_max;
    uint32_t packings;
    struct list vector; // struct chain_point
    bool own_too;
    struct log_head *seen; // without root
};

struct set_apart {
    uint32_t seq;
    uint32_t reason;
};

struct receipt {
    struct bytes device;
    uint32_t seq;
    struct bytes head;
    uint32_t standing;
    struct list set_apart; // struct set_apart
    struct bytes message;
};

struct piece {
    uint64_t position;
    struct bytes root;
    struct pack *pack;
};

struct own_entries {
    uint64_t position;
    uint32_t seq;
    uint32_t count;
};

struct growth {
    struct list nodes; // struct bytes
    struct list own;   // struct own_entries
};

struct sync_response {
    struct list receipts; // struct receipt
    uint32_t packings;
    struct log_head *head;
    int64_t clock;
    uint32_t view;
    bool cursor_lost;
    bool more;
    struct bytes head_signature;
    struct growth *growth;
    struct bytes token;
    struct list pieces; // struct piece
};

struct enrol_request {
    struct bytes community;
    struct bytes device_key;
    struct bytes invitation;
    struct bytes challenge;
    int64_t expires;
    struct bytes signature;
    struct bytes previous_key;
    struct bytes previous_signature;
};

struct login_request {
    struct bytes community;
    struct bytes device_key;
    struct bytes challenge;
    int64_t expires;
    struct bytes signature;
};

// The answer of Enrol and of Login.
struct admission {
    struct bytes token;
    uint32_t role;
    struct bytes community_name;
    struct bytes first_device;
};

struct invite_request {
    uint32_t role;
    struct bytes label;
    int64_t valid;
    uint32_t uses;
};

struct invite_response {
    struct bytes code;
    int64_t expires;
};

struct prove_request {
    struct bytes device;
    uint32_t seq;
    uint64_t old_size;
};

struct change_proof {
    struct bytes salt;
    struct bytes body_hash;
    uint64_t position;
    struct list path; // struct bytes
    struct bytes key;
    struct bytes head_before;
    struct list leaves; // struct bytes
    struct bytes signature;
    struct log_head *seen;
};

struct prove_response {
    struct log_head *head;
    struct bytes head_signature;
    struct change_proof *change;
    struct list consistency; // struct bytes
};

struct info_request {
    struct bytes nonce;
};

struct info_response {
    uint32_t version_min;
    uint32_t version_max;
    struct bytes software;
    struct bytes hub_key;
    struct bytes tls_key;
    struct bytes tls_signature;
    struct bytes challenge;
    int64_t challenge_expires;
    int64_t clock;
    uint32_t request_max;
    uint32_t packings;
};

struct ref {
    uint32_t kind;
    struct bytes id;
};

struct change_ref {
    struct bytes device;
    uint32_t seq;
    uint32_t tag;
};

struct get_request {
    uint32_t kind;
    struct bytes id;
};

struct live_edit {
    struct bytes device;
    int64_t time;
    struct bytes edit;
};

struct field_view {
    uint32_t field;
    bool tension;
    struct list edits; // struct live_edit
    struct list over;  // struct dot
};

struct tally {
    uint32_t for_;
    uint32_t against;
    uint32_t unsure;
};

struct record_view {
    uint32_t kind;
    struct bytes id;
    uint32_t class;
    struct list parts; // struct bytes
    struct bytes record;
    struct list fields; // struct field_view
    struct tally *tally;
    bool damaged; // something of it may be missing
};

struct get_response {
    struct record_view *record;
};

struct list_request {
    uint32_t kind;
    uint32_t page_size;
    struct bytes page;
    struct ref *about;
};

struct list_response {
    struct list records; // struct record_view
    struct bytes next_page;
    bool damaged; // records may be missing
};

struct export_request {
    uint32_t kind; // 0: all
    struct bytes cursor;
};

struct export_response {
    struct list records; // struct record_view
    struct bytes cursor;
    bool damaged; // records may be missing
};

struct search_request {
    struct bytes text;
    uint32_t kind; // 0: any
    uint32_t page_size;
    struct bytes page;
};

struct search_response {
    struct list records; // struct record_view
    struct bytes next_page;
    bool damaged;    // records may be missing
    bool incomplete; // not all that the hub holds was searched
};

struct me_request {
    char nothing;
};

struct me_response {
    struct bytes device;
    struct bytes community;
    uint32_t role;
    uint32_t seq;
    struct bytes head;
    struct log_head *log;
    struct bytes first_device;
};

struct incarnation {
    struct bytes identity_key;
    struct bytes nonce;
    struct bytes name;
    struct bytes signature;
    struct bytes previous_log;
    uint64_t previous_size;
    struct bytes previous_root;
    struct bytes chain_key;
    uint32_t previous_seq;
};

struct enrolment {
    struct bytes key;
    uint32_t role;
    struct bytes invitation;
    struct bytes challenge;
    int64_t expires;
    struct bytes signature;
    uint32_t from;
    struct bytes previous;
    struct bytes previous_signature;
    struct bytes first_device;
};

struct role_grant {
    struct bytes device;
    uint32_t role;
    uint32_t from;
};

struct revocation {
    struct bytes device;
    uint32_t from;
};

struct fork {
    struct bytes device;
    uint32_t last;
    struct bytes head;
    struct bytes signature;
    struct log_head *seen;
};

struct refusal {
    struct bytes device;
    uint32_t seq;
    uint32_t reason;
    uint32_t tag;
};

struct place {
    struct bytes name;
    struct bytes code;
    int32_t latitude;
    int32_t longitude;
    bool has_latitude;
    bool has_longitude;
};

struct consent {
    struct bytes wording;
    uint32_t version;
    int64_t time;
    struct bytes person;
    struct bytes guardian;
};

extern const struct message envelope_message, dot_message, change_message, changes_message,
    entry_message, entries_message, pack_message, run_message, log_head_message, cursor_message,
    chain_point_message, sync_request_message, set_apart_message, receipt_message, piece_message,
    sync_response_message, enrol_request_message, login_request_message, enrol_response_message,
    login_response_message, info_request_message, info_response_message, ref_message,
    get_request_message, get_response_message, list_request_message, list_response_message,
    search_request_message, search_response_message, export_request_message,
    export_response_message, me_request_message, me_response_message, record_view_message,
    field_view_message, live_edit_message, tally_message, incarnation_message, enrolment_message,
    refusal_message, place_message, consent_message, change_ref_message, role_grant_message,
    revocation_message, fork_message, own_entries_message, growth_message, invite_request_message,
    invite_response_message, prove_request_message, change_proof_message, prove_response_message;

// Every table, ended by NULL: for the test that compares them with the .proto files.
extern const struct message *const messages_all[];

// The i-th item of a list.
#define LIST_AT(type, list, i) (((type *)(list).p) + (i))
