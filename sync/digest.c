#include "sync/digest.h"

static const uint8_t zeros[HASH_SIZE];

// Fixed-width fields that may be absent: zeros stand for them.
static struct bytes or_zeros(struct bytes bytes, size_t n)
{
    return bytes.n == n ? bytes : bytes_of(zeros, n);
}

static void hash_cut(struct hash *hash, uint8_t *out, size_t n)
{
    uint8_t full[HASH_SIZE];
    hash_end(hash, full);
    memcpy(out, full, n);
}

void digest_community(const uint8_t identity_key[KEY_SIZE], const uint8_t nonce[16],
                      uint8_t community[COMMUNITY_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot community v1");
    hash_put(&hash, bytes_of(identity_key, KEY_SIZE));
    hash_put(&hash, bytes_of(nonce, 16));
    hash_cut(&hash, community, COMMUNITY_SIZE);
}

void digest_handle(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                   uint8_t handle[HANDLE_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot handle v1");
    hash_put(&hash, bytes_of(community, COMMUNITY_SIZE));
    hash_put(&hash, bytes_of(key, KEY_SIZE));
    hash_cut(&hash, handle, HANDLE_SIZE);
}

void digest_body(const uint8_t salt[SALT_SIZE], struct bytes fields, uint8_t body_hash[HASH_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot body v1");
    hash_put(&hash, bytes_of(salt, SALT_SIZE));
    hash_put(&hash, fields);
    hash_end(&hash, body_hash);
}

void digest_leaf(struct bytes envelope, const uint8_t body_hash[HASH_SIZE], uint8_t leaf[HASH_SIZE])
{
    struct hash hash;
    uint8_t envelope_hash[HASH_SIZE];
    hash_begin(&hash, "folkmoot envelope v1");
    hash_put(&hash, envelope);
    hash_end(&hash, envelope_hash);
    hash_begin(&hash, "folkmoot leaf v1");
    hash_put(&hash, BYTES(envelope_hash));
    hash_put(&hash, bytes_of(body_hash, HASH_SIZE));
    hash_end(&hash, leaf);
}

void digest_head(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE], uint32_t seq,
                 const uint8_t leaf[HASH_SIZE], uint8_t head[HASH_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot head v1");
    hash_put(&hash, bytes_of(community, COMMUNITY_SIZE));
    hash_put(&hash, bytes_of(key, KEY_SIZE));
    hash_put_be32(&hash, seq);
    hash_put(&hash, bytes_of(head, HASH_SIZE));
    hash_put(&hash, bytes_of(leaf, HASH_SIZE));
    hash_end(&hash, head);
}

void digest_record_id(uint32_t kind, struct list parts, uint8_t id[ID_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot id v1");
    hash_put_be32(&hash, kind);
    for (size_t i = 0; i < parts.n; i++)
        hash_put_sized(&hash, *LIST_AT(struct bytes, parts, i));
    hash_cut(&hash, id, ID_SIZE);
}

void digest_created_id(const uint8_t handle[HANDLE_SIZE], uint32_t seq, uint32_t tag,
                       uint8_t id[ID_SIZE])
{
    memcpy(id, handle, 8);
    be32_put(id + 8, seq);
    be32_put(id + 12, tag);
}

void digest_card(const uint8_t community[COMMUNITY_SIZE], struct bytes code, uint8_t id[ID_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot card v1");
    hash_put(&hash, bytes_of(community, COMMUNITY_SIZE));
    hash_put_sized(&hash, code);
    hash_cut(&hash, id, ID_SIZE);
}

void digest_member(const uint8_t community[COMMUNITY_SIZE], const uint8_t handle[HANDLE_SIZE],
                   uint8_t id[ID_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot member v1");
    hash_put(&hash, bytes_of(community, COMMUNITY_SIZE));
    hash_put(&hash, bytes_of(handle, HANDLE_SIZE));
    hash_cut(&hash, id, ID_SIZE);
}

void digest_log_leaf(uint64_t position, const uint8_t device[HANDLE_SIZE], uint32_t seq,
                     const uint8_t leaf[HASH_SIZE], uint8_t node[HASH_SIZE])
{
    static const char label[] = "folkmoot log entry v1";
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put_u8(&hash, 0);
    hash_put(&hash, BYTES(label));
    hash_put_be64(&hash, position);
    hash_put(&hash, bytes_of(device, HANDLE_SIZE));
    hash_put_be32(&hash, seq);
    hash_put(&hash, bytes_of(leaf, HASH_SIZE));
    hash_end(&hash, node);
}

void digest_log_node(const uint8_t left[HASH_SIZE], const uint8_t right[HASH_SIZE],
                     uint8_t node[HASH_SIZE])
{
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put_u8(&hash, 1);
    hash_put(&hash, bytes_of(left, HASH_SIZE));
    hash_put(&hash, bytes_of(right, HASH_SIZE));
    hash_end(&hash, node);
}

void digest_invitation(const uint8_t code[CODE_SIZE], uint8_t hash_out[HASH_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot invitation v1");
    hash_put(&hash, bytes_of(code, CODE_SIZE));
    hash_end(&hash, hash_out);
}

void digest_export(const uint8_t community[COMMUNITY_SIZE], uint32_t audience,
                   uint8_t handle[HANDLE_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot export v1");
    hash_put(&hash, bytes_of(community, COMMUNITY_SIZE));
    hash_put_be32(&hash, audience);
    hash_cut(&hash, handle, HANDLE_SIZE);
}

void digest_token(const uint8_t token[TOKEN_SIZE], uint8_t hash_out[HASH_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot token v1");
    hash_put(&hash, bytes_of(token, TOKEN_SIZE));
    hash_end(&hash, hash_out);
}

static void put_label(struct buf *out, const char *label)
{
    buf_put(out, bytes_of(label, strlen(label) + 1));
}

void digest_run_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                           uint32_t last, const uint8_t head[HASH_SIZE],
                           const struct log_head *seen, struct buf *out)
{
    put_label(out, "folkmoot run v1");
    buf_put(out, bytes_of(community, COMMUNITY_SIZE));
    buf_put(out, bytes_of(key, KEY_SIZE));
    buf_put_be32(out, last);
    buf_put(out, bytes_of(head, HASH_SIZE));
    buf_put(out, or_zeros(seen ? seen->log : (struct bytes){0}, HANDLE_SIZE));
    buf_put_be64(out, seen ? seen->size : 0);
    buf_put(out, or_zeros(seen ? seen->root : (struct bytes){0}, HASH_SIZE));
}

void digest_incarnation_transcript(const uint8_t community[COMMUNITY_SIZE],
                                   const uint8_t chain_key[KEY_SIZE],
                                   const struct incarnation *incarnation, struct buf *out)
{
    put_label(out, "folkmoot incarnation v1");
    buf_put(out, bytes_of(community, COMMUNITY_SIZE));
    buf_put(out, bytes_of(chain_key, KEY_SIZE));
    buf_put(out, or_zeros(incarnation->nonce, 16));
    buf_put(out, or_zeros(incarnation->previous_log, HANDLE_SIZE));
    buf_put_be64(out, incarnation->previous_size);
    buf_put(out, or_zeros(incarnation->previous_root, HASH_SIZE));
    buf_put_be32(out, incarnation->previous_seq);
}

void digest_head_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t log[HANDLE_SIZE],
                            uint64_t size, const uint8_t root[HASH_SIZE], struct buf *out)
{
    put_label(out, "folkmoot log head v1");
    buf_put(out, bytes_of(community, COMMUNITY_SIZE));
    buf_put(out, bytes_of(log, HANDLE_SIZE));
    buf_put_be64(out, size);
    buf_put(out, bytes_of(root, HASH_SIZE));
}

void digest_tls_transcript(struct bytes nonce, const uint8_t tls_key[32], struct buf *out)
{
    put_label(out, "folkmoot tls v1");
    buf_put(out, or_zeros(nonce, 16));
    buf_put(out, bytes_of(tls_key, 32));
}

void digest_enrol_transcript(const struct enrol_transcript *transcript, struct buf *out)
{
    const uint8_t *invitation = transcript->invitation_hash ? transcript->invitation_hash : zeros;
    put_label(out, "folkmoot enrol v1");
    buf_put_u8(out, (uint8_t)transcript->purpose);
    buf_put(out, bytes_of(transcript->hub_key, KEY_SIZE));
    buf_put(out, bytes_of(transcript->community, COMMUNITY_SIZE));
    buf_put(out, bytes_of(transcript->device_key, KEY_SIZE));
    buf_put(out, bytes_of(invitation, HASH_SIZE));
    buf_put(out, or_zeros(transcript->challenge, 16));
    buf_put_be64(out, (uint64_t)transcript->expires);
}

void digest_letter_transcript(const uint8_t community[COMMUNITY_SIZE], const uint8_t key[KEY_SIZE],
                              const uint8_t encapsulated[KEY_SIZE], const uint8_t nonce[16],
                              struct bytes request, struct bytes memo, struct buf *out)
{
    struct hash hash;
    uint8_t content[HASH_SIZE];
    hash_begin(&hash, "folkmoot letter content v1");
    hash_put_sized(&hash, request);
    hash_put_sized(&hash, memo);
    hash_end(&hash, content);
    put_label(out, "folkmoot letter v1");
    buf_put(out, bytes_of(community, COMMUNITY_SIZE));
    buf_put(out, bytes_of(key, KEY_SIZE));
    buf_put(out, bytes_of(encapsulated, KEY_SIZE));
    buf_put(out, bytes_of(nonce, 16));
    buf_put(out, BYTES(content));
}

void digest_letter_ephemeral(const uint8_t seed[32], const uint8_t nonce[16],
                             uint8_t ephemeral[KEY_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot letter ephemeral v1");
    hash_put(&hash, bytes_of(seed, 32));
    hash_put(&hash, bytes_of(nonce, 16));
    hash_end(&hash, ephemeral);
    bytes_wipe(&hash, sizeof hash);
}

void digest_letter_memo(const uint8_t seed[32], const uint8_t nonce[16], struct bytes memo,
                        uint8_t check[CUT_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "folkmoot letter memo v1");
    hash_put(&hash, bytes_of(seed, 32));
    hash_put(&hash, bytes_of(nonce, 16));
    hash_put_sized(&hash, memo);
    hash_cut(&hash, check, CUT_SIZE);
    bytes_wipe(&hash, sizeof hash);
}
