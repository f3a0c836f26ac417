#include "tests/e2e/peer.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "base/sign.h"
#include "base/text.h"
#include "client/link.h"
#include "sync/digest.h"
#include "tests/e2e/check.h"

enum { PEER_ARENA_MAX = 8 << 20 };

static const char info_path[] = "/folkmoot.v1.InfoService/Info";
static const char enrol_path[] = "/folkmoot.v1.EnrolService/Enrol";
static const char login_path[] = "/folkmoot.v1.EnrolService/Login";
static const char sync_path[] = "/folkmoot.v1.SyncService/Sync";

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// --- calls ---

void peer_call(const struct peer_call *call, struct arena *arena, void *response,
               struct post_answer *answer)
{
    struct buf body = {0};
    struct fault fault = {0};
    message_encode(call->asked, call->request, &body);
    CHECK(!body.err, "out of memory");
    post_send(
        call->port,
        &(struct post){
            .path = call->path, .token = call->token, .from = call->from, .body = buf_bytes(&body)},
        answer);
    struct bytes kept = arena_copy(arena, buf_bytes(&answer->body));
    CHECK(answer->status != 200 || message_decode(call->told, kept, arena, response, &fault) == OK,
          "%s: %s", call->path, fault.text);
    buf_done(&body);
}

// The same, of what has to succeed.
static void must_call(const struct peer_call *call, struct arena *arena, void *response)
{
    struct post_answer answer;
    peer_call(call, arena, response, &answer);
    CHECK(answer.status == 200, "%s: %ld %s", call->path, answer.status, answer.message);
    post_done(&answer);
}

static void ask_info(uint16_t port, struct arena *arena, struct info_response *info)
{
    struct info_request ask = {0};
    must_call(&(struct peer_call){.port = port,
                                  .path = info_path,
                                  .asked = &info_request_message,
                                  .request = &ask,
                                  .told = &info_response_message},
              arena, info);
}

// code: the invitation's; NULL: to log in.
static void sign_enrolment(const struct peer *peer, const uint8_t *code,
                           const struct info_response *info, uint8_t signature[SIGN_SIZE])
{
    uint8_t invitation[HASH_SIZE];
    struct buf transcript = {0};
    if (code)
        digest_invitation(code, invitation);
    digest_enrol_transcript(
        &(struct enrol_transcript){.purpose = code ? PURPOSE_ENROL : PURPOSE_LOGIN,
                                   .hub_key = info->hub_key.p,
                                   .community = peer->community,
                                   .device_key = peer->key,
                                   .invitation_hash = code ? invitation : NULL,
                                   .challenge = info->challenge,
                                   .expires = info->challenge_expires},
        &transcript);
    CHECK(sign_make(peer->seed, buf_bytes(&transcript), signature) == OK, "signing");
    buf_done(&transcript);
}

void peer_keep_token(struct peer *peer, struct bytes token)
{
    struct buf text = {0};
    CHECK(token.n == TOKEN_SIZE, "a token of %zu bytes", token.n);
    text_base64url(&text, token);
    CHECK(!text.err && text.n < sizeof peer->token, "the token's text");
    memcpy(peer->token, text.p, text.n);
    peer->token[text.n] = '\0';
    buf_done(&text);
}

static void make_keys(struct peer *peer, const uint8_t community[COMMUNITY_SIZE])
{
    CHECK(getrandom(peer->seed, sizeof peer->seed, 0) == sizeof peer->seed, "getrandom");
    CHECK(sign_public_key(peer->seed, peer->key) == OK, "a key");
    memcpy(peer->community, community, sizeof peer->community);
    digest_handle(peer->community, peer->key, peer->handle);
}

void peer_try_enrol(struct peer *peer, uint16_t port, const char *join_link, const char *from,
                    struct post_answer *answer)
{
    struct link link;
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    struct info_response info = {0};
    struct admission admission = {0};
    uint8_t signature[SIGN_SIZE];
    arena_init(&arena, PEER_ARENA_MAX);
    *peer = (struct peer){.port = port};
    CHECK(link_parse(join_link, &link, &fault) == OK, "%s", fault.text);
    make_keys(peer, link.community);
    memcpy(peer->hub_key, link.hub_key, KEY_SIZE);
    ask_info(port, &arena, &info);
    sign_enrolment(peer, link.code, &info, signature);
    struct enrol_request request = {.community = BYTES(peer->community),
                                    .device_key = BYTES(peer->key),
                                    .invitation = BYTES(link.code),
                                    .challenge = info.challenge,
                                    .expires = info.challenge_expires,
                                    .signature = BYTES(signature)};
    peer_call(&(struct peer_call){.port = port,
                                  .path = enrol_path,
                                  .from = from,
                                  .asked = &enrol_request_message,
                                  .request = &request,
                                  .told = &enrol_response_message},
              &arena, &admission, answer);
    if (answer->status == 200)
        peer_keep_token(peer, admission.token);
}

void peer_enrol(struct peer *peer, uint16_t port, const char *join_link)
{
    struct post_answer answer;
    peer_try_enrol(peer, port, join_link, NULL, &answer);
    CHECK(answer.status == 200, "Enrol: %ld %s", answer.status, answer.message);
    post_done(&answer);
}

void peer_login(struct peer *peer)
{
    struct arena arena ARENA_CLEANUP;
    struct info_response info = {0};
    struct admission admission = {0};
    uint8_t signature[SIGN_SIZE];
    arena_init(&arena, PEER_ARENA_MAX);
    ask_info(peer->port, &arena, &info);
    sign_enrolment(peer, NULL, &info, signature);
    struct login_request request = {.community = BYTES(peer->community),
                                    .device_key = BYTES(peer->key),
                                    .challenge = info.challenge,
                                    .expires = info.challenge_expires,
                                    .signature = BYTES(signature)};
    must_call(&(struct peer_call){.port = peer->port,
                                  .path = login_path,
                                  .asked = &login_request_message,
                                  .request = &request,
                                  .told = &login_response_message},
              &arena, &admission);
    peer_keep_token(peer, admission.token);
}

// --- runs ---

struct peer_change peer_create(uint32_t kind, struct bytes fields)
{
    return (struct peer_change){.envelope = {.kind = kind, .time = clock_ms()}, .fields = fields};
}

void peer_last_id(const struct peer *peer, uint8_t id[ID_SIZE])
{
    memcpy(id, peer->handle, 8);
    be32_put(id + 8, peer->seq);
    memcpy(id + 12, peer->tag, sizeof peer->tag);
}

struct building {
    struct buf envelopes[PEER_CHANGES_MAX];
    struct change changes[PEER_CHANGES_MAX];
    uint8_t salts[PEER_CHANGES_MAX][SALT_SIZE];
    struct buf packed;
    uint8_t signature[SIGN_SIZE + 1];
};

// Makes the changes and goes along the chain.
static void build_changes(struct building *b, const struct peer_change *changes, size_t n,
                          struct peer *end)
{
    CHECK(n <= PEER_CHANGES_MAX, "too many changes");
    CHECK(getrandom(b->salts, sizeof b->salts, 0) == sizeof b->salts, "getrandom");
    for (size_t i = 0; i < n; i++) {
        uint8_t body[HASH_SIZE], leaf[HASH_SIZE];
        message_encode(&envelope_message, &changes[i].envelope, &b->envelopes[i]);
        b->changes[i] =
            (struct change){.envelope = buf_bytes(&b->envelopes[i]), .fields = changes[i].fields};
        digest_body(b->salts[i], changes[i].fields, body);
        digest_leaf(b->changes[i].envelope, body, leaf);
        memcpy(end->tag, leaf, sizeof end->tag);
        digest_head(end->community, end->key, ++end->seq, leaf, end->head);
    }
    struct changes all = {.changes = {b->changes, n}};
    message_encode(&changes_message, &all, &b->packed);
    CHECK(!b->packed.err, "out of memory");
}

static void sign_run(struct building *b, const struct peer *end)
{
    struct buf transcript = {0};
    digest_run_transcript(end->community, end->key, end->seq, end->head, NULL, &transcript);
    CHECK(sign_make(end->seed, buf_bytes(&transcript), b->signature) == OK, "signing");
    buf_done(&transcript);
}

// S + L is the same number modulo the order L of the group (RFC 8032 section 5.1).
static void add_order(uint8_t s[32])
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static struct bytes spoil_signature(struct building *b, const struct peer_spoil *spoil)
{
    if (!spoil)
        return bytes_of(b->signature, SIGN_SIZE);
    if (spoil->wrong_signature)
        b->signature[7] ^= 0x10;
    if (spoil->high_s)
        add_order(b->signature + 32);
    return bytes_of(spoil->no_signature ? NULL : b->signature, spoil->no_signature ? 0
                                                               : spoil->signature_bytes
                                                                   ? spoil->signature_bytes
                                                                   : SIGN_SIZE);
}

void peer_request(const struct peer *peer, const struct peer_change *changes, size_t n,
                  const struct peer_spoil *spoil, struct buf *request, struct peer *after)
{
    struct peer end = *peer;
    struct building *b = calloc(1, sizeof *b);
    CHECK(b, "out of memory");
    end.seq += spoil ? spoil->skip : 0;
    if (spoil && spoil->signed_for)
        memcpy(end.community, spoil->signed_for, sizeof end.community);
    uint32_t first = end.seq + 1;
    build_changes(b, changes, n, &end);
    sign_run(b, &end);
    struct pack pack = {
        .packing = PACKING_PLAIN, .size = (uint32_t)b->packed.n, .data = buf_bytes(&b->packed)};
    struct run run = {.first = first,
                      .packs = {&pack, 1},
                      .salts = bytes_of(b->salts, n * SALT_SIZE),
                      .signature = spoil_signature(b, spoil)};
    struct sync_request sync = {.version =
                                    spoil && spoil->version ? spoil->version : PROTOCOL_VERSION,
                                .push = {&run, n ? 1 : 0},
                                .answer_max = 0,
                                .has_answer_max = true};
    message_encode(&sync_request_message, &sync, request);
    CHECK(!request->err, "out of memory");
    for (size_t i = 0; i < n; i++)
        buf_done(&b->envelopes[i]);
    buf_done(&b->packed);
    free(b);
    if (after)
        *after = end;
}

void peer_send(const struct peer *peer, struct bytes request, struct post_answer *answer)
{
    post_send(peer->port, &(struct post){.path = sync_path, .token = peer->token, .body = request},
              answer);
}

// NULL: none.
static const struct receipt *first_receipt(const struct post_answer *answer, struct arena *arena)
{
    struct sync_response response = {0};
    struct fault fault = {0};
    CHECK(answer->status == 200, "%ld %s %s", answer->status, answer->code, answer->message);
    CHECK(message_decode(&sync_response_message, buf_bytes(&answer->body), arena, &response,
                         &fault) == OK,
          "%s", fault.text);
    return response.receipts.n ? LIST_AT(struct receipt, response.receipts, 0) : NULL;
}

uint32_t peer_receipt(const struct post_answer *answer, uint32_t *standing)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, PEER_ARENA_MAX);
    const struct receipt *receipt = first_receipt(answer, &arena);
    if (receipt && standing)
        *standing = receipt->standing;
    return receipt ? receipt->seq : 0;
}

size_t peer_set_apart(const struct post_answer *answer)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, PEER_ARENA_MAX);
    const struct receipt *receipt = first_receipt(answer, &arena);
    return receipt ? receipt->set_apart.n : 0;
}

void peer_push(struct peer *peer, const struct peer_change *changes, size_t n)
{
    struct buf request = {0};
    struct post_answer answer;
    struct peer after;
    uint32_t standing = STANDING_OK;
    peer_request(peer, changes, n, NULL, &request, &after);
    peer_send(peer, buf_bytes(&request), &answer);
    uint32_t seq = peer_receipt(&answer, &standing);
    CHECK(seq == after.seq && standing == STANDING_OK, "a receipt for %u, not %u (standing %u)",
          seq, after.seq, standing);
    *peer = after;
    post_done(&answer);
    buf_done(&request);
}
