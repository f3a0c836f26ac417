// Cards of vectors.json: their codes are normalised by whoever reads the card.
#include <criterion/criterion.h>

#include "client/card.h"
#include "sync/digest.h"
#include "tests/golden/golden.h"
#include "tests/leaks.h"

static void check_card(struct golden *g, const cJSON *item)
{
    struct bytes typed = golden_bytes(g, item, "typed");
    struct buf code BUF_CLEANUP = {0};
    struct fault fault = {0};
    uint8_t id[ID_SIZE];
    cr_assert_eq(card_normalise((const char *)typed.p, &code, &fault), OK, "%s", fault.text);
    golden_expect(buf_bytes(&code), bytes_of_text(golden_text(item, "normalised")), "normalised");
    digest_card(golden_fixed(g, item, "community", COMMUNITY_SIZE), buf_bytes(&code), id);
    golden_expect(BYTES(id), golden_bytes(g, item, "id"), "card");
}

Test(golden, a_card_names_the_same_person_however_its_code_is_typed)
{
    struct golden g;
    const cJSON *item;
    golden_open(&g);
    cr_assert_geq(cJSON_GetArraySize(golden_get(g.root, "cards")), 8);
    cJSON_ArrayForEach(item, golden_get(g.root, "cards"))
    {
        check_card(&g, item);
    }
    golden_close(&g);
    expect_no_leaks();
}
