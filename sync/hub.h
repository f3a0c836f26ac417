#pragma once

// The one header of the hub_*.c family. What a hub does with a request: (transaction, caller, now,
// request) -> response. No clock, no randomness, no I/O but through the transaction. Whatever a
// response points to lives in the arena.
//
// A push is checked against a read transaction on any thread (hub_check_push: form, signatures),
// and taken by the one writer (hub_push), many to a commit; a pull runs in a read transaction after
// it. Faults of the peer come back as ERR_MALFORMED, ERR_LIMIT, ERR_VERSION, ERR_UNAUTHENTICATED,
// ERR_FORBIDDEN, ERR_NOT_FOUND or ERR_WRONG_STATE with a sentence; nothing was changed then.

#include "base/arena.h"
#include "base/sign.h"
#include "proto/messages_picture.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/record.h"
#include "sync/kept.h"
#include "sync/letter.h"
#include "sync/population.h"
#include "sync/role.h"
#include "sync/search.h"

// What holds for all communities of the hub. A limit of zero: there is none.
enum { HUB_OBSERVER_LEAST = 5 };

struct hub_policy {
    int64_t token_ms;       // a token is changed for another after so long; after three times as
                            // long it is void
    uint32_t changes_a_day; // that one device may push
    uint64_t bytes_a_day;   // beyond which it may push small changes only
    uint8_t
        observer_secret[32]; // of this hub alone: makes the names by which observers know records
    uint32_t observer_least; // numbers of the picture are told observers as multiples of this; 0:
                             // of HUB_OBSERVER_LEAST
    const struct population *population; // beside which the picture tells who was not heard, on the
                                         // loop's thread; NULL: none
};

struct hub_caller {
    struct community community;
    struct device device;
    struct hub_policy policy;
    int64_t now;        // ms since 1970 UTC
    bool token_is_due;  // for another
    bool token_is_next; // used for the first time: the one before is void from now on
};

// Who has this token, and may they make this call? ERR_UNAUTHENTICATED, ERR_FORBIDDEN.
enum err hub_authenticate(struct txn *txn, const uint8_t token[TOKEN_SIZE], enum role_call call,
                          const struct hub_policy *policy, int64_t now, struct hub_caller *caller,
                          struct fault *fault) must_check;

// What a write did that whoever holds connections must act upon.
struct hub_effects {
    bool revoked;   // a device of the community
    bool erased;    // words of the community
    uint64_t words; // of so many changes they were erased
    uint32_t taken; // changes of a push that are new
    uint32_t apart; // of them those that were set apart
    uint32_t first; // of the hub's own changes by which all of it was decided; 0: nothing was
    uint32_t last;
};

// What a Sync does with its caller's token (write transaction): the first use of the next one voids
// the one before; one that is due gets a next one, made of these random bytes. renewed: whether
// `token` is the device's next one now.
void hub_turn_token(struct txn *txn, const struct hub_caller *caller,
                    const uint8_t token[TOKEN_SIZE], bool *renewed);

// Makes decisions: who asks, and what they need. One for each transaction and source of salts.
struct hub_decider {
    struct txn *txn;
    struct community *community; // its size grows; the caller stores it no more
    int64_t now;
    const uint8_t *random; // 32 bytes that make the salts, never used twice
    uint32_t used;         // salts so far
    struct fault *fault;
    struct hub_effects effects;
};

// --- founding, inviting, enrolling ---

// Random bytes that founding uses up.
struct hub_found_random {
    uint8_t nonce[16];
    uint8_t chain_seed[SIGN_SEED_SIZE];
    uint8_t salt[SALT_SIZE];
};

// Founds a community whose hub this is (write transaction). The name: 1 to 200 bytes of UTF-8.
enum err hub_found(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE], struct bytes name,
                   int64_t now, const struct hub_found_random *random, struct community *community,
                   struct fault *fault) must_check;
struct hub_invitation {
    enum role role; // member, volunteer, coordinator or observer
    struct bytes label;
    int64_t expires; // ms since 1970 UTC
    uint32_t uses;   // for how many devices, 1 to INVITATION_USES_MAX
};

// Makes an invitation from a random code (write transaction): an administrator's; or a device's,
// which holds only as long as its maker may invite.
enum err hub_invite(struct txn *txn, const struct community *community,
                    const struct hub_invitation *invitation, const uint8_t code[CODE_SIZE],
                    struct fault *fault) must_check;
enum err hub_invite_as(struct txn *txn, const struct hub_caller *caller,
                       const struct hub_invitation *invitation, const uint8_t code[CODE_SIZE],
                       struct fault *fault) must_check;

// The challenge that Info gives and Enrol and Login bring back: SHA-256 over a secret of the
// process and the expiry, cut to 16 bytes.
void hub_challenge(const uint8_t secret[32], int64_t expires, uint8_t challenge[16]);

struct hub_admitting {
    const uint8_t *identity_key;     // KEY_SIZE
    const uint8_t *challenge_secret; // 32
    int64_t now;
    const uint8_t *token;  // TOKEN_SIZE random bytes, the device's if it is admitted
    const uint8_t *random; // 32 random bytes
};

// Both need a write transaction. They check challenge, expiry, invitation and signature.
enum err hub_enrol(struct txn *txn, const struct hub_admitting *admitting,
                   const struct enrol_request *request, struct arena *arena,
                   struct admission *response, struct fault *fault) must_check;
enum err hub_login(struct txn *txn, const struct hub_admitting *admitting,
                   const struct login_request *request, struct arena *arena,
                   struct admission *response, struct fault *fault) must_check;

// The hub was restored from an older copy: a new chain begins, and a new log that goes on from
// where the one in the store ends. What the old one held beyond that counts for nobody any more;
// what must not be forgotten is decided again (hub_erase_again). Devices notice what they had seen
// and is no more, and give back what is their own. identity_seed: of who founded the community.
// Needs a write transaction.
enum err hub_begin_anew(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE], int64_t now,
                        const struct hub_found_random *random, struct community *community,
                        struct fault *fault) must_check;

// --- deciding (write transactions; the decision takes effect at once) ---

// Gives a device a role from its next change on; nothing is decided where it has it. ERR_NOT_FOUND,
// ERR_MALFORMED.
enum err hub_grant(struct hub_decider *decider, const struct record_key *asked,
                   const uint8_t handle[HANDLE_SIZE], enum role role) must_check;
// Revokes a device from its next change on, and voids its tokens; nothing is decided where it is
// revoked.
enum err hub_revoke(struct hub_decider *decider, const struct record_key *asked,
                    const uint8_t handle[HANDLE_SIZE]) must_check;
// Withdraws all revocations of a device; ERR_WRONG_STATE where there is none. What it wrote
// meanwhile stays set apart until released.
enum err hub_reinstate(struct hub_decider *decider, const struct record_key *asked,
                       const uint8_t handle[HANDLE_SIZE]) must_check;
// Withdraws the refusals of changes of a device, those from seq `from` to `to`, that its revocation
// set apart; where they are one, also what its role did not allow. They take effect, and enter the
// log anew. What a coordinator may not write, or is malformed, stays apart. What they ask of the
// hub is done. released: how many.
enum err hub_release(struct hub_decider *decider, const struct record_key *asked,
                     const uint8_t handle[HANDLE_SIZE], uint32_t from, uint32_t to,
                     uint32_t *released) must_check;

// What is to be erased, and by whose right.
struct hub_erasing {
    const uint8_t *by;   // HANDLE_SIZE: what was written by this device, and by earlier and later
                         // keys of the same person; NULL: what anybody wrote
    struct list changes; // struct change_ref; an empty device is `by`
    struct list records; // struct ref: with all that hangs on them; a Person: all that they said.
                         // They are sorted
    struct list asked;   // struct record_key: the records in which somebody asked; none: the admin
};

// Erases what is named and here: the words are gone from the store's files once the transaction is
// committed. With everybody's right the records are closed for ever, too. erased: how many changes.
enum err hub_erase(struct hub_decider *decider, const struct hub_erasing *what,
                   uint64_t *erased) must_check;
// Erases what may be kept no longer (FIELD_KEEP_UNTIL), by the right of whoever said so.
enum err hub_erase_due(struct hub_decider *decider, uint64_t *erased) must_check;
// After a restore: decides anew what was decided before and is not in this store, also of changes
// that are not here. Orders of other communities are passed over.
enum err hub_erase_again(struct hub_decider *decider, const struct store_order *orders, size_t n,
                         uint64_t *erased) must_check;
// The same of roles and revocations that the database does not know, in their order. Then it knows
// them (store_orders_known).
enum err hub_roles_again(struct hub_decider *decider, const struct store_order *orders,
                         size_t n) must_check;

// --- sync ---

struct hub_push_plan; // checked runs; lives in the arena

// Checks form, limits, signatures and the day's quota of everything pushed (read transaction). The
// plan may be NULL when there is nothing to write. ERR_QUOTA: later, or less at once.
enum err hub_check_push(struct txn *txn, const struct hub_caller *caller,
                        const struct sync_request *request, struct arena *arena,
                        struct hub_push_plan **plan, struct fault *fault) must_check;
// Takes the plan (write transaction): what is new goes to the log, what its kind or its author's
// role refuses is set apart by a decision, what it asks of the hub is decided. Receipts are true
// once the transaction is committed. `random` makes salts for decisions: 32 bytes, never used
// twice.
enum err hub_push(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const uint8_t random[32], struct hub_push_plan *plan, struct arena *arena,
                  struct list *receipts, struct hub_effects *effects,
                  struct fault *fault) must_check;
// How far the pieces of an answer are made. An answer that takes long is made in slices of some
// milliseconds, each in a transaction of its own, so that nobody waits long for somebody else's;
// each piece is true for itself. Zeros at first, but for `kept`; so again where words were erased
// meanwhile.
struct hub_pulled {
    struct kept *kept; // what was packed for others; the caller's, NULL: none
    bool is_begun;
    bool is_unfinished; // the response is not to be sent yet: call again
    uint64_t from;      // where the cursor stood
    uint64_t position;  // the last entry that was looked at
    size_t wanted;      // packed bytes of an answer
    size_t budget;      // of them those that may still be given
    size_t unpacked;    // bytes given before packing
    uint32_t view;
    struct list pieces; // struct piece, the arena's
};

// Fills the rest of the response (read transaction that sees the push). `receipts` as hub_push
// gave them, or empty. A revoked device gets them alone. pulled: NULL: all of it at once.
enum err hub_pull(struct txn *txn, const struct hub_caller *caller, int64_t now,
                  const struct sync_request *request, struct list receipts, struct arena *arena,
                  struct hub_pulled *pulled, struct sync_response *response,
                  struct fault *fault) must_check;
// Opens a letter that the caller delivers (unless *request is there already), and makes its author
// the caller: they are the one who syncs (any transaction). *request: what they ask of Sync, the
// arena's. ERR_MALFORMED, ERR_VERSION,
// ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_NOT_FOUND.
enum err hub_open_letter(struct txn *txn, const uint8_t identity_seed[SIGN_SEED_SIZE],
                         const struct letter *letter, struct arena *arena,
                         struct hub_caller *caller, struct letter_opened *opened,
                         const struct sync_request **request, struct fault *fault) must_check;
// Proves a change, or the consistency of two states of the log, or both (read transaction).
enum err hub_prove(struct txn *txn, const struct hub_caller *caller,
                   const struct prove_request *request, struct arena *arena,
                   struct prove_response *response, struct fault *fault) must_check;
// Adds what was heard of the device since to what is noted of it. A sync that was refused leaves
// last_sync and written at 0, and its error; one that was not, no error.
void hub_add_contact(struct contact *to, const struct contact *since);
// The same, in the store (write transaction; may share one with others).
void hub_note_contact(struct txn *txn, const struct hub_caller *caller,
                      const struct contact *since);

// --- records ---

// The policy's secret, made of the identity key's seed: a restored hub names records as before.
void hub_observer_secret(const uint8_t identity_seed[SIGN_SEED_SIZE], uint8_t secret[32]);

enum err hub_get(struct txn *txn, const struct hub_caller *caller,
                 const struct get_request *request, struct arena *arena,
                 struct get_response *response, struct fault *fault) must_check;
// How far all records were given.
struct hub_exported {
    bool is_begun;
    bool has_ended;
    bool is_one_kind;
    uint32_t kind;
    uint8_t after[ID_SIZE]; // as the caller knows it
    bool has_after;
};

// The next page of all records, and moves `exported` on; to be called until it has ended. Once
// begun, `request` is not looked at.
enum err hub_export(struct txn *txn, const struct hub_caller *caller,
                    const struct export_request *request, struct hub_exported *exported,
                    struct arena *arena, struct export_response *response,
                    struct fault *fault) must_check;
enum err hub_list(struct txn *txn, const struct hub_caller *caller,
                  const struct list_request *request, struct arena *arena,
                  struct list_response *response, struct fault *fault) must_check;
// Looks for words. search: the community's index; NULL: there is none yet, and nothing is found.
enum err hub_search(struct txn *txn, const struct hub_caller *caller, struct search *search,
                    const struct search_request *request, struct arena *arena,
                    struct search_response *response, struct fault *fault) must_check;
enum err hub_me(struct txn *txn, const struct hub_caller *caller, struct arena *arena,
                struct me_response *response, struct fault *fault) must_check;

// --- the picture (sync/picture.h says what is answered, and the errors) ---

enum err hub_picture(struct txn *txn, const struct hub_caller *caller,
                     const struct picture_request *request, struct arena *arena,
                     struct picture_response *response, struct fault *fault) must_check;
enum err hub_show(struct txn *txn, const struct hub_caller *caller,
                  const struct show_request *request, struct arena *arena,
                  struct show_response *response, struct fault *fault) must_check;
enum err hub_record(struct txn *txn, const struct hub_caller *caller,
                    const struct record_request *request, struct arena *arena,
                    struct record_response *response, struct fault *fault) must_check;

// What a caller who listens has been told.
struct hub_watched {
    bool is_begun;
    uint8_t log[HANDLE_SIZE];
    uint64_t position; // the last entry that was looked at
};

// What has changed since, and moves `watched` on (read transaction; to be called again and again).
// Once begun, `request` is not looked at. response->changed is empty and `more` false where nothing
// has changed for this caller.
enum err hub_watch(struct txn *txn, const struct hub_caller *caller,
                   const struct watch_request *request, struct hub_watched *watched,
                   struct arena *arena, struct watch_response *response,
                   struct fault *fault) must_check;
enum err hub_trail(struct txn *txn, const struct hub_caller *caller,
                   const struct trail_request *request, struct arena *arena,
                   struct trail_response *response, struct fault *fault) must_check;
