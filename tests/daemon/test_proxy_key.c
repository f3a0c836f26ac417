// A hub behind a proxy signs for the proxy's key, and after SIGHUP for the one of the certificate
// that was renewed; one that cannot be read changes nothing.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sign.h"
#include "daemon/certificate.h"
#include "sync/digest.h"
#include "tests/daemon/caller.h"

static struct process hub;
static char directory[] = "/tmp/folkmoot-proxy-XXXXXX";
static char certificate[64];

static void expect_signed(const uint8_t key[HASH_SIZE])
{
    struct answer answer = {0};
    struct arena arena;
    struct info_response info = {0};
    struct fault fault;
    struct buf transcript = {0};
    static const uint8_t no_nonce[16];
    arena_init(&arena, 1 << 20);
    caller_ask(&(struct ask){.hub = &hub, .path = "/folkmoot.v1.InfoService/Info", .plain = true},
               &answer);
    EXPECT(answer.status == 200);
    EXPECT(message_decode(&info_response_message, buf_bytes(&answer.body), &arena, &info, &fault) ==
           OK);
    EXPECT(bytes_equal(info.tls_key, bytes_of(key, HASH_SIZE)));
    digest_tls_transcript(BYTES(no_nonce), key, &transcript);
    EXPECT(info.hub_key.n == KEY_SIZE && info.tls_signature.n == SIGN_SIZE);
    EXPECT(!sign_verify(info.hub_key.p, buf_bytes(&transcript), info.tls_signature.p));
    buf_done(&transcript);
    arena_done(&arena);
    buf_done(&answer.body);
}

static void reload_and_wait_for(const char *text)
{
    process_signal(&hub, SIGHUP);
    for (int i = 0; i < 200 && !process_has_said(&hub, text); i++)
        process_sleep_ms(20);
    EXPECT(process_has_said(&hub, text));
}

int main(void)
{
    char more[128];
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    struct fault fault;
    EXPECT(mkdtemp(directory));
    (void)snprintf(certificate, sizeof certificate, "%s/proxy.pem", directory);
    EXPECT(certificate_ensure(certificate, &fault) == OK);
    EXPECT(certificate_key_hash(certificate, before, &fault) == OK);
    (void)snprintf(more, sizeof more, "[tls]\nproxy_certificate = %s\n", certificate);
    process_start(&hub, more);
    expect_signed(before);

    EXPECT(certificate_renew(certificate, &fault) == OK);
    EXPECT(certificate_key_hash(certificate, after, &fault) == OK);
    EXPECT(!bytes_equal(BYTES(before), BYTES(after)));
    reload_and_wait_for("the proxy's certificate was read anew");
    expect_signed(after);

    EXPECT(unlink(certificate) == 0);
    reload_and_wait_for("the old key of the proxy stays in use");
    expect_signed(after);

    process_signal(&hub, SIGTERM);
    EXPECT(process_end(&hub) == 0);
    EXPECT(process_remove(directory) == 0);
    return 0;
}
