// A device's side of Sync, while something of it fails: a step is done whole, or not at all, and
// nothing that failed here is taken for a fault of the hub's.

#include <criterion/criterion.h>

#include "proto/schema.h"
#include "sync/author.h"
#include "sync/erase_own.h"
#include "sync/fingerprint.h"
#include "sync/narrow.h"
#include "tests/leaks.h"
#include "tests/sync/failing.h"
#include "tests/sync/field.h"
#include "tests/sync/sample.h"

static struct field_work said;
static struct community community; // as PHONE has it
static struct device own;
static struct buf asked;
static struct buf answer;
static struct arena arena;
static struct sync_response response;

static void look_again(size_t device)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.devices[device].store);
    world_self(txn, &world.devices[device], &community, &own);
}

static void set_up(void)
{
    world_open(&world, DEVICES);
    world_begin(&world, 33);
    said = work(PHONE);
    said_number(&world, COORDINATOR, &said.need.record, FIELD_AUDIENCE, AUDIENCE_PUBLIC);
    network_settle(&world);
    arena_init(&arena, 16 << 20);
    look_again(PHONE);
}

static void tear_down(void)
{
    buf_done(&asked);
    buf_done(&answer);
    arena_done(&arena);
    world_close(&world);
}

TestSuite(failing_device, .init = set_up, .fini = tear_down);

// --- asking ---

static enum err ask(struct failing *f, void *arg)
{
    struct sync_request request = {0};
    struct proof_asked proof_asked;
    struct exchange_options options = {1 << 16, 1 << 16};
    (void)arg;
    enum err err = exchange_request(f->txn, &community, &own, world.devices[PHONE].seed, &options,
                                    f->arena, &request, &proof_asked);
    if (!err)
        failing_say(f, &sync_request_message, &request);
    if (!err && request.push.n)
        exchange_note_sent(f->txn, &community, true);
    return err;
}

Test(failing_device, asks_with_all_that_is_unsent_or_not_at_all)
{
    struct world_change last = said_need(&world, PHONE, "a lamp", NULL);
    struct ref ref = {KIND_NEED, BYTES(last.record.id)};
    struct list records = {&ref, 1};
    struct txn *txn = txn_begin_write(world.devices[PHONE].store);
    world_self(txn, &world.devices[PHONE], &community, &own);
    cr_assert_eq(erase_own(txn, &community, &own, &records, NULL, NULL), OK);
    cr_assert_eq(txn_commit(&txn), OK);
    said_about(&world, PHONE, KIND_REMARK, "it is dark", &said.need.record, 1);
    look_again(PHONE);
    failing_writes(world.devices[PHONE].store, ask, NULL);
    expect_no_leaks();
}

// After the hub lost the cursor.
Test(failing_device, asks_by_a_vector_or_does_not)
{
    struct progress progress;
    struct txn *txn = txn_begin_write(world.devices[PHONE].store);
    progress_get(txn, community.number, &progress);
    progress.by_vector = true;
    progress_put(txn, community.number, &progress);
    cr_assert_eq(txn_commit(&txn), OK);
    look_again(PHONE);
    failing_writes(world.devices[PHONE].store, ask, NULL);
    expect_no_leaks();
}

static enum err probe(struct failing *f, void *arg)
{
    struct sync_request request = {0};
    enum err err = exchange_probe(f->txn, &community, &own, 2, f->arena, &request);
    (void)arg;
    if (!err)
        failing_say(f, &sync_request_message, &request);
    return err;
}

Test(failing_device, probes_its_chain_or_does_not)
{
    failing_reads(world.devices[PHONE].store, probe, NULL);
    expect_no_leaks();
}

// --- hearing ---

// What the hub answers this device next, and nothing of it is taken in yet.
static void serve(size_t device)
{
    struct fault fault = {0};
    struct exchange_options options = {1 << 16, 1 << 16};
    network_ask(&world, device, &options, &asked);
    cr_assert_eq(network_serve(&world, device, buf_bytes(&asked), &answer, &fault), OK);
    cr_assert_eq(
        message_decode(&sync_response_message, buf_bytes(&answer), &arena, &response, NULL), OK);
    look_again(device);
}

static bool erases; // words that are damaged, too

static enum err hear(struct failing *f, void *arg)
{
    struct exchange_report report = {0};
    struct proof_report checked = {0};
    struct community mine = community;
    const struct world_device *device = arg;
    f->forgives = erases;
    enum err err = OK;
    for (size_t i = 0; !err && i < response.receipts.n; i++)
        err = exchange_take_receipt(f->txn, &mine, &own,
                                    LIST_AT(struct receipt, response.receipts, i), &report);
    if (!err)
        err = exchange_take_top(f->txn, &mine, &own, &response, &report);
    for (size_t i = 0; !err && i < response.pieces.n; i++)
        err = exchange_take_piece(f->txn, &mine, &own, LIST_AT(struct piece, response.pieces, i),
                                  f->arena, &report, f->fault);
    if (!err)
        err = proof_check_answer(f->txn, &mine, &own, &device->asked, &response, report.receipt,
                                 world.now, &checked);
    // Whoever takes its own weakness for a lie of the hub says so for ever.
    return !err && !txn_error(f->txn) && checked.alarm ? ERR_FORBIDDEN : err;
}

Test(failing_device, takes_an_answer_in_whole_or_nothing_of_it)
{
    work(COORDINATOR);
    said_need(&world, PHONE, "a lamp", NULL);
    network_sync(&world, COORDINATOR);
    serve(PHONE);
    failing_writes(world.devices[PHONE].store, hear, &world.devices[PHONE]);
    expect_no_leaks();
}

Test(failing_device, takes_in_what_was_decided_or_nothing_of_it)
{
    size_t member = world_join(&world, ROLE_MEMBER);
    said_membership(&world, COORDINATOR, member, ROLE_VOLUNTEER, -1);
    said_membership(&world, COORDINATOR, member, ROLE_NONE, 1);
    said_membership(&world, COORDINATOR, member, ROLE_NONE, 0);
    network_sync(&world, COORDINATOR);
    serve(PHONE);
    failing_writes(world.devices[PHONE].store, hear, &world.devices[PHONE]);
    expect_no_leaks();
}

Test(failing_device, takes_in_that_words_are_erased_or_nothing_of_it)
{
    said_erase_record(&world, COORDINATOR, &said.remark.record);
    said_erase_record(&world, COORDINATOR, &said.voices[0].record);
    network_sync(&world, COORDINATOR);
    serve(PHONE);
    erases = true;
    failing_writes(world.devices[PHONE].store, hear, &world.devices[PHONE]);
    expect_no_leaks();
}

// Of what the old chain decided and the new one does not know, nothing counts any more.
Test(failing_device, takes_in_that_a_hub_begins_anew_or_nothing_of_it)
{
    world.may_alarm = true;
    world_save_hub(&world, "yesterday");
    said_membership(&world, COORDINATOR, PHONE, ROLE_MEMBER, -1);
    network_settle(&world);
    world_restore_hub_anew(&world, "yesterday");
    network_sync(&world, COORDINATOR);
    serve(PHONE);
    failing_writes(world.devices[PHONE].store, hear, &world.devices[PHONE]);
    expect_no_leaks();
}

// --- its own words ---

static enum err write_need(struct failing *f, void *arg)
{
    struct community mine = community;
    struct device me = own;
    struct author author = {&mine, &me, NULL};
    struct record_key record;
    static const uint8_t salt[SALT_SIZE] = {4};
    struct dot dot = {{0}, said.renamed.seq, 0, said.renamed.tag};
    struct envelope envelope = {
        .kind = KIND_NEED, .id = BYTES(said.need.record.id), .time = 5, .over = {&dot, 1}};
    return author_write(f->txn, &author, &envelope, bytes_of(arg, 6), salt, &record, f->fault);
}

Test(failing_device, writes_a_change_or_does_not)
{
    struct buf fields BUF_CLEANUP = {0};
    wire_put_bytes(&fields, FIELD_TITLE, bytes_of_text("lamp"));
    cr_assert_eq(fields.n, 6);
    failing_writes(world.devices[PHONE].store, write_need, fields.p);
    expect_no_leaks();
}

static enum err erase(struct failing *f, void *arg)
{
    f->forgives = true;
    return erase_own(f->txn, &community, &own, arg, NULL, NULL);
}

Test(failing_device, destroys_its_own_words_or_keeps_them)
{
    struct ref refs[] = {{KIND_NEED, BYTES(said.need.record.id)}};
    struct list records = {refs, 1};
    said_about(&world, PHONE, KIND_REMARK, "unsent", &said.need.record, 1);
    said_again(&world, PHONE, &said.renamed, PHONE, "unsent, too");
    look_again(PHONE);
    failing_writes(world.devices[PHONE].store, erase, &records);
    expect_no_leaks();
}

static enum err narrow(struct failing *f, void *arg)
{
    f->forgives = true;
    narrow_view(f->txn, &community, arg);
    return txn_error(f->txn);
}

Test(failing_device, forgets_what_it_may_see_no_more_or_none_of_it)
{
    struct record_key person = said_person(1);
    said_about(&world, PHONE, KIND_CONTACT, "0123", &person, 1);
    said_membership(&world, COORDINATOR, PHONE, ROLE_MEMBER, -1);
    network_settle(&world);
    look_again(COORDINATOR);
    failing_writes(world.devices[COORDINATOR].store, narrow, world.devices[COORDINATOR].handle);
    expect_no_leaks();
}

// --- proofs ---

static enum err print(struct failing *f, void *arg)
{
    uint8_t hash[HASH_SIZE];
    uint64_t records;
    (void)arg;
    enum err err = fingerprint(f->txn, &community, hash, &records);
    f->forgives = true;
    if (!err)
        failing_say(f, &get_request_message, &(struct get_request){1, BYTES(hash)});
    return err;
}

Test(failing_device, tells_its_fingerprint_or_does_not)
{
    failing_reads(world.devices[PHONE].store, print, NULL);
    expect_no_leaks();
}

static enum err draw(struct failing *f, void *arg)
{
    struct sample sample = {.seq = 0};
    (void)arg;
    enum err err = proof_draw(f->txn, &community, &own, 77, sample.device, &sample.seq);
    if (!err)
        failing_say(f, &prove_request_message,
                    &(struct prove_request){BYTES(sample.device), sample.seq, 0});
    return err;
}

static enum err check_sample(struct failing *f, void *arg)
{
    const struct sample *sample = arg;
    bool proved = false;
    enum err err = proof_check_change(f->txn, &community, sample->device, sample->seq,
                                      &sample->proof, world.now, &proved);
    return !err && !txn_error(f->txn) && !proved ? ERR_FORBIDDEN : err;
}

Test(failing_device, draws_a_sample_and_checks_it_or_does_not)
{
    struct sample sample;
    look_again(COORDINATOR);
    sample_draw(&world, COORDINATOR, 77, &arena, &sample);
    failing_reads(world.devices[COORDINATOR].store, draw, NULL);
    failing_writes(world.devices[COORDINATOR].store, check_sample, &sample);
    expect_no_leaks();
}
