#include <criterion/criterion.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "base/sign.h"
#include "base/text.h"
#include "tests/leaks.h"

static void unhex(const char *hex, uint8_t *out, size_t n)
{
    cr_assert_eq(text_unhex(bytes_of_text(hex), out, n), OK, "%s", hex);
}

struct vector {
    const char *seed;
    const char *key;
    const char *message;
    const char *signature;
};

// RFC 8032 section 7.1: TEST 1, 2, 3 and SHA(abc).
static const struct vector vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
     "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da0"
     "85ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac1"
     "8ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b5890"
     "9351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

enum { VECTORS = sizeof vectors / sizeof *vectors };

struct parts {
    uint8_t seed[SIGN_SEED_SIZE];
    uint8_t key[SIGN_KEY_SIZE];
    uint8_t message[64];
    size_t n;
    uint8_t signature[SIGN_SIZE];
};

static struct parts parts_of(size_t row)
{
    const struct vector *v = &vectors[row];
    struct parts parts = {.n = strlen(v->message) / 2};
    unhex(v->seed, parts.seed, sizeof parts.seed);
    unhex(v->key, parts.key, sizeof parts.key);
    unhex(v->message, parts.message, parts.n);
    unhex(v->signature, parts.signature, sizeof parts.signature);
    return parts;
}

Test(sign, makes_the_keys_and_signatures_of_the_rfc)
{
    for (size_t i = 0; i < VECTORS; i++) {
        struct parts v = parts_of(i);
        uint8_t key[SIGN_KEY_SIZE];
        uint8_t signature[SIGN_SIZE];
        cr_assert_eq(sign_public_key(v.seed, key), OK);
        cr_assert_arr_eq(key, v.key, sizeof key, "row %zu", i);
        cr_assert_eq(sign_make(v.seed, bytes_of(v.message, v.n), signature), OK);
        cr_assert_arr_eq(signature, v.signature, sizeof signature, "row %zu", i);
        cr_assert_eq(sign_verify(v.key, bytes_of(v.message, v.n), signature), OK, "row %zu", i);
        cr_assert(sign_key_sound(v.key), "row %zu", i);
    }
    expect_no_leaks();
}

Test(sign, signs_an_empty_message_that_points_nowhere)
{
    struct parts v = parts_of(0);
    uint8_t signature[SIGN_SIZE];
    cr_assert_eq(sign_make(v.seed, bytes_of(NULL, 0), signature), OK);
    cr_assert_arr_eq(signature, v.signature, sizeof signature);
    cr_assert_eq(sign_verify(v.key, bytes_of(NULL, 0), signature), OK);
}

Test(sign, is_broken_by_any_flipped_bit_of_the_signature)
{
    struct parts v = parts_of(2);
    for (size_t bit = 0; bit < 8 * sizeof v.signature; bit++) {
        v.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_eq(sign_verify(v.key, bytes_of(v.message, v.n), v.signature), ERR_MALFORMED,
                     "bit %zu", bit);
        v.signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(sign, is_broken_by_another_message_or_key)
{
    struct parts v = parts_of(2);
    struct parts other = parts_of(1);
    cr_assert_eq(sign_verify(other.key, bytes_of(v.message, v.n), v.signature), ERR_MALFORMED);
    cr_assert_eq(sign_verify(v.key, bytes_of(v.message, 1), v.signature), ERR_MALFORMED);
    v.message[0] ^= 1;
    cr_assert_eq(sign_verify(v.key, bytes_of(v.message, v.n), v.signature), ERR_MALFORMED);
}

// RFC 8032 section 5.1.7: S is below the group's order L. This is the first vector with S + L.
Test(sign, refuses_a_signature_whose_s_is_not_canonical)
{
    struct parts v = parts_of(0);
    unhex("4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b", v.signature + 32, 32);
    cr_assert_eq(sign_verify(v.key, bytes_of(v.message, v.n), v.signature), ERR_MALFORMED);
}

Test(sign, refuses_a_key_that_is_no_point_of_the_curve)
{
    struct parts v = parts_of(0);
    uint8_t key[SIGN_KEY_SIZE] = {2};
    cr_assert_eq(sign_verify(key, bytes_of(v.message, v.n), v.signature), ERR_MALFORMED);
}

// The eight points whose order divides 8.
Test(sign, finds_no_key_of_small_order_sound)
{
    static const char *const small[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        uint8_t key[SIGN_KEY_SIZE];
        unhex(small[i], key, sizeof key);
        cr_assert_not(sign_key_sound(key), "%s", small[i]);
    }
}

// y from p = 2^255 - 19 up has a second, smaller form; and x = 0 has no sign.
Test(sign, finds_no_key_with_a_second_form_sound)
{
    for (unsigned low = 0xed; low <= 0xff; low++) {
        for (unsigned sign = 0; sign <= 0x80; sign += 0x80) {
            uint8_t key[SIGN_KEY_SIZE];
            memset(key, 0xff, sizeof key);
            key[0] = (uint8_t)low;
            key[31] = (uint8_t)(0x7f | sign);
            cr_assert_not(sign_key_sound(key), "%x %x", low, sign);
        }
    }
    uint8_t minus_zero[][SIGN_KEY_SIZE] = {{1}, {0xec}};
    memset(minus_zero[1] + 1, 0xff, SIGN_KEY_SIZE - 1);
    minus_zero[0][31] = 0x80;
    cr_assert_not(sign_key_sound(minus_zero[0]));
    cr_assert_not(sign_key_sound(minus_zero[1]));
}

Test(sign, finds_a_key_just_below_the_prime_sound)
{
    uint8_t key[SIGN_KEY_SIZE];
    memset(key, 0xff, sizeof key);
    key[0] = 0xeb;
    key[31] = 0x7f;
    cr_assert(sign_key_sound(key));
    key[0] = 0xff;
    key[15] = 0xfe;
    cr_assert(sign_key_sound(key));
}

// --- memory ---

static unsigned left;       // allocations of libcrypto until one fails; 0: none does
static bool fails_for_ever; // and all behind it

static bool fails(void)
{
    if (left == 0 || --left > 0)
        return false;
    left = fails_for_ever;
    return true;
}

static void *allocate(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : malloc(n);
}

static void *reallocate(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(p, n);
}

static void release(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

// libcrypto takes them only before its first allocation.
__attribute__((constructor)) static void take_over_memory(void)
{
    (void)CRYPTO_set_mem_functions(allocate, reallocate, release);
}

static enum err verify_failing(const struct parts *v, unsigned place, bool for_ever)
{
    fails_for_ever = for_ever;
    left = place;
    enum err err = sign_verify(v->key, bytes_of(v->message, v->n), v->signature);
    left = 0;
    return err;
}

Test(sign, calls_no_signature_wrong_because_memory_ran_out)
{
    enum { PLACES = 60 };
    struct parts v = parts_of(1);
    unsigned failed = 0;
    cr_assert_eq(verify_failing(&v, 0, false), OK);
    for (unsigned place = 1; place <= PLACES; place++) {
        enum err once = verify_failing(&v, place, false);
        enum err for_ever = verify_failing(&v, place, true);
        cr_expect(once == OK || once == ERR_NOMEM, "place %u: %s", place, err_text(once));
        cr_expect(for_ever == OK || for_ever == ERR_NOMEM, "place %u: %s", place,
                  err_text(for_ever));
        failed += for_ever == ERR_NOMEM;
    }
    cr_expect_gt(failed, 5, "the memory is not libcrypto's");
    cr_expect_eq(verify_failing(&v, PLACES, true), OK, "there are more places");
    v.signature[3] ^= 1;
    for (unsigned place = 0; place <= PLACES; place++)
        cr_expect_neq(verify_failing(&v, place, false), OK);
}
