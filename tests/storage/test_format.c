// The bytes on disk, as docs/disk-format.md says them: whoever changes these rows makes a new
// format, and must still read this one.

#include <criterion/criterion.h>

#include "base/text.h"
#include "storage/community.h"
#include "storage/device.h"
#include "storage/erasure.h"
#include "storage/invitation.h"
#include "storage/log.h"
#include "storage/record.h"
#include "storage/table.h"
#include "tests/leaks.h"
#include "tests/storage/scratch.h"

static struct scratch scratch;
static struct store *store;

static void known_random(void *arg, void *out, size_t n)
{
    (void)arg;
    memset(out, 0x11, n);
}

static void set_up(void)
{
    scratch_init(&scratch);
    struct store_options options = {.map_size = 16 << 20, .random = known_random};
    cr_assert_eq(store_open(scratch.path, &options, &store, NULL), OK);
}

static void tear_down(void)
{
    store_close(&store);
    scratch_done(&scratch);
}

TestSuite(format, .init = set_up, .fini = tear_down);

static void put_hex(struct buf *out, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        buf_put_format(out, "%02x", bytes.p[i]);
}

// Every row of a table: key, a space, value; in hexadecimal, one a line.
static void expect_rows(struct txn *txn, enum table table, const char *expected)
{
    BUF_CLEANUP struct buf out = {0};
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, bytes_of(NULL, 0), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        cr_assert_eq(walk.err, OK);
        put_hex(&out, walk.key);
        buf_put_text(&out, " ");
        put_hex(&out, walk.value);
        buf_put_text(&out, "\n");
    }
    buf_put_u8(&out, 0);
    cr_assert_eq(out.err, OK);
    cr_expect_str_eq((const char *)out.p, expected);
}

#define X4(x)       x x x x
#define HANDLE(x)   X4(x x x)
#define HASH(x)     X4(x x x x x x x x)
#define ID(x)       X4(x x x x)
#define COMMUNITY_1 "00000001"
#define EDIT_KEY                                                                                   \
    COMMUNITY_1 "0002" ID("1d") "00000001" HANDLE("de") "00000007"                                 \
                                                        "03"

static struct edit_key edit(void)
{
    struct edit_key key = {
        .record.kind = KIND_VOICE, .class = CLASS_PERSONAL, .seq = 7, .index = 3};
    memset(key.record.id, 0x1d, ID_SIZE);
    memset(key.device, 0xde, HANDLE_SIZE);
    return key;
}

static void put_communities(struct txn *txn)
{
    struct community community = {.size = 0x0102030405060708, .name_n = 2, .name = "ab"};
    memset(community.id, 0xc0, sizeof community.id);
    memset(community.log, 0x10, sizeof community.log);
    community_put(txn, &community);
    struct community hub = {.is_hub = true};
    community_put(txn, &hub);
    struct secret secret = {.address = "h:1"};
    memset(secret.seed, 0x5e, sizeof secret.seed);
    memset(secret.previous_seed, 0x50, sizeof secret.previous_seed);
    memset(secret.token, 0x70, sizeof secret.token);
    memset(secret.hub_key, 0x8b, sizeof secret.hub_key);
    memset(secret.tls_key, 0x71, sizeof secret.tls_key);
    secret_put(txn, 1, &secret);
    struct progress progress = {
        .receipt_seq = 9, .position = 0x11, .view = 2, .seen_size = 0x12, .forked = true};
    memset(progress.log, 0x10, sizeof progress.log);
    memset(progress.root, 0x20, sizeof progress.root);
    memset(progress.seen_log, 0x30, sizeof progress.seen_log);
    memset(progress.seen_root, 0x40, sizeof progress.seen_root);
    progress_put(txn, 1, &progress);
    uint8_t id[ID_SIZE];
    memset(id, 0x1d, sizeof id);
    name_put(txn, 1, bytes_of_text("need-1"), KIND_NEED, id);
}

Test(format, of_communities_secrets_progress_and_names)
{
    struct txn *txn = txn_begin_write(store);
    put_communities(txn);
    expect_rows(txn, TABLE_META,
                "636f6d6d6974 0000000000000001\n"
                "666f726d6174 00000004\n"
                "6e756d626572" COMMUNITY_1 " " ID("c0") "\n"
                                                        "6e756d62657200000002 " ID("00") "\n");
    expect_rows(txn, TABLE_COMMUNITY,
                ID("00") " 00000002"
                         "0000000000000000" HANDLE("00") "01"
                                                         "\n" ID("c0") " 00000001"
                                                                       "0102030405060708" HANDLE(
                                                                           "10") "02"
                                                                                 "6162"
                                                                                 "\n");
    expect_rows(txn, TABLE_SECRET,
                COMMUNITY_1 " " HASH("5e") HASH("50") HASH("70") HASH("8b") HASH("71") "683a31"
                                                                                       "\n");
    expect_rows(txn, TABLE_PROGRESS,
                COMMUNITY_1 " 00000009" HANDLE("10") "0000000000000011" ID("20") "00000002" HANDLE(
                    "30") "0000000000000012" HASH("40") "02"
                                                        "\n");
    expect_rows(
        txn, TABLE_NAME,
        COMMUNITY_1
        "da5f8e042162a3f76c914473f627905904d373b43cac3b804be1f5fecfd4fff4 0001" ID("1d") "\n");
    txn_abort(&txn);
    expect_no_leaks();
}

static void put_log(struct txn *txn)
{
    struct log_entry entry = {.form = LOG_WHOLE, .seq = 7, .envelope = bytes_of_text("en")};
    memset(entry.device, 0xde, sizeof entry.device);
    memset(entry.leaf, 0x1e, sizeof entry.leaf);
    struct log_body body = {.fields = bytes_of_text("fi")};
    memset(body.salt, 0x5a, sizeof body.salt);
    log_put(txn, 1, 1, &entry, &body);
    entry.form = LOG_HUSK;
    entry.seq = 8;
    memset(entry.body_hash, 0xb0, sizeof entry.body_hash);
    log_put(txn, 1, 2, &entry, NULL);
    memset(entry.body_hash, 0, sizeof entry.body_hash);
    memset(entry.leaf + 4, 0, sizeof entry.leaf - 4);
    entry.seq = 9;
    log_put(txn, 1, 3, &entry, NULL);
    struct log_run run = {.first = 7, .last = 9, .seen_size = 5};
    memset(run.head, 0x4e, sizeof run.head);
    memset(run.signature, 0x51, sizeof run.signature);
    memset(run.seen_log, 0x30, sizeof run.seen_log);
    memset(run.seen_root, 0x40, sizeof run.seen_root);
    log_put_run(txn, 1, entry.device, &run);
    log_put_nodes(txn, 1, 24, BYTES(run.head));
}

Test(format, of_the_log)
{
    struct txn *txn = txn_begin_write(store);
    put_log(txn);
    expect_rows(txn, TABLE_ENTRY,
                COMMUNITY_1 "0000000000000001 01" HANDLE("de") "00000007" HASH(
                    "1e") "656e"
                          "\n" COMMUNITY_1 "0000000000000002 22" HANDLE("de") "00000008" HASH("1e")
                              HASH("b0") "656e"
                                         "\n" COMMUNITY_1
                                         "0000000000000003 12" HANDLE("de") "00000009"
                                                                            "1e1e1e1e"
                                                                            "656e"
                                                                            "\n");
    expect_rows(txn, TABLE_BODY,
                COMMUNITY_1 "0000000000000001 "
                            // AES-256-CFB of 16 times 0x5a and "fi", and of their check
                            "7ab65592435e751afc3fa632d23e536fdb2f39f2e9c5\n");
    expect_rows(txn, TABLE_CHAIN,
                COMMUNITY_1 HANDLE("de") "00000007 0000000000000001\n" COMMUNITY_1
                    HANDLE("de") "00000008 0000000000000002\n" COMMUNITY_1 HANDLE(
                        "de") "00000009 0000000000000003\n");
    expect_rows(txn, TABLE_RUN,
                COMMUNITY_1 HANDLE("de") "00000009 00000007" HASH("4e") HASH("51") HASH("51")
                    HANDLE("30") "0000000000000005" HASH("40") "\n");
    expect_rows(txn, TABLE_TREE, COMMUNITY_1 "0000000000000018 " HASH("4e") "\n");
    txn_abort(&txn);
    expect_no_leaks();
}

static const struct decided decided = {.by = {'h'}, .seq = 9, .index = 1};

static void put_devices(struct txn *txn, struct device *out)
{
    struct device device = {.role = ROLE_COORDINATOR, .seq = 9, .label_n = 1, .label = "p"};
    memset(device.handle, 0xde, sizeof device.handle);
    memset(device.key, 0x6b, sizeof device.key);
    memset(device.first, 0xf1, sizeof device.first);
    memset(device.head, 0x4e, sizeof device.head);
    memset(device.identity, 0x1f, sizeof device.identity);
    device_put(txn, 1, &device);
    contact_put(txn, 1, device.handle, &(struct contact){-1, 2, 3, 4, 5, 6, "app"});
    struct invitation invitation = {
        .community = 1, .role = ROLE_VOLUNTEER, .expires = 16, .label_n = 1, .label = "q"};
    invitation.uses = 3;
    invitation.used = 2;
    invitation_put(txn, device.head, &invitation);
    token_put(txn, device.key, 1, device.handle, 5);
    apart_put(txn, 1, device.handle, 7, 8, &decided, REASON_NOT_PERMITTED);
    *out = device;
}

Test(format, of_devices_and_what_belongs_to_them)
{
    struct txn *txn = txn_begin_write(store);
    struct device device;
    put_devices(txn, &device);
    expect_rows(txn, TABLE_DEVICE,
                COMMUNITY_1 HANDLE("de") " " HASH("6b") HANDLE("f1") "03"
                                                                     "00000009" HASH("4e")
                                                                         HASH("1f") "0000000070\n");
    expect_rows(txn, TABLE_CONTACT,
                COMMUNITY_1 HANDLE("de") " ffffffffffffffff"
                                         "0000000000000002"
                                         "0000000000000003"
                                         "00000004"
                                         "05"
                                         "0000000000000006"
                                         "617070\n");
    expect_rows(txn, TABLE_INVITATION,
                HASH("4e") " " COMMUNITY_1 "02"
                           "0000000000000010"
                           "0003"
                           "0002"
                           "71\n");
    expect_rows(txn, TABLE_TOKEN,
                COMMUNITY_1 HANDLE("de") " " HASH("6b") "0000000000000005" HASH(
                    "00") "0000000000000000\n" HASH("6b") " " COMMUNITY_1 HANDLE("de") "\n");
    expect_rows(txn, TABLE_APART,
                COMMUNITY_1 HANDLE("de") "00000007"
                                         "00000008"
                                         "680000000000000000000000"
                                         "00000009"
                                         "01 03\n");
    struct role_row role = {.from = 6, .decided = decided, .role = ROLE_MEMBER};
    role_put(txn, 1, device.handle, &role);
    expect_rows(txn, TABLE_ROLE,
                COMMUNITY_1 HANDLE("de") "00000006"
                                         "680000000000000000000000"
                                         "00000009"
                                         "01 01\n");
    struct quota quota = {.day = 3, .changes = 4, .bytes = 5};
    quota_put(txn, 1, device.handle, &quota);
    expect_rows(txn, TABLE_QUOTA,
                COMMUNITY_1 HANDLE("de") " 00000003"
                                         "00000004"
                                         "0000000000000005\n");
    txn_abort(&txn);
    expect_no_leaks();
}

Test(format, of_the_tables_of_the_merge)
{
    struct txn *txn = txn_begin_write(store);
    struct live live = {.key = edit(), .tag = 0x7a, .field = 4, .time = -2, .position = 6};
    live_put(txn, 1, &live);
    struct cover cover = {.target = edit(), .tag = 0x7a, .by_seq = 8, .time = -3};
    memset(cover.by_device, 0xb1, sizeof cover.by_device);
    cover_put(txn, 1, &cover);
    struct record_key to = {.kind = KIND_MAX};
    about_put(txn, 1, &to, &live.key.record, BYTES(live.key.record.id));
    expect_rows(txn, TABLE_LIVE,
                EDIT_KEY " 0000007a"
                         "00000004"
                         "fffffffffffffffe"
                         "0000000000000006\n");
    expect_rows(txn, TABLE_COVER, EDIT_KEY "0000007a" HANDLE("b1") "00000008 fffffffffffffffd\n");
    expect_rows(txn, TABLE_ABOUT, COMMUNITY_1 "ffff" ID("00") "0002" ID("1d") " " ID("1d") "\n");
    txn_abort(&txn);
    expect_no_leaks();
}

Test(format, of_what_is_erased_closed_and_kept_until)
{
    struct txn *txn = txn_begin_write(store);
    uint8_t handle[HANDLE_SIZE];
    uint8_t hash[HASH_SIZE];
    struct record_key record = {.kind = 9};
    memset(handle, 0xde, sizeof handle);
    memset(hash, 0xb0, sizeof hash);
    memset(record.id, 0x1d, sizeof record.id);
    erased_put(txn, 1, handle, 7, 8, hash);
    erased_put(txn, 1, handle, 9, 8, NULL);
    closed_put(txn, 1, &record, CLOSED_ALONE);
    struct keep keep = {.until = -1, .record = record, .seq = 7, .index = 2};
    memset(keep.device, 0xde, sizeof keep.device);
    keep_put(txn, 1, &keep);
    cr_expect(evidence_put(txn, 1, handle, hash, bytes_of_text("run")));
    expect_rows(txn, TABLE_ERASED,
                COMMUNITY_1 HANDLE("de") "00000007"
                                         "00000008 " HASH("b0") "\n" COMMUNITY_1 HANDLE(
                                             "de") "00000009"
                                                   "00000008 \n");
    expect_rows(txn, TABLE_CLOSED, COMMUNITY_1 "0009" ID("1d") " 01\n");
    expect_rows(txn, TABLE_KEEP,
                COMMUNITY_1 "7fffffffffffffff"
                            "0009" ID("1d") HANDLE("de") "00000007"
                                                         "02 \n");
    expect_rows(txn, TABLE_EVIDENCE, COMMUNITY_1 HANDLE("de") HASH("b0") " 72756e\n");
    txn_abort(&txn);
    expect_no_leaks();
}

// LMDB lays a small value behind its key: here the check can be seen.
Test(format, of_the_check_behind_each_value)
{
    struct txn *txn = txn_begin_write(store);
    table_put(txn, TABLE_NAME, bytes_of_text("the key"), bytes_of_text("the value"));
    cr_assert_eq(txn_commit(&txn), OK);
    store_close(&store);
    struct bytes stored = bytes_of("the keythe value\x1a\x55\x38\x5d", 20);
    cr_expect_eq(scratch_flip(&scratch, stored, 0), 1);
    struct bytes format = bytes_of("format\0\0\0\4\xec\x92\x9a\x0f", 14);
    cr_expect_geq(scratch_flip(&scratch, format, 0), 1);
}
