#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static uint32_t written(struct phone *phone)
{
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &community), FOLKMOOT_OK);
    return community.written;
}

Test(write, keeps_each_field_as_it_was_put)
{
    struct world world;
    uint8_t id[16];
    struct folkmoot_record record;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    struct folkmoot_put puts[] = {
        {"title", "A crossing"},
        {"words", "Stripes and a light."},
        {"category", "transport"},
        {"category", "safety"},
        {"urgency", "high"},
        {"category", "safety"},
        {"place", "School|MG-1|51.5,-0.1"},
    };
    cr_assert_eq(folkmoot_add(phone->fm, "need", puts, 7, WORLD_NOW - 5, id, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", id, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_str_eq(record.kind, "need");
    cr_assert_str_eq(record.title, "A crossing");
    cr_assert_eq(record.fields_n, 5);
    const struct folkmoot_field *category = &record.fields[3];
    cr_assert_str_eq(category->name, "category");
    cr_assert(category->set);
    cr_assert_eq(category->values_n, 2, "a value that is there is not added again");
    cr_assert_eq(category->values[0].time, WORLD_NOW - 5);
    cr_assert_eq(category->values[0].seq, 1);
    folkmoot_record_done(&record);
    world_close(&world);
    expect_no_leaks();
}

Test(write, of_what_stands_there_already_writes_nothing)
{
    struct world world;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    uint32_t before = written(phone);
    cr_assert_eq(phone_put(phone, "need", id, "title", "a crossing"), FOLKMOOT_OK);
    cr_assert_eq(phone_put(phone, "need", id, "words", NULL), FOLKMOOT_OK);
    cr_assert_eq(written(phone), before);
    world_close(&world);
}

Test(write, of_nonsense_names_the_field_and_writes_nothing)
{
    static const struct {
        const char *kind, *field, *value, *named;
        enum folkmoot_code code;
    } rows[] = {
        {"need", "urgency", "huge", "urgency", FOLKMOOT_INVALID},
        {"need", "colour", "red", "colour", FOLKMOOT_INVALID},
        {"need", "about", "00000000000000000000000000000000", "about", FOLKMOOT_INVALID},
        {"wish", "title", "x", "wish", FOLKMOOT_NOT_FOUND},
        {"voice", "stance", "for", "folkmoot_voice", FOLKMOOT_INVALID},
        {"same_as", "same", "true", "folkmoot_same", FOLKMOOT_INVALID},
        {"decision", "words", "x", "hub", FOLKMOOT_INVALID},
        {"need", "title", NULL, "need", FOLKMOOT_INVALID},
    };
    struct world world;
    uint8_t id[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct folkmoot_put put = {rows[i].field, rows[i].value};
        struct folkmoot_error error;
        cr_assert_eq(folkmoot_add(phone->fm, rows[i].kind, &put, 1, 0, id, &error), rows[i].code);
        cr_assert_not_null(strstr(error.text, rows[i].named), "%s", error.text);
    }
    struct folkmoot_put twice[] = {{"title", "a"}, {"title", "b"}};
    cr_assert_eq(folkmoot_add(phone->fm, "need", twice, 2, 0, id, NULL), FOLKMOOT_INVALID);
    cr_assert_eq(written(phone), 0);
    memset(id, 7, sizeof id);
    cr_assert_eq(phone_put(phone, "need", id, "title", "x"), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}

Test(write, replaces_a_set_when_it_is_cleared_first)
{
    struct world world;
    uint8_t id[16];
    bool tension;
    char text[40];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    struct folkmoot_put first[] = {{"category", "a"}, {"category", "b"}};
    cr_assert_eq(folkmoot_add(phone->fm, "need", first, 2, 0, id, NULL), FOLKMOOT_OK);
    struct folkmoot_put second[] = {{"category", NULL}, {"category", "b"}};
    cr_assert_eq(folkmoot_edit(phone->fm, "need", id, second, 2, 0, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_values(phone, "need", id, "category", &tension, text, sizeof text), 1);
    cr_assert_str_eq(text, "b");
    world_close(&world);
}

Test(write, takes_one_value_out_of_a_set)
{
    struct world world;
    uint8_t id[16];
    bool tension;
    char text[40];
    world_open(&world, 2);
    struct folkmoot_put first[] = {{"category", "a"}, {"category", "b"}};
    cr_assert_eq(folkmoot_add(world.phones[0].fm, "need", first, 2, 0, id, NULL), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(folkmoot_remove(world.phones[1].fm, "need", id, "category", "a", 0, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(folkmoot_remove(world.phones[1].fm, "need", id, "category", "a", 0, NULL),
                 FOLKMOOT_NOT_FOUND);
    world_sync_all(&world);
    cr_assert_eq(
        phone_values(&world.phones[0], "need", id, "category", &tension, text, sizeof text), 1);
    cr_assert_str_eq(text, "b");
    world_close(&world);
}

Test(write, clears_more_values_than_one_change_may_go_over)
{
    enum { VALUES = 700 };
    struct world world;
    uint8_t id[16];
    bool tension;
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", id);
    cr_assert_eq(folkmoot_begin(phone->fm, NULL), FOLKMOOT_OK);
    for (int i = 0; i < VALUES; i++) {
        char text[40];
        snprintf(text, sizeof text, "category %d", i);
        cr_assert_eq(phone_put(phone, "need", id, "category", text), FOLKMOOT_OK);
    }
    cr_assert_eq(folkmoot_end(phone->fm, true, NULL), FOLKMOOT_OK);
    world_sync_all(&world);
    struct phone *other = &world.phones[1];
    cr_assert_eq(phone_values(other, "need", id, "category", &tension, NULL, 0), VALUES);
    cr_assert_eq(phone_put(other, "need", id, "category", NULL), FOLKMOOT_OK);
    cr_assert_eq(written(other), 3);
    world_sync_all(&world);
    cr_assert_eq(phone_values(phone, "need", id, "category", &tension, NULL, 0), 0);
    world_close(&world);
}

Test(write, in_a_batch_is_all_or_nothing_and_seen_from_within)
{
    struct world world;
    uint8_t id[16];
    bool tension;
    struct folkmoot_session *session;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    cr_assert_eq(folkmoot_end(phone->fm, true, NULL), FOLKMOOT_INVALID);
    cr_assert_eq(folkmoot_begin(phone->fm, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_begin(phone->fm, NULL), FOLKMOOT_INVALID);
    phone_add_need(phone, "a crossing", id);
    cr_assert_eq(phone_values(phone, "need", id, "title", &tension, NULL, 0), 1);
    cr_assert_eq(folkmoot_sync(phone->fm, &session, NULL), FOLKMOOT_OK);
    cr_assert_eq(hub_double_run(world.hub, session, NULL), FOLKMOOT_FAILED);
    folkmoot_session_done(&session);
    cr_assert_eq(folkmoot_end(phone->fm, false, NULL), FOLKMOOT_OK);
    cr_assert_eq(phone_values(phone, "need", id, "title", &tension, NULL, 0), 0);
    cr_assert_eq(written(phone), 0);
    world_close(&world);
}

Test(write, of_personal_details_reaches_coordinators_only)
{
    struct world world;
    uint8_t person[16];
    bool tension;
    world_open(&world, 3);
    cr_assert_eq(folkmoot_card(world.phones[1].fm, "HDJ795RAR165M0QGPKFQ0YARJ1", person, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(phone_put(&world.phones[1], "person", person, "age_band", "25-34"), FOLKMOOT_OK);
    world_sync_all(&world);
    cr_assert_eq(phone_values(&world.phones[0], "person", person, "age_band", &tension, NULL, 0),
                 1);
    cr_assert_eq(phone_values(&world.phones[1], "person", person, "age_band", &tension, NULL, 0),
                 1);
    cr_assert_eq(phone_values(&world.phones[2], "person", person, "age_band", &tension, NULL, 0),
                 0);
    world_close(&world);
}

Test(write, over_the_size_of_a_change_is_refused)
{
    enum { MANY = 257 };
    static char values[MANY][20];
    static struct folkmoot_put puts[MANY];
    static char words[16386];
    static struct folkmoot_put big[5];
    struct world world;
    uint8_t id[16];
    struct folkmoot_error error;
    world_open(&world, 1);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(values[i], sizeof values[i], "category %zu", i);
        puts[i] = (struct folkmoot_put){"category", values[i]};
    }
    cr_assert_eq(folkmoot_add(world.phones[0].fm, "need", puts, MANY, 0, id, &error),
                 FOLKMOOT_INVALID);
    cr_assert_not_null(strstr(error.text, "256"));
    memset(words, 'w', sizeof words - 1);
    big[0] = (struct folkmoot_put){"words", words};
    cr_assert_eq(folkmoot_add(world.phones[0].fm, "need", big, 1, 0, id, &error), FOLKMOOT_INVALID);
    cr_assert_not_null(strstr(error.text, "words"));
    world_close(&world);
}
