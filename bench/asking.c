#include "bench/asking.h"

#include <stdlib.h>

#include "tests/e2e/check.h"

enum { ARENA_MAX = 16 << 20 };

static void put_request(struct asking *asking, struct cursor *cursor, uint32_t answer_max)
{
    CHECK(asking->n < ASKING_MAX, "too many requests");
    struct sync_request request = {.version = PROTOCOL_VERSION,
                                   .cursor = cursor,
                                   .packings = PACKINGS_KNOWN,
                                   .has_answer_max = true,
                                   .answer_max = answer_max};
    // What was seen of the log: so an answer has no proof that it goes on.
    struct log_head seen = {0};
    if (cursor) {
        seen = (struct log_head){.log = cursor->log, .size = cursor->position};
        request.seen = &seen;
    }
    struct buf *body = &asking->bodies[asking->n];
    message_encode(&sync_request_message, &request, body);
    CHECK(!body->err, "out of memory");
    asking->borrowed[asking->n++] = buf_bytes(body);
}

// What was asked last is answered so; asks for what comes behind. False: nothing does.
static bool go_on(struct asking *asking, struct bytes answer, struct buf *log, uint32_t answer_max)
{
    struct sync_response response = {0};
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    CHECK(message_decode(&sync_response_message, answer, &arena, &response, &fault) == OK, "%s",
          fault.text);
    if (response.head && response.head->log.n) {
        buf_reset(log);
        buf_put(log, response.head->log);
    }
    if (response.pieces.n == 0)
        return false;
    const struct piece *last = LIST_AT(struct piece, response.pieces, response.pieces.n - 1);
    struct cursor cursor = {.log = buf_bytes(log),
                            .position = last->position,
                            .root = last->root,
                            .view = response.view};
    put_request(asking, &cursor, answer_max);
    return true;
}

void asking_pull(struct asking *asking, const struct peer *peer, uint32_t answer_max)
{
    struct load *load = load_new(peer->port, 1);
    struct buf answer = {0}, log = {0};
    *asking = (struct asking){0};
    put_request(asking, NULL, answer_max);
    do {
        struct load_result result;
        struct load_line line = {peer->token, &asking->borrowed[asking->n - 1], 1};
        load_run(load, &line, 1, NULL, &answer, &result);
        asking->seconds += result.latencies[0];
        asking->bytes += answer.n;
        free(result.latencies);
    } while (go_on(asking, buf_bytes(&answer), &log, answer_max));
    load_free(&load);
    buf_done(&answer);
    buf_done(&log);
}

struct bytes asking_nothing(const struct asking *asking)
{
    return asking->borrowed[asking->n - 1];
}

void asking_done(struct asking *asking)
{
    for (size_t i = 0; i < asking->n; i++)
        buf_done(&asking->bodies[i]);
    *asking = (struct asking){0};
}
