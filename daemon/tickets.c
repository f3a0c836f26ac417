#include "daemon/tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/file.h"
#include "daemon/random.h"
#include "daemon/report.h"

enum { NAME_SIZE = 16, IV_SIZE = 16, DAY = 24 * 60 * 60, PATH_BYTES = 4096 };

struct key {
    uint8_t made[8]; // seconds since 1970 UTC, big-endian
    uint8_t name[NAME_SIZE];
    uint8_t cipher[32]; // AES-256
    uint8_t mac[32];    // HMAC-SHA-256
};

// As they stand in the file, the newest first.
struct kept {
    uint8_t key_hash[HASH_SIZE]; // of the TLS key that they go with
    struct key keys[TICKETS_KEYS];
};

struct tickets {
    char path[PATH_BYTES];
    struct kept kept;
};

static void write_file(const struct tickets *tickets)
{
    struct fault fault = {0};
    if (file_write_secret(tickets->path, bytes_of(&tickets->kept, sizeof tickets->kept), &fault))
        report_put(REPORT_WARNING, "phones shake hands in full after a restart: %s", fault.text);
}

static int64_t made_at(const struct key *key)
{
    return (int64_t)be64_get(key->made);
}

static void add(struct tickets *tickets, int64_t now_seconds)
{
    struct key *keys = tickets->kept.keys;
    memmove(keys + 1, keys, (TICKETS_KEYS - 1) * sizeof *keys);
    random_fill(keys, sizeof *keys);
    be64_put(keys->made, (uint64_t)now_seconds);
    write_file(tickets);
}

static void begin_anew(struct tickets *tickets, int64_t now_seconds)
{
    // What nobody knows opens nothing.
    random_fill(tickets->kept.keys, sizeof tickets->kept.keys);
    for (size_t i = 0; i < TICKETS_KEYS; i++)
        be64_put(tickets->kept.keys[i].made, 0);
    add(tickets, now_seconds);
}

static bool read_file(struct tickets *tickets)
{
    struct buf file = {0};
    struct fault ignored;
    enum err err = file_read_secret(tickets->path, sizeof tickets->kept, &file, &ignored);
    bool is_good = !err && file.n == sizeof tickets->kept;
    if (is_good)
        memcpy(&tickets->kept, file.p, sizeof tickets->kept);
    if (file.p)
        bytes_wipe(file.p, file.cap);
    buf_done(&file);
    return is_good;
}

struct tickets *tickets_new(const char *path, int64_t now_seconds)
{
    struct tickets *tickets = calloc(1, sizeof *tickets);
    if (!tickets)
        return NULL;
    (void)snprintf(tickets->path, sizeof tickets->path, "%s", path);
    if (!read_file(tickets))
        begin_anew(tickets, now_seconds);
    return tickets;
}

void tickets_free(struct tickets **tickets)
{
    if (!*tickets)
        return;
    bytes_wipe(*tickets, sizeof **tickets);
    free(*tickets);
    *tickets = NULL;
}

void tickets_bind(struct tickets *tickets, const uint8_t key_hash[HASH_SIZE], int64_t now_seconds)
{
    if (memcmp(tickets->kept.key_hash, key_hash, HASH_SIZE) == 0)
        return;
    memcpy(tickets->kept.key_hash, key_hash, HASH_SIZE);
    begin_anew(tickets, now_seconds);
}

void tickets_turn(struct tickets *tickets, int64_t now_seconds)
{
    int64_t age = now_seconds - made_at(tickets->kept.keys);
    // A clock that was put back must not keep a key in use for ever.
    if (age >= DAY || age < 0)
        add(tickets, now_seconds);
}

static bool set_up(const struct key *key, EVP_MAC_CTX *mac)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                          sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

int tickets_seal(const struct tickets *tickets, unsigned char *name, unsigned char *iv,
                 EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    const struct key *key = tickets->kept.keys;
    random_fill(iv, IV_SIZE);
    memcpy(name, key->name, NAME_SIZE);
    bool ok = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) == 1;
    return ok && set_up(key, mac) ? 1 : -1;
}

int tickets_open(const struct tickets *tickets, const unsigned char *name, const unsigned char *iv,
                 EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    enum { UNKNOWN = 0, OPENED = 1, OPENED_BY_AN_OLD_ONE = 2 };
    for (size_t i = 0; i < TICKETS_KEYS; i++) {
        const struct key *key = &tickets->kept.keys[i];
        if (memcmp(key->name, name, NAME_SIZE) != 0)
            continue;
        bool ok = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv) == 1 &&
                  set_up(key, mac);
        return !ok ? -1 : i == 0 ? OPENED : OPENED_BY_AN_OLD_ONE;
    }
    return UNKNOWN;
}
