#include "base/sign.h"

#include <openssl/evp.h>

enum err sign_public_key(const uint8_t seed[SIGN_SEED_SIZE], uint8_t key[SIGN_KEY_SIZE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGN_SEED_SIZE);
    size_t n = SIGN_KEY_SIZE;
    bool made = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &n) == 1 && n == SIGN_KEY_SIZE;
    EVP_PKEY_free(pkey);
    return made ? OK : ERR_NOMEM;
}

enum err sign_make(const uint8_t seed[SIGN_SEED_SIZE], struct bytes message,
                   uint8_t signature[SIGN_SIZE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SIGN_SEED_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = SIGN_SIZE;
    bool made = pkey && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(ctx, signature, &n, message.p, message.n) == 1 && n == SIGN_SIZE;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return made ? OK : ERR_NOMEM;
}

static enum err verify(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                       const uint8_t signature[SIGN_SIZE])
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGN_KEY_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    enum err err = ERR_NOMEM;
    if (pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
        err = EVP_DigestVerify(ctx, signature, SIGN_SIZE, message.p, message.n) == 1
                  ? OK
                  : ERR_MALFORMED;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return err;
}

// libcrypto also calls a signature wrong when memory runs out while it looks at it. If there is
// still none the next time, that fails before it looks.
enum err sign_verify(const uint8_t key[SIGN_KEY_SIZE], struct bytes message,
                     const uint8_t signature[SIGN_SIZE])
{
    enum err err = verify(key, message, signature);
    return err == ERR_MALFORMED ? verify(key, message, signature) : err;
}

// y as a little-endian number is below p = 2^255 - 19.
static bool is_canonical(const uint8_t y[SIGN_KEY_SIZE])
{
    if (y[31] != 0x7f || y[0] < 0xed)
        return true;
    for (size_t i = 1; i < 31; i++) {
        if (y[i] != 0xff)
            return true;
    }
    return false;
}

bool sign_key_sound(const uint8_t key[SIGN_KEY_SIZE])
{
    // The y of the points whose order divides 8 (0, 1, -1 and the two of order 8), sign bit clear.
    static const uint8_t small[][SIGN_KEY_SIZE] = {
        {0},
        {1},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t y[SIGN_KEY_SIZE];
    memcpy(y, key, sizeof y);
    y[31] &= 0x7f;
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        if (memcmp(y, small[i], sizeof y) == 0)
            return false;
    }
    return is_canonical(y);
}
