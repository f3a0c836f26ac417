// Joining anew: what a copied, restored or revoked phone had not delivered arrives under its new
// key, once, with everything that it refers to.

#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/carry.h"
#include "storage/erasure.h"
#include "sync/digest.h"
#include "sync/fingerprint.h"
#include "sync/rejoin.h"
#include "sync/tally.h"
#include "tests/leaks.h"
#include "tests/sync/network.h"
#include "tests/sync/said.h"

// Device 0 is a coordinator, the others are volunteers.
enum { COORDINATOR, PHONE, DEVICES };

static struct world world;

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 11);
}

static void tear_down(void)
{
    world_close(&world);
}

TestSuite(rejoin, .init = set_up, .fini = tear_down);

// --- what is where ---

struct sought {
    struct txn *txn;
    uint32_t community;
    struct bytes text;
    size_t n;
    struct record_key record;
    uint8_t device[HANDLE_SIZE];
    int64_t time;
};

static bool look(const struct live *live, void *arg)
{
    struct sought *sought = arg;
    struct log_body body;
    struct wire_field field;
    cr_assert_eq(log_get_body(sought->txn, sought->community, live->position, &body), OK);
    cr_assert(fields_edit(body.fields, live->key.index, &field));
    if (field.type != WIRE_SIZED || !bytes_equal(field.bytes, sought->text))
        return true;
    sought->n++;
    sought->record = live->key.record;
    sought->time = live->time;
    memcpy(sought->device, live->key.device, HANDLE_SIZE);
    return true;
}

// The live edits whose value is this, on a device or (world.devices_n) on the hub.
static struct sought seek_bytes(size_t where, struct bytes value)
{
    bool hub = where == world.devices_n;
    struct txn *txn TXN_CLEANUP = txn_begin_read(hub ? world.hub : world.devices[where].store);
    struct sought sought = {.txn = txn,
                            .community = hub ? world.community : world.devices[where].community};
    sought.text = value;
    struct record_key record;
    enum err err = live_next(txn, sought.community, NULL, &record);
    for (; !err; err = live_next(txn, sought.community, &record, &record))
        cr_assert_eq(live_each(txn, sought.community, &record, look, &sought), OK);
    return sought;
}

static struct sought seek(size_t where, const char *text)
{
    return seek_bytes(where, bytes_of_text(text));
}

// It stands in one place, the same on every device and on the hub.
static struct record_key expect_once(const char *text)
{
    struct sought on_hub = seek(world.devices_n, text);
    cr_expect_eq(on_hub.n, 1, "\"%s\" %zu times on the hub", text, on_hub.n);
    for (size_t i = 0; i < world.devices_n; i++) {
        struct sought found = seek(i, text);
        cr_expect_eq(found.n, 1, "\"%s\" %zu times on device %zu", text, found.n, i);
        cr_expect_arr_eq(found.record.id, on_hub.record.id, ID_SIZE);
    }
    return on_hub.record;
}

static void expect_gone(const char *text)
{
    for (size_t i = 0; i <= world.devices_n; i++)
        cr_expect_eq(seek(i, text).n, 0, "\"%s\" in store %zu", text, i);
}

static void expect_all_the_same(void)
{
    uint8_t first[HASH_SIZE];
    for (size_t i = 0; i < world.devices_n; i++) {
        uint8_t hash[HASH_SIZE];
        uint64_t records;
        struct community community;
        struct device own;
        struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[i].store);
        world_self(txn, &world.devices[i], &community, &own);
        cr_assert_eq(fingerprint(txn, &community, hash, &records), OK);
        if (i == 0)
            memcpy(first, hash, HASH_SIZE);
        cr_expect_arr_eq(hash, first, HASH_SIZE, "device %zu differs", i);
    }
}

static struct tally tally_of(const struct record_key *record)
{
    struct tally tally;
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(tally_count(txn, &community, record, &tally), OK);
    return tally;
}

// --- joining anew ---

static uint32_t waiting(size_t device)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[device].store);
    return carry_count(txn, world.devices[device].community);
}

static void pull_all(size_t device)
{
    for (int i = 0; i < 100; i++) {
        struct exchange_report report = network_sync(&world, device);
        cr_assert_not(report.forked);
        cr_assert_eq(report.pushed, 0, "nothing is pushed before all is pulled");
        if (!report.more)
            return;
    }
    cr_assert_fail("the pull has no end");
}

// commit == false: a crash just before.
static uint32_t finish(size_t index, bool commit)
{
    struct world_device *device = &world.devices[index];
    struct community community;
    struct device own;
    struct fault fault = {0};
    uint8_t random[32];
    uint32_t carried;
    dice_bytes(&world.dice, random, sizeof random);
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    world_self(txn, device, &community, &own);
    struct author author = {&community, &own, NULL};
    cr_assert_eq(rejoin_finish(txn, &author, random, &carried, &fault), OK, "%s", fault.text);
    if (commit)
        cr_assert_eq(txn_commit(&txn), OK);
    return carried;
}

static uint32_t join_anew(size_t device, enum role role)
{
    world_rejoin(&world, device, role);
    pull_all(device);
    uint32_t carried = finish(device, true);
    cr_expect_eq(waiting(device), 0);
    network_settle(&world);
    return carried;
}

// --- what a phone in the field has written ---

struct field_work {
    struct world_change need, renamed, remark, voices[3], constraint;
};

static struct field_work work(size_t device)
{
    struct field_work w;
    struct record_key persons[] = {said_person(1), said_person(2), said_person(3)};
    w.need = said_need(&world, device, "a bench", &persons[0]);
    for (size_t i = 0; i < 3; i++)
        w.voices[i] = said_voice(&world, device, &w.need.record, &persons[i], "so that I can rest");
    w.renamed = said_again(&world, device, &w.need, device, "a bench at the market");
    w.constraint = said_about(&world, device, KIND_CONSTRAINT, "no money", &w.need.record, 1);
    w.remark = said_about(&world, device, KIND_REMARK, "she is right", &w.voices[0].record, 1);
    return w;
}

static void expect_work(void)
{
    struct record_key need = expect_once("a bench at the market");
    expect_gone("a bench");
    struct record_key constraint = expect_once("no money");
    struct tally tally = tally_of(&need);
    cr_expect_eq(tally.for_, 3, "%u voices", tally.for_);
    cr_expect_eq(seek(world.devices_n, "so that I can rest").n, 3);
    struct record_key person = said_person(1);
    cr_expect_eq(seek_bytes(world.devices_n, BYTES(person.id)).n, 1, "who spoke is still named");
    struct ref ref = {need.kind, BYTES(need.id)};
    struct buf encoded BUF_CLEANUP = {0};
    message_encode(&ref_message, &ref, &encoded);
    struct sought refers = seek_bytes(world.devices_n, buf_bytes(&encoded));
    cr_expect_eq(refers.n, 1, "the constraint is about the need");
    cr_expect_arr_eq(refers.record.id, constraint.id, ID_SIZE);
    // The remark is about the first voice.
    uint8_t part[4 + ID_SIZE];
    be32_put(part, need.kind);
    memcpy(part + 4, need.id, ID_SIZE);
    struct bytes parts[] = {BYTES(part), BYTES(person.id)};
    uint8_t voice[ID_SIZE];
    digest_record_id(KIND_VOICE, (struct list){parts, 2}, voice);
    buf_reset(&encoded);
    message_encode(&ref_message, &(struct ref){KIND_VOICE, BYTES(voice)}, &encoded);
    refers = seek_bytes(world.devices_n, buf_bytes(&encoded));
    cr_expect_eq(refers.n, 1, "the remark is about the voice");
    cr_expect_arr_eq(refers.record.id, expect_once("she is right").id, ID_SIZE);
    expect_all_the_same();
}

// Both write from the same point on; the first to sync has the chain.
static size_t part(void)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    return world_clone(&world, PHONE);
}

Test(rejoin, of_a_cloned_phone_brings_all_that_it_wrote_under_the_new_key)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 7);
    expect_work();
    expect_once("the other's");
    expect_once("before");
    cr_expect_eq(seek(world.devices_n, "a bench at the market").time, world.now);
    cr_expect_arr_eq(seek(PHONE, "no money").device, world.devices[copy].handle, HANDLE_SIZE);
    cr_expect_not(said_is_live(world.hub, world.community, &w.need.record));
    expect_no_leaks();
}

// The other branch is longer, or shorter, or none.
Test(rejoin, takes_the_other_branch_in_place_of_its_own)
{
    size_t copy = part();
    char text[40];
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "other %d", i);
        said_need(&world, PHONE, text, NULL);
    }
    network_sync(&world, PHONE);
    work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    cr_expect_eq(waiting(copy), 7, "none of it is on the hub");
    finish(copy, true);
    network_settle(&world);
    expect_work();
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "other %d", i);
        expect_once(text);
    }
}

// An edit of a record that both branches edit: what each of them said stands, side by side.
Test(rejoin, keeps_both_values_where_the_branches_edit_one_record)
{
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_again(&world, PHONE, &need, PHONE, "one branch");
    network_sync(&world, PHONE);
    said_again(&world, copy, &need, PHONE, "the other branch");
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    expect_once("one branch");
    expect_once("the other branch");
    expect_gone("before");
    expect_all_the_same();
}

// A backup was taken before the push, and the phone restored from it afterwards.
Test(rejoin, of_a_restored_phone_carries_nothing_that_was_pushed_after_all)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    work(PHONE);
    size_t backup = world_clone(&world, PHONE);
    said_need(&world, PHONE, "later", NULL);
    network_sync(&world, PHONE);
    cr_expect(network_sync(&world, backup).forked);
    world_rejoin(&world, backup, ROLE_VOLUNTEER);
    cr_expect_eq(waiting(backup), 7);
    pull_all(backup);
    cr_expect_eq(waiting(backup), 0, "all of it was there");
    cr_expect_eq(finish(backup, true), 0);
    network_settle(&world);
    expect_work();
    expect_once("later");
}

Test(rejoin, carries_only_what_lies_behind_the_place_where_the_branches_part)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    said_need(&world, PHONE, "pushed after all", NULL);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "one branch", NULL);
    network_sync(&world, PHONE);
    said_need(&world, copy, "the other branch", NULL);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    expect_once("pushed after all");
    expect_once("one branch");
    expect_once("the other branch");
    expect_all_the_same();
}

// Personal details are not given to the new key: what follows them in the chain says where they
// are.
Test(rejoin, knows_of_personal_details_that_were_pushed_by_what_follows_them)
{
    struct record_key person = said_person(1);
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    said_about(&world, PHONE, KIND_CONTACT, "the blue door", &person, 1);
    said_need(&world, PHONE, "after", NULL);
    size_t backup = world_clone(&world, PHONE);
    said_need(&world, PHONE, "later", NULL);
    network_sync(&world, PHONE);
    cr_expect(network_sync(&world, backup).forked);
    cr_expect_eq(join_anew(backup, ROLE_VOLUNTEER), 0);
    cr_expect_eq(seek(COORDINATOR, "the blue door").n, 1);
}

Test(rejoin, takes_along_what_is_written_before_all_is_pulled)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    network_sync(&world, copy);
    // Over what the old key wrote, and about what it began.
    said_again(&world, copy, &w.renamed, PHONE, "a bench by the river");
    struct record_key fourth = said_person(4);
    said_voice(&world, copy, &w.need.record, &fourth, "me too");
    pull_all(copy);
    cr_expect_eq(finish(copy, true), 9);
    network_settle(&world);
    struct record_key need = expect_once("a bench by the river");
    expect_gone("a bench at the market");
    cr_expect_eq(tally_of(&need).for_, 4);
    expect_once("me too");
    expect_once("no money");
    expect_all_the_same();
}

Test(rejoin, that_crashes_on_the_way_loses_nothing_and_says_nothing_twice)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    work(copy);
    cr_expect(network_sync(&world, copy).forked);
    world_rejoin(&world, copy, ROLE_VOLUNTEER);
    pull_all(copy);
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(world.devices[copy].store, &before);
    finish(copy, false);
    world_dump(world.devices[copy].store, &after);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
    cr_expect_eq(finish(copy, true), 7);
    cr_expect_eq(finish(copy, true), 0, "once is enough");
    network_settle(&world);
    expect_work();
}

static uint64_t place_of(size_t index, const uint8_t handle[HANDLE_SIZE], uint32_t seq)
{
    uint64_t position = 0;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[index].store);
    enum err err = log_find(txn, world.devices[index].community, handle, seq, &position);
    cr_assert(err == OK || err == ERR_NOT_FOUND);
    return position;
}

Test(rejoin, leaves_no_words_of_the_old_chain_behind)
{
    uint8_t old[HANDLE_SIZE];
    uint64_t places[2];
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    memcpy(old, world.devices[copy].handle, HANDLE_SIZE);
    places[0] = place_of(copy, old, w.need.seq);
    places[1] = place_of(copy, old, w.remark.seq);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    cr_expect_gt(place_of(copy, old, w.need.seq), places[1], "the other's change has its place");
    cr_expect_eq(place_of(copy, old, w.remark.seq), 0);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[copy].store);
    for (size_t i = 0; i < 2; i++) {
        struct log_body body;
        struct log_entry entry;
        uint32_t community = world.devices[copy].community;
        cr_expect_eq(log_get_body(txn, community, places[i], &body), ERR_NOT_FOUND);
        cr_expect_eq(log_get(txn, community, places[i], &entry), ERR_NOT_FOUND);
    }
}

static bool never(uint8_t id[ID_SIZE], void *arg)
{
    (void)id;
    ++*(size_t *)arg;
    return false;
}

Test(rejoin, keeps_what_an_import_called_its_records)
{
    size_t copy = part();
    size_t names = 0;
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct field_work w = work(copy);
    uint32_t community = world.devices[copy].community;
    struct txn *txn = txn_begin_write(world.devices[copy].store);
    name_put(txn, community, bytes_of_text("row 1"), KIND_NEED, w.need.record.id);
    name_put(txn, community, bytes_of_text("row 2"), KIND_VOICE, w.voices[1].record.id);
    cr_assert_eq(txn_commit(&txn), OK);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    uint32_t kind;
    uint8_t id[ID_SIZE];
    txn = txn_begin_write(world.devices[copy].store);
    cr_assert_eq(name_get(txn, community, bytes_of_text("row 1"), &kind, id), OK);
    cr_expect_arr_eq(id, expect_once("a bench at the market").id, ID_SIZE);
    cr_assert_eq(name_get(txn, community, bytes_of_text("row 2"), &kind, id), OK);
    cr_expect_arr_neq(id, w.voices[1].record.id, ID_SIZE);
    name_map(txn, community, never, &names);
    cr_expect_eq(names, 2);
    txn_abort(&txn);
}

// What the words of a change that was never sent went over stays gone, though the words are.
static enum err erase_here(size_t index, const struct world_change *change)
{
    struct world_device *device = &world.devices[index];
    uint64_t position;
    struct txn *txn TXN_CLEANUP = txn_begin_write(device->store);
    cr_assert_eq(log_find(txn, device->community, device->handle, change->seq, &position), OK);
    fold_erase(txn, device->community, device->handle, change->seq, change->tag);
    return txn_commit(&txn);
}

Test(rejoin, of_erased_words_carries_what_they_went_over)
{
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct world_change again = said_again(&world, copy, &need, PHONE, "not to be kept");
    struct world_change alone = said_need(&world, copy, "nor this", NULL);
    cr_assert_eq(erase_here(copy, &again), OK);
    cr_assert_eq(erase_here(copy, &alone), OK);
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_VOLUNTEER);
    expect_gone("before");
    expect_gone("not to be kept");
    expect_once("the other's");
    cr_expect_eq(world_caller(&world, copy).device.seq, 1, "what says nothing is not said");
    expect_all_the_same();
}

Test(rejoin, of_a_member_brings_their_own_voice_as_the_person_that_they_are_now)
{
    struct record_key own = {.kind = KIND_PERSON};
    struct world_change need = said_need(&world, PHONE, "a crossing", NULL);
    network_settle(&world);
    size_t member = world_join(&world, ROLE_MEMBER);
    network_settle(&world);
    size_t copy = world_clone(&world, member);
    digest_member(world.id, world.devices[member].handle, own.id);
    struct world_change other = said_need(&world, PHONE, "a roof", NULL);
    network_settle(&world);
    network_sync(&world, member);
    said_voice(&world, member, &other.record, &own, "it rains");
    network_sync(&world, member);
    said_voice(&world, copy, &need.record, &own, "it is dangerous");
    cr_expect(network_sync(&world, copy).forked);
    join_anew(copy, ROLE_MEMBER);
    cr_expect_eq(tally_of(&need.record).for_, 1);
    expect_once("it is dangerous");
}

// The hub judges by the role that the new key has.
Test(rejoin, under_a_lesser_role_has_the_rest_set_apart_by_the_hub)
{
    size_t copy = part();
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    said_need(&world, copy, "as a volunteer", NULL);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_MEMBER), 1);
    expect_gone("as a volunteer");
    uint32_t seq = world_caller(&world, copy).device.seq;
    cr_expect_eq(seq, 1);
    cr_expect(said_is_kept(world.hub, world.community, world.devices[copy].handle, seq));
}

// Dots of an old chain are longer than those of one's own.
Test(rejoin, says_in_two_changes_what_fits_no_single_one_any_more)
{
    enum { DOTS = 200 };
    struct dot dots[DOTS];
    struct world_change need = said_need(&world, PHONE, "before", NULL);
    struct envelope edit = {.kind = KIND_NEED, .id = BYTES(need.record.id), .time = world.now};
    for (size_t i = 0; i < DOTS; i++) {
        struct buf fields BUF_CLEANUP = {0};
        struct world_change change;
        wire_put_bytes(&fields, FIELD_WORDS, bytes_of_text("many words"));
        cr_assert_eq(world_write(&world, PHONE, &edit, buf_bytes(&fields), &change), OK);
        dots[i] = (struct dot){{0}, change.seq, 0, change.tag};
    }
    network_settle(&world);
    size_t copy = world_clone(&world, PHONE);
    said_need(&world, PHONE, "the other's", NULL);
    network_sync(&world, PHONE);
    struct buf fields BUF_CLEANUP = {0};
    static char words[16 << 10];
    memset(words, 'w', sizeof words);
    for (uint32_t field = 3900; field < 3904; field++) // of a future version
        wire_put_bytes(&fields, field, bytes_of(words, field == 3903 ? 14400 : sizeof words - 8));
    edit.over = (struct list){dots, DOTS};
    struct world_change big;
    cr_assert_eq(world_write(&world, copy, &edit, buf_bytes(&fields), &big), OK);
    cr_expect(network_sync(&world, copy).forked);
    cr_expect_eq(join_anew(copy, ROLE_VOLUNTEER), 1);
    cr_expect_eq(world_caller(&world, copy).device.seq, 2);
    expect_gone("many words");
    cr_expect_eq(seek_bytes(world.devices_n, bytes_of(words, sizeof words - 8)).n, 3);
    expect_all_the_same();
}

// --- at random ---

enum { ROUNDS = 60, STEPS = 40, TITLES_MAX = 200 };

struct title {
    struct world_change change;
    size_t author; // whose chain
    char text[24];
    bool replaced;
};

static struct title titles[TITLES_MAX];
static size_t titles_n;

// A new need, or another title over one that this device wrote last.
static void say(size_t device)
{
    struct title *title = &titles[titles_n];
    *title = (struct title){.author = device};
    snprintf(title->text, sizeof title->text, "title %zu", titles_n);
    size_t before = titles_n;
    while (before > 0 && (titles[before - 1].author != device || titles[before - 1].replaced))
        before--;
    if (before && dice_percent(&world.dice, 40)) {
        titles[before - 1].replaced = true;
        title->change = said_again(&world, device, &titles[before - 1].change, device, title->text);
    } else {
        title->change = said_need(&world, device, title->text, NULL);
    }
    titles_n++;
}

// What lies in both chains may be gone over by both: each has written it.
static void forget_common(size_t device, size_t copy)
{
    for (size_t i = 0; i < titles_n; i++) {
        if (titles[i].author == device || titles[i].author == copy)
            titles[i].author = SIZE_MAX;
    }
}

Test(rejoin, in_any_story_keeps_every_title_that_nobody_replaced_once, .timeout = 120)
{
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        world_close(&world);
        world_open(&world, DEVICES);
        world_begin(&world, 1000 + seed);
        titles_n = 0;
        say(PHONE);
        network_settle(&world);
        say(PHONE);
        size_t copy = world_clone(&world, PHONE);
        forget_common(PHONE, copy);
        for (size_t i = 0; i < STEPS; i++) {
            size_t device = dice_percent(&world.dice, 50) ? PHONE : copy;
            if (dice_percent(&world.dice, 80) && titles_n < TITLES_MAX) {
                say(device);
            } else if (network_sync(&world, device).forked) {
                world_rejoin(&world, device, ROLE_VOLUNTEER);
                forget_common(device, device);
                if (dice_percent(&world.dice, 50))
                    say(device);
                pull_all(device);
                finish(device, true);
                forget_common(device, device);
            }
        }
        for (size_t i = PHONE; i <= copy; i++) {
            if (network_sync(&world, i).forked)
                join_anew(i, ROLE_VOLUNTEER);
        }
        network_settle(&world);
        for (size_t i = 0; i < titles_n; i++) {
            size_t n = seek(world.devices_n, titles[i].text).n;
            cr_expect_eq(n, !titles[i].replaced, "seed %llu: \"%s\" %zu times",
                         (unsigned long long)seed, titles[i].text, n);
        }
        expect_all_the_same();
    }
    expect_no_leaks();
}
