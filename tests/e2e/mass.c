#include "tests/e2e/mass.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/sign.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "tests/e2e/check.h"

enum { PACK_TARGET = PACK_MAX - CHANGE_MAX, FIELD_UNKNOWN = 15, TEXT_MS = 61000 };

struct mass {
    struct buf packed[RUN_PACKS_MAX]; // as zstd frames
    struct pack packs[RUN_PACKS_MAX];
    size_t n;
    struct buf open; // an encoded Changes that is being filled
    struct buf salts;
    struct peer end;
};

static void compress(struct bytes bytes, struct buf *out)
{
    size_t bound = ZSTD_compressBound(bytes.n);
    uint8_t *room = buf_room(out, bound);
    CHECK(room, "out of memory");
    size_t n = ZSTD_compress(room, bound, bytes.p, bytes.n, 3);
    CHECK(!ZSTD_isError(n), "zstd: %s", ZSTD_getErrorName(n));
    out->n += n;
}

static void add_pack(struct mass *mass, uint32_t claims, struct bytes bytes)
{
    CHECK(mass->n < RUN_PACKS_MAX, "too many packs");
    struct buf *packed = &mass->packed[mass->n];
    compress(bytes, packed);
    mass->packs[mass->n++] =
        (struct pack){.packing = PACKING_ZSTD, .size = claims, .data = buf_bytes(packed)};
}

static void close_pack(struct mass *mass)
{
    if (mass->open.n > 0)
        add_pack(mass, (uint32_t)mass->open.n, buf_bytes(&mass->open));
    buf_reset(&mass->open);
}

static void go_on(struct mass *mass, struct bytes envelope, struct bytes fields)
{
    uint8_t salt[SALT_SIZE] = {0}, body[HASH_SIZE], leaf[HASH_SIZE];
    struct peer *end = &mass->end;
    be32_put(salt, end->seq);
    buf_put(&mass->salts, BYTES(salt));
    digest_body(salt, fields, body);
    digest_leaf(envelope, body, leaf);
    memcpy(end->tag, leaf, sizeof end->tag);
    digest_head(end->community, end->key, ++end->seq, leaf, end->head);
}

static void add_change(struct mass *mass, struct bytes envelope, struct bytes fields)
{
    struct change change = {.envelope = envelope, .fields = fields};
    struct changes one = {.changes = {&change, 1}};
    if (mass->open.n > PACK_TARGET)
        close_pack(mass);
    message_encode(&changes_message, &one, &mass->open);
    go_on(mass, envelope, fields);
}

// Encodes all, and frees it.
static void finish(struct mass *mass, uint32_t first, struct buf *request)
{
    uint8_t signature[SIGN_SIZE];
    struct buf transcript = {0};
    const struct peer *end = &mass->end;
    digest_run_transcript(end->community, end->key, end->seq, end->head, NULL, &transcript);
    CHECK(sign_make(end->seed, buf_bytes(&transcript), signature) == OK, "signing");
    struct run run = {.first = first,
                      .packs = {mass->packs, mass->n},
                      .salts = buf_bytes(&mass->salts),
                      .signature = BYTES(signature)};
    struct sync_request sync = {
        .version = PROTOCOL_VERSION, .push = {&run, 1}, .has_answer_max = true};
    message_encode(&sync_request_message, &sync, request);
    CHECK(!request->err, "out of memory");
    for (size_t i = 0; i < mass->n; i++)
        buf_done(&mass->packed[i]);
    buf_done(&mass->open);
    buf_done(&mass->salts);
    buf_done(&transcript);
    free(mass);
}

static struct mass *begin(const struct peer *peer)
{
    struct mass *mass = calloc(1, sizeof *mass);
    CHECK(mass, "out of memory");
    mass->end = *peer;
    return mass;
}

void mass_edits(const struct peer *peer, size_t n, size_t edits, struct buf *request,
                struct peer *after)
{
    struct mass *mass = begin(peer);
    struct peer_change change = peer_create(KIND_NEED, (struct bytes){NULL, 0});
    struct buf envelope = {0}, fields = {0};
    message_encode(&envelope_message, &change.envelope, &envelope);
    for (size_t i = 0; i < edits; i++)
        wire_put_uint(&fields, FIELD_UNKNOWN, i % 100);
    for (size_t i = 0; i < n; i++)
        add_change(mass, buf_bytes(&envelope), buf_bytes(&fields));
    close_pack(mass);
    if (after)
        *after = mass->end;
    finish(mass, peer->seq + 1, request);
    buf_done(&envelope);
    buf_done(&fields);
}

void mass_bomb(const struct peer *peer, uint32_t claims, size_t holds, size_t n,
               struct buf *request)
{
    struct mass *mass = begin(peer);
    const uint8_t salt[SALT_SIZE] = {0};
    struct buf fields = {0};
    while (fields.n < holds)
        wire_put_bytes(&fields, FIELD_UNKNOWN, (struct bytes){NULL, 0});
    for (size_t i = 0; i < n; i++)
        add_pack(mass, claims, bytes_of(fields.p, holds));
    mass->end.seq++;
    buf_put(&mass->salts, BYTES(salt));
    finish(mass, peer->seq + 1, request);
    buf_done(&fields);
}

void mass_texts(const struct peer *peer, const char *const *texts, size_t n, struct buf *request,
                struct peer *after)
{
    struct mass *mass = begin(peer);
    uint32_t first = peer->seq + 1; // `after` may be the peer
    struct peer_change change = peer_create(KIND_NEED, (struct bytes){NULL, 0});
    for (size_t i = 0; i < n; i++) {
        struct buf envelope = {0}, fields = {0};
        change.envelope.time -= TEXT_MS;
        message_encode(&envelope_message, &change.envelope, &envelope);
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text(texts[i]));
        add_change(mass, buf_bytes(&envelope), buf_bytes(&fields));
        buf_done(&envelope);
        buf_done(&fields);
    }
    close_pack(mass);
    if (after)
        *after = mass->end;
    finish(mass, first, request);
}

static void add_voice(struct mass *mass, const struct mass_voice *voice, int64_t time)
{
    uint8_t subject[4 + ID_SIZE];
    struct bytes parts[2] = {BYTES(subject), BYTES(voice->person)};
    struct envelope said = {.kind = KIND_VOICE, .time = time, .parts = {parts, 2}};
    struct buf envelope = {0}, fields = {0};
    be32_put(subject, KIND_NEED);
    memcpy(subject + 4, voice->need, ID_SIZE);
    message_encode(&envelope_message, &said, &envelope);
    wire_put_uint(&fields, FIELD_VOICE_STANCE, voice->stance);
    add_change(mass, buf_bytes(&envelope), buf_bytes(&fields));
    buf_done(&envelope);
    buf_done(&fields);
}

void mass_voices(const struct peer *peer, const struct mass_voice *voices, size_t n,
                 struct buf *request, struct peer *after)
{
    struct mass *mass = begin(peer);
    uint32_t first = peer->seq + 1; // `after` may be the peer
    int64_t time = peer_create(KIND_NEED, (struct bytes){NULL, 0}).envelope.time - TEXT_MS;
    for (size_t i = 0; i < n; i++)
        add_voice(mass, &voices[i], time - (int64_t)(n - i));
    close_pack(mass);
    if (after)
        *after = mass->end;
    finish(mass, first, request);
}
