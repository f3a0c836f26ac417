// From a record to what came of it, along the links.

#include <stdlib.h>

#include "sync/joined.h"
#include "sync/picture_private.h"

enum { KINDS = KIND_OUTCOME + 1 };

struct step {
    struct record_key root;
    struct sum sum;
    struct buf answers; // size_t: which steps it answers
};

struct trailing {
    struct picturing p;
    struct trail_response *response;
    struct step *steps; // TRAIL_STEPS_MAX
    size_t n;
    size_t at; // whose answers are looked for
    struct joined *joined[KINDS];
};

static bool find_root(struct trailing *t, const struct record_key *record, uint32_t *group,
                      struct record_key *root)
{
    if (record->kind >= KINDS) {
        t->p.err = t->p.err ? t->p.err : ERR_NOT_FOUND;
        return false;
    }
    struct joined **joined = &t->joined[record->kind];
    if (!*joined)
        *joined = joined_new(t->p.txn, t->p.community->number, record->kind);
    enum err err = *joined ? joined_group(*joined, record->id, group) : ERR_NOMEM;
    if (err) {
        t->p.err = t->p.err ? t->p.err : err;
        return false;
    }
    *root = (struct record_key){.kind = record->kind};
    memcpy(root->id, joined_root(*joined, *group), ID_SIZE);
    return true;
}

static size_t find_step(const struct trailing *t, const struct record_key *root)
{
    size_t i = 0;
    while (i < t->n && memcmp(&t->steps[i].root, root, sizeof *root) != 0)
        i++;
    return i;
}

// The step of a root, a new one if need be; TRAIL_STEPS_MAX: it is not shown, or there is no room.
static size_t step_of(struct trailing *t, const struct record_key *root)
{
    size_t i = find_step(t, root);
    if (i < t->n)
        return i;
    if (t->n == TRAIL_STEPS_MAX) {
        t->response->more = true;
        return TRAIL_STEPS_MAX;
    }
    struct step *step = &t->steps[t->n];
    *step = (struct step){.root = *root};
    enum err err = sum_get(t->p.txn, t->p.community->number, root, &step->sum);
    if (err && err != ERR_NOT_FOUND)
        t->p.err = t->p.err ? t->p.err : err;
    return !err && picture_is_shown(&t->p, &step->sum) ? t->n++ : TRAIL_STEPS_MAX;
}

static bool take_answer(const struct record_key *other, void *arg)
{
    struct trailing *t = arg;
    uint32_t group;
    struct record_key root;
    if (!find_root(t, other, &group, &root))
        return false;
    size_t i = step_of(t, &root);
    if (i < TRAIL_STEPS_MAX)
        buf_put(&t->steps[i].answers, bytes_of(&t->at, sizeof t->at));
    return !t->p.err;
}

static void look_below(struct trailing *t)
{
    uint32_t group;
    struct record_key root = t->steps[t->at].root;
    struct record_key member;
    if (!find_root(t, &root, &group, &root))
        return;
    for (size_t i = 0; !t->p.err && joined_member(t->joined[root.kind], group, i, &member); i++) {
        enum err err = link_each(t->p.txn, t->p.community->number, &member, false, take_answer, t);
        if (err && !t->p.err)
            t->p.err = err;
    }
}

static enum err begin(struct trailing *t, const struct trail_request *request)
{
    struct record_key record = {.kind = request->kind};
    uint32_t group;
    if (request->kind == 0 || request->kind >= KINDS || request->id.n != ID_SIZE)
        return ERR_NOT_FOUND;
    memcpy(record.id, request->id.p, ID_SIZE);
    enum err err = t->p.eye->mask ? mask_id_back(t->p.eye->mask, record.kind, record.id) : OK;
    if (!err && find_root(t, &record, &group, &record) && step_of(t, &record) == 0)
        return OK;
    return err ? err : t->p.err ? t->p.err : ERR_NOT_FOUND;
}

// --- telling them ---

static int by_time(const void *a, const void *b, void *arg)
{
    const struct trailing *t = arg;
    const struct step *x = &t->steps[*(const size_t *)a];
    const struct step *y = &t->steps[*(const size_t *)b];
    if (x->sum.since != y->sum.since)
        return x->sum.since < y->sum.since ? -1 : 1;
    return memcmp(&x->root, &y->root, sizeof x->root);
}

static void tell_answers(struct trailing *t, const struct step *step,
                         const struct picture_item *items, struct trail_step *to)
{
    size_t n = step->answers.n / sizeof(size_t);
    struct ref *refs = picture_alloc(&t->p, n, sizeof *refs);
    for (size_t i = 0; refs && i < n; i++) {
        size_t of;
        memcpy(&of, step->answers.p + i * sizeof of, sizeof of);
        bool is_known = false;
        for (size_t k = 0; k < to->answers.n; k++)
            is_known |= bytes_equal(refs[k].id, items[of].id);
        if (is_known || to->answers.n == TRAIL_STEPS_MAX)
            continue;
        refs[to->answers.n++] = (struct ref){items[of].kind, items[of].id};
    }
    to->answers.p = refs;
}

static void tell_steps(struct trailing *t)
{
    size_t *order = picture_alloc(&t->p, t->n, sizeof *order);
    struct picture_item *items = picture_alloc(&t->p, t->n, sizeof *items);
    struct trail_step *steps = picture_alloc(&t->p, t->n, sizeof *steps);
    for (size_t i = 0; !t->p.err && i < t->n; i++) {
        const struct picture_item *item = picture_item(&t->p, &t->steps[i].root, &t->steps[i].sum);
        order[i] = i;
        if (item)
            items[i] = *item;
    }
    if (t->p.err)
        return;
    if (t->n > 2)
        qsort_r(order + 1, t->n - 1, sizeof *order, by_time, t);
    for (size_t i = 0; i < t->n; i++) {
        steps[i].item = &items[order[i]];
        tell_answers(t, &t->steps[order[i]], items, &steps[i]);
    }
    t->response->steps = (struct list){steps, t->n};
}

enum err picture_trail(struct txn *txn, const struct community *community,
                       const struct trail_request *request, const struct picture_eye *eye,
                       struct arena *arena, struct trail_response *response, struct fault *fault)
{
    struct trailing t = {{txn, community, eye, arena, OK}, response, NULL, 0, 0, {NULL}};
    enum err err = picture_begin(&t.p, fault);
    if (err)
        return err;
    response->least = eye->least;
    t.steps = calloc(TRAIL_STEPS_MAX, sizeof *t.steps);
    err = t.steps ? begin(&t, request) : ERR_NOMEM;
    for (; !err && !t.p.err && t.at < t.n; t.at++)
        look_below(&t);
    if (!err && !t.p.err)
        tell_steps(&t);
    for (size_t i = 0; i < t.n; i++) {
        if (t.steps[i].answers.err && !t.p.err)
            t.p.err = t.steps[i].answers.err;
        buf_done(&t.steps[i].answers);
    }
    free(t.steps);
    for (size_t i = 0; i < KINDS; i++)
        joined_free(&t.joined[i]);
    if (err == ERR_NOT_FOUND)
        return fault_set(fault, err, "no such record");
    t.p.err = t.p.err ? t.p.err : err;
    return picture_end(&t.p, fault);
}
