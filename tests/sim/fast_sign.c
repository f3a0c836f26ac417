// A stand-in for Ed25519 that costs one hash: whoever knows the key can sign. The linker puts it in
// the place of base/sign.c, for worlds that are about order and faults, not about forgery.

#include "base/hash.h"
#include "base/hpke.h"
#include "base/sign.h"

enum err __wrap_sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE]);
enum err __wrap_sign_make(const uint8_t seed[SIGN_SEED_SIZE], struct bytes message,
                          uint8_t signature[SIGN_SIZE]);
enum err __wrap_sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                            const uint8_t signature[SIGN_SIZE]);

enum err __wrap_sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "fast key");
    hash_put(&hash, bytes_of(seed, SIGN_SEED_SIZE));
    hash_end(&hash, key);
    // A point's encoding is below p, as sign_key_sound asks.
    key[SIGN_KEY_SIZE - 1] &= 0x3f;
    return OK;
}

static void make(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                 uint8_t signature[SIGN_SIZE])
{
    struct hash hash;
    hash_begin(&hash, "fast signature");
    hash_put(&hash, bytes_of(key, SIGN_KEY_SIZE));
    hash_put(&hash, message);
    hash_end(&hash, signature);
    memset(signature + HASH_SIZE, 0, SIGN_SIZE - HASH_SIZE);
}

enum err __wrap_sign_make(const uint8_t seed[SIGN_SEED_SIZE], struct bytes message,
                          uint8_t signature[SIGN_SIZE])
{
    uint8_t key[SIGN_KEY_SIZE];
    enum err err = __wrap_sign_public_key(seed, key);
    make(key, message, signature);
    return err;
}

enum err __wrap_sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                            const uint8_t signature[SIGN_SIZE])
{
    uint8_t made[SIGN_SIZE];
    make(key, message, made);
    return memcmp(made, signature, SIGN_SIZE) == 0 ? OK : ERR_MALFORMED;
}

// --- and for the seal of letters ---

enum err __wrap_hpke_key_of(const uint8_t sign_key[SIGN_KEY_SIZE], uint8_t key[HPKE_KEY_SIZE]);
enum err __wrap_hpke_secret_of(const uint8_t seed[SIGN_SEED_SIZE], uint8_t secret[HPKE_KEY_SIZE]);
enum err __wrap_hpke_send(const uint8_t ephemeral[HPKE_KEY_SIZE], const uint8_t key[HPKE_KEY_SIZE],
                          struct bytes info, struct hpke *hpke);
enum err __wrap_hpke_receive(const uint8_t secret[HPKE_KEY_SIZE],
                             const uint8_t encapsulated[HPKE_KEY_SIZE], struct bytes info,
                             struct hpke *hpke);

enum err __wrap_hpke_key_of(const uint8_t sign_key[SIGN_KEY_SIZE], uint8_t key[HPKE_KEY_SIZE])
{
    memcpy(key, sign_key, HPKE_KEY_SIZE);
    return OK;
}

enum err __wrap_hpke_secret_of(const uint8_t seed[SIGN_SEED_SIZE], uint8_t secret[HPKE_KEY_SIZE])
{
    return __wrap_sign_public_key(seed, secret);
}

static void share(const uint8_t key[HPKE_KEY_SIZE], struct bytes info, struct hpke *hpke)
{
    struct hash hash;
    hash_begin(&hash, "fast seal");
    hash_put(&hash, BYTES(hpke->encapsulated));
    hash_put(&hash, bytes_of(key, HPKE_KEY_SIZE));
    hash_put(&hash, info);
    hash_end(&hash, hpke->key);
    memcpy(hpke->exporter, hpke->key, sizeof hpke->exporter);
    memset(hpke->nonce, 0, sizeof hpke->nonce);
}

enum err __wrap_hpke_send(const uint8_t ephemeral[HPKE_KEY_SIZE], const uint8_t key[HPKE_KEY_SIZE],
                          struct bytes info, struct hpke *hpke)
{
    enum err err = __wrap_sign_public_key(ephemeral, hpke->encapsulated);
    share(key, info, hpke);
    return err;
}

enum err __wrap_hpke_receive(const uint8_t secret[HPKE_KEY_SIZE],
                             const uint8_t encapsulated[HPKE_KEY_SIZE], struct bytes info,
                             struct hpke *hpke)
{
    memcpy(hpke->encapsulated, encapsulated, HPKE_KEY_SIZE);
    share(secret, info, hpke);
    return OK;
}
