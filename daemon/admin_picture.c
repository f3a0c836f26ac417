// The picture of a community, for its admin: what `folkmootctl picture` shows and writes.

#include <stdio.h>

#include "base/text.h"
#include "daemon/admin_private.h"
#include "daemon/named.h"
#include "proto/schema.h"
#include "sync/picture.h"
#include "sync/tree.h"

enum { ARENA_MAX = 8 << 20, ITEMS = 10 };

static void put_text(cJSON *object, const char *name, struct bytes text)
{
    struct buf copy BUF_CLEANUP = {0};
    buf_put(&copy, text);
    buf_put_u8(&copy, 0);
    (void)cJSON_AddStringToObject(object, name, copy.err ? "" : (const char *)copy.p);
}

static const char *enum_name(uint32_t kind, uint32_t field, uint32_t value)
{
    const struct schema_field *of = schema_field(kind, field);
    for (uint32_t i = 0; of && of->values[i]; i++) {
        if (i == value)
            return of->values[i];
    }
    return "";
}

// --- numbers ---

static void put_voices(cJSON *object, struct list voices)
{
    cJSON *list = cJSON_AddArrayToObject(object, "voices");
    for (size_t i = 0; i < voices.n; i++) {
        const struct picture_voices *of = LIST_AT(struct picture_voices, voices, i);
        cJSON *item = cJSON_CreateObject();
        (void)cJSON_AddStringToObject(item, "party",
                                      enum_name(KIND_PERSON, FIELD_PARTY_KIND, of->party_kind));
        admin_number(item, "for", of->for_);
        admin_number(item, "against", of->against);
        admin_number(item, "unsure", of->unsure);
        (void)cJSON_AddItemToArray(list, item);
    }
}

static void put_constraints(cJSON *object, const struct picture_constraints *of)
{
    cJSON *item = cJSON_AddObjectToObject(object, "constraints");
    admin_number(item, "unspecified", of->unspecified);
    admin_number(item, "financial", of->financial);
    admin_number(item, "practical", of->practical);
    admin_number(item, "policy", of->policy);
}

static cJSON *count_json(const struct picture_count *of)
{
    cJSON *item = cJSON_CreateObject();
    put_text(item, "place", of->place);
    put_text(item, "category", of->category);
    admin_number(item, "unanswered", of->unanswered);
    admin_number(item, "solution", of->solution);
    admin_number(item, "commitment", of->commitment);
    admin_number(item, "outcome", of->outcome);
    admin_number(item, "divided", of->divided);
    admin_number(item, "tension", of->tension);
    admin_number(item, "blocked", of->blocked);
    admin_number(item, "strengths", of->strengths);
    put_constraints(item, of->constraints);
    put_voices(item, of->voices);
    return item;
}

static void put_heard(cJSON *answer, const struct picture_response *of)
{
    cJSON *heard = cJSON_AddArrayToObject(answer, "heard");
    for (size_t i = 0; i < of->heard.n; i++) {
        const struct picture_heard *row = LIST_AT(struct picture_heard, of->heard, i);
        cJSON *item = cJSON_CreateObject();
        put_text(item, "place", row->place);
        (void)cJSON_AddStringToObject(item, "party",
                                      enum_name(KIND_PERSON, FIELD_PARTY_KIND, row->party_kind));
        admin_number(item, "persons", row->persons);
        (void)cJSON_AddItemToArray(heard, item);
    }
}

static void put_unheard(cJSON *answer, const struct picture_response *of)
{
    cJSON *unheard = cJSON_AddArrayToObject(answer, "unheard");
    for (size_t i = 0; i < of->unheard.n; i++) {
        const struct picture_place *place = LIST_AT(struct picture_place, of->unheard, i);
        cJSON *item = cJSON_CreateObject();
        put_text(item, "code", place->code);
        put_text(item, "name", place->name);
        if (place->population)
            admin_number(item, "population", place->population);
        admin_number(item, "heard", place->heard);
        (void)cJSON_AddItemToArray(unheard, item);
    }
    if (of->more_unheard)
        (void)cJSON_AddBoolToObject(answer, "more_unheard", true);
}

static void put_numbers(cJSON *answer, const struct picture_response *of)
{
    (void)cJSON_AddItemToObject(answer, "total", count_json(of->total));
    cJSON *counts = cJSON_AddArrayToObject(answer, "counts");
    for (size_t i = 0; i < of->counts.n; i++)
        (void)cJSON_AddItemToArray(counts,
                                   count_json(LIST_AT(struct picture_count, of->counts, i)));
    put_heard(answer, of);
    put_unheard(answer, of);
    if (of->more)
        (void)cJSON_AddBoolToObject(answer, "more", true);
}

// --- lists ---

static void put_time(cJSON *object, const char *name, int64_t time)
{
    if (time)
        (void)cJSON_AddNumberToObject(object, name, (double)time);
}

static cJSON *item_json(const struct picture_item *of)
{
    cJSON *item = cJSON_CreateObject();
    const struct schema_kind *kind = schema_kind(of->kind);
    (void)cJSON_AddStringToObject(item, "kind", kind ? kind->name : "");
    admin_hex(item, "id", of->id);
    put_text(item, "title", of->title);
    put_text(item, "place", of->place);
    cJSON *categories = cJSON_AddArrayToObject(item, "categories");
    for (size_t i = 0; i < of->category.n; i++) {
        cJSON *holder = cJSON_CreateObject();
        put_text(holder, "name", *LIST_AT(struct bytes, of->category, i));
        (void)cJSON_AddItemToArray(categories, holder);
    }
    put_voices(item, of->voices);
    put_time(item, "since", of->since);
    admin_number(item, "solutions", of->solutions);
    put_time(item, "solution_since", of->solution_since);
    admin_number(item, "commitments", of->commitments);
    put_time(item, "commitment_since", of->commitment_since);
    admin_number(item, "outcomes", of->outcomes);
    put_time(item, "outcome_since", of->outcome_since);
    put_constraints(item, of->constraints);
    (void)cJSON_AddBoolToObject(item, "tension", of->tension);
    (void)cJSON_AddBoolToObject(item, "strengths", of->strengths);
    admin_number(item, "joined", of->joined);
    if (of->has_due)
        (void)cJSON_AddNumberToObject(item, "due", of->due);
    if (of->progress)
        (void)cJSON_AddStringToObject(item, "progress",
                                      enum_name(KIND_COMMITMENT, FIELD_PROGRESS, of->progress));
    return item;
}

struct looking {
    struct txn *txn;
    const struct community *community;
    struct arena *arena;
    cJSON *answer;
    const struct population *population;
};

static enum err put_list(struct looking *l, const char *name, uint32_t kind, uint32_t list,
                         struct fault *fault)
{
    static const struct picture_eye all;
    struct show_response response = {.least = 0};
    struct show_request request = {.kind = kind, .list = list, .page_size = ITEMS};
    enum err err = picture_show(l->txn, l->community, &request, &all, l->arena, &response, fault);
    cJSON *items = err ? NULL : cJSON_AddArrayToObject(l->answer, name);
    for (size_t i = 0; !err && i < response.items.n; i++)
        (void)cJSON_AddItemToArray(items,
                                   item_json(LIST_AT(struct picture_item, response.items, i)));
    return err;
}

static enum err put_all(struct looking *l, struct fault *fault)
{
    const struct picture_eye all = {.population = l->population};
    // Names, and lists as in PictureList.
    static const struct {
        const char *name;
        uint32_t kind;
        uint32_t list;
    } lists[] = {
        {"most_voiced", KIND_NEED, 0}, {"unanswered", KIND_NEED, 1}, {"answered", KIND_NEED, 4},
        {"divided", KIND_NEED, 5},     {"tension", KIND_NEED, 6},    {"blocked", KIND_NEED, 7},
        {"strengths", KIND_NEED, 8},   {"due", KIND_COMMITMENT, 9},
    };
    struct picture_response numbers = {.more = false};
    enum err err = picture_counts(l->txn, l->community, KIND_NEED, &all, l->arena, &numbers, fault);
    if (!err)
        put_numbers(l->answer, &numbers);
    for (size_t i = 0; !err && i < sizeof lists / sizeof *lists; i++)
        err = put_list(l, lists[i].name, lists[i].kind, lists[i].list, fault);
    return err;
}

// As a Commitment says which picture it answers: LOG|SIZE|ROOT.
static enum err put_name(const struct looking *l, struct fault *fault)
{
    char name[2 * HANDLE_SIZE + 24 + 2 * HASH_SIZE];
    char log[2 * HANDLE_SIZE + 1];
    char hex[2 * HASH_SIZE + 1];
    uint8_t root[HASH_SIZE];
    enum err err = tree_root(l->txn, l->community->number, l->community->size, root);
    if (err)
        return fault_set(fault, err, "the log could not be read: %s", err_text(err));
    text_hex(BYTES(l->community->log), log);
    text_hex(BYTES(root), hex);
    (void)snprintf(name, sizeof name, "%s|%llu|%s", log, (unsigned long long)l->community->size,
                   hex);
    (void)cJSON_AddStringToObject(l->answer, "name", name);
    return OK;
}

cJSON *admin_picture(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    struct fault fault = {0};
    struct community community;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    enum err err = named_community(txn, admin_text(request, "community"), &community, &fault);
    if (err)
        return admin_fault(err, &fault);
    cJSON *answer = admin_ok();
    struct looking looking = {txn, &community, &arena, answer,
                              context->calls->service->policy.population};
    (void)cJSON_AddStringToObject(answer, "community", community.name);
    admin_number(answer, "position", community.size);
    err = put_name(&looking, &fault);
    if (!err)
        err = put_all(&looking, &fault);
    if (!err)
        return answer;
    cJSON_Delete(answer);
    return admin_fault(err, &fault);
}
