#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/daemon/tls_pair.h"
#include "tests/leaks.h"

static const int64_t day_seconds = 86400;

enum { FULL_MAX = 1420, RESUMED_MAX = 980 };

static char directory[] = "/tmp/folkmoot-tickets-XXXXXX";
static char pem[64], file[64];
static int64_t now = 1795000000;

static void set_up(void)
{
    cr_assert(mkdtemp(directory));
    (void)snprintf(pem, sizeof pem, "%s/tls.pem", directory);
    (void)snprintf(file, sizeof file, "%s/tickets.key", directory);
}

static void tear_down(void)
{
    (void)unlink(pem);
    (void)unlink(file);
    (void)rmdir(directory);
}

TestSuite(tickets, .init = set_up, .fini = tear_down);

struct visit {
    bool is_resumed;
    size_t bytes; // of the handshake, both ways
};

// A phone comes, with the session of its last visit where it has one, and keeps the new one.
static struct visit come(struct tickets *tickets, SSL_SESSION **session)
{
    struct tls_pair pair;
    struct buf text = {0};
    char nothing[1];
    tls_pair_init(&pair, pem, tickets, "\x02h2", TLS1_3_VERSION, NULL);
    if (*session)
        cr_assert(SSL_set_session(pair.client, *session));
    cr_assert_eq(tls_pair_shake_hands(&pair, 10000), OK);
    cr_assert_eq(tls_pair_carry(&pair, 10000, &text), OK);
    (void)SSL_read(pair.client, nothing, sizeof nothing); // the ticket comes behind the handshake
    struct visit visit = {SSL_session_reused(pair.client), pair.sent + pair.received};
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(pair.client);
    SSL_shutdown(pair.client);
    buf_done(&text);
    tls_pair_done(&pair);
    return visit;
}

Test(tickets, are_opened_after_a_restart_and_save_two_thirds_of_a_handshake)
{
    SSL_SESSION *session = NULL;
    struct tickets *tickets = tickets_new(file, now);
    struct visit first = come(tickets, &session);
    cr_expect_not(first.is_resumed);
    cr_expect_leq(first.bytes, FULL_MAX, "%zu bytes", first.bytes);
    tickets_free(&tickets);
    tickets = tickets_new(file, now + 1);
    struct visit second = come(tickets, &session);
    cr_expect(second.is_resumed);
    cr_expect_leq(second.bytes, RESUMED_MAX, "%zu bytes", second.bytes);
    tickets_free(&tickets);
    SSL_SESSION_free(session);
    expect_no_leaks();
}

Test(tickets, of_a_week_are_opened_and_older_ones_are_not)
{
    SSL_SESSION *old = NULL;
    struct tickets *tickets = tickets_new(file, now);
    (void)come(tickets, &old);
    for (int day = 1; day <= TICKETS_KEYS; day++) {
        SSL_SESSION *copy = SSL_SESSION_dup(old);
        tickets_turn(tickets, now + day * day_seconds);
        struct visit visit = come(tickets, &copy);
        cr_expect_eq(visit.is_resumed, day < TICKETS_KEYS, "day %d", day);
        SSL_SESSION_free(copy);
    }
    tickets_free(&tickets);
    SSL_SESSION_free(old);
}

Test(tickets, are_sealed_by_a_key_that_is_at_most_a_day_old)
{
    struct stat before, after;
    struct tickets *tickets = tickets_new(file, now);
    cr_assert_eq(stat(file, &before), 0);
    cr_expect_eq(before.st_mode & 0777, 0600);
    tickets_turn(tickets, now + day_seconds - 1);
    cr_assert_eq(stat(file, &after), 0);
    cr_expect_eq(before.st_ino, after.st_ino, "before its day is over a key was made");
    tickets_turn(tickets, now + day_seconds);
    cr_assert_eq(stat(file, &after), 0);
    cr_expect_neq(before.st_ino, after.st_ino, "no key was made");
    before = after;
    // A clock that was wrong then.
    tickets_turn(tickets, now - 100 * day_seconds);
    cr_assert_eq(stat(file, &after), 0);
    cr_expect_neq(before.st_ino, after.st_ino, "no key was made");
    tickets_free(&tickets);
}

Test(tickets, go_with_the_key_that_was_shown)
{
    SSL_SESSION *session = NULL;
    uint8_t shown[HASH_SIZE] = {1};
    struct tickets *tickets = tickets_new(file, now);
    tickets_bind(tickets, shown, now);
    (void)come(tickets, &session);
    tickets_bind(tickets, shown, now);
    cr_expect(come(tickets, &session).is_resumed);
    shown[0]++;
    tickets_bind(tickets, shown, now);
    cr_expect_not(come(tickets, &session).is_resumed, "whoever pinned the old key is let on");
    tickets_free(&tickets);
    tickets = tickets_new(file, now);
    tickets_bind(tickets, shown, now);
    cr_expect(come(tickets, &session).is_resumed);
    tickets_free(&tickets);
    SSL_SESSION_free(session);
}

Test(tickets, whose_file_is_cut_or_cannot_be_written_cost_resumptions_alone)
{
    SSL_SESSION *session = NULL;
    struct tickets *tickets = tickets_new(file, now);
    (void)come(tickets, &session);
    tickets_free(&tickets);
    cr_assert_eq(truncate(file, 100), 0);
    tickets = tickets_new(file, now);
    cr_expect_not(come(tickets, &session).is_resumed);
    tickets_free(&tickets);
    tickets = tickets_new("/nowhere/tickets.key", now);
    cr_assert(tickets);
    (void)come(tickets, &session);
    cr_expect(come(tickets, &session).is_resumed);
    tickets_free(&tickets);
    SSL_SESSION_free(session);
}
