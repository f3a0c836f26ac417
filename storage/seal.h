#pragma once

// Private to storage/: the keys of bodies. LMDB leaves deleted words in freed pages, so each body
// is sealed with a key of its own that stands outside the database, and destroying the key destroys
// the words. Keys are made ahead, 4096 to a file (docs/disk-format.md). Any thread.

#include "base/cipher.h"

enum { SEAL_KEY_SIZE = CIPHER_KEY_SIZE, SEAL_BLOCK = 4096 };

struct seal;

// Of the store in the directory `path`. random: see store.h.
struct seal *seal_new(const char *path, void (*random)(void *arg, void *out, size_t n),
                      void *arg) must_check;
void seal_free(struct seal **seal);

// The key for a body that is put at a position: made, with its whole file and on disk, where there
// is none, and made anew where it was destroyed.
enum err seal_key_to_put(struct seal *seal, uint32_t community, uint64_t position,
                         uint8_t key[SEAL_KEY_SIZE]) must_check;
// ERR_DAMAGED when there is none or it was destroyed.
enum err seal_key(struct seal *seal, uint32_t community, uint64_t position,
                  uint8_t key[SEAL_KEY_SIZE]) must_check;
// Overwrites the key with zeros, on disk when it returns. There being none is fine.
enum err seal_destroy(struct seal *seal, uint32_t community, uint64_t position) must_check;
