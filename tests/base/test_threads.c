// What base calls "any thread" is called from several at once; TSan watches.

#include <pthread.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/sign.h"
#include "base/text.h"

enum { THREADS = 4, ROUNDS = 50 };

static bool sign_and_check(uint8_t id, int round)
{
    uint8_t seed[SIGN_SEED_SIZE] = {id, (uint8_t)round};
    uint8_t key[SIGN_KEY_SIZE];
    uint8_t signature[SIGN_SIZE];
    uint8_t digest[HASH_SIZE];
    struct hash hash;
    hash_begin(&hash, "threads");
    hash_put(&hash, BYTES(seed));
    hash_end(&hash, digest);
    if (sign_public_key(seed, key) || sign_make(seed, BYTES(digest), signature))
        return false;
    bool good = sign_key_sound(key) && !sign_verify(key, BYTES(digest), signature);
    signature[round % SIGN_SIZE] ^= 1;
    return good && sign_verify(key, BYTES(digest), signature) == ERR_MALFORMED;
}

static bool there_and_back(uint8_t id)
{
    BUF_CLEANUP struct buf buf = {0};
    uint8_t back;
    text_base64url(&buf, bytes_of(&id, 1));
    return text_unbase64url(buf_bytes(&buf), &back, 1) == OK && back == id;
}

static void *work(void *arg)
{
    uint8_t *id = arg;
    for (int round = 0; round < ROUNDS; round++) {
        if (!sign_and_check(*id, round) || !there_and_back(*id))
            return NULL;
    }
    return id;
}

int main(void)
{
    pthread_t threads[THREADS];
    uint8_t ids[THREADS];
    int good = 0;
    for (int i = 0; i < THREADS; i++) {
        ids[i] = (uint8_t)i;
        if (pthread_create(&threads[i], NULL, work, &ids[i]))
            return 2;
    }
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        good += pthread_join(threads[i], &result) == 0 && result == &ids[i];
    }
    printf("%d of %d threads did their work\n", good, THREADS);
    return good == THREADS ? 0 : 1;
}
