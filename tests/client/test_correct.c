#include <criterion/criterion.h>
#include <string.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

// The live values of a field, in one text with "+" between them, in the order of their rank.
static void values_of(struct phone *phone, const char *kind, const uint8_t *id, const char *name,
                      char out[200])
{
    struct folkmoot_record record;
    out[0] = 0;
    enum folkmoot_code code =
        folkmoot_record_get(phone->fm, kind, id, FOLKMOOT_BRIEF, &record, NULL);
    if (code == FOLKMOOT_NOT_FOUND)
        return;
    cr_assert_eq(code, FOLKMOOT_OK);
    for (size_t i = 0; i < record.fields_n; i++) {
        for (size_t k = 0; k < record.fields[i].values_n; k++) {
            if (strcmp(record.fields[i].name, name) != 0)
                continue;
            strncat(out, out[0] ? "+" : "", 2);
            strncat(out, record.fields[i].values[k].text, 60);
        }
    }
    folkmoot_record_done(&record);
}

static void expect(struct phone *phone, const uint8_t *id, const char *name, const char *values)
{
    char text[200];
    values_of(phone, "need", id, name, text);
    cr_assert_str_eq(text, values);
}

static enum folkmoot_code correct(struct phone *phone, const uint8_t *id, const char *field,
                                  const char *was, const char *value)
{
    struct folkmoot_correction correction = {field, was, value};
    return folkmoot_correct(phone->fm, "need", id, &correction, 1, 0, NULL);
}

Test(correct, goes_over_the_value_that_it_names_and_over_nothing_else)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 2);
    struct phone *a = &world.phones[0], *b = &world.phones[1];
    phone_add_need(a, "of the table", id);
    world_sync_all(&world);
    cr_assert_eq(phone_put(b, "need", id, "title", "of a person"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(correct(a, id, "title", "of the table", "of the next"), FOLKMOOT_OK);
    expect(a, id, "title", "of a person+of the next");
    cr_assert_eq(correct(a, id, "title", "of the next", "of the last"), FOLKMOOT_OK);
    world_sync_all(&world);
    expect(a, id, "title", "of a person+of the last");
    expect(b, id, "title", "of a person+of the last");
    world_close(&world);
    expect_no_leaks();
}

Test(correct, writes_nothing_where_nothing_changes)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    uint32_t before = folkmoot_written(phone->fm);
    cr_assert_eq(before, 1);
    cr_assert_eq(correct(phone, id, "title", NULL, "a crossing"), FOLKMOOT_OK);
    cr_assert_eq(correct(phone, id, "title", "a crossing", "a crossing"), FOLKMOOT_OK);
    cr_assert_eq(correct(phone, id, "title", "never said", NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_written(phone->fm), before);
    cr_assert_eq(correct(phone, id, "titel", NULL, "x"), FOLKMOOT_INVALID);
    cr_assert_eq(correct(phone, id, "urgency", NULL, "soon"), FOLKMOOT_INVALID);
    world_close(&world);
}

Test(correct, brings_a_record_back_whose_values_all_went_but_makes_none)
{
    struct world world;
    uint8_t id[16];
    uint8_t nobody[16] = {7};
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    cr_assert_eq(correct(phone, id, "title", "a crossing", NULL), FOLKMOOT_OK);
    expect(phone, id, "title", "");
    cr_assert_eq(phone_put(phone, "need", id, "title", "x"), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(correct(phone, id, "title", NULL, "a crossing, again"), FOLKMOOT_OK);
    expect(phone, id, "title", "a crossing, again");
    cr_assert_eq(correct(phone, nobody, "title", NULL, "x"), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}

Test(correct, says_nothing_more_in_a_record_that_was_erased)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_erase(phone->fm, "need", id, false, NULL, NULL), FOLKMOOT_OK);
    world_sync_all(&world);
    uint32_t before = folkmoot_written(phone->fm);
    cr_assert_eq(correct(phone, id, "title", NULL, "a crossing"), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(folkmoot_written(phone->fm), before);
    world_close(&world);
}
