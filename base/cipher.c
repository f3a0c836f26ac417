#include "base/cipher.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cipher;

static void fetch(void)
{
    cipher = EVP_CIPHER_fetch(NULL, "AES-256-CFB", NULL);
}

static enum err run(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out,
                    int encrypting)
{
    static const uint8_t iv[16];
    int n = 0;
    (void)pthread_once(&fetched, fetch);
    EVP_CIPHER_CTX *context = cipher ? EVP_CIPHER_CTX_new() : NULL;
    bool ok = context && EVP_CipherInit_ex2(context, cipher, key, iv, encrypting, NULL) &&
              EVP_CipherUpdate(context, out, &n, in.p, (int)in.n) && (size_t)n == in.n;
    EVP_CIPHER_CTX_free(context);
    return ok ? OK : ERR_NOMEM;
}

enum err cipher_encrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(key, in, out, 1);
}

enum err cipher_decrypt(const uint8_t key[CIPHER_KEY_SIZE], struct bytes in, uint8_t *out)
{
    return run(key, in, out, 0);
}

enum err cipher_random(void *out, size_t n)
{
    return RAND_bytes(out, (int)n) == 1 ? OK : ERR_IO;
}
