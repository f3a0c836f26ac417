#include <criterion/criterion.h>

#include "base/hash.h"
#include "base/text.h"

static void expect_hex(struct hash *hash, const char *expected)
{
    uint8_t out[HASH_SIZE];
    char hex[2 * HASH_SIZE + 1];
    hash_end(hash, out);
    text_hex(BYTES(out), hex);
    cr_assert_str_eq(hex, expected);
}

// The examples of FIPS 180-4 (NIST, "SHA-256", and RFC 6234's million of a).
Test(hash, is_sha256_of_the_bytes_put)
{
    struct hash hash;
    hash_begin_bare(&hash);
    expect_hex(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_begin_bare(&hash);
    hash_put(&hash, bytes_of_text("abc"));
    expect_hex(&hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_begin_bare(&hash);
    hash_put(&hash, bytes_of_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    expect_hex(&hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(hash, does_not_depend_on_how_the_bytes_were_cut)
{
    struct hash hash;
    hash_begin_bare(&hash);
    for (size_t i = 0, step = 1; i < 1000000; i += step, step = step % 100 + 1) {
        static const char as[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        hash_put(&hash, bytes_of(as, step < 1000000 - i ? step : 1000000 - i));
    }
    hash_put(&hash, bytes_of(NULL, 0));
    expect_hex(&hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void expect_same(struct hash *hash, struct bytes bytes)
{
    struct hash bare;
    uint8_t a[HASH_SIZE];
    uint8_t b[HASH_SIZE];
    hash_begin_bare(&bare);
    hash_put(&bare, bytes);
    hash_end(&bare, a);
    hash_end(hash, b);
    cr_assert_arr_eq(a, b, HASH_SIZE);
}

Test(hash, begins_with_its_label_and_a_zero_byte)
{
    struct hash hash;
    hash_begin(&hash, "leaf");
    hash_put(&hash, bytes_of_text("x"));
    expect_same(&hash, bytes_of("leaf\0x", 6));
}

Test(hash, puts_integers_big_endian_and_lengths_in_four_bytes)
{
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put_u8(&hash, 0xab);
    hash_put_be32(&hash, 0x01020304);
    hash_put_be64(&hash, 0x05060708090a0b0c);
    hash_put_sized(&hash, bytes_of_text("oak"));
    hash_put_sized(&hash, bytes_of(NULL, 0));
    static const char expected[] = "\xab\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
                                   "\0\0\0\3oak\0\0\0";
    expect_same(&hash, bytes_of(expected, sizeof expected));
}
