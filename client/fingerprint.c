#include "sync/fingerprint.h"

#include "client/state.h"

enum folkmoot_code folkmoot_fingerprint(struct folkmoot *fm, uint8_t *hash, uint64_t *records,
                                        struct folkmoot_error *error)
{
    struct scope scope;
    state_clear(error);
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    enum err err = fingerprint(scope.txn, &scope.community, hash, records);
    enum folkmoot_code ended = state_end(fm, &scope, false, error);
    return err ? state_fail_err(error, err, NULL) : ended;
}
