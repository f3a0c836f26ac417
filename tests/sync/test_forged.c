// Forged changes: each is refused with a sentence that says of which device and seqs and why, the
// hub's store is as it was, and the honest run that was forged is taken afterwards.

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/text.h"
#include "proto/schema.h"
#include "sync/chain.h"
#include "tests/leaks.h"
#include "tests/sync/forge.h"

static struct forge f;

static void set_up(void)
{
    forge_begin(&f);
}

static void tear_down(void)
{
    forge_end(&f);
}

TestSuite(forged, .init = set_up, .fini = tear_down);

// The honest run is taken.
static void expect_honest_taken(void)
{
    struct receipt receipt;
    struct sync_request honest;
    handmade_close(&f.made, &honest);
    cr_assert_eq(forge_push(&f, &honest, &receipt), OK, "%s", f.fault.text);
    cr_expect_eq(receipt.standing, STANDING_OK);
    cr_expect_eq(receipt.seq, f.made.first + FORGE_RUN - 1);
    cr_expect_eq(receipt.set_apart.n, 0);
    cr_expect(bytes_equal(receipt.head, bytes_of(f.made.head, CUT_SIZE)));
    forge_next(&f);
}

// --- refused ---

static struct bytes author(void)
{
    return BYTES(f.world.devices[FORGE_AUTHOR].handle);
}

// What the sentence must hold beside the reason, in the words of the hub; the device's handle last.
static void name(enum forge_names names, char seqs[80], char device[80])
{
    uint32_t first = forge_run(&f.forged)->first;
    seqs[0] = device[0] = 0;
    switch (names) {
    case FORGE_NAMES_RUN:
        snprintf(seqs, 80, "from seq %u to %u", first, first + f.n - 1);
        text_hex(author(), device);
        break;
    case FORGE_NAMES_OTHER:
        snprintf(seqs, 80, "from seq %u", first);
        text_hex(BYTES(f.world.devices[FORGE_OTHER].handle), device);
        break;
    case FORGE_NAMES_NEIGHBOURS:
        snprintf(seqs, 80, "from seq %u after %u", first + 2 * FORGE_RUN, first + FORGE_RUN - 1);
        break;
    case FORGE_NAMES_CHANGE:
        snprintf(seqs, 80, "seq %u: ", first + 1);
        break;
    case FORGE_NAMES_NOTHING:
        break;
    }
}

static void expect_refused(const struct forgery *row)
{
    struct receipt receipt;
    char seqs[80];
    char device[80];
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    const char *text = f.fault.text;
    name(row->names, seqs, device);
    world_dump(f.world.hub, &before);
    enum err err = forge_push(&f, &f.forged, &receipt);
    world_dump(f.world.hub, &after);
    cr_expect_eq(err, row->err, "%s: %s, %s", row->what, err_text(err), text);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "%s: taken", row->what);
    cr_expect_eq(receipt.seq, 0, "%s: a receipt", row->what);
    cr_expect(strstr(text, row->reason), "%s: says \"%s\"", row->what, text);
    cr_expect(strstr(text, seqs), "%s: names not \"%s\": %s", row->what, seqs, text);
    cr_expect(strstr(text, device), "%s: names not %s: %s", row->what, device, text);
}

Test(forged, changes_are_refused_and_named_and_the_honest_ones_taken)
{
    size_t tried = 0;
    for (; tried < FORGERIES; tried++) {
        f.n = FORGE_RUN;
        forgeries[tried].make(&f);
        expect_refused(&forgeries[tried]);
        expect_honest_taken();
    }
    cr_expect_eq(tried, 26);
    expect_no_leaks();
}

// --- answered by a receipt ---

static void expect_standing(enum standing standing, const char *says)
{
    struct receipt receipt;
    char message[400];
    cr_assert_eq(forge_push(&f, &f.forged, &receipt), OK, "%s", f.fault.text);
    snprintf(message, sizeof message, "%.*s", (int)receipt.message.n,
             receipt.message.n ? (const char *)receipt.message.p : "");
    cr_expect_eq(receipt.standing, standing);
    cr_expect_eq(receipt.seq, f.past.first + FORGE_RUN - 1, "what the hub has is named");
    cr_expect(bytes_equal(receipt.head, bytes_of(f.past.head, CUT_SIZE)));
    cr_expect(strstr(message, says), "%s", message);
}

static void expect_unchanged_by(enum standing standing, const char *says)
{
    struct buf before BUF_CLEANUP = {0};
    struct buf after BUF_CLEANUP = {0};
    world_dump(f.world.hub, &before);
    expect_standing(standing, says);
    world_dump(f.world.hub, &after);
    cr_expect(bytes_equal(buf_bytes(&before), buf_bytes(&after)), "the store was changed");
}

Test(forged, run_after_a_gap_is_not_taken)
{
    struct handmade run = forge_copy(&f, &f.made);
    handmade_close(&run, &f.forged);
    forge_run(&f.forged)->first++;
    expect_unchanged_by(STANDING_GAP, "begins after a gap");
    struct run later = forge_next_run(&run);
    f.forged.push = (struct list){&later, 1};
    expect_unchanged_by(STANDING_GAP, "begins after a gap");
    handmade_done(&run);
    expect_honest_taken();
    expect_no_leaks();
}

Test(forged, replay_of_an_own_run_changes_nothing)
{
    handmade_close(&f.past, &f.forged);
    expect_unchanged_by(STANDING_OK, "");
    expect_honest_taken();
}

// The author's own signature over other changes than the hub has, after what both have.
static void fork_after(uint32_t both, size_t others)
{
    struct handmade branch;
    struct hub_caller caller = world_caller(&f.world, FORGE_AUTHOR);
    struct txn *txn = txn_begin_read(f.world.hub);
    forge_start(&f, &branch, FORGE_AUTHOR);
    branch.first = both + 1;
    cr_assert_eq(chain_head_at(txn, &caller.community, &caller.device, both, branch.head), OK);
    txn_abort(&txn);
    for (size_t i = 0; i < others; i++)
        handmade_need(&branch, "two benches", NULL);
    handmade_close(&branch, &f.forged);
    handmade_done(&branch);
}

// How many changes in the hub's log have a title.
static size_t count_title(const char *title)
{
    size_t n = 0;
    struct bytes fields = handmade_text(&f.arena, FIELD_TITLE, bytes_of_text(title));
    uint64_t size = world_log_size(&f.world);
    struct txn *txn TXN_CLEANUP = txn_begin_read(f.world.hub);
    for (uint64_t position = 1; position <= size; position++) {
        struct log_body body;
        n += log_get_body(txn, f.world.community, position, &body) == OK &&
             bytes_equal(body.fields, fields);
    }
    return n;
}

// A fork is told, its evidence is kept as husks by one decision, and nothing of it is taken.
static void expect_fork(void)
{
    uint64_t size = world_log_size(&f.world);
    expect_standing(STANDING_FORK, "other changes under the same seqs");
    cr_expect_eq(world_log_size(&f.world), size + 1, "the decision about it alone");
    cr_expect_eq(count_title("a bench"), 1);
    cr_expect_eq(count_title("two benches"), 0, "words are kept");
    expect_unchanged_by(STANDING_FORK, "other changes under the same seqs");
}

Test(forged, seq_used_twice_is_a_fork)
{
    for (uint32_t both = 0; both < FORGE_RUN; both++) {
        for (size_t others = 1; others <= FORGE_RUN + 2; others++) {
            fork_after(both, others);
            expect_fork();
        }
    }
    expect_honest_taken();
    expect_no_leaks();
}
