#include "tests/sync/field.h"

#include <criterion/criterion.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "sync/digest.h"
#include "sync/fingerprint.h"
#include "sync/rejoin.h"

struct world world;

// --- what is where ---

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

struct sought seek_bytes(size_t where, struct bytes value)
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

struct sought seek(size_t where, const char *text)
{
    return seek_bytes(where, bytes_of_text(text));
}

struct record_key expect_once(const char *text)
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

void expect_gone(const char *text)
{
    for (size_t i = 0; i <= world.devices_n; i++)
        cr_expect_eq(seek(i, text).n, 0, "\"%s\" in store %zu", text, i);
}

void expect_all_the_same(void)
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

struct tally tally_of(const struct record_key *record)
{
    struct tally tally;
    struct community community;
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    cr_assert_eq(community_get_number(txn, world.community, &community), OK);
    cr_assert_eq(tally_count(txn, &community, record, &tally), OK);
    return tally;
}

// --- joining anew ---

uint32_t waiting(size_t device)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[device].store);
    return carry_count(txn, world.devices[device].community);
}

void pull_all(size_t device)
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

uint32_t finish(size_t index, bool commit)
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

uint32_t join_anew(size_t device, enum role role)
{
    world_rejoin(&world, device, role);
    pull_all(device);
    uint32_t carried = finish(device, true);
    cr_expect_eq(waiting(device), 0);
    network_settle(&world);
    return carried;
}

// --- what a phone in the field has written ---

struct field_work work(size_t device)
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

void expect_work(void)
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

size_t part(void)
{
    said_need(&world, PHONE, "before", NULL);
    network_settle(&world);
    return world_clone(&world, PHONE);
}
