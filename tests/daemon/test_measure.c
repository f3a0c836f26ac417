// Histograms, and the names of calls.

#include <criterion/criterion.h>
#include <string.h>

#include "daemon/measure.h"
#include "daemon/request_id.h"

Test(measure, counts_a_value_under_the_least_bound_that_holds_it)
{
    struct measure measure = {0};
    measure_add(&measure, MEASURE_TIME, 0);
    measure_add(&measure, MEASURE_TIME, 1000);
    measure_add(&measure, MEASURE_TIME, 1001);
    measure_add(&measure, MEASURE_TIME, UINT32_MAX);
    cr_assert_eq(measure.counts[0], 2);
    cr_assert_eq(measure.counts[1], 1);
    cr_assert_eq(measure.counts[MEASURE_BOUNDS], 1);
    cr_assert_eq(measure.sum, 2001 + (uint64_t)UINT32_MAX);
    cr_assert_str_eq(measure_bound_text(MEASURE_TIME, 0), "0.001");
    cr_assert_str_eq(measure_bound_text(MEASURE_ITEMS, MEASURE_BOUNDS), "+Inf");
}

Test(request_id, differs_from_call_to_call_and_can_be_read_out)
{
    char one[REQUEST_ID_SIZE], same[REQUEST_ID_SIZE], other[REQUEST_ID_SIZE];
    for (uint64_t i = 0; i < 1000; i++) {
        request_id(7, i, one);
        request_id(7, i, same);
        request_id(7, i + 1, other);
        cr_assert_str_eq(one, same);
        cr_assert_str_neq(one, other);
        cr_assert_eq(strlen(one), REQUEST_ID_SIZE - 1);
        cr_assert_eq(strspn(one, "0123456789abcdefghjkmnpqrstvwxyz"), strlen(one));
        request_id(8, i, other);
        cr_assert_str_neq(one, other, "another process names it otherwise");
    }
}
