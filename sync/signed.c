#include "sync/signed.h"

bool signed_by(struct txn *txn, const uint8_t key[SIGN_KEY_SIZE], const struct buf *transcript,
               struct bytes signature)
{
    if (signature.n != SIGN_SIZE)
        return false;
    enum err err = transcript->err;
    if (!err)
        err = sign_verify(key, buf_bytes(transcript), signature.p);
    if (err != ERR_MALFORMED)
        txn_fail(txn, err);
    return !err;
}
