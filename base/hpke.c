#include "base/hpke.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { MAC_SIZE = 32, EXPORTED = 32 };

// Of the key encapsulation, and of the whole (RFC 9180 sections 4.1 and 5.1): 0x0020 is X25519 with
// HKDF-SHA256, 0x0001 HKDF-SHA256, 0x0003 ChaCha20-Poly1305.
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0, 0x20};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0, 0x20, 0, 1, 0, 3};

// --- HKDF (RFC 5869), of which one block is all that is asked ---

static enum err mac(struct bytes key, const struct buf *data, uint8_t out[MAC_SIZE])
{
    static const uint8_t none[1];
    const uint8_t *p = key.n ? key.p : none;
    if (data->err)
        return data->err;
    return HMAC(EVP_sha256(), p, (int)key.n, data->p, data->n, out, NULL) ? OK : ERR_NOMEM;
}

static enum err extract(struct bytes salt, struct bytes suite, const char *label, struct bytes ikm,
                        uint8_t out[MAC_SIZE])
{
    struct buf data BUF_CLEANUP = {0};
    buf_put_text(&data, "HPKE-v1");
    buf_put(&data, suite);
    buf_put_text(&data, label);
    buf_put(&data, ikm);
    enum err err = mac(salt, &data, out);
    bytes_wipe(data.p, data.n);
    return err;
}

static enum err expand_block(const uint8_t prk[MAC_SIZE], struct buf *info, uint8_t *out, size_t n)
{
    uint8_t block[MAC_SIZE];
    buf_put_u8(info, 1);
    enum err err = mac(bytes_of(prk, MAC_SIZE), info, block);
    memcpy(out, block, n);
    bytes_wipe(block, sizeof block);
    return err;
}

// n: at most MAC_SIZE.
static enum err expand(const uint8_t prk[MAC_SIZE], struct bytes suite, const char *label,
                       struct bytes info, uint8_t *out, size_t n)
{
    struct buf data BUF_CLEANUP = {0};
    buf_put_u8(&data, 0);
    buf_put_u8(&data, (uint8_t)n);
    buf_put_text(&data, "HPKE-v1");
    buf_put(&data, suite);
    buf_put_text(&data, label);
    buf_put(&data, info);
    return expand_block(prk, &data, out, n);
}

// --- keys ---

static bool has_montgomery_form(BN_CTX *ctx, const uint8_t sign_key[SIGN_KEY_SIZE],
                                uint8_t key[HPKE_KEY_SIZE], bool *is_one)
{
    uint8_t y_bytes[SIGN_KEY_SIZE];
    BIGNUM *p = BN_CTX_get(ctx), *y = BN_CTX_get(ctx), *above = BN_CTX_get(ctx),
           *below = BN_CTX_get(ctx);
    memcpy(y_bytes, sign_key, sizeof y_bytes);
    y_bytes[31] &= 0x7f; // the sign of x, which u does not have
    *is_one = false;
    // p = 2^255 - 19
    if (!below || !BN_set_bit(p, 255) || !BN_sub_word(p, 19) ||
        !BN_lebin2bn(y_bytes, sizeof y_bytes, y) || !BN_mod_add(above, BN_value_one(), y, p, ctx) ||
        !BN_mod_sub(below, BN_value_one(), y, p, ctx))
        return false;
    *is_one = BN_is_zero(below);
    return !*is_one && BN_mod_inverse(below, below, p, ctx) &&
           BN_mod_mul(above, above, below, p, ctx) &&
           BN_bn2lebinpad(above, key, HPKE_KEY_SIZE) == HPKE_KEY_SIZE;
}

enum err hpke_key_of(const uint8_t sign_key[SIGN_KEY_SIZE], uint8_t key[HPKE_KEY_SIZE])
{
    bool is_one = false;
    BN_CTX *ctx = BN_CTX_new();
    if (!ctx)
        return ERR_NOMEM;
    BN_CTX_start(ctx);
    bool has = has_montgomery_form(ctx, sign_key, key, &is_one);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return has ? OK : is_one ? ERR_MALFORMED : ERR_NOMEM;
}

enum err hpke_secret_of(const uint8_t seed[SIGN_SEED_SIZE], uint8_t secret[HPKE_KEY_SIZE])
{
    uint8_t hash[64];
    unsigned n = sizeof hash;
    if (EVP_Digest(seed, SIGN_SEED_SIZE, hash, &n, EVP_sha512(), NULL) != 1)
        return ERR_NOMEM;
    memcpy(secret, hash, HPKE_KEY_SIZE); // X25519 itself sets and clears the bits that are fixed
    bytes_wipe(hash, sizeof hash);
    return OK;
}

static enum err public_key(const uint8_t secret[HPKE_KEY_SIZE], uint8_t key[HPKE_KEY_SIZE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, HPKE_KEY_SIZE);
    size_t n = HPKE_KEY_SIZE;
    bool made = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1;
    EVP_PKEY_free(pkey);
    return made ? OK : ERR_NOMEM;
}

// X25519; of a key of small order nothing comes that is secret, and it is refused.
static enum err agree(const uint8_t secret[HPKE_KEY_SIZE], const uint8_t key[HPKE_KEY_SIZE],
                      uint8_t shared[HPKE_KEY_SIZE])
{
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, HPKE_KEY_SIZE);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, key, HPKE_KEY_SIZE);
    EVP_PKEY_CTX *ctx = own && other ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    size_t n = HPKE_KEY_SIZE;
    bool is_ready =
        ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1;
    bool is_agreed = is_ready && EVP_PKEY_derive(ctx, shared, &n) == 1 && n == HPKE_KEY_SIZE;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(own);
    EVP_PKEY_free(other);
    return is_agreed ? OK : is_ready ? ERR_MALFORMED : ERR_NOMEM;
}

// --- the schedule (RFC 9180 sections 4.1 and 5.1) ---

static enum err encapsulated_secret(const uint8_t shared[HPKE_KEY_SIZE],
                                    const uint8_t encapsulated[HPKE_KEY_SIZE],
                                    const uint8_t key[HPKE_KEY_SIZE], uint8_t secret[MAC_SIZE])
{
    uint8_t prk[MAC_SIZE], context[2 * HPKE_KEY_SIZE];
    memcpy(context, encapsulated, HPKE_KEY_SIZE);
    memcpy(context + HPKE_KEY_SIZE, key, HPKE_KEY_SIZE);
    enum err err = extract((struct bytes){0}, BYTES(kem_suite), "eae_prk",
                           bytes_of(shared, HPKE_KEY_SIZE), prk);
    if (!err)
        err = expand(prk, BYTES(kem_suite), "shared_secret", BYTES(context), secret, MAC_SIZE);
    bytes_wipe(prk, sizeof prk);
    return err;
}

static enum err make_context(struct bytes info, uint8_t context[1 + 2 * MAC_SIZE])
{
    context[0] = 0; // base mode
    enum err err = extract((struct bytes){0}, BYTES(hpke_suite), "psk_id_hash", (struct bytes){0},
                           context + 1);
    return err ? err
               : extract((struct bytes){0}, BYTES(hpke_suite), "info_hash", info,
                         context + 1 + MAC_SIZE);
}

static enum err schedule(const uint8_t shared_secret[MAC_SIZE], struct bytes info,
                         struct hpke *hpke)
{
    uint8_t context[1 + 2 * MAC_SIZE], secret[MAC_SIZE];
    enum err err = make_context(info, context);
    if (!err)
        err = extract(bytes_of(shared_secret, MAC_SIZE), BYTES(hpke_suite), "secret",
                      (struct bytes){0}, secret);
    if (!err)
        err = expand(secret, BYTES(hpke_suite), "key", BYTES(context), hpke->key, sizeof hpke->key);
    if (!err)
        err = expand(secret, BYTES(hpke_suite), "base_nonce", BYTES(context), hpke->nonce,
                     sizeof hpke->nonce);
    if (!err)
        err = expand(secret, BYTES(hpke_suite), "exp", BYTES(context), hpke->exporter,
                     sizeof hpke->exporter);
    bytes_wipe(secret, sizeof secret);
    return err;
}

// secret and other: of this end, and what the other one showed. key: the reader's.
static enum err begin(const uint8_t secret[HPKE_KEY_SIZE], const uint8_t other[HPKE_KEY_SIZE],
                      const uint8_t key[HPKE_KEY_SIZE], struct bytes info, struct hpke *hpke)
{
    uint8_t shared[HPKE_KEY_SIZE], shared_secret[MAC_SIZE];
    enum err err = agree(secret, other, shared);
    if (!err)
        err = encapsulated_secret(shared, hpke->encapsulated, key, shared_secret);
    if (!err)
        err = schedule(shared_secret, info, hpke);
    bytes_wipe(shared, sizeof shared);
    bytes_wipe(shared_secret, sizeof shared_secret);
    return err;
}

enum err hpke_send(const uint8_t ephemeral[HPKE_KEY_SIZE], const uint8_t key[HPKE_KEY_SIZE],
                   struct bytes info, struct hpke *hpke)
{
    enum err err = public_key(ephemeral, hpke->encapsulated);
    return err ? err : begin(ephemeral, key, key, info, hpke);
}

enum err hpke_receive(const uint8_t secret[HPKE_KEY_SIZE],
                      const uint8_t encapsulated[HPKE_KEY_SIZE], struct bytes info,
                      struct hpke *hpke)
{
    uint8_t key[HPKE_KEY_SIZE];
    memcpy(hpke->encapsulated, encapsulated, HPKE_KEY_SIZE);
    enum err err = public_key(secret, key);
    return err ? err : begin(secret, encapsulated, key, info, hpke);
}

enum err hpke_export(const struct hpke *hpke, const char *label, uint8_t out[EXPORTED])
{
    return expand(hpke->exporter, BYTES(hpke_suite), "sec", bytes_of_text(label), out, EXPORTED);
}

enum err hpke_answer(const struct hpke *hpke, const char *label,
                     const uint8_t nonce[HPKE_NONCE_SIZE], struct hpke *answer)
{
    uint8_t secret[EXPORTED], salt[HPKE_KEY_SIZE + HPKE_NONCE_SIZE], prk[MAC_SIZE];
    struct buf data BUF_CLEANUP = {0}, key BUF_CLEANUP = {0}, once BUF_CLEANUP = {0};
    memcpy(salt, hpke->encapsulated, HPKE_KEY_SIZE);
    memcpy(salt + HPKE_KEY_SIZE, nonce, HPKE_NONCE_SIZE);
    *answer = *hpke;
    buf_put_text(&key, "key");
    buf_put_text(&once, "nonce");
    enum err err = hpke_export(hpke, label, secret);
    buf_put(&data, BYTES(secret));
    if (!err)
        err = mac(BYTES(salt), &data, prk);
    if (!err)
        err = expand_block(prk, &key, answer->key, sizeof answer->key);
    if (!err)
        err = expand_block(prk, &once, answer->nonce, sizeof answer->nonce);
    bytes_wipe(data.p, data.n);
    bytes_wipe(secret, sizeof secret);
    bytes_wipe(prk, sizeof prk);
    return err;
}

// --- sealing ---

static EVP_CIPHER_CTX *cipher(const struct hpke *hpke, bool seals)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx &&
        EVP_CipherInit_ex(ctx, EVP_chacha20_poly1305(), NULL, hpke->key, hpke->nonce, seals) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

// Into `room`, which has as many bytes.
static bool turn(EVP_CIPHER_CTX *ctx, struct bytes aad, struct bytes in, uint8_t *room)
{
    int n;
    return (aad.n == 0 || EVP_CipherUpdate(ctx, NULL, &n, aad.p, (int)aad.n) == 1) &&
           (in.n == 0 || (EVP_CipherUpdate(ctx, room, &n, in.p, (int)in.n) == 1 && n == (int)in.n));
}

enum err hpke_seal(const struct hpke *hpke, struct bytes aad, struct bytes plain, struct buf *out)
{
    uint8_t *room = buf_room(out, plain.n + HPKE_TAG_SIZE);
    EVP_CIPHER_CTX *ctx = room ? cipher(hpke, true) : NULL;
    int none;
    bool made = ctx && turn(ctx, aad, plain, room) &&
                EVP_CipherFinal_ex(ctx, room + plain.n, &none) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, HPKE_TAG_SIZE, room + plain.n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!made)
        return out->err ? out->err : ERR_NOMEM;
    out->n += plain.n + HPKE_TAG_SIZE;
    return OK;
}

enum err hpke_open(const struct hpke *hpke, struct bytes aad, struct bytes sealed, struct buf *out)
{
    if (sealed.n < HPKE_TAG_SIZE)
        return ERR_MALFORMED;
    size_t n = sealed.n - HPKE_TAG_SIZE;
    uint8_t tag[HPKE_TAG_SIZE];
    uint8_t *room = buf_room(out, n + 1);
    EVP_CIPHER_CTX *ctx = room ? cipher(hpke, false) : NULL;
    int none;
    memcpy(tag, sealed.p + n, sizeof tag);
    bool is_ready = ctx &&
                    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, HPKE_TAG_SIZE, tag) == 1 &&
                    turn(ctx, aad, bytes_of(sealed.p, n), room);
    bool is_true = is_ready && EVP_CipherFinal_ex(ctx, room + n, &none) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (is_true)
        out->n += n;
    else if (room)
        bytes_wipe(room, n);
    return is_true ? OK : out->err ? out->err : is_ready ? ERR_MALFORMED : ERR_NOMEM;
}
