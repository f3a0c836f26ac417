#pragma once

// Every preimage of the protocol, one function a row of the table in docs/protocol.md section 2.
// Transcripts are what is signed; they go to a buffer. Any thread.

#include "base/hash.h"
#include "proto/messages.h"

void digest_community(const uint8_t identity_key[KEY_SIZE], const uint8_t nonce[16],
                      uint8_t community[COMMUNITY_SIZE]);
void digest_handle(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                   uint8_t handle[HANDLE_SIZE]);
void digest_body(const uint8_t salt[SALT_SIZE], struct bytes fields, uint8_t body_hash[HASH_SIZE]);
void digest_leaf(struct bytes envelope, const uint8_t body_hash[HASH_SIZE],
                 uint8_t leaf[HASH_SIZE]);
// Goes one step along the chain: head is that of seq - 1 before, of seq afterwards.
void digest_head(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE], uint32_t seq,
                 const uint8_t leaf[HASH_SIZE], uint8_t head[HASH_SIZE]);
// The id of a record with parts.
void digest_record_id(uint32_t kind, struct list parts, uint8_t id[ID_SIZE]);
// The id of the record that a change creates.
void digest_created_id(const uint8_t handle[HANDLE_SIZE], uint32_t seq, uint32_t tag,
                       uint8_t id[ID_SIZE]);
// The person known by a card; code normalised (NFKC, upper case, no spaces or hyphens).
void digest_card(const uint8_t community[COMMUNITY_SIZE], struct bytes code, uint8_t id[ID_SIZE]);
// The person that a member speaks as: known by their first device, and nobody else can claim it.
void digest_member(const uint8_t community[COMMUNITY_SIZE], const uint8_t handle[HANDLE_SIZE],
                   uint8_t id[ID_SIZE]);
void digest_log_leaf(uint64_t position, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                     const uint8_t leaf[HASH_SIZE], uint8_t node[HASH_SIZE]);
void digest_log_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
                     uint8_t node[HASH_SIZE]);
void digest_invitation(const uint8_t code[CODE_SIZE], uint8_t hash[HASH_SIZE]);
// The observer that everybody is who is given an export for this audience (enum audience).
void digest_export(const uint8_t community[COMMUNITY_SIZE], uint32_t audience,
                   uint8_t handle[HANDLE_SIZE]);
void digest_token(const uint8_t token[TOKEN_SIZE], uint8_t hash[HASH_SIZE]);

// seen may be NULL: none.
void digest_run_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                           uint32_t last, const uint8_t head[HASH_SIZE],
                           const struct log_head *seen, struct buf *out);
void digest_incarnation_transcript(const uint8_t community[COMMUNITY_SIZE],
                                   const uint8_t chain_key[KEY_SIZE],
                                   const struct incarnation *incarnation, struct buf *out);
// What a hub signs of its log, with its chain key.
void digest_head_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t log[HANDLE_SIZE],
                            uint64_t size, const uint8_t root[HASH_SIZE], struct buf *out);
// nonce empty: none.
void digest_tls_transcript(struct bytes nonce, const uint8_t tls_key[32], struct buf *out);

// PURPOSE_SUCCEED: by an earlier key of whoever speaks, for the new one that it is to be taken for.
enum enrol_purpose { PURPOSE_ENROL = 1, PURPOSE_LOGIN = 2, PURPOSE_SUCCEED = 3 };

struct enrol_transcript {
    enum enrol_purpose purpose;
    const uint8_t *hub_key;         // KEY_SIZE
    const uint8_t *community;       // COMMUNITY_SIZE
    const uint8_t *device_key;      // KEY_SIZE
    const uint8_t *invitation_hash; // HASH_SIZE; NULL: none
    struct bytes challenge;         // 16
    int64_t expires;
};

void digest_enrol_transcript(const struct enrol_transcript *transcript, struct buf *out);

// What the author of a letter signs. key: the device's; encapsulated: the letter's.
void digest_letter_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                              const uint8_t encapsulated[KEY_SIZE], const uint8_t nonce[16],
                              struct bytes request, struct bytes memo, struct buf *out);
// Of the device's own secret seed: the ephemeral key of its letter with that nonce, and the check
// by which it knows a memo of its own.
void digest_letter_ephemeral(const uint8_t seed[32], const uint8_t nonce[16],
                             uint8_t ephemeral[KEY_SIZE]);
void digest_letter_memo(const uint8_t seed[32], const uint8_t nonce[16], struct bytes memo,
                        uint8_t check[CUT_SIZE]);
