// Every preimage, hash, signature and key of vectors.json.
#include <criterion/criterion.h>

#include "base/sign.h"
#include "sync/digest.h"
#include "tests/golden/golden.h"
#include "tests/leaks.h"

// --- one row of the table each: makes what stands under "out" ---

static void make_community(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_community(golden_fixed(g, in, "identity_key", KEY_SIZE),
                     golden_fixed(g, in, "nonce", 16), out);
}

static void make_handle(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_handle(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                  golden_fixed(g, in, "device_key", KEY_SIZE), out);
}

static void make_body(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_body(golden_fixed(g, in, "salt", SALT_SIZE), golden_bytes(g, in, "fields"), out);
}

static void make_leaf(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_leaf(golden_bytes(g, in, "envelope"), golden_fixed(g, in, "body_hash", HASH_SIZE), out);
}

static void make_head(struct golden *g, const cJSON *in, uint8_t *out)
{
    memcpy(out, golden_fixed(g, in, "head_before", HASH_SIZE), HASH_SIZE);
    digest_head(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                golden_fixed(g, in, "device_key", KEY_SIZE), golden_u32(in, "seq"),
                golden_fixed(g, in, "leaf", HASH_SIZE), out);
}

static void make_record_id(struct golden *g, const cJSON *in, uint8_t *out)
{
    struct bytes parts[PARTS_MAX];
    size_t n = 0;
    const cJSON *part;
    cJSON_ArrayForEach(part, golden_get(in, "parts"))
    {
        cr_assert(n < PARTS_MAX);
        parts[n++] = golden_bytes_of(g, part);
    }
    digest_record_id(golden_u32(in, "kind"), (struct list){parts, n}, out);
}

static void make_member(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_member(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                  golden_fixed(g, in, "handle", HANDLE_SIZE), out);
}

static void make_log_entry(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_log_leaf(golden_u64(in, "position"), golden_fixed(g, in, "device", HANDLE_SIZE),
                    golden_u32(in, "seq"), golden_fixed(g, in, "leaf", HASH_SIZE), out);
}

static void make_log_node(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_log_node(golden_fixed(g, in, "left", HASH_SIZE), golden_fixed(g, in, "right", HASH_SIZE),
                    out);
}

static void make_invitation(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_invitation(golden_fixed(g, in, "code", CODE_SIZE), out);
}

static void make_token(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_token(golden_fixed(g, in, "token", TOKEN_SIZE), out);
}

static void make_export(struct golden *g, const cJSON *in, uint8_t *out)
{
    digest_export(golden_fixed(g, in, "community", COMMUNITY_SIZE), golden_u32(in, "audience"),
                  out);
}

static const struct row {
    const char *name;
    void (*make)(struct golden *, const cJSON *in, uint8_t *out);
    size_t size;
} rows[] = {
    {"community", make_community, COMMUNITY_SIZE},
    {"handle", make_handle, HANDLE_SIZE},
    {"envelope", NULL, HASH_SIZE}, // within the leaf
    {"body", make_body, HASH_SIZE},
    {"leaf", make_leaf, HASH_SIZE},
    {"head", make_head, HASH_SIZE},
    {"record_id", make_record_id, ID_SIZE},
    {"member", make_member, ID_SIZE},
    {"log_entry", make_log_entry, HASH_SIZE},
    {"log_node", make_log_node, HASH_SIZE},
    {"invitation", make_invitation, HASH_SIZE},
    {"token", make_token, HASH_SIZE},
    {"export", make_export, HANDLE_SIZE},
};

static size_t row_of(const char *name)
{
    size_t i = 0;
    while (i < sizeof rows / sizeof *rows && strcmp(rows[i].name, name) != 0)
        i++;
    cr_assert(i < sizeof rows / sizeof *rows, "there is no row \"%s\"", name);
    return i;
}

static void check_digest(struct golden *g, const cJSON *entry, bool seen[])
{
    size_t i = row_of(golden_text(entry, "row"));
    uint8_t hashed[HASH_SIZE];
    uint8_t made[HASH_SIZE];
    struct hash hash;
    seen[i] = true;
    hash_begin_bare(&hash);
    hash_put(&hash, golden_bytes(g, entry, "preimage"));
    hash_end(&hash, hashed);
    golden_expect(BYTES(hashed), golden_bytes(g, entry, "hash"), rows[i].name);
    golden_expect(bytes_of(hashed, rows[i].size), golden_bytes(g, entry, "out"), rows[i].name);
    if (!rows[i].make)
        return;
    rows[i].make(g, golden_get(entry, "in"), made);
    golden_expect(bytes_of(made, rows[i].size), golden_bytes(g, entry, "out"), rows[i].name);
}

Test(golden, each_row_of_the_table_of_hashes_gives_the_written_hash)
{
    struct golden g;
    bool seen[sizeof rows / sizeof *rows] = {0};
    const cJSON *entry;
    golden_open(&g);
    cJSON_ArrayForEach(entry, golden_get(g.root, "digests"))
    {
        check_digest(&g, entry, seen);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect(seen[i], "no vector for the row \"%s\"", rows[i].name);
    golden_close(&g);
    expect_no_leaks();
}

Test(golden, the_id_of_a_created_record_is_made_of_handle_seq_and_tag)
{
    struct golden g;
    const cJSON *entry;
    golden_open(&g);
    cJSON_ArrayForEach(entry, golden_get(g.root, "created_ids"))
    {
        uint8_t id[ID_SIZE];
        digest_created_id(golden_fixed(&g, entry, "device", HANDLE_SIZE), golden_u32(entry, "seq"),
                          golden_u32(entry, "tag"), id);
        golden_expect(BYTES(id), golden_bytes(&g, entry, "id"), "created id");
    }
    golden_close(&g);
}

// --- transcripts ---

static void make_run(struct golden *g, const cJSON *in, struct buf *out)
{
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(in, "seen");
    struct log_head seen = {0};
    if (given) {
        seen = (struct log_head){golden_bytes(g, given, "log"), golden_u64(given, "size"),
                                 golden_bytes(g, given, "root")};
    }
    digest_run_transcript(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                          golden_fixed(g, in, "device_key", KEY_SIZE), golden_u32(in, "last"),
                          golden_fixed(g, in, "head", HASH_SIZE), given ? &seen : NULL, out);
}

static void make_incarnation(struct golden *g, const cJSON *in, struct buf *out)
{
    struct incarnation incarnation = {
        .nonce = golden_bytes(g, in, "nonce"),
        .previous_log = golden_bytes(g, in, "previous_log"),
        .previous_root = golden_bytes(g, in, "previous_root"),
    };
    if (incarnation.previous_log.n) {
        incarnation.previous_size = golden_u64(in, "previous_size");
        incarnation.previous_seq = golden_u32(in, "previous_seq");
    }
    digest_incarnation_transcript(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                                  golden_fixed(g, in, "chain_key", KEY_SIZE), &incarnation, out);
}

static void make_log_head(struct golden *g, const cJSON *in, struct buf *out)
{
    digest_head_transcript(golden_fixed(g, in, "community", COMMUNITY_SIZE),
                           golden_fixed(g, in, "log", HANDLE_SIZE), golden_u64(in, "size"),
                           golden_fixed(g, in, "root", HASH_SIZE), out);
}

static void make_tls(struct golden *g, const cJSON *in, struct buf *out)
{
    digest_tls_transcript(golden_bytes(g, in, "nonce"), golden_fixed(g, in, "tls_key", 32), out);
}

static void make_enrol(struct golden *g, const cJSON *in, struct buf *out)
{
    struct enrol_transcript transcript = {
        .purpose = (enum enrol_purpose)golden_u32(in, "purpose"),
        .hub_key = golden_fixed(g, in, "hub_key", KEY_SIZE),
        .community = golden_fixed(g, in, "community", COMMUNITY_SIZE),
        .device_key = golden_fixed(g, in, "device_key", KEY_SIZE),
        .invitation_hash = golden_bytes(g, in, "invitation_hash").p,
        .challenge = golden_bytes(g, in, "challenge"),
        .expires = (int64_t)golden_u64(in, "expires"),
    };
    digest_enrol_transcript(&transcript, out);
}

static const struct transcript_row {
    const char *name;
    void (*make)(struct golden *, const cJSON *in, struct buf *out);
} transcript_rows[] = {
    {"run", make_run},           {"incarnation", make_incarnation},
    {"log_head", make_log_head}, {"tls", make_tls},
    {"enrol", make_enrol},
};

static void check_transcript(struct golden *g, const cJSON *entry)
{
    struct buf made BUF_CLEANUP = {0};
    uint8_t key[KEY_SIZE];
    uint8_t signature[SIGN_SIZE];
    const uint8_t *seed = golden_fixed(g, entry, "seed", SIGN_SEED_SIZE);
    const char *name = golden_text(entry, "row");
    bool known = false;
    for (size_t i = 0; i < sizeof transcript_rows / sizeof *transcript_rows; i++) {
        if (strcmp(transcript_rows[i].name, name) != 0)
            continue;
        transcript_rows[i].make(g, golden_get(entry, "in"), &made);
        known = true;
    }
    cr_assert(known, "there is no row \"%s\"", name);
    golden_expect(buf_bytes(&made), golden_bytes(g, entry, "transcript"), name);
    cr_assert_eq(sign_public_key(seed, key), OK);
    golden_expect(BYTES(key), golden_bytes(g, entry, "key"), name);
    cr_assert_eq(sign_make(seed, buf_bytes(&made), signature), OK);
    golden_expect(BYTES(signature), golden_bytes(g, entry, "signature"), name);
    cr_expect(!sign_verify(key, buf_bytes(&made), signature), "%s", name);
}

Test(golden, each_transcript_gives_the_written_bytes_and_signature)
{
    struct golden g;
    const cJSON *entry;
    golden_open(&g);
    cr_assert_geq(cJSON_GetArraySize(golden_get(g.root, "transcripts")), 10);
    cJSON_ArrayForEach(entry, golden_get(g.root, "transcripts"))
    {
        check_transcript(&g, entry);
    }
    golden_close(&g);
    expect_no_leaks();
}

Test(golden, keys_of_small_order_and_odd_encodings_are_refused)
{
    struct golden g;
    const cJSON *entry;
    golden_open(&g);
    cr_assert_geq(cJSON_GetArraySize(golden_get(g.root, "keys")), 7);
    cJSON_ArrayForEach(entry, golden_get(g.root, "keys"))
    {
        bool sound = sign_key_sound(golden_fixed(&g, entry, "key", KEY_SIZE));
        cr_expect_eq(sound, cJSON_IsTrue(golden_get(entry, "sound")), "%s",
                     golden_text(entry, "key"));
    }
    golden_close(&g);
}
