#include <criterion/criterion.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static void expect_title(struct world *world, size_t phone, const uint8_t id[16], size_t values,
                         bool tension, const char *shown)
{
    char text[100];
    bool is_tension;
    size_t n =
        phone_values(&world->phones[phone], "need", id, "title", &is_tension, text, sizeof text);
    cr_assert_eq(n, values, "device %zu has %zu values", phone, n);
    cr_assert_eq(is_tension, tension);
    if (shown)
        cr_assert_str_eq(text, shown);
}

// The record's bytes are the same everywhere.
static void expect_alike(struct world *world, const uint8_t id[16])
{
    struct folkmoot_record first;
    cr_assert_eq(folkmoot_record_get(world->phones[0].fm, "need", id, FOLKMOOT_WHOLE, &first, NULL),
                 FOLKMOOT_OK);
    for (size_t i = 1; i < world->n; i++) {
        struct folkmoot_record other;
        cr_assert_eq(
            folkmoot_record_get(world->phones[i].fm, "need", id, FOLKMOOT_BRIEF, &other, NULL),
            FOLKMOOT_OK);
        cr_assert_eq(first.bytes_n, other.bytes_n);
        cr_assert_arr_eq(first.bytes, other.bytes, first.bytes_n);
        folkmoot_record_done(&other);
    }
    folkmoot_record_done(&first);
}

// Two devices edit one need without seeing each other; `first` syncs before `second`.
static void edit_apart(struct world *world, size_t first, size_t second, uint8_t id[16])
{
    phone_add_need(&world->phones[0], "a crossing", id);
    world_sync_all(world);
    cr_assert_eq(phone_put(&world->phones[1], "need", id, "title", "a zebra crossing"),
                 FOLKMOOT_OK);
    world->phones[2].now += 60000;
    cr_assert_eq(phone_put(&world->phones[2], "need", id, "title", "a crossing with lights"),
                 FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&world->phones[first], world->hub, NULL, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_sync(&world->phones[second], world->hub, NULL, NULL), FOLKMOOT_OK);
    world_sync_all(world);
}

static void play(size_t first, size_t second)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 4);
    edit_apart(&world, first, second, id);
    for (size_t i = 0; i < 4; i++)
        expect_title(&world, i, id, 2, true, "a crossing with lights");
    expect_alike(&world, id);

    world.phones[3].now += 120000;
    cr_assert_eq(phone_put(&world.phones[3], "need", id, "title", "a zebra with lights"),
                 FOLKMOOT_OK);
    expect_title(&world, 3, id, 1, false, "a zebra with lights");
    world_sync_all(&world);
    for (size_t i = 0; i < 4; i++)
        expect_title(&world, i, id, 1, false, "a zebra with lights");
    expect_alike(&world, id);
    world_close(&world);
}

Test(tension, of_two_who_did_not_see_each_other_is_on_all_devices_until_a_third_resolves_it)
{
    play(1, 2);
    expect_no_leaks();
}

Test(tension, does_not_depend_on_who_synced_first)
{
    play(2, 1);
}

Test(tension, comes_back_when_a_late_edit_arrives_that_saw_none_of_it)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 4);
    phone_add_need(&world.phones[0], "a crossing", id);
    world_sync_all(&world);
    // Device 3 writes early and stays away long.
    cr_assert_eq(phone_put(&world.phones[3], "need", id, "title", "stripes"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(&world.phones[1], "need", id, "title", "a zebra"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(&world.phones[2], "need", id, "title", "lights"), FOLKMOOT_OK);
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(phone_sync(&world.phones[i % 3], world.hub, NULL, NULL), FOLKMOOT_OK);
    expect_title(&world, 0, id, 2, true, NULL);
    world.phones[0].now += 120000;
    cr_assert_eq(phone_put(&world.phones[0], "need", id, "title", "both"), FOLKMOOT_OK);
    for (size_t i = 0; i < 6; i++)
        cr_assert_eq(phone_sync(&world.phones[i % 3], world.hub, NULL, NULL), FOLKMOOT_OK);
    expect_title(&world, 1, id, 1, false, "both");
    world_sync_all(&world);
    for (size_t i = 0; i < 4; i++)
        expect_title(&world, i, id, 2, true, "both");
    expect_alike(&world, id);
    world_close(&world);
}

Test(tension, is_none_where_both_wrote_the_same)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 3);
    phone_add_need(&world.phones[0], "a crossing", id);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[1], "need", id, "urgency", "high"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(&world.phones[2], "need", id, "urgency", "high"), FOLKMOOT_OK);
    world_sync_all(&world);
    bool tension;
    cr_assert_eq(phone_values(&world.phones[0], "need", id, "urgency", &tension, NULL, 0), 2);
    cr_assert_not(tension);
    world_close(&world);
}

Test(tension, shows_whose_words_were_gone_over_and_by_whom)
{
    struct world world;
    uint8_t id[16];
    struct folkmoot_community before;
    struct folkmoot_community after;
    struct folkmoot_record record;
    world_open(&world, 2);
    phone_add_need(&world.phones[0], "a crossing", id);
    world_sync_all(&world);
    cr_assert_eq(phone_put(&world.phones[1], "need", id, "title", "stripes"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_community_at(world.phones[0].fm, 0, &before), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_community_at(world.phones[1].fm, 0, &after), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_record_get(world.phones[0].fm, "need", id, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.past_n, 1);
    cr_assert_str_eq(record.past[0].field, "title");
    cr_assert_str_eq(record.past[0].text, "a crossing");
    cr_assert_arr_eq(record.past[0].device, before.device, 12);
    cr_assert_arr_eq(record.past[0].by_device, after.device, 12);
    folkmoot_record_done(&record);
    world_close(&world);
}

Test(tension, tells_of_words_that_never_came_here_that_they_were_gone_over)
{
    struct world world;
    uint8_t id[16];
    struct folkmoot_record record;
    world_open(&world, 2);
    phone_add_need(&world.phones[0], "a crossing", id);
    world.phones[0].now += 5000;
    cr_assert_eq(phone_put(&world.phones[0], "need", id, "title", "stripes"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_record_get(world.phones[1].fm, "need", id, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.past_n, 1);
    cr_assert_null(record.past[0].text);
    cr_assert_str_eq(record.past[0].field, "");
    cr_assert_geq(record.past[0].by_time, record.past[0].time + 5000);
    folkmoot_record_done(&record);
    world_close(&world);
}
