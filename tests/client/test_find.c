#include <criterion/criterion.h>
#include <stdio.h>

#include "base/text.h"
#include "tests/client/world.h"
#include "tests/leaks.h"

static enum folkmoot_code find(struct phone *phone, const char *text, char kind[16], uint8_t id[16])
{
    return folkmoot_find(phone->fm, text, kind, id, NULL);
}

static void expect_found(struct phone *phone, const char *text, const uint8_t id[16])
{
    char kind[16];
    uint8_t found[16];
    cr_assert_eq(find(phone, text, kind, found), FOLKMOOT_OK, "%s", text);
    cr_assert_str_eq(kind, "need");
    cr_assert_arr_eq(found, id, 16);
}

Test(find, knows_a_record_by_id_beginning_of_id_name_and_title)
{
    struct world world;
    uint8_t id[16];
    uint8_t found[16];
    char kind[16];
    char hex[33];
    char text[60];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "A crossing", id);
    text_hex(BYTES(id), hex);
    expect_found(phone, hex, id);
    snprintf(text, sizeof text, "need:%s", hex);
    expect_found(phone, text, id);
    expect_found(phone, "A crossing", id);
    snprintf(text, sizeof text, "%.5s", hex);
    expect_found(phone, text, id);
    snprintf(text, sizeof text, "%.3s", hex);
    cr_assert_eq(find(phone, text, kind, found), FOLKMOOT_NOT_FOUND);
    snprintf(text, sizeof text, "solution:%.8s", hex);
    cr_assert_eq(find(phone, text, kind, found), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(folkmoot_name(phone->fm, "a-crossing", "need", id, NULL), FOLKMOOT_OK);
    expect_found(phone, "a-crossing", id);
    cr_assert_eq(folkmoot_named(phone->fm, "a-crossing", kind, sizeof kind, found), FOLKMOOT_OK);
    cr_assert_str_eq(kind, "need");
    cr_assert_eq(folkmoot_named(phone->fm, "b", kind, sizeof kind, found), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(find(phone, "", kind, found), FOLKMOOT_NOT_FOUND);
    world_close(&world);
    expect_no_leaks();
}

Test(find, says_when_a_text_fits_several)
{
    struct world world;
    uint8_t a[16];
    uint8_t b[16];
    uint8_t found[16];
    char kind[16];
    char hex[33];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "A crossing", a);
    phone_add_need(phone, "A crossing", b);
    cr_assert_eq(find(phone, "A crossing", kind, found), FOLKMOOT_AMBIGUOUS);
    // Both ids begin with the device's handle.
    text_hex(BYTES(a), hex);
    hex[8] = 0;
    cr_assert_eq(find(phone, hex, kind, found), FOLKMOOT_AMBIGUOUS);
    world_close(&world);
}

Test(find, by_title_sees_what_is_written_changed_undone_and_pulled)
{
    struct world world;
    uint8_t id[16];
    uint8_t other[16];
    uint8_t found[16];
    char kind[16];
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    cr_assert_eq(find(phone, "one", kind, found), FOLKMOOT_NOT_FOUND);
    phone_add_need(phone, "one", id);
    expect_found(phone, "one", id);
    cr_assert_eq(phone_put(phone, "need", id, "title", "two"), FOLKMOOT_OK);
    expect_found(phone, "two", id);
    cr_assert_eq(find(phone, "one", kind, found), FOLKMOOT_NOT_FOUND);
    cr_assert_eq(folkmoot_undo(phone->fm, 0, NULL), FOLKMOOT_OK);
    expect_found(phone, "one", id);
    phone_add_need(&world.phones[1], "three", other);
    world_sync_all(&world);
    expect_found(phone, "three", other);
    cr_assert_eq(folkmoot_begin(phone->fm, NULL), FOLKMOOT_OK);
    phone_add_need(phone, "four", other);
    expect_found(phone, "four", other);
    cr_assert_eq(folkmoot_end(phone->fm, false, NULL), FOLKMOOT_OK);
    cr_assert_eq(find(phone, "four", kind, found), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}

Test(find, follows_references_both_ways_while_they_stand)
{
    struct world world;
    uint8_t need[16];
    uint8_t solution[16];
    char about[60] = "need:";
    struct folkmoot_record record;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "A crossing", need);
    text_hex(BYTES(need), about + 5);
    // By id alone, and by kind and id: the same reference.
    struct folkmoot_put puts[] = {{"title", "stripes"}, {"about", about + 5}, {"about", about}};
    cr_assert_eq(folkmoot_add(phone->fm, "solution", puts, 3, 0, solution, NULL), FOLKMOOT_OK);
    cr_assert_eq(
        folkmoot_record_get(phone->fm, "solution", solution, FOLKMOOT_BRIEF, &record, NULL),
        FOLKMOOT_OK);
    cr_assert_eq(record.about_n, 1);
    cr_assert_arr_eq(record.about[0].id, need, 16);
    folkmoot_record_done(&record);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need, FOLKMOOT_BRIEF, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.from_n, 1);
    cr_assert_str_eq(record.from[0].kind, "solution");
    folkmoot_record_done(&record);
    cr_assert_eq(folkmoot_remove(phone->fm, "solution", solution, "about", about, 0, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need, FOLKMOOT_BRIEF, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.from_n, 0);
    folkmoot_record_done(&record);
    world_close(&world);
}

struct listing {
    size_t n;
    size_t stop_at;
    char title[40];
};

static bool note(const struct folkmoot_record *record, void *arg)
{
    struct listing *listing = arg;
    snprintf(listing->title, sizeof listing->title, "%s", record->title);
    return ++listing->n != listing->stop_at;
}

Test(find, lists_records_in_order_until_told_to_stop)
{
    struct world world;
    uint8_t id[16];
    struct listing listing = {.n = 0};
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    for (int i = 0; i < 5; i++) {
        char title[20];
        snprintf(title, sizeof title, "need %d", i);
        phone_add_need(phone, title, id);
    }
    cr_assert_eq(folkmoot_list(phone->fm, NULL, note, &listing, NULL), FOLKMOOT_OK);
    cr_assert_eq(listing.n, 5);
    cr_assert_str_eq(listing.title, "need 4");
    listing = (struct listing){.stop_at = 2};
    cr_assert_eq(folkmoot_list(phone->fm, "need", note, &listing, NULL), FOLKMOOT_OK);
    cr_assert_eq(listing.n, 2);
    cr_assert_eq(folkmoot_list(phone->fm, "solution", note, &listing, NULL), FOLKMOOT_OK);
    cr_assert_eq(listing.n, 2);
    cr_assert_eq(folkmoot_list(phone->fm, "kind 99", note, &listing, NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_list(phone->fm, "nonsense", note, &listing, NULL), FOLKMOOT_NOT_FOUND);
    world_close(&world);
}

Test(find, gives_words_a_title_where_there_is_none)
{
    struct world world;
    uint8_t id[16];
    struct folkmoot_record record;
    world_open(&world, 1);
    static const char words[] = "ééééééééééééééééééééééééééééééééééééééééé and more\nsecond line";
    struct folkmoot_put put = {"words", words};
    cr_assert_eq(folkmoot_add(world.phones[0].fm, "remark", &put, 1, 0, id, NULL), FOLKMOOT_OK);
    cr_assert_eq(
        folkmoot_record_get(world.phones[0].fm, "remark", id, FOLKMOOT_BRIEF, &record, NULL),
        FOLKMOOT_OK);
    cr_assert_eq(strlen(record.title), 80 + strlen("…"));
    cr_assert(text_is_utf8(bytes_of_text(record.title)));
    cr_assert_null(strchr(record.title, '\n'));
    folkmoot_record_done(&record);
    world_close(&world);
}

Test(find, names_kinds_fields_and_values)
{
    cr_assert_str_eq(folkmoot_kind_name(0), "need");
    cr_assert_null(folkmoot_kind_name(14));
    cr_assert_null(folkmoot_kind_name(SIZE_MAX));
    cr_assert_str_eq(folkmoot_field_name("need", 13), "urgency");
    cr_assert_null(folkmoot_field_name("need", 14));
    cr_assert_null(folkmoot_field_name("wish", 0));
    cr_assert_str_eq(folkmoot_field_value("need", "urgency", 0), "low");
    cr_assert_str_eq(folkmoot_field_value("need", "urgency", 2), "high");
    cr_assert_null(folkmoot_field_value("need", "urgency", 3));
    cr_assert_null(folkmoot_field_value("need", "title", 0));
}
