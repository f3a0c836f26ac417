#pragma once

// The picture, read from the counts (sync/counts.h): how many, which, and what came of it. Costs
// what it shows, not what the log holds. Read transactions; all that is answered lives in the
// arena or is static. ERR_BUSY: the counts are being made anew; ERR_DAMAGED: some of what was asked
// for is; ERR_MALFORMED: no such list, page or kind; ERR_NOMEM.

#include "proto/messages_picture.h"
#include "storage/community.h"
#include "sync/eye.h"
#include "sync/mask.h"
#include "sync/population.h"

// Who looks.
struct picture_eye {
    const struct eye *eye;   // whose titles are read by; NULL: sees all
    const struct mask *mask; // of an outsider; NULL: of none
    uint32_t least;          // an outsider is told multiples of this, rounded down; 0: exact
    const struct population *population; // where people live; NULL: not known
};

enum err picture_counts(struct txn *txn, const struct community *community, uint32_t kind,
                        const struct picture_eye *eye, struct arena *arena,
                        struct picture_response *response, struct fault *fault) must_check;
enum err picture_show(struct txn *txn, const struct community *community,
                      const struct show_request *request, const struct picture_eye *eye,
                      struct arena *arena, struct show_response *response,
                      struct fault *fault) must_check;
// `record` is the record that the request names, by its true id. Its RecordView is not made here.
enum err picture_record(struct txn *txn, const struct community *community,
                        const struct record_key *record, const struct record_request *request,
                        const struct picture_eye *eye, struct arena *arena,
                        struct record_response *response, struct fault *fault) must_check;
enum err picture_trail(struct txn *txn, const struct community *community,
                       const struct trail_request *request, const struct picture_eye *eye,
                       struct arena *arena, struct trail_response *response,
                       struct fault *fault) must_check;
