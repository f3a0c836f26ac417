#include "base/cipher.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_CIPHER *stream;
static EVP_CIPHER *blocks;

static void fetch(void)
{
    stream = EVP_CIPHER_fetch(NULL, "AES-256-CFB", NULL);
    blocks = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
}

// As many bytes out as in.
static enum err run(EVP_CIPHER *const *cipher, const uint8_t key[CIPHER_KEY_SIZE], struct bytes in,
                    uint8_t *out, int encrypting)
{
    static const uint8_t iv[16];
    int n = 0;
    (void)pthread_once(&fetched, fetch);
    EVP_CIPHER_CTX *context = *cipher ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = context &&
              EVP_CipherInit_ex2(context, *cipher, key, cipher == &stream ? iv : NULL, encrypting,
                                 NULL) &&
              EVP_CIPHER_CTX_set_padding(context, 0) &&
              EVP_CipherUpdate(context, out, &n, in.p, (int)in.n) && (size_t)n == in.n;
    EVP_CIPHER_CTX_free(context);
    return ok ? OK : ERR_NOMEM;
}

enum err cipher_encrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(&stream, key, in, out, 1);
}

enum err cipher_decrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(&stream, key, in, out, 0);
}

enum err cipher_permute(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(&blocks, key, in, out, 1);
}

enum err cipher_permute_back(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(&blocks, key, in, out, 0);
}

enum err cipher_random(void *out, size_t n)
{
    return RAND_bytes(out, (int)n) == 1 ? OK : ERR_IO;
}
