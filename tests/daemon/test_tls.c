#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/certificate.h"
#include "daemon/identity.h"
#include "daemon/tls.h"
#include "tests/daemon/tls_pair.h"
#include "tests/leaks.h"

static char directory[] = "/tmp/folkmoot-tls-XXXXXX";
static char pem[64], key_file[64];

static void set_up(void)
{
    cr_assert(mkdtemp(directory));
    (void)snprintf(pem, sizeof pem, "%s/tls.pem", directory);
    (void)snprintf(key_file, sizeof key_file, "%s/identity.key", directory);
}

static void tear_down(void)
{
    (void)unlink(pem);
    (void)unlink(key_file);
    (void)rmdir(directory);
}

TestSuite(tls, .init = set_up, .fini = tear_down);
TestSuite(identity, .init = set_up, .fini = tear_down);

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
    cr_assert_eq(chmod(path, 0600), 0);
}

Test(identity, is_made_once_and_for_its_owner_alone)
{
    struct identity first, second;
    struct fault fault = {0};
    bool made;
    struct stat about;
    cr_assert_eq(identity_open(key_file, &first, &made, &fault), OK, "%s", fault.text);
    cr_assert(made);
    cr_assert(stat(key_file, &about) == 0 && (about.st_mode & 0777) == 0600 && about.st_size == 65);
    cr_assert_eq(identity_open(key_file, &second, &made, &fault), OK);
    cr_assert_not(made);
    cr_assert_arr_eq(&first, &second, sizeof first);
    identity_done(&second);
    cr_assert_neq(memcmp(&first, &second, sizeof first), 0);
    expect_no_leaks();
}

Test(identity, that_others_can_read_or_that_is_damaged_is_refused)
{
    struct identity identity;
    struct fault fault = {0};
    bool made;
    write_file(key_file, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
    cr_assert_eq(identity_open(key_file, &identity, &made, &fault), OK, "%s", fault.text);
    cr_assert_eq(chmod(key_file, 0604), 0);
    cr_assert_eq(identity_open(key_file, &identity, &made, &fault), ERR_FORBIDDEN);
    write_file(key_file, "0123456789abcdef\n");
    cr_assert_eq(identity_open(key_file, &identity, &made, &fault), ERR_DAMAGED);
    write_file(key_file, "");
    cr_assert_eq(identity_open(key_file, &identity, &made, &fault), ERR_DAMAGED);
    cr_assert_not(made, "a key that is damaged is never replaced");
}

// One bit of a file, and back.
static void flip(const char *path, long at, unsigned bit)
{
    FILE *file = fopen(path, "r+be");
    cr_assert(file && fseek(file, at, SEEK_SET) == 0);
    int c = fgetc(file);
    cr_assert(c != EOF && fseek(file, at, SEEK_SET) == 0);
    cr_assert(fputc(c ^ (1 << bit), file) != EOF && fclose(file) == 0);
}

// A digit may become another digit: then it is another key, which fits no community that was
// founded (daemon/belong.h).
Test(identity, of_which_a_bit_was_altered_is_refused_or_another_key)
{
    struct identity sound, altered;
    struct fault fault = {0};
    bool made;
    cr_assert_eq(identity_open(key_file, &sound, &made, &fault), OK);
    for (long at = 0; at < 65; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flip(key_file, at, bit);
            enum err err = identity_open(key_file, &altered, &made, &fault);
            cr_expect(err == OK || err == ERR_DAMAGED);
            cr_expect_not(made);
            // An upper case digit is the same digit.
            bool same = !err && memcmp(&altered, &sound, sizeof sound) == 0;
            cr_expect(!same || bit == 5, "byte %ld, bit %u", at, bit);
            flip(key_file, at, bit);
        }
    }
}

Test(tls, files_of_which_a_bit_was_altered_are_refused_or_as_good_as_before)
{
    struct fault fault = {0};
    struct stat about;
    uint8_t sound[HASH_SIZE], now[HASH_SIZE];
    unsigned refused = 0;
    cr_assert_eq(certificate_ensure(pem, &fault), OK);
    cr_assert_eq(certificate_key_hash(pem, sound, &fault), OK);
    cr_assert_eq(stat(pem, &about), 0);
    for (long at = 0; at < about.st_size; at++) {
        struct tls_context *context = NULL;
        flip(pem, at, (unsigned)at % 8);
        if (tls_context_new(pem, pem, NULL, &context, &fault) == OK) {
            cr_expect_eq(certificate_key_hash(pem, now, &fault), OK);
            cr_expect_arr_eq(now, sound, HASH_SIZE, "byte %ld", at);
            tls_context_free(&context);
        } else {
            refused++;
        }
        flip(pem, at, (unsigned)at % 8);
    }
    cr_expect_gt(refused, about.st_size / 3);
}

Test(tls, own_certificate_is_of_p256_and_lasts_ten_years)
{
    struct fault fault = {0};
    struct stat about;
    uint8_t hash[HASH_SIZE], wanted[HASH_SIZE];
    cr_assert_eq(certificate_ensure(pem, &fault), OK, "%s", fault.text);
    cr_assert(stat(pem, &about) == 0 && (about.st_mode & 0777) == 0600);
    cr_assert_eq(certificate_ensure(pem, &fault), OK);
    BIO *bio = BIO_new_file(pem, "r");
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    cr_assert(certificate);
    int days, seconds;
    cr_assert(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)));
    cr_assert(days >= 3648 && days <= 3653, "%d", days);
    char group[32];
    cr_assert(EVP_PKEY_get_group_name(X509_get0_pubkey(certificate), group, sizeof group, NULL));
    cr_assert_str_eq(group, "prime256v1");
    unsigned n;
    unsigned char *der = NULL;
    int der_n = i2d_PUBKEY(X509_get0_pubkey(certificate), &der);
    cr_assert(EVP_Digest(der, (size_t)der_n, wanted, &n, EVP_sha256(), NULL));
    cr_assert_eq(certificate_key_hash(pem, hash, &fault), OK);
    cr_assert_arr_eq(hash, wanted, HASH_SIZE);
    OPENSSL_free(der);
    X509_free(certificate);
    BIO_free(bio);
}

Test(tls, certificate_that_is_none_is_refused)
{
    struct fault fault = {0};
    uint8_t hash[HASH_SIZE];
    struct tls_context *context = NULL;
    cr_assert_eq(certificate_key_hash(pem, hash, &fault), ERR_NOT_FOUND);
    write_file(pem, "hello\n");
    cr_assert_eq(certificate_key_hash(pem, hash, &fault), ERR_DAMAGED);
    cr_assert_eq(tls_context_new(pem, pem, NULL, &context, &fault), ERR_DAMAGED);
    cr_assert_null(context);
}

Test(tls, speaks_1_3_and_1_2_however_the_bytes_are_cut_and_shows_the_hashed_key)
{
    static const struct {
        int version;
        size_t step;
    } rows[] = {{TLS1_3_VERSION, 100000}, {TLS1_3_VERSION, 1}, {TLS1_2_VERSION, 7}};
    for (size_t i = 0; i < 3; i++) {
        struct tls_pair pair;
        tls_pair_init(&pair, pem, NULL, "\x02h2", rows[i].version, NULL);
        cr_assert_eq(tls_pair_shake_hands(&pair, rows[i].step), OK);
        cr_assert(tls_is_open(pair.server) && SSL_version(pair.client) == rows[i].version);
        uint8_t hash[HASH_SIZE];
        unsigned char *der = NULL;
        X509 *shown = SSL_get1_peer_certificate(pair.client);
        int n = i2d_PUBKEY(X509_get0_pubkey(shown), &der);
        cr_assert(EVP_Digest(der, (size_t)n, hash, NULL, EVP_sha256(), NULL));
        cr_assert_arr_eq(hash, tls_key_hash(pair.server), HASH_SIZE);
        OPENSSL_free(der);
        X509_free(shown);
        tls_pair_done(&pair);
    }
    expect_no_leaks();
}

Test(tls, carries_text_both_ways_and_says_goodbye)
{
    struct tls_pair pair;
    struct buf text = {0}, wire = {0};
    char got[64];
    tls_pair_init(&pair, pem, NULL, "\x02h2", TLS1_3_VERSION, NULL);
    cr_assert_eq(tls_pair_shake_hands(&pair, 1000), OK);
    cr_assert_eq(SSL_write(pair.client, "hello hub", 9), 9);
    cr_assert_eq(tls_pair_carry(&pair, 5, &text), OK);
    cr_assert(bytes_equal(buf_bytes(&text), bytes_of_text("hello hub")));
    cr_assert_eq(tls_send(pair.server, bytes_of_text("hello device"), &wire), OK);
    tls_finish(pair.server, &wire);
    (void)BIO_write(pair.in, wire.p, (int)wire.n);
    cr_assert_eq(SSL_read(pair.client, got, sizeof got), 12);
    int end = SSL_read(pair.client, got, sizeof got);
    cr_assert_eq(SSL_get_error(pair.client, end), SSL_ERROR_ZERO_RETURN, "no close_notify");
    cr_assert_eq(SSL_shutdown(pair.client), 1);
    cr_assert_eq(tls_pair_carry(&pair, 1000, &text), ERR_CUT);
    buf_done(&text);
    buf_done(&wire);
    tls_pair_done(&pair);
    expect_no_leaks();
}

Test(tls, refuses_whoever_does_not_ask_for_h2_or_asks_for_what_is_old)
{
    static const struct {
        const char *alpn;
        int version;
        const char *ciphers;
    } rows[] = {{NULL, TLS1_3_VERSION, NULL},
                {"\x08http/1.1", TLS1_3_VERSION, NULL},
                {"\x02h2", TLS1_1_VERSION, "ALL:@SECLEVEL=0"},
                {"\x02h2", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"},
                {"\x02h2", TLS1_2_VERSION, "AES128-GCM-SHA256"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_pair pair;
        tls_pair_init(&pair, pem, NULL, rows[i].alpn, rows[i].version, rows[i].ciphers);
        cr_assert_eq(tls_pair_shake_hands(&pair, 1000), ERR_MALFORMED, "row %zu", i);
        cr_assert(!tls_is_open(pair.server) || i == 0);
        tls_pair_done(&pair);
    }
    expect_no_leaks();
}
