#include "daemon/identity.h"

#include "base/text.h"
#include "daemon/file.h"
#include "daemon/random.h"

enum { HEX_SIZE = 2 * SIGN_SEED_SIZE };

static enum err make(const char *path, struct identity *identity, struct fault *fault)
{
    char line[HEX_SIZE + 2];
    random_fill(identity->seed, sizeof identity->seed);
    text_hex(BYTES(identity->seed), line);
    line[HEX_SIZE] = '\n';
    enum err err = file_write_secret(path, bytes_of(line, HEX_SIZE + 1), fault);
    bytes_wipe(line, sizeof line);
    return err;
}

static enum err take(const char *path, const struct buf *text, struct identity *identity,
                     struct fault *fault)
{
    size_t n = text->n;
    if (n > 0 && text->p[n - 1] == '\n')
        n--;
    if (text_unhex(bytes_of(text->p, n), identity->seed, sizeof identity->seed))
        return fault_set(fault, ERR_DAMAGED,
                         "%s is not an identity key: it must hold %d hexadecimal digits", path,
                         HEX_SIZE);
    return OK;
}

enum err identity_open(const char *path, struct identity *identity, bool *made, struct fault *fault)
{
    struct buf text = {0};
    enum err err = file_read_secret(path, 1024, &text, fault);
    *made = err == ERR_NOT_FOUND;
    if (*made)
        err = make(path, identity, fault);
    else if (!err)
        err = take(path, &text, identity, fault);
    if (text.p)
        bytes_wipe(text.p, text.cap);
    buf_done(&text);
    if (!err && sign_public_key(identity->seed, identity->key))
        err = fault_set(fault, ERR_IO, "libcrypto could not use the identity key");
    return err;
}

void identity_done(struct identity *identity)
{
    bytes_wipe(identity, sizeof *identity);
}
