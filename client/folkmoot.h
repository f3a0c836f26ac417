#pragma once

// libfolkmoot: a device of a Folkmoot community. It keeps records in a store of its own, merges,
// and says what to send to the hub; the host sends and receives the bytes with whatever HTTP/2
// stack it has. Every call but those of a session works with no network at all.
//
// A struct folkmoot may be used by one thread at a time; it does not matter which. No call blocks
// on anything but the disk. What a call returns through a const pointer belongs to the library and
// is valid as long as the object that it came from.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum folkmoot_code {
    FOLKMOOT_OK = 0,
    FOLKMOOT_INVALID,   // the caller's input: the text says what and why
    FOLKMOOT_NOT_FOUND, // no such record, community or kind
    FOLKMOOT_AMBIGUOUS, // a short id that fits several records
    FOLKMOOT_NETWORK,   // no answer, or one cut short: try again, nothing is lost
    FOLKMOOT_REFUSED,   // the hub said no: the text says why
    FOLKMOOT_UNTRUSTED, // the other end is not the hub of the join link; nothing secret was said
    FOLKMOOT_FORKED,    // this store is a copy or was restored from one: join anew, by a new link
    FOLKMOOT_STORE,     // the disk: full, failed or damaged
    FOLKMOOT_INTERNAL,  // a bug
};

// What went wrong, for people.
struct folkmoot_error {
    enum folkmoot_code code;
    char text[256];
};

// What the library needs from its host. Both are called from inside the library's calls only.
struct folkmoot_host {
    int64_t (*now)(void *arg); // ms since 1970 UTC
    void (*random)(void *arg, void *out, size_t n);
    void *arg;
};

struct folkmoot;

// Opens the store in the directory `path`, making it when it is absent. host == NULL: the system's
// clock and randomness. One process at a time.
enum folkmoot_code folkmoot_open(const char *path, const struct folkmoot_host *host,
                                 struct folkmoot **fm, struct folkmoot_error *error);
void folkmoot_close(struct folkmoot **fm);

// --- communities ---

struct folkmoot_community {
    uint8_t id[16];
    char name[201];
    char address[256];  // of the hub
    uint8_t device[12]; // this device's handle
    char role[16];      // "volunteer", …; "" before the first sync told it
    uint32_t written;   // own changes
    uint32_t unsent;    // own changes without a receipt
    uint64_t known;     // changes of all devices that are here
    bool forked;        // see FOLKMOOT_FORKED
    bool revoked;       // the hub takes what this device has and gives nothing: join anew
    uint32_t carried;   // of the unsent ones, those of an old key that wait to be written anew
    uint64_t checked;   // entries of the hub's log that were checked
    uint32_t proved;    // own changes that were found in it
    char alarm[200];    // what was found to be wrong with it, and when; "": nothing
    bool damaged;       // the disk has damaged something: numbers here may be too low
};

// How many communities this device has joined; the i-th of them.
size_t folkmoot_community_count(struct folkmoot *fm);
enum folkmoot_code folkmoot_community_at(struct folkmoot *fm, size_t i,
                                         struct folkmoot_community *community);
// Chooses the one that the calls below speak of; at the start it is the first. id: 16 bytes.
enum folkmoot_code folkmoot_choose(struct folkmoot *fm, const uint8_t *id);

// --- writing ---

// One field's new value as people type it, by the field's name in record.proto:
//   text as it is; enums by their names in lower case ("for", "co_designed");
//   times "2026-11-23T10:00:00Z" or "2026-11-23"; days "2026-11-23"; amounts "1200" or "1200.50";
//   same "true"; references (about, party, speaker) by id in hexadecimal, about by KIND:ID too;
//   place "NAME", "NAME|CODE", "NAME|CODE|LAT,LON"; consent "WORDING|VERSION|TIME|PERSON|GUARDIAN",
//   where what is last may be left out. A "|" or "\" inside a part has a "\" before it.
// A register is replaced (all values that are live here are gone over), a set is added to. A NULL
// value clears the field; a set that is cleared and put in one call is replaced. Nothing is put as
// an empty text.
struct folkmoot_put {
    const char *field;
    const char *value;
};

// Creates a record of a kind ("need", "remark" …). time: when it was said, ms since 1970 UTC; 0:
// now. id: out, 16 bytes.
enum folkmoot_code folkmoot_add(struct folkmoot *fm, const char *kind,
                                const struct folkmoot_put *puts, size_t n, int64_t time,
                                uint8_t *id, struct folkmoot_error *error);
// Edits a record that is here, or a person (known by a card) of whom nothing is here yet. Where a
// put equals what stands there alone, nothing is written for it; with nothing to write, no change
// is made.
enum folkmoot_code folkmoot_edit(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                 const struct folkmoot_put *puts, size_t n, int64_t time,
                                 struct folkmoot_error *error);
// Takes one value out of a set, as folkmoot_record shows it.
enum folkmoot_code folkmoot_remove(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                   const char *field, const char *value, int64_t time,
                                   struct folkmoot_error *error);
struct folkmoot_correction {
    const char *field;
    const char *was;   // goes, wherever it stands; as folkmoot_record shows it. NULL: nothing goes
    const char *value; // comes, beside whatever else stands there. NULL: nothing comes
};

// Edits a record that is here, or was before all its values went, value by value: unlike
// folkmoot_edit it goes over nothing but what it is told, so that what others said in the meantime
// stands beside the new value. For what is kept elsewhere and brought up to date here: an import.
enum folkmoot_code folkmoot_correct(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                    const struct folkmoot_correction *corrections, size_t n,
                                    int64_t time, struct folkmoot_error *error);
// One person's stance ("for", "against", "unsure", "withdrawn") on a record, with the words in
// which they said why (NULL: none) and their language (NULL: not said). A stance that was said
// later stays. What is known already changes nothing: the same stance at the same time or, where
// time is 0, the stance that stands. Another stance leaves earlier words behind.
enum folkmoot_code folkmoot_voice(struct folkmoot *fm, const char *subject_kind,
                                  const uint8_t *subject, const uint8_t *person, const char *stance,
                                  const char *words, const char *language, int64_t time,
                                  struct folkmoot_error *error);
// The person known by a card's code (out: 16 bytes): normalised and hashed; the code is not kept.
enum folkmoot_code folkmoot_card(struct folkmoot *fm, const char *code, uint8_t *person,
                                 struct folkmoot_error *error);
// The person that this device speaks as (out: 16 bytes): a member may give this person's voice
// only.
enum folkmoot_code folkmoot_myself(struct folkmoot *fm, uint8_t *person,
                                   struct folkmoot_error *error);
// Says that two records of one kind (or two persons, kind "person") are one, or no longer.
enum folkmoot_code folkmoot_same(struct folkmoot *fm, const char *kind, const uint8_t *a,
                                 const uint8_t *b, bool same, int64_t time,
                                 struct folkmoot_error *error);
// Goes over the edits of this device's own change `seq` (0: its last) and brings back the values
// that it had gone over, as a new change; not where somebody has said something else since, nor
// where the words are not on this device. FOLKMOOT_INVALID when nothing of the change stands any
// more.
enum folkmoot_code folkmoot_undo(struct folkmoot *fm, uint32_t seq, struct folkmoot_error *error);

// Erases words, for ever. Of a record (of a person: kind "person", all that they said): a
// coordinator's call means everybody's words of it and of all that hangs on it, anybody else's, or
// one with own_only, those that this device wrote. What this device wrote is gone from its store
// when the call returns, and was never sent where it was not sent yet; the rest goes when the hub
// has decided, at the next sync, here as everywhere. erased (may be NULL): how many changes of this
// device lost their words now. FOLKMOOT_INVALID with own_only where there are none.
enum folkmoot_code folkmoot_erase(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                  bool own_only, uint32_t *erased, struct folkmoot_error *error);

// How many changes this device has written, so that a caller can see whether a call wrote one.
uint32_t folkmoot_written(struct folkmoot *fm);
// What an import called a record, so that importing again makes only the differences.
enum folkmoot_code folkmoot_named(struct folkmoot *fm, const char *name, char *kind, size_t kind_n,
                                  uint8_t *id);
enum folkmoot_code folkmoot_name(struct folkmoot *fm, const char *name, const char *kind,
                                 const uint8_t *id, struct folkmoot_error *error);
// Many writes in one commit: between begin and end nothing is on disk; an end with commit == false
// takes all of it back.
enum folkmoot_code folkmoot_begin(struct folkmoot *fm, struct folkmoot_error *error);
enum folkmoot_code folkmoot_end(struct folkmoot *fm, bool commit, struct folkmoot_error *error);

// --- reading ---

struct folkmoot_value {
    const char *text;   // as folkmoot_put takes it; unknown fields in hexadecimal
    uint8_t device[12]; // whose it is
    int64_t time;       // when it was said
    uint32_t seq;       // the change, in that device's chain
};

struct folkmoot_field {
    uint32_t number;
    const char *name; // "field 27" when this version does not know it
    bool set;
    bool tension;                        // a register with several live values that differ
    const struct folkmoot_value *values; // live; of a register the one that is shown comes last
    size_t values_n;
};

struct folkmoot_link {
    char kind[16];
    uint8_t id[16];
};

// A value that was gone over.
struct folkmoot_past {
    const char *field;  // "" when the words are not on this device, or the field is not known
    const char *text;   // NULL: the words are not on this device
    uint8_t device[12]; // whose it was
    int64_t time;
    uint8_t by_device[12]; // who went over it
    int64_t by_time;
};

struct folkmoot_stance {
    uint8_t person[16];
    const char *stance; // what counts
    const char *words;  // "" when none
    int64_t time;
};

struct folkmoot_record {
    char kind[16]; // "kind 99" when this version does not know it
    uint8_t id[16];
    const char *title;    // title, else the beginning of the words, else ""
    const uint8_t *bytes; // the record as a message: what every device with the same view has
    size_t bytes_n;
    const struct folkmoot_field *fields;
    size_t fields_n;
    uint32_t votes_for, votes_against, votes_unsure; // persons, each once, joined ones together
    const struct folkmoot_link *about;               // what it refers to (a voice: its subject)
    size_t about_n;
    const struct folkmoot_link *from; // what refers to it (voices are not among them)
    size_t from_n;
    const struct folkmoot_link *same; // what it is joined with
    size_t same_n;
    const struct folkmoot_stance *voices; // only with FOLKMOOT_WHOLE
    size_t voices_n;
    const struct folkmoot_past *past; // only with FOLKMOOT_WHOLE
    size_t past_n;
    bool damaged; // the disk has damaged something: values, voices or links may be missing here
    void *memory;
};

enum folkmoot_depth { FOLKMOOT_BRIEF, FOLKMOOT_WHOLE };

// Reads one record. The caller gives it back with folkmoot_record_done.
enum folkmoot_code folkmoot_record_get(struct folkmoot *fm, const char *kind, const uint8_t *id,
                                       enum folkmoot_depth depth, struct folkmoot_record *record,
                                       struct folkmoot_error *error);
void folkmoot_record_done(struct folkmoot_record *record);
// Calls `each` with every record of a kind (NULL: of all known kinds but voice, same_as and
// decision) in the order of kind and id, until it returns false. The record is valid during the
// call, in which the library may be called. FOLKMOOT_STORE at the end when a record was too damaged
// to be given, or may be missing.
enum folkmoot_code folkmoot_list(struct folkmoot *fm, const char *kind,
                                 bool (*each)(const struct folkmoot_record *, void *), void *arg,
                                 struct folkmoot_error *error);
// The picture, as far as this device is told what it is made of: numbers are kept as changes come
// in, so that asking costs the same whatever is here.
struct folkmoot_picture {
    uint32_t unanswered, solution, commitment, outcome; // needs, by the furthest that answers them
    uint32_t divided, tension, blocked;                 // needs; blocked: by constraints
    uint32_t votes_for, votes_against, votes_unsure;    // on needs: each person once on each
    uint32_t heard;                                     // persons with a voice on anything
};

// A record in the picture, with all that are joined with it.
struct folkmoot_pictured {
    uint8_t id[16]; // the least of those that are joined
    const char *title;
    const char *place; // its code, or else its name; "" when none
    uint32_t votes_for, votes_against, votes_unsure;
    int64_t since; // first said
    uint32_t solutions, commitments, outcomes;
    int64_t solution_since, commitment_since, outcome_since; // 0: none
    uint32_t financial, practical, policy, unspecified;      // constraints
    bool tension;
    bool has_due;
    int32_t due; // of a commitment: days since 1970-01-01
    uint32_t joined;
    bool damaged;
};

// FOLKMOOT_STORE when the counts are to be made anew: they are when the store is opened again.
enum folkmoot_code folkmoot_picture(struct folkmoot *fm, struct folkmoot_picture *picture,
                                    struct folkmoot_error *error);
// Calls `each` with how many persons have a voice on anything, for each sort of party for which one
// may speak ("" first: those who do not say), those of which nobody has among them; until it
// returns false.
enum folkmoot_code folkmoot_picture_heard(struct folkmoot *fm,
                                          bool (*each)(const char *party, uint32_t persons,
                                                       void *arg),
                                          void *arg, struct folkmoot_error *error);
// Gives at most `most` (200) needs of a list, the most voiced first, until `each` returns false:
// "most-voiced", "unanswered", "solution", "commitment", "outcome", "divided", "tension",
// "blocked", "strengths"; or "due": commitments, by when they are due. Valid during the call.
enum folkmoot_code folkmoot_picture_list(struct folkmoot *fm, const char *list, uint32_t most,
                                         bool (*each)(const struct folkmoot_pictured *, void *),
                                         void *arg, struct folkmoot_error *error);
// Calls `each` with every record whose title or words have all the words of the text (in any
// script; case, accents and points do not matter; what the text ends with may be the beginning of a
// word), until it returns false: whole words before beginnings, then titles before words, then what
// came last first. Personal records are not looked at. The text: at most 400 bytes and 32 words.
// The rest as folkmoot_list. Reads everything that is here.
enum folkmoot_code folkmoot_search(struct folkmoot *fm, const char *text,
                                   bool (*each)(const struct folkmoot_record *, void *), void *arg,
                                   struct folkmoot_error *error);
// Finds a record by the beginning of its id in hexadecimal (at least 4 digits), by "KIND:ID", by an
// import's name, or by its exact title. kind: out, at least 16 bytes; id: out, 16 bytes.
// FOLKMOOT_STORE when what it may name is damaged.
enum folkmoot_code folkmoot_find(struct folkmoot *fm, const char *text, char *kind, uint8_t *id,
                                 struct folkmoot_error *error);
// One hash (out: 32 bytes) over every record that is not personal, and how many there are: two
// devices with the same hash hold the same bytes for all of them. Reads everything.
enum folkmoot_code folkmoot_fingerprint(struct folkmoot *fm, uint8_t *hash, uint64_t *records,
                                        struct folkmoot_error *error);
// Kinds and fields, for help and for programs: the i-th kind's name, and the i-th field of a kind;
// NULL past the end.
const char *folkmoot_kind_name(size_t i);
const char *folkmoot_field_name(const char *kind, size_t i);
// What an enum field may say, the i-th value; NULL past the end or when it is no enum.
const char *folkmoot_field_value(const char *kind, const char *field, size_t i);

// An own change that the hub has set apart: it keeps its place and has no effect.
struct folkmoot_apart {
    uint32_t seq;
    char kind[16]; // of its record
    uint8_t id[16];
    int64_t time;    // when it was said
    const char *why; // a sentence
};

// Calls `each` with every one of them, in the order in which they were written, until it returns
// false. The library is not called meanwhile.
enum folkmoot_code folkmoot_list_apart(struct folkmoot *fm,
                                       bool (*each)(const struct folkmoot_apart *, void *),
                                       void *arg, struct folkmoot_error *error);

// --- sessions: joining, syncing, inviting ---
//
//   while (folkmoot_session_next(session, &request) == FOLKMOOT_SEND) {
//       send request over HTTP/2 and TLS, then for the answer:
//       folkmoot_session_answer(session, http_status, tls_key);
//       folkmoot_session_receive(session, part, n);    as often as parts of the body arrive
//       folkmoot_session_finish(session, whole);
//   }

struct folkmoot_session;

enum folkmoot_next { FOLKMOOT_SEND, FOLKMOOT_DONE, FOLKMOOT_FAILED };

struct folkmoot_request {
    const char *address;    // HOST:PORT
    const char *path;       // "/folkmoot.v1.SyncService/Sync": POST, content-type application/proto
    const char *token;      // for "authorization: Bearer …"; NULL: no such header
    const uint8_t *tls_key; // SHA-256 of the DER SubjectPublicKeyInfo that the connection's
                            // certificate must have: send nothing to any other. NULL: any, nothing
                            // secret is in the request. No certificate authority is asked.
    const uint8_t *body;
    size_t body_n;
};

// A session that joins a community by its link and, once it is done, chooses it. The link is
// copied. After a lost answer join again by the same link: the device stays the same. In a store
// that is a copy or was revoked it makes a new key: at the end of the next sync what has no receipt
// is written anew under it, and every id of a record that was begun here and never sent is another
// one then.
enum folkmoot_code folkmoot_join(struct folkmoot *fm, const char *link,
                                 struct folkmoot_session **session, struct folkmoot_error *error);
// A session that syncs the chosen community until neither side has more. A session cannot go on
// between folkmoot_begin and folkmoot_end, and is done before its struct folkmoot is closed.
enum folkmoot_code folkmoot_sync(struct folkmoot *fm, struct folkmoot_session **session,
                                 struct folkmoot_error *error);
// The same, and proves a change of somebody else in the end, by one request more (else only now and
// then).
enum folkmoot_code folkmoot_sync_and_check(struct folkmoot *fm, struct folkmoot_session **session,
                                           struct folkmoot_error *error);
struct folkmoot_invitation {
    const char *role;  // "member", "volunteer", "coordinator" or "observer"
    const char *label; // what the device will be called in the admin's lists; NULL: nothing
    int64_t valid_ms;  // 0: 7 days. A minute to a year
    uint32_t uses;     // for how many devices; 0: 1
};

// A session by which a coordinator makes an invitation.
enum folkmoot_code folkmoot_invite(struct folkmoot *fm,
                                   const struct folkmoot_invitation *invitation,
                                   struct folkmoot_session **session, struct folkmoot_error *error);
// Its link once it is done, valid as long as the session; else NULL. Whoever has it may join.
// expires: ms since 1970 UTC.
const char *folkmoot_session_link(const struct folkmoot_session *session, int64_t *expires);
// --- letters: for a device without a line ---

// A letter is a sync that somebody else carries: sealed to the hub, so that whoever carries it can
// neither read nor alter it. The answer comes back sealed to this device. A letter that is lost,
// late, or delivered twice does no harm.

// Writes what the chosen community's hub is to be told, as far as fits one letter, and asks for
// what is new there. *letter: to be freed with free(). left: own changes that did not fit.
enum folkmoot_code folkmoot_letter_write(struct folkmoot *fm, uint8_t **letter, size_t *n,
                                         uint32_t *left, struct folkmoot_error *error);

enum folkmoot_letter {
    FOLKMOOT_LETTER_NONE,      // these bytes are no letter
    FOLKMOOT_LETTER_TO_HUB,    // to be delivered
    FOLKMOOT_LETTER_ANSWER,    // to this device: to be read
    FOLKMOOT_LETTER_OTHERS,    // an answer to another device
    FOLKMOOT_LETTER_ELSEWHERE, // of another community than the chosen one
};

// What a letter is, as far as can be told without opening it.
enum folkmoot_letter folkmoot_letter_kind(struct folkmoot *fm, const void *letter, size_t n);
struct folkmoot_progress;
// Takes in the hub's answer to this device. Not between folkmoot_begin and folkmoot_end.
enum folkmoot_code folkmoot_letter_read(struct folkmoot *fm, const void *letter, size_t n,
                                        struct folkmoot_progress *progress,
                                        struct folkmoot_error *error);
// A session that delivers somebody's letter, which is copied.
enum folkmoot_code folkmoot_deliver(struct folkmoot *fm, const void *letter, size_t n,
                                    struct folkmoot_session **session,
                                    struct folkmoot_error *error);
// The answer once it is done, to be carried back; valid as long as the session. NULL: none.
const void *folkmoot_session_letter(const struct folkmoot_session *session, size_t *n);

// Somebody has read the chosen community's alarm: the next one will be kept.
enum folkmoot_code folkmoot_acknowledge(struct folkmoot *fm, struct folkmoot_error *error);
enum folkmoot_next folkmoot_session_next(struct folkmoot_session *session,
                                         struct folkmoot_request *request);
// http_status when no connection came about, so that nothing of the request can have arrived.
enum { FOLKMOOT_NOT_SENT = -1 };

// The answer begins. http_status FOLKMOOT_NOT_SENT, or 0: no answer, or the connection's key was
// not tls_key (then give the key that it had, else NULL). tls_key: the key's SHA-256, 32 bytes.
void folkmoot_session_answer(struct folkmoot_session *session, int http_status,
                             const uint8_t *tls_key);
// A part of the answer's body. Whole pieces are kept at once.
void folkmoot_session_receive(struct folkmoot_session *session, const void *part, size_t n);
// The answer is over; whole: it was not cut short.
void folkmoot_session_finish(struct folkmoot_session *session, bool whole);

struct folkmoot_progress {
    uint32_t requests;
    uint64_t bytes_out, bytes_in; // of bodies
    uint32_t pushed;              // own changes with a receipt by this session
    uint32_t pulled;              // changes taken in
    uint32_t apart;               // own changes that the hub set apart
    uint32_t carried;             // own changes of an old key that were written anew
    uint32_t unsent;              // still without a receipt
    uint64_t log_size;            // of the hub's log as it was checked; 0: nothing was new
    uint32_t checked;             // own changes that were found in it by this session
    uint32_t sampled;             // changes of others that were proved
    bool alarm;                   // something is wrong with the log: see folkmoot_community
};

// At any time, also after a failure.
void folkmoot_session_progress(const struct folkmoot_session *session,
                               struct folkmoot_progress *progress);
// Why folkmoot_session_next said FOLKMOOT_FAILED.
const struct folkmoot_error *folkmoot_session_error(const struct folkmoot_session *session);
void folkmoot_session_done(struct folkmoot_session **session);

#ifdef __cplusplus
}
#endif
