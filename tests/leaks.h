#pragma once

// LeakSanitizer's own check at exit does not reach a Criterion test, so a test whose code allocates
// ends with expect_no_leaks(). Does nothing in a build without ASan.

#include <criterion/criterion.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_CAN_BE_SEEN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_CAN_BE_SEEN 1
#endif
#endif

#ifdef LEAKS_CAN_BE_SEEN
#include <sanitizer/lsan_interface.h>

static inline void expect_no_leaks(void)
{
    cr_assert_eq(__lsan_do_recoverable_leak_check(), 0, "memory was lost, see above");
}
#else
static inline void expect_no_leaks(void)
{
}
#endif
