// Envelopes, fields and packs of vectors.json that must be taken, and those that must not.
#include <criterion/criterion.h>

#include "base/text.h"
#include "proto/change.h"
#include "proto/pack.h"
#include "proto/schema.h"
#include "sync/role.h"
#include "tests/golden/golden.h"
#include "tests/leaks.h"

static void check_valid_envelope(struct golden *g, const cJSON *item)
{
    const char *name = golden_text(item, "name");
    struct bytes bytes = golden_bytes(g, item, "bytes");
    struct envelope envelope;
    struct buf again BUF_CLEANUP = {0};
    struct fault fault = {0};
    cr_expect_eq(envelope_decode(bytes, &g->arena, &envelope, &fault), OK, "%s: %s", name,
                 fault.text);
    if (strstr(name, "unknown"))
        return;
    message_encode(&envelope_message, &envelope, &again);
    golden_expect(buf_bytes(&again), bytes, name);
}

Test(golden, canonical_envelopes_are_taken)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    const cJSON *valid = golden_get(golden_get(g.root, "envelopes"), "valid");
    cr_assert_geq(cJSON_GetArraySize(valid), 15);
    cJSON_ArrayForEach(item, valid)
    {
        check_valid_envelope(&g, item);
    }
    golden_close(&g);
    expect_no_leaks();
}

Test(golden, other_envelopes_are_refused_with_a_sentence)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    const cJSON *refused = golden_get(golden_get(g.root, "envelopes"), "refused");
    cr_assert_geq(cJSON_GetArraySize(refused), 50);
    cJSON_ArrayForEach(item, refused)
    {
        struct envelope envelope;
        struct fault fault = {0};
        enum err err =
            envelope_decode(golden_bytes(&g, item, "bytes"), &g.arena, &envelope, &fault);
        cr_expect(err == ERR_MALFORMED || err == ERR_LIMIT, "%s: %s", golden_text(item, "why"),
                  err_text(err));
        cr_expect(strlen(fault.text) > 0, "%s", golden_text(item, "why"));
    }
    golden_close(&g);
    expect_no_leaks();
}

Test(golden, well_formed_fields_are_taken_and_their_edits_counted)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    const cJSON *valid = golden_get(golden_get(g.root, "fields"), "valid");
    cr_assert_geq(cJSON_GetArraySize(valid), 7);
    cJSON_ArrayForEach(item, valid)
    {
        uint32_t edits = 0;
        struct wire_field edit;
        struct bytes bytes = golden_bytes(&g, item, "bytes");
        cr_expect_eq(fields_check(bytes, &edits, NULL), OK, "%s", golden_text(item, "name"));
        cr_expect_eq(edits, golden_u32(item, "edits"), "%s", golden_text(item, "name"));
        cr_expect(edits == 0 || fields_edit(bytes, edits - 1, &edit));
        cr_expect(!fields_edit(bytes, edits, &edit));
    }
    golden_close(&g);
}

Test(golden, malformed_fields_are_refused)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    const cJSON *refused = golden_get(golden_get(g.root, "fields"), "refused");
    cr_assert_geq(cJSON_GetArraySize(refused), 16);
    cJSON_ArrayForEach(item, refused)
    {
        uint32_t edits;
        struct fault fault = {0};
        enum err err = fields_check(golden_bytes(&g, item, "bytes"), &edits, &fault);
        cr_expect(err == ERR_MALFORMED || err == ERR_LIMIT, "%s: %s", golden_text(item, "why"),
                  err_text(err));
        cr_expect(strlen(fault.text) > 0);
    }
    golden_close(&g);
}

Test(golden, what_a_known_kind_does_not_allow_is_set_apart_for_the_written_reason)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    cr_assert_geq(cJSON_GetArraySize(golden_get(g.root, "apart")), 33);
    cJSON_ArrayForEach(item, golden_get(g.root, "apart"))
    {
        struct envelope envelope;
        uint32_t edits;
        const char *name = golden_text(item, "name");
        struct bytes fields = golden_bytes(&g, item, "fields");
        cr_assert_eq(envelope_decode(golden_bytes(&g, item, "envelope"), &g.arena, &envelope, NULL),
                     OK, "%s", name);
        cr_assert_eq(fields_check(fields, &edits, NULL), OK, "%s", name);
        static const uint8_t nowhere[COMMUNITY_SIZE];
        static const struct device nobody;
        enum reason reason = schema_check(&envelope, fields);
        if (reason == REASON_NONE)
            reason = role_judge(ROLE_VOLUNTEER, nowhere, &nobody, &envelope);
        cr_expect_eq(reason, golden_u32(item, "reason"), "%s", name);
    }
    golden_close(&g);
    expect_no_leaks();
}

static enum err open_pack(struct golden *g, const cJSON *item, struct bytes *bytes,
                          struct fault *fault)
{
    struct pack pack = {0};
    cr_assert_eq(
        message_decode(&pack_message, golden_bytes(g, item, "pack"), &g->arena, &pack, NULL), OK);
    return pack_open(&pack, &g->arena, bytes, fault);
}

Test(golden, packs_are_opened_and_what_is_none_is_refused)
{
    struct golden g;
    const cJSON *item;
    struct bytes bytes;
    golden_open(&g);
    const cJSON *packs = golden_get(g.root, "packs");
    cJSON_ArrayForEach(item, golden_get(packs, "valid"))
    {
        struct fault fault = {0};
        cr_assert_eq(open_pack(&g, item, &bytes, &fault), OK, "%s", fault.text);
        golden_expect(bytes, golden_bytes(&g, item, "unpacked"), "pack");
    }
    cr_assert_geq(cJSON_GetArraySize(golden_get(packs, "refused")), 9);
    cJSON_ArrayForEach(item, golden_get(packs, "refused"))
    {
        struct fault fault = {0};
        enum err err = open_pack(&g, item, &bytes, &fault);
        cr_expect(err == ERR_MALFORMED || err == ERR_LIMIT, "%s: %s", golden_text(item, "why"),
                  err_text(err));
        cr_expect(strlen(fault.text) > 0);
    }
    golden_close(&g);
    expect_no_leaks();
}
