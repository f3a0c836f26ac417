#include "client/state.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/sign.h"
#include "sync/digest.h"

void state_clear(struct folkmoot_error *error)
{
    if (error)
        *error = (struct folkmoot_error){0};
}

enum folkmoot_code state_fail(struct folkmoot_error *error, enum folkmoot_code code,
                              const char *format, ...)
{
    if (!error)
        return code;
    error->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

static enum folkmoot_code code_of(enum err err)
{
    switch (err) {
    case OK:
        return FOLKMOOT_OK;
    case ERR_MALFORMED:
    case ERR_LIMIT:
    case ERR_EXISTS:
    case ERR_WRONG_STATE:
    case ERR_CUT:
        return FOLKMOOT_INVALID;
    case ERR_NOT_FOUND:
        return FOLKMOOT_NOT_FOUND;
    case ERR_UNAUTHENTICATED:
    case ERR_FORBIDDEN:
    case ERR_QUOTA:
        return FOLKMOOT_REFUSED;
    case ERR_VERSION:
    case ERR_IO:
    case ERR_FULL:
    case ERR_DAMAGED:
    case ERR_BUSY:
        return FOLKMOOT_STORE;
    case ERR_NOMEM:
        return FOLKMOOT_INTERNAL;
    }
    return FOLKMOOT_INTERNAL;
}

enum folkmoot_code state_fail_err(struct folkmoot_error *error, enum err err,
                                  const struct fault *fault)
{
    bool told = fault && fault->err == err && fault->text[0];
    return state_fail(error, code_of(err), "%s", told ? fault->text : err_text(err));
}

// After a commit that failed nobody knows what is on disk; a fresh look does.
static enum err open_anew(struct folkmoot *fm)
{
    if (!fm->suspect)
        return OK;
    store_close(&fm->store);
    struct store_options options = {0};
    enum err err = store_open(fm->path, &options, &fm->store, NULL);
    if (!err)
        fm->suspect = false;
    return err;
}

struct txn *state_txn(struct folkmoot *fm, bool write)
{
    if (open_anew(fm))
        return NULL;
    return write ? txn_begin_write(fm->store) : txn_begin_read(fm->store);
}

enum folkmoot_code state_commit(struct folkmoot *fm, struct txn **txn, struct folkmoot_error *error)
{
    enum err before = txn_error(*txn);
    enum err err = txn_commit(txn);
    if (err && !before)
        fm->suspect = true;
    return err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

enum folkmoot_code state_fail_none(const struct folkmoot *fm, struct folkmoot_error *error)
{
    if (fm->damaged)
        return state_fail_err(error, ERR_DAMAGED, NULL);
    return state_fail(error, FOLKMOOT_NOT_FOUND, "no community has been joined yet");
}

static enum err read_handle(struct folkmoot *fm, const struct scope *scope)
{
    if (fm->known_key == scope->community.number)
        return OK;
    uint8_t key[SIGN_KEY_SIZE];
    enum err err = sign_public_key(scope->secret.seed, key);
    if (err)
        return err;
    digest_handle(scope->community.id, key, fm->handle);
    fm->known_key = scope->community.number;
    return OK;
}

static enum err read_rows(struct folkmoot *fm, uint32_t number, struct scope *scope)
{
    enum err err = community_get_number(scope->txn, number, &scope->community);
    if (!err)
        err = secret_get(scope->txn, number, &scope->secret);
    if (!err)
        err = read_handle(fm, scope);
    if (!err)
        err = device_get(scope->txn, number, fm->handle, &scope->device);
    return err;
}

enum folkmoot_code state_begin(struct folkmoot *fm, uint32_t number, bool write,
                               struct scope *scope, struct folkmoot_error *error)
{
    state_clear(error);
    number = number ? number : fm->chosen;
    if (number == 0)
        return state_fail_none(fm, error);
    *scope = (struct scope){.txn = fm->batch, .own = !fm->batch, .write = write};
    if (scope->own)
        scope->txn = state_txn(fm, write);
    if (!scope->txn)
        return state_fail(error, FOLKMOOT_STORE, "the store cannot be opened again");
    enum err err = read_rows(fm, number, scope);
    if (!err)
        return FOLKMOOT_OK;
    if (scope->own)
        txn_abort(&scope->txn);
    bytes_wipe(&scope->secret, sizeof scope->secret);
    // The rows are written at joining, so that one is missing means damage.
    return state_fail_err(error, err == ERR_NOT_FOUND ? ERR_DAMAGED : err, NULL);
}

enum folkmoot_code state_end(struct folkmoot *fm, struct scope *scope, bool commit,
                             struct folkmoot_error *error)
{
    bytes_wipe(&scope->secret, sizeof scope->secret);
    enum err err = txn_error(scope->txn);
    if (scope->own && scope->write && commit)
        return state_commit(fm, &scope->txn, error);
    if (scope->own)
        txn_abort(&scope->txn);
    return commit && err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

int64_t state_now(const struct folkmoot *fm)
{
    return fm->host.now(fm->host.arg);
}

void state_random(const struct folkmoot *fm, void *out, size_t n)
{
    fm->host.random(fm->host.arg, out, n);
}

bool state_is_joined(const struct community *community, const struct secret *secret)
{
    static const uint8_t none[TOKEN_SIZE];
    return community->size > 0 || memcmp(secret->token, none, TOKEN_SIZE) != 0;
}
