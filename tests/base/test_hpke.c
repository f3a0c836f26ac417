// Encryption to a key: the vectors of RFC 9180, appendix A.2.1, and that nothing altered is opened.

#include <criterion/criterion.h>

#include "base/hpke.h"
#include "base/text.h"

enum { KEY = HPKE_KEY_SIZE, MOST = 128 };

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char ephemeral_hex[] =
    "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600";
static const char key_hex[] = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
static const char secret_hex[] = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
static const char encapsulated_hex[] =
    "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
static const char sealed_hex[] = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db"
                                 "21993c62ce81883d2dd1b51a28";
static const char exported_hex[] =
    "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e";
static const char plain[] = "Beauty is truth, truth beauty";
static const char aad[] = "Count-0";

static uint8_t info[20], ephemeral[KEY], key[KEY], secret[KEY], expected[MOST];
static struct hpke sent, received;

static void unhex(const char *hex, uint8_t *out, size_t n)
{
    cr_assert_eq(text_unhex(bytes_of_text(hex), out, n), OK);
}

static void set_up(void)
{
    unhex(info_hex, info, sizeof info);
    unhex(ephemeral_hex, ephemeral, KEY);
    unhex(key_hex, key, KEY);
    unhex(secret_hex, secret, KEY);
    cr_assert_eq(hpke_send(ephemeral, key, BYTES(info), &sent), OK);
    cr_assert_eq(hpke_receive(secret, sent.encapsulated, BYTES(info), &received), OK);
}

TestSuite(hpke, .init = set_up);

static void expect_hex(struct bytes got, const char *hex)
{
    cr_assert_eq(2 * got.n, strlen(hex));
    unhex(hex, expected, got.n);
    cr_expect_arr_eq(got.p, expected, got.n);
}

Test(hpke, seals_opens_and_exports_as_the_rfc_says)
{
    struct buf sealed BUF_CLEANUP = {0}, opened BUF_CLEANUP = {0};
    uint8_t exported[32];
    expect_hex(BYTES(sent.encapsulated), encapsulated_hex);
    cr_assert_eq(hpke_seal(&sent, bytes_of_text(aad), bytes_of_text(plain), &sealed), OK);
    expect_hex(buf_bytes(&sealed), sealed_hex);
    cr_assert_eq(hpke_open(&received, bytes_of_text(aad), buf_bytes(&sealed), &opened), OK);
    cr_expect(bytes_equal(buf_bytes(&opened), bytes_of_text(plain)));
    cr_assert_eq(hpke_export(&sent, "", exported), OK);
    expect_hex(BYTES(exported), exported_hex);
    cr_assert_eq(hpke_export(&received, "", exported), OK);
    expect_hex(BYTES(exported), exported_hex);
}

Test(hpke, opens_nothing_that_was_altered)
{
    struct buf sealed BUF_CLEANUP = {0}, opened BUF_CLEANUP = {0};
    cr_assert_eq(hpke_seal(&sent, bytes_of_text(aad), bytes_of_text(plain), &sealed), OK);
    for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(hpke_open(&received, bytes_of_text(aad), buf_bytes(&sealed), &opened),
                     ERR_MALFORMED, "bit %zu", bit);
        sealed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t n = 0; n < sealed.n; n++)
        cr_assert_eq(hpke_open(&received, bytes_of_text(aad), bytes_of(sealed.p, n), &opened),
                     ERR_MALFORMED);
    cr_expect_eq(hpke_open(&received, bytes_of_text("Count-1"), buf_bytes(&sealed), &opened),
                 ERR_MALFORMED);
    struct hpke others;
    cr_assert_eq(hpke_receive(secret, sent.encapsulated, bytes_of_text("other"), &others), OK);
    cr_expect_eq(hpke_open(&others, bytes_of_text(aad), buf_bytes(&sealed), &opened),
                 ERR_MALFORMED);
    cr_assert_eq(hpke_receive(ephemeral, sent.encapsulated, BYTES(info), &others), OK);
    cr_expect_eq(hpke_open(&others, bytes_of_text(aad), buf_bytes(&sealed), &opened),
                 ERR_MALFORMED);
    cr_expect_eq(opened.n, 0);
}

Test(hpke, answers_under_another_key_for_each_nonce)
{
    uint8_t nonce[HPKE_NONCE_SIZE] = {1};
    struct hpke answer, read, other;
    struct buf sealed BUF_CLEANUP = {0}, opened BUF_CLEANUP = {0};
    cr_assert_eq(hpke_answer(&received, "answer", nonce, &answer), OK);
    cr_assert_eq(hpke_answer(&sent, "answer", nonce, &read), OK);
    cr_assert_eq(hpke_seal(&answer, (struct bytes){0}, bytes_of_text(plain), &sealed), OK);
    cr_assert_eq(hpke_open(&read, (struct bytes){0}, buf_bytes(&sealed), &opened), OK);
    cr_expect(bytes_equal(buf_bytes(&opened), bytes_of_text(plain)));
    nonce[0] = 2;
    cr_assert_eq(hpke_answer(&sent, "answer", nonce, &other), OK);
    cr_expect_arr_neq(other.key, read.key, sizeof read.key);
    cr_assert_eq(hpke_answer(&sent, "other", (uint8_t[HPKE_NONCE_SIZE]){1}, &other), OK);
    cr_expect_arr_neq(other.key, read.key, sizeof read.key);
    cr_expect_arr_neq(sent.key, read.key, sizeof read.key);
    cr_expect_eq(hpke_open(&sent, (struct bytes){0}, buf_bytes(&sealed), &opened), ERR_MALFORMED);
}

Test(hpke, seals_nothing_and_much)
{
    struct buf sealed BUF_CLEANUP = {0}, opened BUF_CLEANUP = {0};
    static uint8_t much[1 << 20];
    cr_assert_eq(hpke_seal(&sent, (struct bytes){0}, (struct bytes){0}, &sealed), OK);
    cr_expect_eq(sealed.n, HPKE_TAG_SIZE);
    cr_assert_eq(hpke_open(&received, (struct bytes){0}, buf_bytes(&sealed), &opened), OK);
    cr_expect_eq(opened.n, 0);
    buf_reset(&sealed);
    cr_assert_eq(hpke_seal(&sent, (struct bytes){0}, BYTES(much), &sealed), OK);
    cr_assert_eq(hpke_open(&received, (struct bytes){0}, buf_bytes(&sealed), &opened), OK);
    cr_expect(bytes_equal(buf_bytes(&opened), BYTES(much)));
}

// RFC 8032 section 7.1, test 1, and what others' libraries make of it.
Test(hpke, key_of_a_signing_key_is_that_of_its_seed)
{
    uint8_t seed[SIGN_SEED_SIZE], sign_key[SIGN_KEY_SIZE], of_key[KEY], of_seed[KEY];
    struct hpke to, from;
    unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed, sizeof seed);
    for (unsigned i = 0; i < 200; i++) {
        seed[0] ^= (uint8_t)i;
        cr_assert_eq(sign_public_key(seed, sign_key), OK);
        cr_assert_eq(hpke_key_of(sign_key, of_key), OK);
        cr_assert_eq(hpke_secret_of(seed, of_seed), OK);
        if (i == 0)
            expect_hex(BYTES(of_key),
                       "d85e07ec22b0ad881537c2f44d662d1a143cf830c57aca4305d85c7a90f6b62e");
        cr_assert_eq(hpke_send(ephemeral, of_key, BYTES(info), &to), OK);
        cr_assert_eq(hpke_receive(of_seed, to.encapsulated, BYTES(info), &from), OK);
        cr_assert_arr_eq(to.key, from.key, sizeof to.key);
    }
}

Test(hpke, refuses_keys_of_small_order)
{
    uint8_t small[KEY] = {1}, none[KEY] = {0};
    struct hpke hpke;
    cr_expect_eq(hpke_key_of(small, none), ERR_MALFORMED); // y = 1, which has no u
    memset(none, 0, sizeof none);
    cr_expect_eq(hpke_send(ephemeral, none, BYTES(info), &hpke), ERR_MALFORMED);
    cr_expect_eq(hpke_receive(secret, small, BYTES(info), &hpke), ERR_MALFORMED);
}
