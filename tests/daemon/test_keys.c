// The hub's keys: the identity as systemd hands it over, and a TLS key that is made anew while
// everything that pins the identity goes on.

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/sign.h"
#include "base/text.h"
#include "sync/digest.h"
#include "tests/daemon/hall.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/device.h"
#include "tests/e2e/raw.h"

enum { PATH_BYTES = 160, END_SECONDS = 30, ANSWER_MS = 20000 };

static const char info_path[] = "/folkmoot.v1.InfoService/Info";
static const char me_path[] = "/folkmoot.v1.RecordService/Me";

// --- the identity as a credential ---

static void path_of(const struct hall *hall, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", hall->hub.dir, name);
}

static bool is_there(const struct hall *hall, const char *name)
{
    char path[PATH_BYTES];
    path_of(hall, name, path);
    return access(path, F_OK) == 0;
}

// With what systemd.exec(5) says of a service's credentials.
static void set_credentials(const struct hall *hall)
{
    char path[PATH_BYTES];
    path_of(hall, "credentials", path);
    CHECK(mkdir(path, 0700) == 0, "%s: %s", path, strerror(errno));
    CHECK(setenv("CREDENTIALS_DIRECTORY", path, 1) == 0, "setenv");
}

static void close_hall(struct hall *hall)
{
    CHECK(unsetenv("CREDENTIALS_DIRECTORY") == 0, "unsetenv");
    hall_close(hall);
}

static void move_identity(const struct hall *hall)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    path_of(hall, "state/identity.key", from);
    path_of(hall, "credentials/identity.key", to);
    CHECK(rename(from, to) == 0, "%s: %s", from, strerror(errno));
    CHECK(chmod(to, 0440) == 0, "%s: %s", to, strerror(errno));
}

static void write_identity(const struct hall *hall, const char *text, mode_t mode)
{
    char path[PATH_BYTES];
    path_of(hall, "credentials/identity.key", path);
    (void)unlink(path);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0, "%s", path);
    CHECK(chmod(path, mode) == 0, "%s: %s", path, strerror(errno));
}

static void hub_key(struct hall *hall, char hex[2 * KEY_SIZE + 1])
{
    cJSON *told = hall_ctl(hall, (const char *[]){"status", NULL});
    CHECK(strlen(hall_text(told, "hub_key")) == (size_t)2 * KEY_SIZE, "no key in the status");
    (void)snprintf(hex, 2 * KEY_SIZE + 1, "%s", hall_text(told, "hub_key"));
    cJSON_Delete(told);
}

static void a_credential_is_the_identity_and_no_other_is_made(void)
{
    struct hall hall;
    struct peer late;
    char before[2 * KEY_SIZE + 1], after[2 * KEY_SIZE + 1];
    hall_open(&hall, "");
    hub_key(&hall, before);
    hub_stop(&hall.hub);
    set_credentials(&hall);
    move_identity(&hall);
    hub_start(&hall.hub);
    hub_key(&hall, after);
    CHECK(strcmp(before, after) == 0, "another identity: %s", after);
    CHECK(!is_there(&hall, "state/identity.key"), "one was made in the state directory");
    hall_check_me(&hall.ann, 200, "");
    hall_enrol(&hall, &late, "member", "Late");
    close_hall(&hall);
}

static void credentials_without_an_identity_leave_it_in_the_state_directory(void)
{
    struct hall hall;
    char before[2 * KEY_SIZE + 1], after[2 * KEY_SIZE + 1];
    hall_open(&hall, "");
    hub_key(&hall, before);
    hub_stop(&hall.hub);
    set_credentials(&hall);
    hub_start(&hall.hub);
    hub_key(&hall, after);
    CHECK(strcmp(before, after) == 0, "another identity: %s", after);
    CHECK(!is_there(&hall, "credentials/identity.key"), "one was made among the credentials");
    close_hall(&hall);
}

// The hub has to end with this of sysexits(3), and to say this after what it had said before.
static void check_does_not_start(struct hall *hall, int status, const char *why)
{
    char errors[PATH_BYTES];
    const char *const argv[] = {FOLKMOOTD, "--config", hall->hub.config, NULL};
    path_of(hall, "stderr", errors);
    (void)unlink(errors);
    int code = child_wait(child_start(argv, errors, NULL), END_SECONDS);
    CHECK(code == status, "it ended with %d", code);
    CHECK(hall_has_said(hall, why) && hall_has_said(hall, "identity.key"), "it does not say: %s",
          why);
    CHECK(!hall_has_said(hall, "listening"), "it listened");
}

static void a_malformed_credential_is_refused_though_there_is_another_key(void)
{
    static const char digits[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char *const malformed[] = {
        "",    "\n",
        "key", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef",
        NULL,  "0x112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    };
    static const char why[] = "is not an identity key: it must hold 64 hexadecimal digits";
    struct hall hall;
    char text[128];
    hall_open(&hall, "");
    hub_stop(&hall.hub);
    set_credentials(&hall);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        (void)snprintf(text, sizeof text, "%s00\n", digits);
        write_identity(&hall, malformed[i] ? malformed[i] : text, 0400);
        check_does_not_start(&hall, EX_DATAERR, why);
    }
    (void)snprintf(text, sizeof text, "%s\n", digits);
    write_identity(&hall, text, 0444);
    check_does_not_start(&hall, EX_NOPERM, "holds a secret, but others than its owner may use it");
    write_identity(&hall, text, 0400);
    check_does_not_start(&hall, EX_CONFIG, "was founded with another identity key");
    CHECK(unsetenv("CREDENTIALS_DIRECTORY") == 0, "unsetenv");
    hub_start(&hall.hub);
    hall_close(&hall);
}

static void an_identity_that_is_lost_is_not_made_anew_beside_its_communities(void)
{
    struct hall hall;
    char key[PATH_BYTES], aside[PATH_BYTES];
    hall_open(&hall, "");
    hub_stop(&hall.hub);
    path_of(&hall, "state/identity.key", key);
    path_of(&hall, "aside", aside);
    CHECK(rename(key, aside) == 0, "the key cannot be moved");
    check_does_not_start(&hall, EX_CONFIG, "an identity key that is not here");
    CHECK(!is_there(&hall, "state/identity.key"), "another one was made");
    CHECK(rename(aside, key) == 0, "the key cannot be moved back");
    hub_start(&hall.hub);
    hall_check_me(&hall.ann, 200, "");
    close_hall(&hall);
}

// --- a connection that stays open ---

struct line {
    struct raw raw;
    uint32_t stream; // of the last request
    struct buf in;
    uint8_t key[HASH_SIZE];         // of the TLS key that was shown
    uint8_t certificate[HASH_SIZE]; // its fingerprint
};

static void read_certificate(struct line *line)
{
    X509 *shown = SSL_get1_peer_certificate(line->raw.ssl);
    unsigned char *der = NULL;
    unsigned n = 0;
    CHECK(shown && X509_digest(shown, EVP_sha256(), line->certificate, &n) == 1, "a certificate");
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(shown), &der);
    CHECK(size > 0 && EVP_Digest(der, (size_t)size, line->key, NULL, EVP_sha256(), NULL) == 1,
          "its key");
    OPENSSL_free(der);
    X509_free(shown);
}

static void line_open(struct line *line, uint16_t port)
{
    *line = (struct line){.in = {.max = 1 << 20}};
    raw_open_h2(&line->raw, port);
    read_certificate(line);
}

static void line_close(struct line *line)
{
    raw_close(&line->raw);
    buf_done(&line->in);
}

// Sends a call and waits for its DATA.
static struct bytes line_ask(struct line *line, const char *path, const char *token,
                             struct bytes body)
{
    struct buf head = {0}, out = {0};
    struct bytes told = {NULL, 0};
    int64_t end = check_now_ms() + ANSWER_MS;
    line->stream += line->stream ? 2 : 1;
    buf_reset(&line->in);
    raw_put_head(&head, path, token);
    raw_put_frame(&out, FRAME_HEADERS, FLAG_END_HEADERS, line->stream, buf_bytes(&head));
    raw_put_frame(&out, FRAME_DATA, FLAG_END_STREAM, line->stream, body);
    CHECK(raw_send(&line->raw, buf_bytes(&out)), "the hub closed the connection");
    while (!raw_find_frame(buf_bytes(&line->in), FRAME_DATA, 0, &told)) {
        CHECK(!raw_read(&line->raw, 20, &line->in), "the hub closed the connection");
        CHECK(check_now_ms() < end, "%s: no answer", path);
    }
    buf_done(&head);
    buf_done(&out);
    return told;
}

static void check_member(struct line *line, const struct peer *peer)
{
    struct arena arena ARENA_CLEANUP;
    struct me_response me = {0};
    struct fault fault = {0};
    arena_init(&arena, 1 << 20);
    struct bytes told = line_ask(line, me_path, peer->token, (struct bytes){NULL, 0});
    CHECK(message_decode(&me_response_message, told, &arena, &me, &fault) == OK, "Me: %s",
          fault.text);
    CHECK(me.role == ROLE_VOLUNTEER, "Me: role %u", me.role);
}

// Info proves the very key of this connection by the identity that the invitation pinned.
static void check_proved(struct line *line, const char *identity)
{
    static const uint8_t nonce[16] = "0123456789abcde";
    struct arena arena ARENA_CLEANUP;
    struct info_response info = {0};
    struct fault fault = {0};
    struct buf body = {0}, transcript = {0};
    char hex[2 * KEY_SIZE + 1];
    arena_init(&arena, 1 << 20);
    message_encode(&info_request_message, &(struct info_request){.nonce = BYTES(nonce)}, &body);
    struct bytes told = line_ask(line, info_path, NULL, buf_bytes(&body));
    CHECK(message_decode(&info_response_message, told, &arena, &info, &fault) == OK, "Info: %s",
          fault.text);
    digest_tls_transcript(BYTES(nonce), line->key, &transcript);
    CHECK(bytes_equal(info.tls_key, BYTES(line->key)), "Info names another key");
    CHECK(info.tls_signature.n == SIGN_SIZE &&
              !sign_verify(info.hub_key.p, buf_bytes(&transcript), info.tls_signature.p),
          "the signature does not fit");
    text_hex(info.hub_key, hex);
    CHECK(strcmp(hex, identity) == 0, "another identity: %s", hex);
    buf_done(&body);
    buf_done(&transcript);
}

// --- the TLS key made anew ---

static bool shows_the_same(const struct line *a, const struct line *b)
{
    bool key = memcmp(a->key, b->key, HASH_SIZE) == 0;
    CHECK(key == (memcmp(a->certificate, b->certificate, HASH_SIZE) == 0),
          "a certificate for another key");
    return key;
}

static void a_new_tls_key_is_shown_to_new_connections_and_old_ones_go_on(void)
{
    struct hall hall;
    struct line old, again, anew, last;
    char identity[2 * KEY_SIZE + 1];
    hall_open(&hall, "");
    hub_key(&hall, identity);
    line_open(&old, hall.hub.port);
    check_proved(&old, identity);
    check_member(&old, &hall.ann);
    line_open(&again, hall.hub.port);
    CHECK(shows_the_same(&old, &again), "it changes only when it is asked to");
    hall_do(&hall, (const char *[]){"rotate", "tls", NULL});
    CHECK(hall_has_said(&hall, "the TLS key was made anew"), "a line of the log");
    line_open(&anew, hall.hub.port);
    CHECK(!shows_the_same(&old, &anew), "another key");
    check_proved(&anew, identity);
    check_member(&anew, &hall.ann);
    check_proved(&old, identity);
    check_member(&old, &hall.ann);
    check_member(&again, &hall.ben);
    line_close(&old);
    line_close(&again);
    line_close(&anew);
    hub_stop(&hall.hub);
    hub_start(&hall.hub);
    line_open(&last, hall.hub.port);
    CHECK(shows_the_same(&anew, &last), "the new one stays");
    line_close(&last);
    hall_close(&hall);
}

static void links_and_devices_of_before_are_good_after_it(void)
{
    struct hall hall;
    struct device_host old = {0}, late = {0};
    char first[HUB_LINK_BYTES], second[HUB_LINK_BYTES];
    hall_open(&hall, "");
    hub_invite(&hall.hub, "volunteer", first);
    hub_invite(&hall.hub, "volunteer", second);
    device_open(&old, hall.hub.dir, "old");
    device_must_join(&old, first);
    device_must_sync(&old);
    hall_do(&hall, (const char *[]){"rotate", "tls", NULL});
    device_add(&old, "need", "title", "said over the old connection", NULL);
    device_must_sync(&old);
    device_route(&old, hall.hub.port);
    device_add(&old, "need", "title", "said over a new one", NULL);
    device_must_sync(&old);
    device_open(&late, hall.hub.dir, "late");
    device_must_join(&late, second);
    device_must_sync(&late);
    device_must_sync(&old);
    device_check_equal(&old, &late);
    CHECK(device_count(&late, "need") == 2, "both needs came");
    device_close(&old);
    device_close(&late);
    hall_close(&hall);
}

static void keep_file(const struct hall *hall, char path[PATH_BYTES], char *text, size_t size)
{
    path_of(hall, "state/tls.pem", path);
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s", path, strerror(errno));
    text[fread(text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

static void a_certificate_that_is_not_the_hubs_own_is_left_alone(void)
{
    struct hall hall;
    struct line before, after;
    char path[PATH_BYTES], kept[8192], now[8192], config[2 * PATH_BYTES + 64];
    hall_open(&hall, "");
    keep_file(&hall, path, kept, sizeof kept);
    (void)snprintf(config, sizeof config, "[tls]\ncertificate = %s\nkey = %s\n", path, path);
    hub_stop(&hall.hub);
    FILE *file = fopen(hall.hub.config, "ae");
    CHECK(file && fputs(config, file) >= 0 && fclose(file) == 0, "%s", hall.hub.config);
    hub_start(&hall.hub);
    line_open(&before, hall.hub.port);
    char *why = hall_refused(&hall, 1, (const char *[]){"rotate", "tls", NULL});
    CHECK(strstr(why, "not the hub's own"), "%s", why);
    line_open(&after, hall.hub.port);
    CHECK(shows_the_same(&before, &after), "the same is shown");
    keep_file(&hall, path, now, sizeof now);
    CHECK(strcmp(kept, now) == 0, "the file was changed");
    line_close(&before);
    line_close(&after);
    free(why);
    hall_close(&hall);
}

int main(int argc, char **argv)
{
    static const struct check_case cases[] = {
        {"a_credential_is_the_identity_and_no_other_is_made",
         a_credential_is_the_identity_and_no_other_is_made},
        {"credentials_without_an_identity_leave_it_in_the_state_directory",
         credentials_without_an_identity_leave_it_in_the_state_directory},
        {"a_malformed_credential_is_refused_though_there_is_another_key",
         a_malformed_credential_is_refused_though_there_is_another_key},
        {"an_identity_that_is_lost_is_not_made_anew_beside_its_communities",
         an_identity_that_is_lost_is_not_made_anew_beside_its_communities},
        {"a_new_tls_key_is_shown_to_new_connections_and_old_ones_go_on",
         a_new_tls_key_is_shown_to_new_connections_and_old_ones_go_on},
        {"links_and_devices_of_before_are_good_after_it",
         links_and_devices_of_before_are_good_after_it},
        {"a_certificate_that_is_not_the_hubs_own_is_left_alone",
         a_certificate_that_is_not_the_hubs_own_is_left_alone},
    };
    return check_main(cases, sizeof cases / sizeof *cases, argc, argv);
}
