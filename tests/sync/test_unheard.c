// Who has not been heard: the picture beside a population table, for those who see all and for
// observers.

#include <criterion/criterion.h>
#include <stdio.h>

#include "sync/hub.h"
#include "tests/leaks.h"
#include "tests/sync/street.h"

enum { COORDINATOR = 0, OBSERVER = 1, PLACES = 7 };

static struct world world;
static struct arena arena;
static struct crowd crowd;
static struct fault fault;
static struct population population;

static void set_up(void)
{
    world_open(&world, 1);
    world_begin(&world, 11);
    cr_assert_eq(world_join(&world, ROLE_OBSERVER), OBSERVER);
    arena_init(&arena, (size_t)1 << 30);
    crowd_init(&crowd, &world, COORDINATOR, &arena);
}

static void tear_down(void)
{
    crowd_done(&crowd);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(unheard, .init = set_up, .fini = tear_down);

static struct population_place place(const char *code, const char *name, bool is_counted,
                                     uint32_t persons)
{
    return (struct population_place){bytes_of_text(code), bytes_of_text(name), is_counted, persons,
                                     0};
}

static void make_table(struct population_place *places, size_t n)
{
    const struct population_place **by_name =
        arena_alloc(&arena, n, sizeof(const struct population_place *));
    cr_assert_null(population_make(places, n, by_name, &population));
}

// Where 12, 5, 4 and 3 persons live, of whom all have a voice; none is heard anywhere else.
static void say_street(void)
{
    static const char *const lives[] = {"E1", "South gate", "E5", "Abbey"};
    static const uint32_t persons[] = {12, 5, 4, 3};
    struct record_key light = street_need(&crowd, "light", NULL, "E6", AUDIENCE_PUBLIC);
    uint32_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < persons[i]; k++, n++)
            street_who(&crowd, n, 1 + k % 2, lives[i]);
    }
    street_who(&crowd, n, 1, "E2"); // who has said nothing
    street_voices(&crowd, &light, 0, n, STANCE_FOR);
}

static struct picture_response picture(size_t device)
{
    struct hub_policy policy = {.observer_least = 5, .population = &population};
    struct picture_request request = {.kind = 0};
    struct picture_response response;
    struct hub_caller caller;
    crowd_push(&crowd);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(hub_authenticate(txn, world.devices[device].token, CALL_LIST, &policy, world.now,
                                  &caller, &fault),
                 OK, "%s", fault.text);
    cr_assert_eq(hub_picture(txn, &caller, &request, &arena, &response, &fault), OK, "%s",
                 fault.text);
    return response;
}

// "CODE heard/population;" of each.
static void expect_unheard(size_t device, const char *expected)
{
    struct buf told BUF_CLEANUP = {0};
    struct picture_response response = picture(device);
    for (size_t i = 0; i < response.unheard.n; i++) {
        const struct picture_place *of = LIST_AT(struct picture_place, response.unheard, i);
        buf_put_format(&told, "%.*s %u/%u;", (int)of->code.n, (const char *)of->code.p, of->heard,
                       of->population);
    }
    buf_put_u8(&told, 0);
    cr_expect_str_eq((const char *)told.p, expected);
    cr_expect_not(response.more_unheard);
}

Test(unheard, places_come_by_how_few_of_whoever_lives_there_were_heard)
{
    struct population_place places[PLACES] = {
        place("E6", "Abbey", true, 90),  place("E5", "", false, 0), // not known how many
        place("E4", "Abbey", true, 100), place("E3", "South gate", true, 10),
        place("E2", "Gate", true, 50),   place("E1", "North gate", true, 1000),
        place("E7", "Docks", true, 0), // where nobody lives
    };
    make_table(places, PLACES);
    say_street();
    // Nobody: who lives in one of two Abbeys is of neither. Then 1.2 and 50 in a hundred.
    expect_unheard(COORDINATOR, "E2 0/50;E4 0/100;E6 0/90;E1 12/1000;E3 5/10;E5 4/0;");
    expect_no_leaks();
}

Test(unheard, an_observer_is_told_multiples_and_no_order_that_says_more)
{
    struct population_place places[PLACES] = {
        place("E1", "", true, 1000), place("E3", "South gate", true, 10),
        place("E4", "", true, 100),  place("E5", "", true, 100),
        place("E2", "", true, 50),   place("E6", "Abbey", true, 3),
        place("E0", "", false, 0),
    };
    make_table(places, PLACES);
    say_street();
    expect_unheard(COORDINATOR, "E0 0/0;E2 0/50;E4 0/100;E1 12/1000;E5 4/100;E3 5/10;E6 3/3;");
    // 4 of 100 and 3 of 3 stand among those where nobody was heard, by their codes.
    expect_unheard(OBSERVER, "E0 0/0;E2 0/50;E4 0/100;E5 0/100;E6 0/3;E1 10/1000;E3 5/10;");
    expect_no_leaks();
}

Test(unheard, a_person_counts_where_code_and_name_meet_and_without_a_table_nothing_is_told)
{
    struct population_place places[] = {place("E1", "South gate", false, 0)};
    make_table(places, 1);
    say_street();
    expect_unheard(COORDINATOR, "E1 17/0;");
    expect_unheard(OBSERVER, "E1 15/0;"); // not 10 and 5 of them
    population = (struct population){.n = 0};
    expect_unheard(COORDINATOR, "");
    expect_no_leaks();
}

Test(unheard, at_most_200_are_told)
{
    enum { MANY = 250 };
    static struct population_place places[MANY];
    for (size_t i = 0; i < MANY; i++) {
        char *code = arena_alloc(&arena, 8, 1);
        (void)snprintf(code, 8, "P%03zu", i);
        places[i] = place(code, "", true, 10);
    }
    places[0] = place("E1", "", true, 10);
    make_table(places, MANY);
    say_street();
    struct picture_response response = picture(COORDINATOR);
    cr_assert_eq(response.unheard.n, PICTURE_UNHEARD_MAX);
    cr_expect(response.more_unheard);
    for (size_t i = 0; i < response.unheard.n; i++)
        cr_expect_eq(LIST_AT(struct picture_place, response.unheard, i)->heard, 0);
    make_table(places, PICTURE_UNHEARD_MAX);
    response = picture(COORDINATOR);
    cr_assert_eq(response.unheard.n, PICTURE_UNHEARD_MAX);
    cr_expect_not(response.more_unheard);
    cr_expect_eq(LIST_AT(struct picture_place, response.unheard, 199)->heard, 12);
    expect_no_leaks();
}
