// The merge cases of vectors.json, through a real store, in many orders.
#include <criterion/criterion.h>

#include "storage/device.h"
#include "sync/fold.h"
#include "sync/view.h"
#include "tests/golden/golden.h"
#include "tests/golden/shelf.h"
#include "tests/leaks.h"

enum { CHANGES_MAX = 16, ORDERS = 24 };

struct arrival {
    struct log_entry entry;
    struct log_body body;
    bool apart; // a decision sets it apart
};

struct telling {
    const char *name;
    struct arrival arrivals[CHANGES_MAX];
    size_t n;
};

static void telling_read(struct golden *g, const cJSON *item, struct telling *telling)
{
    const cJSON *change;
    telling->name = golden_text(item, "name");
    telling->n = 0;
    cJSON_ArrayForEach(change, golden_get(item, "changes"))
    {
        cr_assert(telling->n < CHANGES_MAX);
        struct arrival *arrival = &telling->arrivals[telling->n++];
        *arrival = (struct arrival){
            .entry = {.form = LOG_WHOLE,
                      .seq = golden_u32(change, "seq"),
                      .envelope = golden_bytes(g, change, "envelope")},
            .body = {.fields = golden_bytes(g, change, "fields")},
            .apart = cJSON_HasObjectItem(change, "apart"),
        };
        memcpy(arrival->entry.device, golden_fixed(g, change, "device", HANDLE_SIZE), HANDLE_SIZE);
        memcpy(arrival->entry.leaf, golden_fixed(g, change, "leaf", HASH_SIZE), HASH_SIZE);
        memcpy(arrival->body.salt, golden_fixed(g, change, "salt", SALT_SIZE), SALT_SIZE);
    }
}

// As written, backwards, and then as a small generator shuffles.
static void order_make(size_t order[CHANGES_MAX], size_t n, uint32_t which)
{
    uint32_t state = which * 2654435761u + 1;
    for (size_t i = 0; i < n; i++)
        order[i] = which == 1 ? n - 1 - i : i;
    for (size_t i = n; which > 1 && i > 1; i--) {
        state = state * 1664525u + 1013904223u;
        size_t k = (state >> 16) % i;
        size_t kept = order[i - 1];
        order[i - 1] = order[k];
        order[k] = kept;
    }
}

static void ignore(struct txn *txn, uint32_t community, const struct live *edit, bool alive,
                   void *arg)
{
    (void)txn, (void)community, (void)edit, (void)alive, (void)arg;
}

// Takes the effect of a change back, as the decision that sets it apart does.
static void set_apart(struct golden *g, struct txn *txn, const struct community *community,
                      const struct arrival *arrival, uint64_t position)
{
    struct envelope envelope;
    const struct log_entry *entry = &arrival->entry;
    struct merge_watch watch = {ignore, NULL};
    cr_assert_eq(envelope_decode(entry->envelope, &g->arena, &envelope, NULL), OK);
    struct merge_change change = {
        .envelope = &envelope,
        .fields = arrival->body.fields,
        .seq = entry->seq,
        .tag = log_tag(entry),
        .position = position,
    };
    memcpy(change.device, entry->device, HANDLE_SIZE);
    merge_record(&envelope, entry->device, entry->seq, change.tag, &change.record);
    apart_put(txn, community->number, entry->device, entry->seq, log_tag(entry),
              &(struct decided){.seq = 1}, REASON_NOT_PERMITTED);
    merge_revert(txn, community->number, &change, &watch);
}

// Half of the orders hear of each change twice, and of decisions only at the end.
static void tell(struct golden *g, struct txn *txn, const struct community *community,
                 const struct telling *telling, uint32_t which)
{
    bool late = which % 2;
    size_t order[CHANGES_MAX];
    order_make(order, telling->n, which);
    for (size_t i = 0; i < telling->n; i++) {
        const struct arrival *arrival = &telling->arrivals[order[i]];
        const struct log_entry *entry = &arrival->entry;
        log_put(txn, community->number, i + 1, entry, &arrival->body);
        if (arrival->apart && !late)
            apart_put(txn, community->number, entry->device, entry->seq, log_tag(entry),
                      &(struct decided){.seq = 1}, REASON_NOT_PERMITTED);
        fold_change(txn, community, i + 1, entry, &arrival->body);
        if (late)
            fold_change(txn, community, i + 1, entry, &arrival->body);
    }
    for (size_t i = 0; i < telling->n && late; i++) {
        if (telling->arrivals[order[i]].apart)
            set_apart(g, txn, community, &telling->arrivals[order[i]], i + 1);
    }
}

static void check_tensions(const struct record_view *view, const cJSON *wanted, const char *name)
{
    const cJSON *number = wanted->child;
    for (size_t i = 0; i < view->fields.n; i++) {
        const struct field_view *field = LIST_AT(struct field_view, view->fields, i);
        if (!field->tension)
            continue;
        cr_expect(number && number->valuedouble == field->field, "%s: tension in field %u", name,
                  field->field);
        number = number ? number->next : NULL;
    }
    cr_expect(!number, "%s: a tension is not seen", name);
}

static void check_tally(const struct tally *tally, const cJSON *wanted, const char *name)
{
    cr_expect_eq(!tally, !wanted, "%s: voices", name);
    if (!tally || !wanted)
        return;
    cr_expect_eq(tally->for_, golden_u32(wanted, "for"), "%s: for", name);
    cr_expect_eq(tally->against, golden_u32(wanted, "against"), "%s: against", name);
    cr_expect_eq(tally->unsure, golden_u32(wanted, "unsure"), "%s: unsure", name);
}

static void check_record(struct golden *g, struct txn *txn, const struct community *community,
                         const cJSON *wanted, const char *name)
{
    static const uint8_t nobody[HANDLE_SIZE];
    struct record_key record = {.kind = golden_u32(wanted, "kind")};
    struct record_view view;
    struct eye eye = {.role = ROLE_COORDINATOR, .device = nobody};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4 << 20);
    memcpy(record.id, golden_fixed(g, wanted, "id", ID_SIZE), ID_SIZE);
    enum err err = view_record(txn, community, &record, &eye, &arena, &view);
    if (cJSON_IsNull(golden_get(wanted, "record"))) {
        cr_expect_eq(err, ERR_NOT_FOUND, "%s", name);
        return;
    }
    cr_assert_eq(err, OK, "%s: %s", name, err_text(err));
    golden_expect(view.record, golden_bytes(g, wanted, "record"), name);
    check_tensions(&view, golden_get(wanted, "tensions"), name);
    check_tally(view.tally, cJSON_GetObjectItemCaseSensitive(wanted, "tally"), name);
}

// Each order is a community of its own in one store.
static void check_case(struct golden *g, struct txn *txn, const cJSON *item, uint32_t number)
{
    struct telling telling;
    telling_read(g, item, &telling);
    for (uint32_t which = 0; which < ORDERS; which++) {
        const cJSON *record;
        struct community community = {.number = number * ORDERS + which + 1};
        tell(g, txn, &community, &telling, which);
        cJSON_ArrayForEach(record, golden_get(item, "records"))
        {
            check_record(g, txn, &community, record, telling.name);
        }
    }
}

Test(golden, changes_in_any_order_make_the_written_records)
{
    struct golden g;
    struct shelf shelf;
    const cJSON *item;
    uint32_t number = 0;
    golden_open(&g);
    shelf_open(&shelf);
    cJSON_ArrayForEach(item, golden_get(g.root, "merges"))
    {
        check_case(&g, shelf.txn, item, number++);
    }
    cr_assert_geq(number, 29);
    shelf_close(&shelf);
    golden_close(&g);
    expect_no_leaks();
}
