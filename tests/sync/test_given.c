// What is given away of a record: to the community what is not personal, to others what an observer
// is shown.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "proto/wire.h"
#include "sync/digest.h"
#include "sync/given.h"
#include "tests/leaks.h"
#include "tests/sync/street.h"

static struct world world;
static struct arena arena;
static struct crowd author;

static void set_up(void)
{
    world_open(&world, 2);
    world_begin(&world, 21);
    arena_init(&arena, (size_t)256 << 20);
    crowd_init(&author, &world, 1, &arena);
}

static void tear_down(void)
{
    crowd_done(&author);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(given, .init = set_up, .fini = tear_down);

static struct given_to to_audience(struct txn *txn, enum audience audience)
{
    struct given_to to = {.audience = audience, .least = 5};
    memset(to.secret, 7, sizeof to.secret);
    cr_assert_eq(community_get_number(txn, world.community, &to.community), OK);
    digest_export(to.community.id, audience, to.handle);
    return to;
}

static enum err look(const struct record_key *record, enum audience audience, struct given *given)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    struct given_to to = to_audience(txn, audience);
    return given_record(txn, &to, record, &arena, given);
}

static bool is_given(const struct record_key *record, enum audience audience)
{
    struct given given;
    enum err err = look(record, audience, &given);
    cr_assert(err == OK || err == ERR_NOT_FOUND, "%s", err_text(err));
    return err == OK;
}

static const struct field_view *field_of(const struct given *given, uint32_t number)
{
    for (size_t i = 0; i < given->view.fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, given->view.fields, i);
        if (field->field == number)
            return field;
    }
    return NULL;
}

static void say_number(const struct record_key *record, uint32_t field, uint64_t value)
{
    struct buf fields = {0};
    wire_put_uint(&fields, field, value);
    (void)street_say(&author, record->kind, record, 2000, &fields);
}

static struct tally tally_for(const struct record_key *record, enum audience audience)
{
    struct given given;
    cr_assert_eq(look(record, audience, &given), OK);
    return given.view.tally ? *given.view.tally : (struct tally){0};
}

// --- for whom ---

Test(given, goes_to_those_for_whom_it_is)
{
    static const bool is_for[][4] = {
        [AUDIENCE_NONE] = {0, 1, 0, 0},
        [AUDIENCE_COMMUNITY] = {0, 1, 0, 0},
        [AUDIENCE_ORGANISATIONS] = {0, 1, 1, 0},
        [AUDIENCE_PUBLIC] = {0, 1, 1, 1},
    };
    struct record_key needs[4];
    for (int said = 0; said < 4; said++)
        needs[said] = street_need(&author, "a need", NULL, NULL, (enum audience)said);
    crowd_push(&author);
    for (int said = 0; said < 4; said++)
        for (int wanted = AUDIENCE_COMMUNITY; wanted <= AUDIENCE_PUBLIC; wanted++)
            cr_expect_eq(is_given(&needs[said], (enum audience)wanted), is_for[said][wanted],
                         "said %d, wanted %d", said, wanted);
    expect_no_leaks();
}

Test(given, of_concurrent_audiences_keeps_to_the_narrowest)
{
    struct record_key need = street_need(&author, "a need", NULL, NULL, AUDIENCE_PUBLIC);
    say_number(&need, FIELD_AUDIENCE, AUDIENCE_ORGANISATIONS);
    crowd_push(&author);
    cr_expect(is_given(&need, AUDIENCE_ORGANISATIONS));
    cr_expect_not(is_given(&need, AUDIENCE_PUBLIC));
    say_number(&need, FIELD_AUDIENCE, 9); // of a later version
    crowd_push(&author);
    cr_expect_not(is_given(&need, AUDIENCE_ORGANISATIONS));
    cr_expect(is_given(&need, AUDIENCE_COMMUNITY));
    expect_no_leaks();
}

Test(given, keeps_what_is_sensitive_in_the_community)
{
    struct record_key need = street_need(&author, "a need", NULL, NULL, AUDIENCE_PUBLIC);
    say_number(&need, FIELD_SENSITIVITY, SENSITIVITY_SENSITIVE);
    crowd_push(&author);
    cr_expect(is_given(&need, AUDIENCE_COMMUNITY));
    cr_expect_not(is_given(&need, AUDIENCE_ORGANISATIONS));
    expect_no_leaks();
}

// --- what of it ---

Test(given, says_nothing_of_who_spoke)
{
    struct given given;
    struct record_key person = crowd_person(1);
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_SPEAKER, BYTES(person.id));
    wire_put_uint(&fields, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("a need"));
    struct record_key need = street_say(&author, KIND_NEED, NULL, 1000, &fields);
    crowd_push(&author);
    for (int wanted = AUDIENCE_COMMUNITY; wanted <= AUDIENCE_PUBLIC; wanted++) {
        cr_assert_eq(look(&need, (enum audience)wanted, &given), OK);
        cr_expect_null(field_of(&given, FIELD_SPEAKER));
        cr_expect_not_null(field_of(&given, FIELD_TITLE));
    }
    expect_no_leaks();
}

Test(given, names_no_person_that_something_is_about)
{
    struct given given;
    struct record_key person = crowd_person(1);
    struct record_key remark =
        street_answer(&author, KIND_REMARK, &person, 1000, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    struct world_change voice = crowd_voice(&author, &person, person.id, STANCE_FOR, 1000);
    crowd_push(&author);
    cr_assert_eq(look(&remark, AUDIENCE_COMMUNITY, &given), OK);
    cr_expect_null(field_of(&given, FIELD_ABOUT));
    cr_assert_eq(look(&remark, AUDIENCE_PUBLIC, &given), OK);
    cr_expect_null(field_of(&given, FIELD_ABOUT));
    cr_expect_not(is_given(&voice.record, AUDIENCE_COMMUNITY), "a voice on a person");
    expect_no_leaks();
}

Test(given, has_of_a_voice_the_subject_and_not_the_person)
{
    struct given given;
    struct record_key need = street_need(&author, "a need", NULL, NULL, AUDIENCE_NONE);
    struct record_key person = crowd_person(1);
    struct world_change voice = crowd_voice(&author, &need, person.id, STANCE_FOR, 1000);
    crowd_push(&author);
    cr_assert_eq(look(&voice.record, AUDIENCE_COMMUNITY, &given), OK);
    cr_assert_eq(given.view.parts.n, 1);
    struct bytes subject = *LIST_AT(struct bytes, given.view.parts, 0);
    cr_expect_eq(be32_get(subject.p), KIND_NEED);
    cr_expect_arr_eq(subject.p + 4, need.id, ID_SIZE);
    expect_no_leaks();
}

Test(given, leaves_personal_records_and_those_of_the_administration_out)
{
    static const uint32_t kinds[] = {KIND_PERSON,   KIND_CONTACT, KIND_MEMBERSHIP,
                                     KIND_DECISION, KIND_REQUEST, KIND_REQUEST + 1};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        cr_expect_not(given_kind(kinds[i]), "kind %u", kinds[i]);
    struct buf fields = {0};
    wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("somebody"));
    struct record_key person = street_say(&author, KIND_PERSON, NULL, 1000, &fields);
    crowd_push(&author);
    cr_expect_not(is_given(&person, AUDIENCE_COMMUNITY));
    expect_no_leaks();
}

// --- how many ---

Test(given, tells_outsiders_multiples_of_voices)
{
    struct record_key need = street_need(&author, "a need", NULL, NULL, AUDIENCE_PUBLIC);
    street_voices(&author, &need, 0, 13, STANCE_FOR);
    street_voices(&author, &need, 13, 17, STANCE_AGAINST);
    struct record_key few = street_need(&author, "few", NULL, NULL, AUDIENCE_PUBLIC);
    street_voices(&author, &few, 0, 4, STANCE_FOR);
    crowd_push(&author);
    struct tally exact = tally_for(&need, AUDIENCE_COMMUNITY);
    struct tally coarse = tally_for(&need, AUDIENCE_PUBLIC);
    cr_expect(exact.for_ == 13 && exact.against == 4 && exact.unsure == 0);
    cr_expect(coarse.for_ == 10 && coarse.against == 0 && coarse.unsure == 0);
    struct tally none = tally_for(&few, AUDIENCE_PUBLIC);
    cr_expect(none.for_ == 0);
    cr_expect_eq(tally_for(&few, AUDIENCE_COMMUNITY).for_, 4);
    expect_no_leaks();
}

Test(given, names_what_is_joined_by_one_id)
{
    struct given one, other, alone;
    struct record_key a = street_need(&author, "a", NULL, NULL, AUDIENCE_PUBLIC);
    struct record_key b = street_need(&author, "b", NULL, NULL, AUDIENCE_PUBLIC);
    struct record_key c = street_need(&author, "c", NULL, NULL, AUDIENCE_PUBLIC);
    (void)crowd_same(&author, &a, &b, NULL);
    crowd_push(&author);
    for (int wanted = AUDIENCE_COMMUNITY; wanted <= AUDIENCE_PUBLIC; wanted++) {
        cr_assert_eq(look(&a, (enum audience)wanted, &one), OK);
        cr_assert_eq(look(&b, (enum audience)wanted, &other), OK);
        cr_assert_eq(look(&c, (enum audience)wanted, &alone), OK);
        cr_expect(bytes_equal(one.joined, other.joined), "joined by one id");
        cr_expect(bytes_equal(alone.joined, alone.view.id), "alone by its own");
        cr_expect_not(bytes_equal(alone.joined, one.joined));
        cr_expect_eq(bytes_equal(alone.view.id, BYTES(c.id)), wanted == AUDIENCE_COMMUNITY);
    }
    expect_no_leaks();
}
