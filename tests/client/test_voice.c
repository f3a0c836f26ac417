#include <criterion/criterion.h>

#include "tests/client/world.h"
#include "tests/leaks.h"

static const char card[] = "HDJ795RAR165M0QGPKFQ0YARJ1";

static void speak(struct phone *phone, const uint8_t need[16], const uint8_t person[16],
                  const char *stance, const char *words, int64_t time)
{
    struct folkmoot_error error;
    cr_assert_eq(folkmoot_voice(phone->fm, "need", need, person, stance, words, NULL, time, &error),
                 FOLKMOOT_OK, "%s", error.text);
}

static void expect_votes(struct phone *phone, const uint8_t need[16], uint32_t for_,
                         uint32_t against)
{
    struct folkmoot_record record;
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.votes_for, for_);
    cr_assert_eq(record.votes_against, against);
    cr_assert_eq(record.from_n, 0, "voices are not among what refers to it");
    folkmoot_record_done(&record);
}

static uint32_t written(struct phone *phone)
{
    struct folkmoot_community community;
    cr_assert_eq(folkmoot_community_at(phone->fm, 0, &community), FOLKMOOT_OK);
    return community.written;
}

Test(voice, of_one_person_counts_once_however_many_volunteers_carry_it)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[3][16];
    world_open(&world, 3);
    phone_add_need(&world.phones[0], "a crossing", need);
    world_sync_all(&world);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(folkmoot_card(world.phones[i].fm, card, person[i], NULL), FOLKMOOT_OK);
        cr_assert_arr_eq(person[i], person[0], 16);
        speak(&world.phones[i], need, person[i], "for", NULL, 0);
    }
    world_sync_all(&world);
    for (size_t i = 0; i < 3; i++)
        expect_votes(&world.phones[i], need, 1, 0);
    world_close(&world);
    expect_no_leaks();
}

Test(voice, said_later_counts_whichever_arrives_first)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[16];
    world_open(&world, 2);
    phone_add_need(&world.phones[0], "a crossing", need);
    cr_assert_eq(folkmoot_card(world.phones[0].fm, card, person, NULL), FOLKMOOT_OK);
    speak(&world.phones[0], need, person, "against", "too dear", WORLD_NOW + 2000);
    // Typed later, said earlier.
    speak(&world.phones[0], need, person, "for", NULL, WORLD_NOW + 1000);
    expect_votes(&world.phones[0], need, 0, 1);
    world_sync_all(&world);
    speak(&world.phones[1], need, person, "unsure", NULL, WORLD_NOW + 1500);
    world_sync_all(&world);
    expect_votes(&world.phones[0], need, 0, 1);
    speak(&world.phones[1], need, person, "withdrawn", NULL, WORLD_NOW + 9000);
    world_sync_all(&world);
    expect_votes(&world.phones[0], need, 0, 0);
    world_close(&world);
}

// A phone whose clock is years ahead must not have the last word for years.
Test(voice, recorded_years_ahead_can_be_changed_and_taken_back_by_a_right_clock)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[16];
    world_open(&world, 2);
    struct phone *ahead = &world.phones[0];
    struct phone *right = &world.phones[1];
    phone_add_need(ahead, "a crossing", need);
    cr_assert_eq(folkmoot_card(ahead->fm, card, person, NULL), FOLKMOOT_OK);
    ahead->now += INT64_C(5) * 365 * 86400000;
    speak(ahead, need, person, "for", "my children", 0);
    world_sync_all(&world);
    expect_votes(right, need, 1, 0);
    cr_assert_lt(right->now, ahead->now - INT64_C(4) * 365 * 86400000);

    speak(right, need, person, "against", NULL, 0);
    expect_votes(right, need, 0, 1);
    world_sync_all(&world);
    expect_votes(ahead, need, 0, 1);
    speak(right, need, person, "withdrawn", NULL, 0);
    expect_votes(right, need, 0, 0);
    world_sync_all(&world);
    expect_votes(ahead, need, 0, 0);
    speak(right, need, person, "unsure", NULL, 0);
    speak(right, need, person, "for", NULL, 0);
    world_sync_all(&world);
    expect_votes(ahead, need, 1, 0);
    expect_votes(right, need, 1, 0);

    // What was said at a known time, before the one that stands, stays history all the same.
    speak(right, need, person, "against", NULL, WORLD_NOW + 1000);
    world_sync_all(&world);
    expect_votes(ahead, need, 1, 0);
    world_close(&world);
    expect_no_leaks();
}

Test(voice, told_again_changes_nothing)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[16];
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", need);
    cr_assert_eq(folkmoot_card(phone->fm, card, person, NULL), FOLKMOOT_OK);
    speak(phone, need, person, "for", "my children", WORLD_NOW + 1000);
    speak(phone, need, person, "against", NULL, WORLD_NOW + 2000);
    uint32_t before = written(phone);
    speak(phone, need, person, "for", "my children", WORLD_NOW + 1000);
    speak(phone, need, person, "against", NULL, WORLD_NOW + 2000);
    speak(phone, need, person, "against", NULL, 0);
    cr_assert_eq(written(phone), before);
    expect_votes(phone, need, 0, 1);
    world_close(&world);
}

Test(voice, is_shown_with_the_words_that_belong_to_the_stance)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[16];
    struct folkmoot_record record;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", need);
    cr_assert_eq(folkmoot_card(phone->fm, card, person, NULL), FOLKMOOT_OK);
    speak(phone, need, person, "for", "my children", WORLD_NOW + 1000);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.voices_n, 1);
    cr_assert_str_eq(record.voices[0].stance, "for");
    cr_assert_str_eq(record.voices[0].words, "my children");
    cr_assert_arr_eq(record.voices[0].person, person, 16);
    folkmoot_record_done(&record);
    speak(phone, need, person, "against", NULL, WORLD_NOW + 2000);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need, FOLKMOOT_WHOLE, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_str_eq(record.voices[0].stance, "against");
    cr_assert_str_eq(record.voices[0].words, "");
    folkmoot_record_done(&record);
    world_close(&world);
}

Test(voice, of_persons_who_are_one_counts_once_until_they_are_parted)
{
    struct world world;
    uint8_t need[16];
    uint8_t person[2][16];
    world_open(&world, 2);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", need);
    cr_assert_eq(folkmoot_card(phone->fm, card, person[0], NULL), FOLKMOOT_OK);
    cr_assert_eq(folkmoot_card(phone->fm, "KQ970HYXN0FBEH87GA5T1G22VB", person[1], NULL),
                 FOLKMOOT_OK);
    speak(phone, need, person[0], "for", NULL, 0);
    speak(phone, need, person[1], "for", NULL, 0);
    expect_votes(phone, need, 2, 0);
    cr_assert_eq(folkmoot_same(phone->fm, "person", person[0], person[1], true, 0, NULL),
                 FOLKMOOT_OK);
    uint32_t before = written(phone);
    cr_assert_eq(folkmoot_same(phone->fm, "person", person[1], person[0], true, 0, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(written(phone), before, "the pair has one record, whichever comes first");
    expect_votes(phone, need, 1, 0);
    world_sync_all(&world);
    expect_votes(&world.phones[1], need, 1, 0);
    cr_assert_eq(folkmoot_same(world.phones[1].fm, "person", person[0], person[1], false, 0, NULL),
                 FOLKMOOT_OK);
    world_sync_all(&world);
    expect_votes(phone, need, 2, 0);
    cr_assert_eq(folkmoot_same(phone->fm, "person", person[0], person[0], true, 0, NULL),
                 FOLKMOOT_INVALID);
    world_close(&world);
}

Test(voice, on_two_needs_that_are_one_is_shown_on_both)
{
    struct world world;
    uint8_t need[2][16];
    uint8_t person[16];
    struct folkmoot_record record;
    world_open(&world, 1);
    struct phone *phone = &world.phones[0];
    phone_add_need(phone, "a crossing", need[0]);
    phone_add_need(phone, "a zebra", need[1]);
    cr_assert_eq(folkmoot_card(phone->fm, card, person, NULL), FOLKMOOT_OK);
    speak(phone, need[0], person, "for", NULL, 0);
    speak(phone, need[1], person, "for", NULL, 0);
    cr_assert_eq(folkmoot_same(phone->fm, "need", need[0], need[1], true, 0, NULL), FOLKMOOT_OK);
    expect_votes(phone, need[0], 1, 0);
    expect_votes(phone, need[1], 1, 0);
    cr_assert_eq(folkmoot_record_get(phone->fm, "need", need[0], FOLKMOOT_BRIEF, &record, NULL),
                 FOLKMOOT_OK);
    cr_assert_eq(record.same_n, 1);
    cr_assert_arr_eq(record.same[0].id, need[1], 16);
    folkmoot_record_done(&record);
    world_close(&world);
}

Test(voice, with_a_stance_that_there_is_not_is_refused)
{
    struct world world;
    uint8_t need[16];
    struct folkmoot_error error;
    world_open(&world, 1);
    phone_add_need(&world.phones[0], "a crossing", need);
    cr_assert_eq(
        folkmoot_voice(world.phones[0].fm, "need", need, need, "perhaps", NULL, NULL, 0, &error),
        FOLKMOOT_INVALID);
    cr_assert_not_null(strstr(error.text, "stance"));
    cr_assert_eq(
        folkmoot_voice(world.phones[0].fm, "nonsense", need, need, "for", NULL, NULL, 0, &error),
        FOLKMOOT_NOT_FOUND);
    world_close(&world);
}
