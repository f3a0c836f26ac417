#include <criterion/criterion.h>

#include "daemon/attempts.h"

static const uint8_t one[ATTEMPTS_ADDRESS_SIZE] = {1}, two[ATTEMPTS_ADDRESS_SIZE] = {2};

// How many of n attempts are let through.
static int let_through(struct attempts *attempts, const uint8_t *address, int n, int64_t now)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += attempts_take(attempts, address, now);
    return count;
}

Test(attempts, of_an_address_are_limited_and_others_go_on)
{
    struct attempts *attempts = attempts_new(5, 100);
    cr_assert_eq(let_through(attempts, one, 10, 0), 5);
    cr_assert_eq(let_through(attempts, two, 3, 0), 3);
    attempts_free(&attempts);
}

Test(attempts, come_back_with_time)
{
    struct attempts *attempts = attempts_new(6, 100);
    cr_assert_eq(let_through(attempts, one, 10, 1000), 6);
    cr_assert_eq(let_through(attempts, one, 10, 10999), 0);
    cr_assert_eq(let_through(attempts, one, 10, 11000), 1);
    cr_assert_eq(let_through(attempts, one, 10, 31000), 2);
    cr_assert_eq(let_through(attempts, one, 10, 3600000), 6);
    attempts_free(&attempts);
}

Test(attempts, in_all_are_limited_whatever_the_address)
{
    struct attempts *attempts = attempts_new(5, 8);
    cr_assert_eq(let_through(attempts, one, 5, 0), 5);
    cr_assert_eq(let_through(attempts, NULL, 10, 0), 3);
    cr_assert_eq(let_through(attempts, two, 10, 0), 0);
    attempts_free(&attempts);
}

Test(attempts, that_succeed_do_not_count)
{
    struct attempts *attempts = attempts_new(2, 3);
    for (int i = 0; i < 50; i++) {
        cr_assert(attempts_take(attempts, one, 0), "attempt %d", i);
        attempts_give_back(attempts, one);
    }
    cr_assert_eq(let_through(attempts, one, 10, 0), 2);
    attempts_free(&attempts);
}
