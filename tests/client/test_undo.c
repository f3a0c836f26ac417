#include <criterion/criterion.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static void expect(struct phone *phone, const uint8_t id[16], const char *field, size_t values,
                   const char *shown)
{
    char text[100];
    bool tension;
    cr_assert_eq(phone_values(phone, "need", id, field, &tension, text, sizeof text), values);
    cr_assert_not(tension && values < 2);
    if (values)
        cr_assert_str_eq(text, shown);
}

Test(undo, brings_back_what_a_change_of_ones_own_had_gone_over)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    cr_assert_eq(phone_put(phone, "need", id, "title", "a wrong title"), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_undo(phone->fm, 0, NULL), FOLKMOOT_OK);
    expect(phone, id, "title", 1, "a crossing");
    world_sync_all(&world);
    expect(&world.phones[1], id, "title", 1, "a crossing");
    // Undoing the undoing.
    cr_assert_eq(folkmoot_undo(phone->fm, 0, NULL), FOLKMOOT_OK);
    expect(phone, id, "title", 1, "a wrong title");
    world_close(&world);
    expect_no_leaks();
}

Test(undo, of_a_clearing_brings_the_values_back_and_of_an_adding_takes_them_away)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    cr_assert_eq(phone_put(phone, "need", id, "category", "transport"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(phone, "need", id, "category", "safety"), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_undo(phone->fm, 0, NULL), FOLKMOOT_OK);
    expect(phone, id, "category", 1, "transport");
    cr_assert_eq(phone_put(phone, "need", id, "category", NULL), FOLKMOOT_OK);
    expect(phone, id, "category", 0, NULL);
    cr_assert_eq(folkmoot_undo(phone->fm, 0, NULL), FOLKMOOT_OK);
    expect(phone, id, "category", 1, "transport");
    world_close(&world);
}

Test(undo, leaves_what_others_have_said_since)
{
    struct world world;
    uint8_t id[16];
    struct folkmoot_community own;
    struct folkmoot_error error;
    world_open(&world, 2);
    phone_add_need(&world.phones[0], "a crossing", id);
    cr_assert_eq(phone_put(&world.phones[0], "need", id, "title", "stripes"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[1], "need", id, "title", "lights"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_community_at(world.phones[0].fm, 0, &own), FOLKMOOT_OK);
    cr_assert_eq(own.written, 2);
    cr_assert_eq(folkmoot_undo(world.phones[0].fm, 2, &error), FOLKMOOT_INVALID);
    expect(&world.phones[0], id, "title", 1, "lights");
    cr_assert_eq(folkmoot_undo(world.phones[0].fm, 3, &error), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}

Test(undo, of_a_resolution_opens_the_tension_again)
{
    struct world world;
    uint8_t id[16];
    bool tension;
    world_open(&world, 2);
    phone_add_need(&world.phones[0], "a crossing", id);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[0], "need", id, "title", "stripes"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(&world.phones[1], "need", id, "title", "lights"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[0], "need", id, "title", "both"), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_undo(world.phones[0].fm, 0, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_values(&world.phones[0], "need", id, "title", &tension, NULL, 0), 2);
    cr_assert(tension);
    world_close(&world);
}

Test(undo, before_anything_was_written_says_so)
{
    struct world world;
    world_open(&world, 1);
    cr_assert_eq(folkmoot_undo(world.phones[0].fm, 0, NULL), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}
