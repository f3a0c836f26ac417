// Words that are erased are gone everywhere, for ever, and nothing else is.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "storage/erasure.h"
#include "sync/chain.h"
#include "sync/digest.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, AUTHOR, OTHER, LATE, DEVICES };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 3);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(erase, .init = set_up, .fini = tear_down);

// The hub comes last.
static struct store *store_of(size_t i, uint32_t *community)
{
    *community = i < DEVICES ? world.devices[i].community : world.community;
    return i < DEVICES ? world.devices[i].store : world.hub;
}

static void expect_kept(const struct world_change *change, size_t author, bool kept,
                        const char *what)
{
    for (size_t i = 0; i <= DEVICES; i++) {
        uint32_t community;
        struct store *store = store_of(i, &community);
        cr_expect_eq(said_is_kept(store, community, world.devices[author].handle, change->seq),
                     kept, "%s, store %zu", what, i);
    }
}

static void expect_live(const struct record_key *record, bool live, const char *what)
{
    for (size_t i = 0; i <= DEVICES; i++) {
        uint32_t community;
        struct store *store = store_of(i, &community);
        cr_expect_eq(said_is_live(store, community, record), live, "%s, store %zu", what, i);
    }
}

// Every head of every chain on the hub follows from the leaves that are left.
static void expect_chains_hold(void)
{
    for (size_t i = 0; i < world.devices_n; i++) {
        struct hub_caller caller = world_caller(&world, i);
        uint8_t head[HASH_SIZE] = {0};
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
        for (uint32_t seq = 1; seq <= caller.device.seq; seq++) {
            uint64_t position;
            struct log_entry entry;
            cr_assert_eq(log_find(txn, world.community, caller.device.handle, seq, &position), OK);
            cr_assert_eq(log_get(txn, world.community, position, &entry), OK);
            if (entry.form == LOG_HUSK) {
                uint8_t leaf[HASH_SIZE];
                digest_leaf(entry.envelope, entry.body_hash, leaf);
                cr_expect_arr_eq(leaf, entry.leaf, HASH_SIZE, "the husk has its body's hash");
            }
            digest_head(world.id, caller.device.key, seq, entry.leaf, head);
        }
        cr_expect_arr_eq(head, caller.device.head, HASH_SIZE, "chain %zu", i);
    }
}

Test(erase, by_the_author_destroys_the_words_everywhere_and_what_they_went_over_stays_gone)
{
    struct world_change first = said_need(&world, AUTHOR, "first words", NULL);
    struct world_change second = said_again(&world, AUTHOR, &first, AUTHOR, "second words");
    network_settle(&world);
    expect_kept(&second, AUTHOR, true, "before");
    said_erase(&world, AUTHOR, AUTHOR, &second);
    network_settle(&world);
    expect_kept(&second, AUTHOR, false, "the erased change");
    expect_live(&first.record, false, "the first words do not come back");
    expect_chains_hold();
    expect_no_leaks();
}

Test(erase, of_others_words_is_not_for_volunteers)
{
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    said_erase(&world, OTHER, AUTHOR, &need);
    said_erase_record(&world, OTHER, &need.record);
    network_settle(&world);
    expect_kept(&need, AUTHOR, true, "somebody else's words");
    expect_live(&need.record, true, "somebody else's words");
}

Test(erase, of_a_record_by_a_volunteer_takes_their_own_changes_of_it_alone)
{
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    struct world_change mine = said_number(&world, OTHER, &need.record, 14, 2);
    struct world_change voice = said_voice(&world, OTHER, &need.record, &person, "mine too");
    said_erase_record(&world, OTHER, &need.record);
    network_settle(&world);
    expect_kept(&need, AUTHOR, true, "the author's");
    expect_kept(&mine, OTHER, false, "the asker's edit");
    expect_kept(&voice, OTHER, false, "the asker's voice on it");
}

Test(erase, of_a_record_by_a_coordinator_takes_all_that_hangs_on_it_and_nothing_else)
{
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    struct world_change other = said_need(&world, AUTHOR, "a crossing", NULL);
    network_settle(&world);
    struct record_key both[] = {need.record, other.record};
    struct world_change voice = said_voice(&world, OTHER, &need.record, &person, "mine too");
    struct world_change voice_on_other =
        said_voice(&world, OTHER, &other.record, &person, "this one too");
    struct world_change hanging = said_about(&world, OTHER, KIND_CONSTRAINT, "no money", both, 1);
    struct world_change on_both = said_about(&world, OTHER, KIND_SOLUTION, "one plan", both, 2);
    network_settle(&world);
    struct world_change deeper =
        said_about(&world, AUTHOR, KIND_REMARK, "on the constraint", &hanging.record, 1);
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &need.record);
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "the record");
    expect_kept(&voice, OTHER, false, "a voice on it");
    expect_kept(&hanging, OTHER, false, "what was about it alone");
    expect_kept(&deeper, AUTHOR, false, "what was about that");
    expect_kept(&other, AUTHOR, true, "another record");
    expect_kept(&voice_on_other, OTHER, true, "a voice on another");
    expect_kept(&on_both, OTHER, true, "what is about another, too");
    expect_chains_hold();
}

// Adds "about" to a record that somebody else created.
static void hang(size_t device, const struct record_key *record, const struct record_key *on)
{
    struct world_change change;
    struct buf fields BUF_CLEANUP = {0};
    struct ref ref = {on->kind, BYTES(on->id)};
    struct envelope envelope = {.kind = record->kind,
                                .id = BYTES(record->id),
                                .time = 1,
                                .class =
                                    record->kind == KIND_PERSON ? CLASS_PERSONAL : CLASS_ORDINARY};
    size_t mark = wire_open(&fields, FIELD_ABOUT);
    message_encode(&ref_message, &ref, &fields);
    wire_close(&fields, mark);
    cr_assert_eq(world_write(&world, device, &envelope, buf_bytes(&fields), &change), OK);
}

// Somebody hangs other people's records on spam, and a coordinator erases the spam.
Test(erase, of_a_record_leaves_what_others_have_hung_on_it)
{
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, AUTHOR, "a bench", &person);
    struct world_change voice = said_voice(&world, AUTHOR, &need.record, &person, "mine");
    struct world_change spam = said_about(&world, OTHER, KIND_REMARK, "spam", NULL, 0);
    network_settle(&world);
    hang(OTHER, &need.record, &spam.record);
    hang(OTHER, &person, &spam.record);
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &spam.record);
    network_settle(&world);
    expect_kept(&spam, OTHER, false, "the spam");
    expect_kept(&need, AUTHOR, true, "what was hung on it by somebody else");
    expect_kept(&voice, AUTHOR, true, "the voice of a person who was hung on it");
}

Test(erase, of_a_person_takes_what_they_said_and_leaves_what_others_said_about_it)
{
    struct record_key gone = said_person(1);
    struct record_key stays = said_person(2);
    struct world_change spoken = said_need(&world, AUTHOR, "my story", &gone);
    struct world_change other = said_need(&world, AUTHOR, "another story", &stays);
    network_settle(&world);
    struct world_change voice = said_voice(&world, OTHER, &other.record, &gone, "me too");
    struct world_change others = said_voice(&world, OTHER, &spoken.record, &stays, "and me");
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &gone);
    network_settle(&world);
    expect_kept(&spoken, AUTHOR, false, "what the person spoke");
    expect_kept(&voice, OTHER, false, "the person's voice");
    expect_kept(&other, AUTHOR, true, "another person's need");
    expect_kept(&others, OTHER, true, "another person's voice");
}

Test(erase, of_a_person_closes_the_id_for_ever)
{
    struct record_key gone = said_person(1);
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    said_voice(&world, AUTHOR, &need.record, &gone, "mine");
    network_settle(&world);
    said_erase_record(&world, COORDINATOR, &gone);
    network_settle(&world);
    struct world_change voice = said_voice(&world, OTHER, &need.record, &gone, "once more");
    struct world_change spoken = said_need(&world, OTHER, "in their name", &gone);
    network_settle(&world);
    expect_kept(&voice, OTHER, false, "a voice after the person was erased");
    expect_kept(&spoken, OTHER, false, "a need in the erased person's name");
    expect_live(&need.record, true, "the need");
}

Test(erase, of_a_person_takes_how_to_reach_them)
{
    struct record_key gone = said_person(1);
    struct record_key stays = said_person(2);
    struct world_change contact = said_about(&world, AUTHOR, KIND_CONTACT, "at the mill", &gone, 1);
    struct world_change more = said_number(&world, AUTHOR, &contact.record, FIELD_KEEP_UNTIL, 1);
    struct world_change other =
        said_about(&world, AUTHOR, KIND_CONTACT, "at the bridge", &stays, 1);
    network_settle(&world);
    said_erase_record(&world, AUTHOR, &gone);
    network_settle(&world);
    expect_kept(&contact, AUTHOR, false, "where the author wrote the person down");
    expect_kept(&more, AUTHOR, false, "and what the author added");
    cr_expect(said_is_kept(world.hub, world.community, world.devices[AUTHOR].handle, other.seq),
              "where another person is");

    // Who was offline when the person was erased knows where they are, and then more.
    said_erase_record(&world, COORDINATOR, &gone);
    network_settle(&world);
    struct world_change late = said_about(&world, OTHER, KIND_CONTACT, "at home", &gone, 1);
    network_settle(&world);
    struct world_change later = said_number(&world, OTHER, &late.record, FIELD_KEEP_UNTIL, 2);
    network_settle(&world);
    expect_kept(&late, OTHER, false, "how to reach the erased person");
    expect_kept(&later, OTHER, false, "what was added to it");
}

Test(erase, reaches_what_a_device_wrote_offline_and_delivers_late)
{
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    struct world_change late = said_again(&world, LATE, &need, AUTHOR, "written offline");
    said_erase_record(&world, COORDINATOR, &need.record);
    for (int i = 0; i < 4; i++) {
        network_sync(&world, COORDINATOR);
        network_sync(&world, AUTHOR);
        network_sync(&world, OTHER);
    }
    cr_assert(said_is_kept(world.devices[LATE].store, world.devices[LATE].community,
                           world.devices[AUTHOR].handle, need.seq),
              "who is offline still has it");
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "the record");
    expect_kept(&late, LATE, false, "the late change");
    expect_live(&need.record, false, "the record");
    expect_chains_hold();
}

static enum err due(struct hub_decider *decider, void *arg)
{
    return hub_erase_due(decider, arg);
}

Test(erase, comes_by_itself_when_a_record_may_be_kept_no_longer)
{
    uint64_t erased = 0;
    struct record_key person = said_person(1);
    struct world_change need = said_need(&world, AUTHOR, "until tomorrow", NULL);
    struct world_change kept = said_need(&world, AUTHOR, "for longer", NULL);
    network_settle(&world);
    struct world_change voice = said_voice(&world, OTHER, &need.record, &person, "yes");
    said_number(&world, COORDINATOR, &need.record, FIELD_KEEP_UNTIL, (uint64_t)world.now + 1000);
    said_number(&world, COORDINATOR, &kept.record, FIELD_KEEP_UNTIL, (uint64_t)world.now + 9000);
    network_settle(&world);
    world_decide(&world, due, &erased);
    cr_expect_eq(erased, 0, "not yet");
    world.now += 1000;
    world_decide(&world, due, &erased);
    cr_expect_gt(erased, 0);
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "what was due");
    expect_kept(&voice, OTHER, false, "a voice on it");
    expect_kept(&kept, AUTHOR, true, "what was not due");
    erased = 0;
    world_decide(&world, due, &erased);
    cr_expect_eq(erased, 0, "once");
}

Test(erase, by_a_volunteers_date_takes_their_own_words_alone)
{
    uint64_t erased = 0;
    struct world_change need = said_need(&world, AUTHOR, "somebody else's", NULL);
    network_settle(&world);
    struct world_change date =
        said_number(&world, OTHER, &need.record, FIELD_KEEP_UNTIL, (uint64_t)world.now - 1);
    network_settle(&world);
    world_decide(&world, due, &erased);
    network_settle(&world);
    expect_kept(&need, AUTHOR, true, "somebody else's words");
    expect_kept(&date, OTHER, false, "the date itself");
}

struct orders {
    struct store_order all[16];
    size_t n;
};

static bool take_order(const struct store_order *order, void *arg)
{
    struct orders *orders = arg;
    orders->all[orders->n++] = *order;
    return orders->n < 16;
}

static enum err again(struct hub_decider *decider, void *arg)
{
    const struct orders *orders = arg;
    uint64_t erased = 0;
    return hub_erase_again(decider, orders->all, orders->n, &erased);
}

Test(erase, is_decided_again_on_a_hub_that_was_restored)
{
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_settle(&world);
    world_save_hub(&world, "before");
    said_erase_record(&world, COORDINATOR, &need.record);
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "erased");
    struct orders orders = {.n = 0};
    cr_assert_eq(store_orders_each(world.hub, take_order, &orders), OK);
    cr_expect_geq(orders.n, 2, "the erasure and the closing are noted");
    world.may_alarm = true;
    world_restore_hub(&world, "before");
    world_decide(&world, again, &orders);
    cr_expect_not(said_is_kept(world.hub, world.community, world.devices[AUTHOR].handle, need.seq),
                  "the backup does not bring it back");
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "nor anybody else");
}

// The backup is older than the change, and the author has not heard of the erasure: it comes again.
Test(erase, of_a_change_that_a_restored_hub_does_not_have_is_done_when_it_arrives)
{
    network_settle(&world);
    world_save_hub(&world, "before");
    struct world_change need = said_need(&world, AUTHOR, "a bench", NULL);
    network_sync(&world, AUTHOR);
    network_sync(&world, COORDINATOR);
    said_erase(&world, COORDINATOR, AUTHOR, &need);
    network_sync(&world, COORDINATOR);
    cr_assert_not(said_is_kept(world.hub, world.community, world.devices[AUTHOR].handle, need.seq));
    struct orders orders = {.n = 0};
    cr_assert_eq(store_orders_each(world.hub, take_order, &orders), OK);
    world.may_alarm = true;
    world_restore_hub(&world, "before");
    world_decide(&world, again, &orders);
    cr_assert(said_is_kept(world.devices[AUTHOR].store, world.devices[AUTHOR].community,
                           world.devices[AUTHOR].handle, need.seq));
    for (int i = 0; i < 4; i++)
        network_sync(&world, AUTHOR);
    cr_expect_eq(world_caller(&world, AUTHOR).device.seq, need.seq, "it has arrived");
    cr_expect_not(said_is_kept(world.hub, world.community, world.devices[AUTHOR].handle, need.seq));
    network_settle(&world);
    expect_kept(&need, AUTHOR, false, "nobody has it");
}

Test(erase, leaves_decisions_alone)
{
    uint8_t hub[HANDLE_SIZE];
    {
        struct hub_caller caller = world_caller(&world, COORDINATOR);
        memcpy(hub, caller.community.log, HANDLE_SIZE);
    }
    uint64_t position;
    struct log_entry entry;
    struct txn *txn = txn_begin_read(world.hub);
    cr_assert_eq(log_find(txn, world.community, hub, 2, &position), OK);
    cr_assert_eq(log_get(txn, world.community, position, &entry), OK);
    uint32_t tag = log_tag(&entry);
    txn_abort(&txn);
    struct buf fields BUF_CLEANUP = {0};
    struct change_ref ref = {BYTES(hub), 2, tag};
    size_t mark = wire_open(&fields, FIELD_REQUEST_ERASE);
    message_encode(&change_ref_message, &ref, &fields);
    wire_close(&fields, mark);
    struct envelope envelope = {.kind = KIND_REQUEST, .time = world.now};
    struct world_change change;
    cr_assert_eq(world_write(&world, COORDINATOR, &envelope, buf_bytes(&fields), &change), OK);
    network_settle(&world);
    cr_expect(said_is_kept(world.hub, world.community, hub, 2), "an enrolment stays");
}
