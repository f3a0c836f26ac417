#include "sync/picture.h"

#include "client/state.h"
#include "proto/schema.h"

enum { ARENA_MAX = 8 << 20 };

static const struct picture_eye all;

// --- how many ---

static void take_numbers(const struct picture_response *from, struct folkmoot_picture *to)
{
    const struct picture_count *total = from->total;
    *to = (struct folkmoot_picture){.unanswered = total->unanswered,
                                    .solution = total->solution,
                                    .commitment = total->commitment,
                                    .outcome = total->outcome,
                                    .divided = total->divided,
                                    .tension = total->tension,
                                    .blocked = total->blocked};
    for (size_t i = 0; i < total->voices.n; i++) {
        const struct picture_voices *voices = LIST_AT(struct picture_voices, total->voices, i);
        to->votes_for += voices->for_;
        to->votes_against += voices->against;
        to->votes_unsure += voices->unsure;
    }
    for (size_t i = 0; i < from->heard.n; i++) {
        const struct picture_heard *heard = LIST_AT(struct picture_heard, from->heard, i);
        to->heard += heard->place.n ? 0 : heard->persons;
    }
}

static enum folkmoot_code count(struct folkmoot *fm, struct arena *arena,
                                struct picture_response *response, struct folkmoot_error *error)
{
    struct scope scope;
    struct fault fault = {0};
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    enum err err = picture_counts(scope.txn, &scope.community, 0, &all, arena, response, &fault);
    enum folkmoot_code ended = state_end(fm, &scope, false, error);
    return err ? state_fail_err(error, err, &fault) : ended;
}

enum folkmoot_code folkmoot_picture(struct folkmoot *fm, struct folkmoot_picture *picture,
                                    struct folkmoot_error *error)
{
    struct picture_response response = {.more = false};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    enum folkmoot_code code = count(fm, &arena, &response, error);
    if (!code)
        take_numbers(&response, picture);
    return code;
}

static uint32_t heard_of(const struct picture_response *response, uint32_t party)
{
    for (size_t i = 0; i < response->heard.n; i++) {
        const struct picture_heard *heard = LIST_AT(struct picture_heard, response->heard, i);
        if (heard->place.n == 0 && heard->party_kind == party)
            return heard->persons;
    }
    return 0;
}

enum folkmoot_code folkmoot_picture_heard(struct folkmoot *fm,
                                          bool (*each)(const char *party, uint32_t persons,
                                                       void *arg),
                                          void *arg, struct folkmoot_error *error)
{
    const struct schema_field *field = schema_field(KIND_PERSON, FIELD_PARTY_KIND);
    struct picture_response response = {.more = false};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    enum folkmoot_code code = count(fm, &arena, &response, error);
    for (uint32_t i = 0; !code && field->values[i]; i++) {
        if (!each(field->values[i], heard_of(&response, i), arg))
            break;
    }
    return code;
}

// --- which ---

static const char *text_of(struct arena *arena, struct bytes bytes)
{
    char *text = arena_alloc(arena, bytes.n + 1, 1);
    if (text && bytes.n)
        memcpy(text, bytes.p, bytes.n);
    return text;
}

static bool take_item(struct arena *arena, const struct picture_item *from,
                      struct folkmoot_pictured *to)
{
    *to = (struct folkmoot_pictured){
        .title = text_of(arena, from->title),
        .place = text_of(arena, from->place),
        .since = from->since,
        .solutions = from->solutions,
        .solution_since = from->solution_since,
        .commitments = from->commitments,
        .commitment_since = from->commitment_since,
        .outcomes = from->outcomes,
        .outcome_since = from->outcome_since,
        .financial = from->constraints->financial,
        .practical = from->constraints->practical,
        .policy = from->constraints->policy,
        .unspecified = from->constraints->unspecified,
        .tension = from->tension,
        .has_due = from->has_due,
        .due = from->due,
        .joined = from->joined,
        .damaged = from->damaged,
    };
    memcpy(to->id, from->id.p, ID_SIZE);
    for (size_t i = 0; i < from->voices.n; i++) {
        const struct picture_voices *voices = LIST_AT(struct picture_voices, from->voices, i);
        to->votes_for += voices->for_;
        to->votes_against += voices->against;
        to->votes_unsure += voices->unsure;
    }
    return to->title && to->place;
}

// By their numbers in PictureList.
static bool find_list(const char *name, struct show_request *request)
{
    static const char *const names[] = {"most-voiced", "unanswered", "solution", "commitment",
                                        "outcome",     "divided",    "tension",  "blocked",
                                        "strengths",   "due"};
    for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        request->list = i;
        request->kind = strcmp(name, "due") == 0 ? KIND_COMMITMENT : KIND_NEED;
        return true;
    }
    return false;
}

enum folkmoot_code folkmoot_picture_list(struct folkmoot *fm, const char *list, uint32_t most,
                                         bool (*each)(const struct folkmoot_pictured *, void *),
                                         void *arg, struct folkmoot_error *error)
{
    struct scope scope;
    struct fault fault = {0};
    struct show_response response = {.least = 0};
    struct show_request request = {.page_size = most < PAGE_MAX ? most : PAGE_MAX};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    if (!find_list(list, &request) || most == 0)
        return state_fail(error, FOLKMOOT_INVALID, "there is no list \"%s\"", list);
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    enum err err =
        picture_show(scope.txn, &scope.community, &request, &all, &arena, &response, &fault);
    enum folkmoot_code ended = state_end(fm, &scope, false, error);
    for (size_t i = 0; !err && !ended && i < response.items.n; i++) {
        struct folkmoot_pictured item;
        if (!take_item(&arena, LIST_AT(struct picture_item, response.items, i), &item))
            err = ERR_NOMEM;
        else if (!each(&item, arg))
            break;
    }
    return err ? state_fail_err(error, err, &fault) : ended;
}
