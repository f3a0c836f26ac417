// Masses in one request: edits, fields, bombs, strings. Each is refused or taken whole, costs the
// hub little memory, and others are served meanwhile.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "tests/e2e/check.h"
#include "tests/e2e/mass.h"
#include "tests/e2e/strain.h"

enum {
    TIMES = 8, // each request is sent
    REQUEST_KIB =
        12 << 10, // what one request may cost: its body, 4 MiB unpacked, what is read of it
};

static const char limits[] = "connections = 200\ndevice_changes_per_day = 0\n"
                             "device_bytes_per_day = 0\n";

struct sending {
    const struct stage *stage;
    struct bytes request;
    const char *what;
    const char *code; // that it must get; "": it is answered
};

static void send_many(void *arg)
{
    const struct sending *sending = arg;
    for (int i = 0; i < TIMES; i++) {
        struct post_answer answer;
        peer_send(&sending->stage->peer, sending->request, &answer);
        CHECK(answer.status == 200 || answer.message[0], "\"%s\": %ld without a sentence",
              sending->what, answer.status);
        CHECK(answer.status > 0, "\"%s\" is not answered", sending->what);
        CHECK(strcmp(answer.code, sending->code) == 0, "\"%s\": %s, not %s (%s)", sending->what,
              answer.code, sending->code, answer.message);
        if (i == 0)
            printf("    %s: %zu bytes, %s\n", sending->what, sending->request.n,
                   answer.status == 200 ? "answered" : answer.message);
        post_done(&answer);
    }
}

static void send_mass(struct stage *stage, const char *what, struct buf *request, const char *code)
{
    struct strain strain;
    struct sending sending = {
        .stage = stage, .request = buf_bytes(request), .what = what, .code = code};
    CHECK(request->n <= REQUEST_MAX, "\"%s\" has %zu bytes", what, request->n);
    strain_begin(&strain, stage);
    strain_meanwhile(stage, what, send_many, &sending);
    strain_check_memory(&strain, what, REQUEST_KIB);
    buf_done(request);
}

// --- edits ---

static void a_million_tiny_edits_in_one_request_are_refused(void)
{
    struct stage stage;
    struct buf request = {0};
    strain_open(&stage, limits);
    mass_edits(&stage.peer, RUN_CHANGES_MAX, EDITS_MAX, &request, NULL);
    send_mass(&stage, "a million edits", &request, "resource_exhausted");
    stage_close(&stage);
}

// FOLKMOOT_TINY_EDITS=1000000 for the million.
static void tiny_edits_in_many_requests_are_taken_and_cost_no_memory(void)
{
    enum { CHANGES = REQUEST_EDITS_MAX / EDITS_MAX };
    struct stage stage;
    struct strain strain;
    size_t edits = strain_count("FOLKMOOT_TINY_EDITS", 2 * (size_t)REQUEST_EDITS_MAX), taken = 0;
    strain_open(&stage, limits);
    for (; taken < edits; taken += REQUEST_EDITS_MAX) {
        struct buf request = {0};
        struct post_answer answer;
        struct peer after;
        strain_begin(&strain, &stage);
        mass_edits(&stage.peer, CHANGES, EDITS_MAX, &request, &after);
        peer_send(&stage.peer, buf_bytes(&request), &answer);
        CHECK(peer_receipt(&answer, NULL) == after.seq, "not all are taken");
        stage.peer = after;
        strain_check_memory(&strain, "tiny edits", (size_t)3 * REQUEST_KIB);
        post_done(&answer);
        buf_done(&request);
    }
    strain_check_others(&stage, "tiny edits");
    CHECK(device_count(&stage.good, "need") == taken / EDITS_MAX + 1, "%zu needs",
          device_count(&stage.good, "need"));
    stage_close(&stage);
}

// --- bombs ---

static void packs_that_are_bombs_are_refused(void)
{
    static const struct {
        const char *what;
        uint32_t claims;
        size_t holds;
        size_t n;
        const char *code;
    } bombs[] = {
        {"a pack that holds 64 times what it says", 1 << 20, 64 << 20, 1, "invalid_argument"},
        {"256 packs of 1 MiB", 1 << 20, 1 << 20, 256, "resource_exhausted"},
        {"a pack that says 4 GiB", UINT32_MAX, 1 << 20, 1, "resource_exhausted"},
        {"packs that hold less than they say", 1 << 20, 16, 200, "invalid_argument"},
        {"packs that say nothing", 0, 1 << 20, 100, "invalid_argument"},
    };
    struct stage stage;
    strain_open(&stage, limits);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        struct buf request = {0};
        mass_bomb(&stage.peer, bombs[i].claims, bombs[i].holds, bombs[i].n, &request);
        send_mass(&stage, bombs[i].what, &request, bombs[i].code);
    }
    stage_close(&stage);
}

// Frames whose heads ask for a window of 2 GiB (RFC 8878 section 3.1.1.1.2), and skippable ones.
static void packs_of_strange_frames_are_refused(void)
{
    static const uint8_t wide[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00};
    static const uint8_t skipped[] = {0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0x7f, 0x00};
    const struct bytes frames[] = {BYTES(wide), BYTES(skipped)};
    struct stage stage;
    uint8_t salts[SALT_SIZE] = {0}, signature[64] = {1};
    strain_open(&stage, limits);
    for (size_t i = 0; i < 2; i++) {
        struct buf request = {0};
        struct pack pack = {.packing = PACKING_ZSTD, .size = PACK_MAX, .data = frames[i]};
        struct run run = {
            .first = 1, .packs = {&pack, 1}, .salts = BYTES(salts), .signature = BYTES(signature)};
        struct sync_request sync = {.version = PROTOCOL_VERSION, .push = {&run, 1}};
        message_encode(&sync_request_message, &sync, &request);
        send_mass(&stage, i ? "a frame that is to be skipped" : "a window of 2 GiB", &request,
                  "invalid_argument");
    }
    stage_close(&stage);
}

// --- fields ---

static void fill(struct buf *request, struct bytes field)
{
    while (request->n + field.n <= REQUEST_MAX)
        buf_put(request, field);
}

static void fields_in_masses_are_bounded(void)
{
    static const uint8_t version[] = {0x08, 0x01}, unknown[] = {0x98, 0x06, 0x01};
    static const uint8_t empty_unknown[] = {0xa2, 0x06, 0x00}, cursor[] = {0x1a, 0x00};
    static const uint8_t run[] = {0x2a, 0x00}, point[] = {0x42, 0x00}, pack[] = {0x1a, 0x00};
    static const struct {
        const char *what;
        struct bytes field;
        const char *code;
    } rows[] = {
        {"the version, half a million times", {version, 2}, ""},
        {"an unknown number in masses", {unknown, 3}, ""},
        {"unknown bytes in masses", {empty_unknown, 3}, ""},
        {"a cursor twice and more", {cursor, 2}, "invalid_argument"},
        {"runs in masses", {run, 2}, "resource_exhausted"},
        {"points in masses", {point, 2}, "resource_exhausted"},
    };
    struct stage stage;
    strain_open(&stage, limits);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf request = {0};
        buf_put(&request, BYTES(version));
        fill(&request, rows[i].field);
        send_mass(&stage, rows[i].what, &request, rows[i].code);
    }
    struct buf request = {0};
    buf_put(&request, BYTES(version));
    size_t mark = wire_open(&request, 5);
    while (request.n < 1000000)
        buf_put(&request, BYTES(pack));
    wire_close(&request, mark);
    send_mass(&stage, "packs in masses", &request, "resource_exhausted");
    stage_close(&stage);
}

// --- strings ---

struct text {
    const char *what;
    struct bytes bytes;
    size_t times; // repeated
    uint32_t field;
    bool apart;
};

static size_t say_text(struct stage *stage, const struct text *text)
{
    struct buf fields = {0}, request = {0};
    struct post_answer answer;
    struct peer after;
    size_t mark = wire_open(&fields, text->field);
    for (size_t i = 0; i < text->times; i++)
        buf_put(&fields, text->bytes);
    wire_close(&fields, mark);
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage->peer, &change, 1, NULL, &request, &after);
    peer_send(&stage->peer, buf_bytes(&request), &answer);
    CHECK(peer_receipt(&answer, NULL) == after.seq, "%s: no receipt", text->what);
    CHECK(peer_set_apart(&answer) == text->apart, "%s: %s", text->what,
          text->apart ? "it is not set apart" : "it is set apart");
    stage->peer = after;
    post_done(&answer);
    buf_done(&fields);
    buf_done(&request);
    return !text->apart;
}

static void refuse_long_text(struct stage *stage, const char *what, size_t n)
{
    struct buf fields = {0}, request = {0};
    size_t mark = wire_open(&fields, FIELD_WORDS);
    for (size_t i = 0; i < n; i++)
        buf_put_u8(&fields, 'x');
    wire_close(&fields, mark);
    struct peer_change change = peer_create(KIND_NEED, buf_bytes(&fields));
    peer_request(&stage->peer, &change, 1, NULL, &request, NULL);
    send_mass(stage, what, &request, "resource_exhausted");
    buf_done(&fields);
}

static void strings_are_set_apart_or_kept_as_they_are(void)
{
#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
    const struct text texts[] = {
        {"a cut character", TEXT("ab\xc3"), 1, FIELD_TITLE, true},
        {"a wrong character", TEXT("\xc3\x28"), 1, FIELD_TITLE, true},
        {"an overlong NUL", TEXT("\xc0\x80"), 1, FIELD_TITLE, true},
        {"a surrogate", TEXT("\xed\xa0\x80"), 1, FIELD_TITLE, true},
        {"beyond Unicode", TEXT("\xf4\x90\x80\x80"), 1, FIELD_TITLE, true},
        {"a NUL", TEXT("a\0b"), 1, FIELD_TITLE, true},
        {"a title of 401 bytes", TEXT("x"), 401, FIELD_TITLE, true},
        {"a title of 400 bytes", TEXT("x"), 400, FIELD_TITLE, false},
        {"words of 60 kB", TEXT("x"), 60000, FIELD_WORDS, true},
        {"words of 16 KiB", TEXT("x"), 16384, FIELD_WORDS, false},
        {"bidi", TEXT("\xe2\x80\xae evil \xe2\x81\xa6\xe2\x80\x8f"), 1, FIELD_TITLE, false},
        {"marks in a pile", TEXT("\xcc\x81"), 150, FIELD_TITLE, false},
    };
    struct stage stage;
    size_t shown = 0;
    strain_open(&stage, limits);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        shown += say_text(&stage, &texts[i]);
    stage_remember(&stage);
    stage_check_unharmed(&stage, "strings");
    CHECK(device_count(&stage.good, "need") == shown, "%zu needs are shown, not %zu",
          device_count(&stage.good, "need"), shown);
    refuse_long_text(&stage, "words of 100 kB", 100000);
    refuse_long_text(&stage, "words of 1 MB", 1000000);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
#define CASE(name) {#name, name}
        CASE(a_million_tiny_edits_in_one_request_are_refused),
        CASE(tiny_edits_in_many_requests_are_taken_and_cost_no_memory),
        CASE(packs_that_are_bombs_are_refused),
        CASE(packs_of_strange_frames_are_refused),
        CASE(fields_in_masses_are_bounded),
        CASE(strings_are_set_apart_or_kept_as_they_are),
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
