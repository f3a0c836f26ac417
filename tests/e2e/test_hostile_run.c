// Runs that are forged, moved, replayed or late, and clocks that lie, over the wire: what is not
// the device's own is refused with a sentence and changes nothing; what is counts once.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sign.h"
#include "base/text.h"
#include "client/link.h"
#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "tests/e2e/check.h"
#include "tests/e2e/stage.h"

static const char info_path[] = "/folkmoot.v1.InfoService/Info";
static const char enrol_path[] = "/folkmoot.v1.EnrolService/Enrol";

static void put_title(struct buf *fields, const char *title)
{
    buf_reset(fields);
    wire_put_bytes(fields, FIELD_TITLE, bytes_of_text(title));
}

// A run of one change after the peer's end.
static void one_change(const struct peer *peer, const char *title, const struct peer_spoil *spoil,
                       struct buf *request, struct peer *after)
{
    struct buf fields = {0};
    put_title(&fields, title);
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(peer, &change, 1, spoil, request, after);
    buf_done(&fields);
}

static void expect_refused(struct stage *stage, const char *what, struct bytes request, long status,
                           const char *code)
{
    struct post_answer answer;
    peer_send(&stage->peer, request, &answer);
    CHECK(answer.status == status && strcmp(answer.code, code) == 0,
          "\"%s\": %ld %s (%s), not %ld %s", what, answer.status, answer.code, answer.message,
          status, code);
    CHECK(answer.message[0], "\"%s\": an error without a sentence", what);
    printf("    %s: %s\n", what, answer.message);
    post_done(&answer);
    stage_check_unharmed(stage, what);
}

static uint32_t expect_receipt(struct stage *stage, const char *what, struct bytes request,
                               enum standing standing)
{
    struct post_answer answer;
    uint32_t told = STANDING_OK;
    peer_send(&stage->peer, request, &answer);
    uint32_t seq = peer_receipt(&answer, &told);
    CHECK(told == (uint32_t)standing, "\"%s\": standing %u", what, told);
    post_done(&answer);
    return seq;
}

// --- signatures ---

static void signatures_that_are_not_sound_are_refused(void)
{
    static const uint8_t community[COMMUNITY_SIZE] = "another one";
    static const struct {
        const char *what;
        struct peer_spoil spoil;
    } rows[] = {
        {"no signature", {.no_signature = true}},
        {"a flipped bit", {.wrong_signature = true}},
        {"an S that is not canonical", {.high_s = true}},
        {"a signature of 63 bytes", {.signature_bytes = 63}},
        {"a signature of one byte", {.signature_bytes = 1}},
        {"signed for another community", {.signed_for = community}},
    };
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf request = {0};
        one_change(&stage.peer, "forged", &rows[i].spoil, &request, NULL);
        expect_refused(&stage, rows[i].what, buf_bytes(&request), 400, "invalid_argument");
        buf_done(&request);
    }
    struct buf request = {0};
    one_change(&stage.peer, "forged", &(struct peer_spoil){.signature_bytes = 65}, &request, NULL);
    expect_refused(&stage, "a signature of 65 bytes", buf_bytes(&request), 429,
                   "resource_exhausted");
    buf_done(&request);
    stage_close(&stage);
}

// The same device key in two communities of one hub; and a run that another hub has taken.
static void a_run_that_another_hub_took_is_not_taken_here(void)
{
    struct stage stage, other;
    struct buf request = {0};
    stage_open(&stage);
    stage_open(&other);
    struct peer moved = other.peer;
    memcpy(moved.seed, stage.peer.seed, sizeof moved.seed);
    memcpy(moved.key, stage.peer.key, sizeof moved.key);
    one_change(&moved, "said elsewhere", NULL, &request, NULL);
    expect_refused(&stage, "a run for another hub's community", buf_bytes(&request), 400,
                   "invalid_argument");
    struct post_answer answer;
    post_send(stage.hub.port,
              &(struct post){.path = "/folkmoot.v1.SyncService/Sync",
                             .token = other.peer.token,
                             .body = buf_bytes(&request)},
              &answer);
    CHECK(answer.status == 401, "another hub's token: %ld", answer.status);
    post_done(&answer);
    stage_check_unharmed(&stage, "another hub's token");
    buf_done(&request);
    stage_close(&stage);
    stage_close(&other);
}

// --- enrolments ---

struct enrolling {
    struct arena arena;
    struct link link;
    struct info_response info;
    uint8_t seed[32], key[KEY_SIZE];
};

static void begin_enrolling(struct enrolling *e, struct hub *hub)
{
    char link[HUB_LINK_BYTES];
    struct fault fault = {0};
    struct post_answer answer;
    struct info_request ask = {0};
    *e = (struct enrolling){.seed = {7}};
    arena_init(&e->arena, 1 << 20);
    hub_invite(hub, "volunteer", link);
    CHECK(link_parse(link, &e->link, &fault) == OK, "%s", fault.text);
    CHECK(sign_public_key(e->seed, e->key) == OK, "a key");
    peer_call(&(struct peer_call){.port = hub->port,
                                  .path = info_path,
                                  .asked = &info_request_message,
                                  .request = &ask,
                                  .told = &info_response_message},
              &e->arena, &e->info, &answer);
    CHECK(answer.status == 200, "Info: %ld", answer.status);
    post_done(&answer);
}

// forged: a signature; NULL: one is made with the key that is enrolled.
static void enrol(struct stage *stage, struct enrolling *e, const char *what,
                  const struct enrol_transcript *transcript, const uint8_t *forged)
{
    uint8_t signature[SIGN_SIZE];
    struct buf signed_ = {0};
    struct post_answer answer;
    struct admission admission = {0};
    digest_enrol_transcript(transcript, &signed_);
    CHECK(sign_make(e->seed, buf_bytes(&signed_), signature) == OK, "signing");
    if (forged)
        memcpy(signature, forged, sizeof signature);
    struct enrol_request request = {.community = BYTES(e->link.community),
                                    .device_key = bytes_of(transcript->device_key, KEY_SIZE),
                                    .invitation = BYTES(e->link.code),
                                    .challenge = transcript->challenge,
                                    .expires = transcript->expires,
                                    .signature = BYTES(signature)};
    peer_call(&(struct peer_call){.port = stage->hub.port,
                                  .path = enrol_path,
                                  .asked = &enrol_request_message,
                                  .request = &request,
                                  .told = &enrol_response_message},
              &e->arena, &admission, &answer);
    CHECK(answer.status >= 400 && answer.message[0], "\"%s\": %ld", what, answer.status);
    printf("    %s: %s\n", what, answer.message);
    post_done(&answer);
    buf_done(&signed_);
    stage_check_unharmed(stage, what);
}

// R the neutral element and S = 0: it fits every message under the key that is the neutral element,
// and one message in two, four or eight under the others.
static const uint8_t fits_all[SIGN_SIZE] = {1};

// The neutral element in both its forms, and points of the orders 2, 4 and 8.
static const uint8_t small_keys[][KEY_SIZE] = {
    {0},
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
};

static void keys_and_transcripts_that_are_not_sound_enrol_nobody(void)
{
    static const uint8_t other_hub[KEY_SIZE] = "another hub", old[16] = "an old challenge";
    uint8_t invitation[HASH_SIZE];
    struct stage stage;
    struct enrolling e;
    stage_open(&stage);
    begin_enrolling(&e, &stage.hub);
    CHECK(!sign_verify(small_keys[1], bytes_of_text("anything"), fits_all), "it fits nothing");
    digest_invitation(e.link.code, invitation);
    const struct enrol_transcript sound = {.purpose = PURPOSE_ENROL,
                                           .hub_key = e.info.hub_key.p,
                                           .community = e.link.community,
                                           .device_key = e.key,
                                           .invitation_hash = invitation,
                                           .challenge = e.info.challenge,
                                           .expires = e.info.challenge_expires};
    struct enrol_transcript bad = sound;
    bad.hub_key = other_hub;
    enrol(&stage, &e, "signed for another hub", &bad, NULL);
    bad = sound;
    bad.community = other_hub;
    enrol(&stage, &e, "signed for another community", &bad, NULL);
    bad = sound;
    bad.challenge = BYTES(old);
    enrol(&stage, &e, "an old challenge", &bad, NULL);
    bad = sound;
    bad.expires += 1;
    enrol(&stage, &e, "a challenge that was prolonged", &bad, NULL);
    for (size_t i = 0; i < sizeof small_keys / sizeof *small_keys; i++) {
        bad = sound;
        bad.device_key = small_keys[i];
        enrol(&stage, &e, "a key of small order", &bad, fits_all);
    }
    arena_done(&e.arena);
    stage_close(&stage);
}

// --- seqs ---

// A run whose first seq is this varint.
static void put_run_from(struct buf *request, uint64_t first)
{
    static const uint8_t zeros[64] = {1};
    struct change change = {.leaf = bytes_of(zeros, HASH_SIZE)};
    struct changes changes = {.changes = {&change, 1}};
    struct buf packed = {0}, pack = {0};
    message_encode(&changes_message, &changes, &packed);
    wire_put_uint(&pack, 1, PACKING_PLAIN);
    wire_put_uint(&pack, 2, packed.n);
    wire_put_bytes(&pack, 3, buf_bytes(&packed));
    wire_put_uint(request, 1, PROTOCOL_VERSION);
    size_t run = wire_open(request, 5);
    wire_put_uint(request, 2, first);
    wire_put_bytes(request, 3, buf_bytes(&pack));
    wire_put_bytes(request, 5, BYTES(zeros));
    wire_close(request, run);
    buf_done(&packed);
    buf_done(&pack);
}

static void seqs_beyond_the_end_of_all_are_refused(void)
{
    static const uint64_t firsts[] = {0, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    struct stage stage;
    stage_open(&stage);
    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++) {
        struct buf request = {0};
        struct post_answer answer;
        put_run_from(&request, firsts[i]);
        peer_send(&stage.peer, buf_bytes(&request), &answer);
        // The last of all seqs is only a gap: nothing is looked at and nothing taken.
        CHECK(answer.status == (firsts[i] == UINT32_MAX ? 200 : 400), "from seq %llu: %ld %s",
              (unsigned long long)firsts[i], answer.status, answer.message);
        CHECK(answer.status != 200 || peer_receipt(&answer, NULL) == 0, "it is taken");
        post_done(&answer);
        stage_check_unharmed(&stage, "a seq beyond all");
        buf_done(&request);
    }
    stage_close(&stage);
}

// Both signed by the device's own key: in one request (two requests in a row as bytes are one with
// the runs of both), and in two.
static void two_changes_of_one_seq_count_once(void)
{
    struct stage stage;
    struct buf one = {0}, two = {0}, both = {0};
    stage_open(&stage);
    one_change(&stage.peer, "one", NULL, &one, NULL);
    one_change(&stage.peer, "two", NULL, &two, NULL);
    buf_put(&both, buf_bytes(&one));
    buf_put(&both, buf_bytes(&two));
    expect_refused(&stage, "two of one seq at once", buf_bytes(&both), 400, "invalid_argument");
    uint64_t log = hub_log_size(&stage.hub);
    CHECK(expect_receipt(&stage, "one", buf_bytes(&one), STANDING_OK) == 1, "no receipt");
    CHECK(hub_log_size(&stage.hub) == log + 1, "not one change more");
    (void)expect_receipt(&stage, "two", buf_bytes(&two), STANDING_FORK);
    CHECK(hub_log_size(&stage.hub) == log + 2, "not one decision more");
    for (int i = 0; i < 5; i++)
        (void)expect_receipt(&stage, "two again", buf_bytes(&two), STANDING_FORK);
    CHECK(hub_log_size(&stage.hub) == log + 2, "each repetition is decided anew");
    stage_remember(&stage);
    stage_check_unharmed(&stage, "an equivocator");
    CHECK(device_count(&stage.good, "need") == 1, "%zu needs", device_count(&stage.good, "need"));
    buf_done(&one);
    buf_done(&two);
    buf_done(&both);
    stage_close(&stage);
}

static void old_requests_of_all_ages_change_nothing(void)
{
    enum { AGES = 6 };
    struct stage stage;
    struct buf requests[AGES] = {0};
    stage_open(&stage);
    for (size_t i = 0; i < AGES; i++) {
        struct peer after;
        one_change(&stage.peer, "said once", NULL, &requests[i], &after);
        (void)expect_receipt(&stage, "said once", buf_bytes(&requests[i]), STANDING_OK);
        stage.peer = after;
    }
    stage_remember(&stage);
    for (size_t i = 0; i < AGES; i++) {
        uint32_t seq = expect_receipt(&stage, "replayed", buf_bytes(&requests[i]), STANDING_OK);
        CHECK(seq == AGES, "a receipt for %u", seq);
        buf_done(&requests[i]);
    }
    stage_check_unharmed(&stage, "replayed requests");
    CHECK(device_count(&stage.good, "need") == AGES, "not %d needs", (int)AGES);
    stage_close(&stage);
}

// --- a revoked key ---

static void a_sound_run_under_a_revoked_key_is_set_apart(void)
{
    struct stage stage;
    struct buf request = {0};
    struct post_answer answer;
    char handle[2 * HANDLE_SIZE + 1] = {0};
    stage_open(&stage);
    text_hex(BYTES(stage.peer.handle), handle);
    const char *const words[] = {"revoke", stage.hub.community, handle, NULL};
    cJSON_Delete(hub_control(&stage.hub, words));
    stage_remember(&stage);
    one_change(&stage.peer, "by a thief", NULL, &request, NULL);
    expect_refused(&stage, "the token of a revoked device", buf_bytes(&request), 401,
                   "unauthenticated");
    peer_login(&stage.peer);
    peer_send(&stage.peer, buf_bytes(&request), &answer);
    CHECK(peer_receipt(&answer, NULL) == 1 && peer_set_apart(&answer) == 1, "it is not set apart");
    post_done(&answer);
    stage_remember(&stage);
    stage_check_unharmed(&stage, "a revoked key");
    CHECK(device_count(&stage.good, "need") == 0, "what a revoked device said counts");
    buf_done(&request);
    stage_close(&stage);
}

// --- clocks ---

static size_t live_titles(struct device_host *device, const uint8_t *id)
{
    struct folkmoot_record record;
    struct folkmoot_error error = {0};
    size_t n = 0;
    CHECK(folkmoot_record_get(device->fm, "need", id, FOLKMOOT_BRIEF, &record, &error) ==
              FOLKMOOT_OK,
          "%s", error.text);
    for (size_t i = 0; i < record.fields_n; i++)
        if (record.fields[i].number == FIELD_TITLE)
            n = record.fields[i].values_n;
    folkmoot_record_done(&record);
    return n;
}

// Whatever time a device says: what others said stays live beside it, and can be gone over.
static void what_is_dated_back_or_ahead_outweighs_nobody(void)
{
    static const int64_t times[] = {INT64_MIN, -1, 1, INT64_MAX - 1, INT64_MAX};
    struct stage stage;
    struct buf fields = {0};
    uint8_t id[ID_SIZE];
    stage_open(&stage);
    device_add(&stage.good, "need", "title", "a bench", id);
    device_must_sync(&stage.good);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        put_title(&fields, "a throne");
        struct peer_change change = {
            .envelope = {.kind = KIND_NEED, .id = BYTES(id), .time = times[i]},
            .fields = buf_bytes(&fields)};
        peer_push(&stage.peer, &change, 1);
        device_must_sync(&stage.good);
        CHECK(live_titles(&stage.good, id) == 2, "%zu titles live", live_titles(&stage.good, id));
        device_edit(&stage.good, "need", id, "title", i % 2 ? "a bench" : "a seat");
        device_must_sync(&stage.good);
        CHECK(live_titles(&stage.good, id) == 1, "what is dated so cannot be gone over");
    }
    stage_remember(&stage);
    stage_check_unharmed(&stage, "lying clocks");
    buf_done(&fields);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(signatures_that_are_not_sound_are_refused),
        CASE(a_run_that_another_hub_took_is_not_taken_here),
        CASE(keys_and_transcripts_that_are_not_sound_enrol_nobody),
        CASE(seqs_beyond_the_end_of_all_are_refused),
        CASE(two_changes_of_one_seq_count_once),
        CASE(old_requests_of_all_ages_change_nothing),
        CASE(a_sound_run_under_a_revoked_key_is_set_apart),
        CASE(what_is_dated_back_or_ahead_outweighs_nobody),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
