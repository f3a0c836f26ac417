// The chain, the log's tree and whole messages of vectors.json.
#include <criterion/criterion.h>

#include "base/sign.h"
#include "proto/change.h"
#include "proto/pack.h"
#include "sync/digest.h"
#include "sync/merge.h"
#include "sync/tree.h"
#include "tests/golden/golden.h"
#include "tests/golden/shelf.h"
#include "tests/leaks.h"

static void check_record(struct golden *g, const cJSON *change, const uint8_t *handle)
{
    struct envelope envelope;
    struct record_key record;
    const cJSON *wanted = golden_get(change, "record");
    cr_assert_eq(envelope_decode(golden_bytes(g, change, "envelope"), &g->arena, &envelope, NULL),
                 OK);
    merge_record(&envelope, handle, golden_u32(change, "seq"), golden_u32(change, "tag"), &record);
    cr_expect_eq(record.kind, golden_u32(wanted, "kind"));
    golden_expect(BYTES(record.id), golden_bytes(g, wanted, "id"), "record");
}

static void check_link(struct golden *g, const cJSON *chain, const cJSON *change,
                       uint8_t head[HASH_SIZE])
{
    uint8_t body_hash[HASH_SIZE];
    uint8_t leaf[HASH_SIZE];
    digest_body(golden_fixed(g, change, "salt", SALT_SIZE), golden_bytes(g, change, "fields"),
                body_hash);
    digest_leaf(golden_bytes(g, change, "envelope"), body_hash, leaf);
    digest_head(golden_fixed(g, chain, "community", COMMUNITY_SIZE),
                golden_fixed(g, chain, "key", KEY_SIZE), golden_u32(change, "seq"), leaf, head);
    golden_expect(BYTES(body_hash), golden_bytes(g, change, "body_hash"), "body hash");
    golden_expect(BYTES(leaf), golden_bytes(g, change, "leaf"), "leaf");
    golden_expect(bytes_of(head, HASH_SIZE), golden_bytes(g, change, "head"), "head");
    cr_expect_eq(be32_get(leaf), golden_u32(change, "tag"));
    check_record(g, change, golden_fixed(g, chain, "handle", HANDLE_SIZE));
}

Test(golden, a_chain_has_the_written_leaves_and_heads)
{
    struct golden g;
    uint8_t handle[HANDLE_SIZE];
    uint8_t head[HASH_SIZE] = {0};
    const cJSON *change;
    golden_open(&g);
    const cJSON *chain = golden_get(g.root, "chain");
    digest_handle(golden_fixed(&g, chain, "community", COMMUNITY_SIZE),
                  golden_fixed(&g, chain, "key", KEY_SIZE), handle);
    golden_expect(BYTES(handle), golden_bytes(&g, chain, "handle"), "handle");
    cr_assert_geq(cJSON_GetArraySize(golden_get(chain, "changes")), 5);
    cJSON_ArrayForEach(change, golden_get(chain, "changes"))
    {
        check_link(&g, chain, change, head);
    }
    golden_close(&g);
    expect_no_leaks();
}

// --- the log ---

static void append(struct golden *g, struct txn *txn, const cJSON *item)
{
    uint8_t node[HASH_SIZE];
    uint64_t position = golden_u64(item, "position");
    struct log_entry entry = {.form = LOG_BARE, .seq = golden_u32(item, "seq")};
    memcpy(entry.device, golden_fixed(g, item, "device", HANDLE_SIZE), HANDLE_SIZE);
    memcpy(entry.leaf, golden_fixed(g, item, "leaf", HASH_SIZE), HASH_SIZE);
    digest_log_leaf(position, entry.device, entry.seq, entry.leaf, node);
    golden_expect(BYTES(node), golden_bytes(g, item, "node"), "log entry");
    log_put(txn, 1, position, &entry, NULL);
    tree_append(txn, 1, position);
}

Test(golden, the_log_has_the_written_roots)
{
    struct golden g;
    struct shelf shelf;
    const cJSON *item;
    golden_open(&g);
    shelf_open(&shelf);
    cJSON_ArrayForEach(item, golden_get(golden_get(g.root, "log"), "entries"))
    {
        append(&g, shelf.txn, item);
    }
    cr_assert_eq(cJSON_GetArraySize(golden_get(golden_get(g.root, "log"), "roots")), 11);
    cJSON_ArrayForEach(item, golden_get(golden_get(g.root, "log"), "roots"))
    {
        uint8_t root[HASH_SIZE];
        cr_assert_eq(tree_root(shelf.txn, 1, golden_u64(item, "size"), root), OK);
        golden_expect(BYTES(root), golden_bytes(&g, item, "root"), "root");
    }
    shelf_close(&shelf);
    golden_close(&g);
    expect_no_leaks();
}

// --- whole messages ---

static const struct message *message_named(const char *name)
{
    for (size_t i = 0; messages_all[i]; i++) {
        if (strcmp(messages_all[i]->name, name) == 0)
            return messages_all[i];
    }
    cr_assert_fail("there is no message %s", name);
    return NULL;
}

static void check_encoding(struct golden *g, const cJSON *entry)
{
    const struct message *message = message_named(golden_text(entry, "message"));
    struct bytes bytes = golden_bytes(g, entry, "bytes");
    struct buf again BUF_CLEANUP = {0};
    struct fault fault = {0};
    void *out = arena_alloc(&g->arena, 1, message->size);
    cr_assert(out);
    cr_assert_eq(message_decode(message, bytes, &g->arena, out, &fault), OK, "%s", fault.text);
    cr_expect(message_is_canonical(message, bytes), "%s", message->name);
    message_encode(message, out, &again);
    golden_expect(buf_bytes(&again), bytes, message->name);
}

static size_t walk_changes(struct golden *g, const cJSON *device, const struct run *run,
                           struct bytes packed, uint8_t head[HASH_SIZE])
{
    struct changes changes = {0};
    cr_assert_eq(message_decode(&changes_message, packed, &g->arena, &changes, NULL), OK);
    cr_assert_eq(run->salts.n, changes.changes.n * SALT_SIZE);
    for (size_t i = 0; i < changes.changes.n; i++) {
        const struct change *change = LIST_AT(struct change, changes.changes, i);
        uint8_t body_hash[HASH_SIZE];
        uint8_t leaf[HASH_SIZE];
        digest_body(run->salts.p + i * SALT_SIZE, change->fields, body_hash);
        digest_leaf(change->envelope, body_hash, leaf);
        digest_head(golden_fixed(g, device, "community", COMMUNITY_SIZE),
                    golden_fixed(g, device, "key", KEY_SIZE), run->first + (uint32_t)i, leaf, head);
    }
    return changes.changes.n;
}

static void check_run(struct golden *g, const cJSON *device, const cJSON *entry)
{
    struct run run = {0};
    struct bytes packed = {0};
    struct buf transcript BUF_CLEANUP = {0};
    uint8_t head[HASH_SIZE] = {0};
    const uint8_t *key = golden_fixed(g, device, "key", KEY_SIZE);
    cr_assert_eq(
        message_decode(&run_message, golden_bytes(g, entry, "bytes"), &g->arena, &run, NULL), OK);
    cr_assert(run.first == 1 && run.packs.n == 1 && run.signature.n == SIGN_SIZE);
    cr_assert_eq(pack_open(run.packs.p, &g->arena, &packed, NULL), OK);
    size_t n = walk_changes(g, device, &run, packed, head);
    cr_expect_eq(n, golden_u64(entry, "last"));
    golden_expect(BYTES(head), golden_bytes(g, entry, "head"), "run");
    digest_run_transcript(golden_fixed(g, device, "community", COMMUNITY_SIZE), key, (uint32_t)n,
                          head, run.seen, &transcript);
    cr_expect(!sign_verify(key, buf_bytes(&transcript), run.signature.p));
}

Test(golden, whole_messages_are_read_and_written_alike_and_their_runs_are_signed)
{
    struct golden g;
    const cJSON *entry;
    int runs = 0;
    golden_open(&g);
    const cJSON *messages = golden_get(g.root, "messages");
    cJSON_ArrayForEach(entry, golden_get(messages, "entries"))
    {
        check_encoding(&g, entry);
        if (strcmp(golden_text(entry, "message"), "Run") == 0) {
            check_run(&g, golden_get(messages, "device"), entry);
            runs++;
        }
    }
    cr_expect_eq(runs, 2);
    golden_close(&g);
    expect_no_leaks();
}
