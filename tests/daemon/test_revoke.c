// A revoked device's connections, token and calls, with an answer on its way to it.

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sign.h"
#include "base/text.h"
#include "sync/digest.h"
#include "tests/daemon/caller.h"
#include "tests/daemon/raw.h"

static const char me_path[] = "/folkmoot.v1.RecordService/Me";
static const uint8_t stolen_seed[32] = "the phone that was left on a bus";
static const uint8_t other_seed[32] = "the phone that its owner has yet";

// SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113, section 6.5.2): three bytes of each answer's body.
static const uint8_t small_window[] = {0, 4, 0, 0, 0, 3};

static struct process hub;
static struct joining joining;
static char out[1 << 16];

static void ctl(const char *const *words)
{
    EXPECT(process_ctl(&hub, out, sizeof out, words) == 0);
}

static void enrol(const uint8_t seed[32], char token[64])
{
    caller_invite(&hub, "Marshgate ward", &joining);
    EXPECT(caller_enrol(&hub, &joining, seed, false, token) == 200);
}

static long me(const char *token)
{
    struct answer answer = {0};
    struct ask ask = {.hub = &hub, .path = me_path, .token = token};
    caller_ask(&ask, &answer);
    if (answer.status != 200)
        EXPECT(caller_is_error(&answer,
                               answer.status == 401 ? "unauthenticated" : "permission_denied"));
    buf_done(&answer.body);
    return answer.status;
}

// A connection of this device that asked Me and takes three bytes of the answer.
static int ask_slowly(const char *token)
{
    struct buf bytes = {0}, head = {0}, came = {0};
    char bearer[80];
    (void)snprintf(bearer, sizeof bearer, "Bearer %s", token);
    raw_put_greeting(&bytes);
    raw_put_frame(&bytes, RAW_SETTINGS, 0, 0, BYTES(small_window));
    raw_put_post(&head, me_path);
    raw_put_field(&head, "authorization", bearer);
    raw_put_frame(&bytes, RAW_HEADERS, RAW_END_HEADERS, 1, buf_bytes(&head));
    raw_put_frame(&bytes, RAW_DATA, RAW_END_STREAM, 1, (struct bytes){NULL, 0});
    int fd = raw_connect(hub.plain_port);
    EXPECT(raw_send(fd, buf_bytes(&bytes)));
    EXPECT(!raw_hangs_up(fd, 500, &came));
    EXPECT(memmem(came.p, came.n, "\x00\x00\x03\x00\x00\x00\x00\x00\x01", 9)); // DATA, 3 bytes
    buf_done(&bytes);
    buf_done(&head);
    buf_done(&came);
    return fd;
}

// Opens the window, and gives how many bytes came within a second; -1: the hub hung up with none.
static long goes_on(int fd)
{
    static const uint8_t opening[] = {0, 0, 4, 8, 0, 0, 0, 0, 1, 0, 0, 64, 0}; // WINDOW_UPDATE
    struct buf came = {0};
    (void)send(fd, opening, sizeof opening, MSG_NOSIGNAL);
    bool hung_up = raw_hangs_up(fd, 1000, &came);
    long n = hung_up && came.n == 0 ? -1 : (long)came.n;
    buf_done(&came);
    (void)close(fd);
    return n;
}

static void handle_of(const uint8_t seed[32], char hex[2 * HANDLE_SIZE + 1])
{
    uint8_t key[KEY_SIZE], handle[HANDLE_SIZE];
    EXPECT(sign_public_key(seed, key) == OK);
    digest_handle(joining.community, key, handle);
    text_hex(BYTES(handle), hex);
}

int main(void)
{
    char stolen[64], other[64], anew[64], handle[2 * HANDLE_SIZE + 1];
    process_start(&hub, "[limits]\nenrol_attempts_per_minute = 300\n");
    ctl((const char *const[]){"community", "create", "Marshgate ward", NULL});
    enrol(stolen_seed, stolen);
    enrol(other_seed, other);
    EXPECT(me(stolen) == 200 && me(other) == 200);
    handle_of(stolen_seed, handle);

    int slow = ask_slowly(stolen), undisturbed = ask_slowly(other);
    ctl((const char *const[]){"revoke", "Marshgate ward", handle, NULL});
    EXPECT(goes_on(slow) == -1);
    EXPECT(goes_on(undisturbed) > 3);
    EXPECT(me(stolen) == 401);
    EXPECT(me(other) == 200);

    // It may log in, to deliver what it wrote, and for nothing else.
    EXPECT(caller_enrol(&hub, &joining, stolen_seed, true, anew) == 200);
    EXPECT(me(anew) == 403);

    ctl((const char *const[]){"reinstate", "Marshgate ward", handle, NULL});
    EXPECT(me(anew) == 200);

    process_signal(&hub, SIGTERM);
    EXPECT(process_end(&hub) == 0);
    return 0;
}
