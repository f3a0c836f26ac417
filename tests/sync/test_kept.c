// What is kept of answers: the signature of a log's head is given for that head and no other.

#include <criterion/criterion.h>
#include <string.h>

#include "sync/kept.h"

static struct kept *kept;
static struct kept_head head;
static uint8_t signature[SIGN_SIZE], found[SIGN_SIZE];

static void set_up(void)
{
    kept = kept_new(1 << 20);
    cr_assert(kept);
    head = (struct kept_head){.community = {1, 2}, .log = {3}, .size = 7, .root = {4}};
    memset(signature, 0xab, sizeof signature);
}

static void tear_down(void)
{
    kept_free(&kept);
}

TestSuite(kept, .init = set_up, .fini = tear_down);

Test(kept, signature_is_given_for_the_head_that_it_is_of)
{
    cr_expect_not(kept_get_signature(kept, &head, found));
    kept_put_signature(kept, &head, signature);
    cr_assert(kept_get_signature(kept, &head, found));
    cr_expect_arr_eq(found, signature, SIGN_SIZE);
}

Test(kept, signature_is_not_given_for_another_head)
{
    struct kept_head others[] = {head, head, head, head};
    others[0].community[COMMUNITY_SIZE - 1] ^= 1;
    others[1].log[HANDLE_SIZE - 1] ^= 1;
    others[2].size++;
    others[3].root[HASH_SIZE - 1] ^= 1;
    kept_put_signature(kept, &head, signature);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_not(kept_get_signature(kept, &others[i], found), "other %zu", i);
}

Test(kept, signature_of_an_empty_log_is_not_taken_for_nothing)
{
    struct kept_head nothing = {.size = 0};
    cr_expect_not(kept_get_signature(kept, &nothing, found));
}

Test(kept, signature_gives_way_to_the_next_one)
{
    struct kept_head next = head;
    next.size = 8;
    kept_put_signature(kept, &head, signature);
    kept_put_signature(kept, &next, signature);
    cr_expect_not(kept_get_signature(kept, &head, found));
    cr_expect(kept_get_signature(kept, &next, found));
}
