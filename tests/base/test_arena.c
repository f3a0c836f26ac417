#include <criterion/criterion.h>
#include <stdalign.h>

#include "base/arena.h"
#include "tests/leaks.h"

Test(arena, gives_zeroed_memory_aligned_for_any_type)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t n = 1; n < 300; n++) {
        uint8_t *p = arena_alloc(&arena, 1, n);
        cr_assert_not_null(p);
        cr_assert_eq((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < n; i++)
            cr_assert_eq(p[i], 0);
        memset(p, 0xff, n);
    }
}

Test(arena, never_hands_out_more_than_its_cap)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 1000);
    size_t sum = 0;
    while (arena_alloc(&arena, 1, 7))
        sum += 7;
    cr_assert_gt(sum, 0);
    cr_assert_leq(sum, 1000);
    cr_assert_leq(arena.used, 1000);
    cr_assert_null(arena_alloc(&arena, 1, 1001));
}

Test(arena, gives_its_whole_cap_in_one_piece)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 5001);
    cr_assert_null(arena_alloc(&arena, 1, 5002));
    cr_assert_not_null(arena_alloc(&arena, 1, 5001));
    cr_assert_null(arena_alloc(&arena, 1, 1));
}

Test(arena, refuses_a_product_that_would_wrap_around)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, SIZE_MAX);
    cr_assert_null(arena_alloc(&arena, SIZE_MAX / 2, 3));
    cr_assert_null(arena_alloc(&arena, 1, SIZE_MAX));
    cr_assert_null(arena_alloc(&arena, 1, SIZE_MAX - 15));
    cr_assert_eq(arena.used, 0);
    cr_assert_not_null(arena_alloc(&arena, 1, 1), "a refusal does it no harm");
}

Test(arena, keeps_what_it_gave_when_it_grows)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 16 << 20);
    uint32_t *numbers[200];
    for (uint32_t i = 0; i < 200; i++) {
        numbers[i] = arena_alloc(&arena, 1 + i * 50, sizeof **numbers);
        cr_assert_not_null(numbers[i]);
        *numbers[i] = i;
    }
    for (uint32_t i = 0; i < 200; i++)
        cr_assert_eq(*numbers[i], i);
}

Test(arena, copies_bytes_so_that_they_outlive_their_source)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 64);
    char word[] = "barley";
    struct bytes copy = arena_copy(&arena, bytes_of_text(word));
    memset(word, 'x', sizeof word);
    cr_assert(bytes_equal(copy, bytes_of_text("barley")));
    struct bytes none = arena_copy(&arena, bytes_of(NULL, 0));
    cr_assert_eq(none.n, 0);
    cr_assert_not_null(none.p);
}

Test(arena, says_by_a_null_pointer_that_a_copy_had_no_room)
{
    ARENA_CLEANUP struct arena arena;
    arena_init(&arena, 5);
    struct bytes copy = arena_copy(&arena, bytes_of_text("barley"));
    cr_assert_null(copy.p);
    cr_assert_eq(copy.n, 0);
}

Test(arena, frees_all_at_once_and_can_be_used_again)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++)
            cr_assert_not_null(arena_alloc(&arena, 100, 100));
        arena_done(&arena);
        cr_assert_eq(arena.used, 0);
    }
    expect_no_leaks();
}

static bool no_memory;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return no_memory ? NULL : __real_malloc(n);
}

Test(arena, says_whether_its_cap_or_the_system_refused)
{
    ARENA_CLEANUP struct arena capped;
    ARENA_CLEANUP struct arena starved;
    arena_init(&capped, 100);
    arena_init(&starved, 100);
    cr_assert_not_null(arena_alloc(&capped, 1, 100));
    cr_assert_eq(capped.err, OK);
    cr_assert_null(arena_alloc(&capped, 1, 1));
    cr_assert_eq(capped.err, ERR_LIMIT);
    no_memory = true;
    void *p = arena_alloc(&starved, 1, 1);
    no_memory = false;
    cr_assert_null(p);
    cr_assert_eq(starved.err, ERR_NOMEM);
}

Test(arena, stays_in_the_memory_that_it_was_lent)
{
    alignas(max_align_t) uint8_t memory[256];
    struct arena arena;
    arena_init_lent(&arena, memory, sizeof memory);
    size_t n = 0;
    for (uint8_t *p; (p = arena_alloc(&arena, 1, 5)); n++)
        cr_assert(p >= memory && p + 5 <= memory + sizeof memory);
    cr_expect_gt(n, 5);
    cr_expect_eq(arena.err, ERR_LIMIT);
    arena_done(&arena);
    expect_no_leaks();
}
