#include <criterion/criterion.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

struct hits {
    uint8_t ids[16][16];
    size_t n;
    size_t most;
};

static bool hit(const struct folkmoot_record *record, void *arg)
{
    struct hits *hits = arg;
    cr_assert_lt(hits->n, 16);
    memcpy(hits->ids[hits->n++], record->id, 16);
    return hits->n != hits->most;
}

static struct hits search(struct phone *phone, const char *text)
{
    struct hits hits = {.n = 0};
    struct folkmoot_error error;
    cr_assert_eq(folkmoot_search(phone->fm, text, hit, &hits, &error), FOLKMOOT_OK, "%s",
                 error.text);
    return hits;
}

Test(search, finds_by_words_on_every_device_the_best_first)
{
    struct world world;
    uint8_t well[16];
    uint8_t bus[16];
    uint8_t wells[16];
    world_open(&world, 2);
    struct phone *phone = &world.phones[1];
    phone_add_need(phone, "Wells dry up", wells);
    phone_add_need(phone, "A well for everyone", well);
    phone_add_need(phone, "A bus", bus);
    cr_assert_eq(phone_put(phone, "need", bus, "words", "It passes the well."), FOLKMOOT_OK);
    world_sync_all(&world);
    for (size_t i = 0; i < 2; i++) {
        struct hits hits = search(&world.phones[i], "WELL");
        cr_assert_eq(hits.n, 3);
        cr_expect_arr_eq(hits.ids[0], well, 16);
        cr_expect_arr_eq(hits.ids[1], bus, 16);
        cr_expect_arr_eq(hits.ids[2], wells, 16);
        cr_expect_eq(search(&world.phones[i], "well passes").n, 1);
        cr_expect_eq(search(&world.phones[i], "well ").n, 2);
        cr_expect_eq(search(&world.phones[i], "lake").n, 0);
    }
    struct hits first = {.most = 1};
    cr_assert_eq(folkmoot_search(phone->fm, "well", hit, &first, NULL), FOLKMOOT_OK);
    cr_expect_eq(first.n, 1, "it ends when it is told to");
    world_close(&world);
    expect_no_leaks();
}

Test(search, refuses_what_is_no_question_in_words)
{
    struct world world;
    struct hits hits = {.n = 0};
    struct folkmoot_error error;
    char many[500];
    world_open(&world, 1);
    memset(many, 'a', sizeof many - 1);
    many[sizeof many - 1] = 0;
    cr_expect_eq(folkmoot_search(world.phones[0].fm, "?", hit, &hits, &error), FOLKMOOT_INVALID);
    cr_expect_str_eq(error.text, "there is no word to find in it");
    cr_expect_eq(folkmoot_search(world.phones[0].fm, many, hit, &hits, &error), FOLKMOOT_INVALID);
    world_close(&world);
    world_open_apart(&world, 1);
    cr_expect_eq(folkmoot_search(world.phones[0].fm, "well", hit, &hits, NULL), FOLKMOOT_NOT_FOUND);
    world_close(&world);
    expect_no_leaks();
}
