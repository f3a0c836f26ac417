// What answers what: links between records, and how far a record is answered through them.

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/collect.h"
#include "sync/counts_private.h"

void counts_touch(struct counting *c, const struct record_key *root, uint8_t what)
{
    struct touch touch = {.record = *root, .what = what};
    buf_put(&c->touched[counts_rank(root->kind)], bytes_of(&touch, sizeof touch));
}

// Whether a record of this kind answers one of that, or stands in its way.
static bool may_answer(uint32_t kind, uint32_t to)
{
    enum counts_rank rank = counts_rank(kind);
    enum counts_rank of = counts_rank(to);
    if (rank == RANK_CONSTRAINT)
        return of == RANK_NEED || of == RANK_SOLUTION;
    return rank < of && of != RANKS;
}

// --- links ---

static bool gather_link(const struct record_key *other, void *arg)
{
    buf_put(arg, bytes_of(other, sizeof *other));
    return true;
}

static void gather_about(struct counting *c, const struct record_key *record, struct buf *to)
{
    struct collection collection COLLECT_CLEANUP = {0};
    if (txn_failed(c->txn, collect_record(c->txn, c->community, record, &collection)) &&
        txn_error(c->txn))
        return;
    for (size_t i = 0; i < collection.n && collection.edits[i].field == FIELD_ABOUT; i++) {
        struct wire_field field;
        struct ref ref = {0};
        if (txn_failed(c->txn, collect_edit(c->txn, c->community, &collection.edits[i], &field)) ||
            field.type != WIRE_SIZED ||
            message_decode(&ref_message, field.bytes, NULL, &ref, NULL) || ref.id.n != ID_SIZE ||
            !may_answer(record->kind, ref.kind))
            continue;
        struct record_key found = {.kind = ref.kind};
        memcpy(found.id, ref.id.p, ID_SIZE);
        buf_put(to, bytes_of(&found, sizeof found));
    }
}

static void touch_root(struct counting *c, const struct record_key *record)
{
    struct group_of group;
    if (counts_find(c, record, &group))
        counts_touch(c, &group.root, TOUCH_ANSWERS);
}

static void change_link(struct counting *c, const struct record_key *record,
                        const struct record_key *to, bool is_new)
{
    if (is_new)
        link_put(c->txn, c->community, record, to);
    else
        link_delete(c->txn, c->community, record, to);
    touch_root(c, to);
}

// Both lists are sorted and have each once.
static void change_links(struct counting *c, const struct record_key *record,
                         const struct buf *were, const struct buf *are)
{
    size_t size = sizeof(struct record_key);
    for (size_t i = 0, k = 0; !c->lost && (i < were->n || k < are->n);) {
        int order = i == were->n ? 1 : k == are->n ? -1 : memcmp(were->p + i, are->p + k, size);
        if (order < 0)
            change_link(c, record, (const struct record_key *)(const void *)(were->p + i), false);
        if (order > 0)
            change_link(c, record, (const struct record_key *)(const void *)(are->p + k), true);
        i += order <= 0 ? size : 0;
        k += order >= 0 ? size : 0;
    }
}

void counts_relink(struct counting *c, const struct record_key *record)
{
    BUF_CLEANUP struct buf were = {0};
    BUF_CLEANUP struct buf are = {0};
    if (counts_rank(record->kind) == RANK_NEED)
        return;
    if (counts_fail(c, link_each(c->txn, c->community, record, true, gather_link, &were)))
        return;
    gather_about(c, record, &are);
    if (counts_fail(c, were.err ? were.err : are.err))
        return;
    counts_sort(&were, sizeof(struct record_key));
    counts_sort(&are, sizeof(struct record_key));
    change_links(c, record, &were, &are);
}

static bool touch_linked(const struct record_key *other, void *arg)
{
    struct counting *c = arg;
    touch_root(c, other);
    return !c->lost;
}

void counts_touch_up(struct counting *c, const struct record_key *record)
{
    struct group_of group;
    struct record_key member;
    if (counts_rank(record->kind) >= RANK_NEED || !counts_find(c, record, &group))
        return;
    for (size_t i = 0; !c->lost && groups_member(&group, i, &member); i++)
        counts_fail(c, link_each(c->txn, c->community, &member, true, touch_linked, c));
}

// --- how far it is answered ---

struct answering {
    struct counting *c;
    struct sum *sum;
    struct buf found[RANK_NEED]; // struct record_key: roots, by rank
};

static bool take_answer(const struct record_key *other, void *arg)
{
    struct answering *a = arg;
    struct group_of group;
    enum counts_rank rank = counts_rank(other->kind);
    if (rank >= RANK_NEED)
        a->c->lost = true;
    else if (counts_find(a->c, other, &group))
        buf_put(&a->found[rank], bytes_of(&group.root, sizeof group.root));
    return !a->c->lost;
}

static void look_below(struct answering *a, const struct record_key *record)
{
    struct group_of group;
    struct record_key member;
    struct counting *c = a->c;
    if (!counts_find(c, record, &group))
        return;
    for (size_t i = 0; !c->lost && groups_member(&group, i, &member); i++)
        counts_fail(c, link_each(c->txn, c->community, &member, false, take_answer, a));
}

static void add_answer(struct sum *sum, enum counts_rank rank, const struct sum *answer)
{
    size_t i = (size_t)RANK_SOLUTION - rank;
    if (rank == RANK_CONSTRAINT) {
        sum->cells[SUM_NATURES + (answer->progress < COUNTS_NATURES ? answer->progress : 0)]++;
        return;
    }
    if (!sum->cells[SUM_ANSWERS + i] || answer->since < sum->answered[i])
        sum->answered[i] = answer->since;
    sum->cells[SUM_ANSWERS + i]++;
}

static void add_rank(struct answering *a, enum counts_rank rank)
{
    struct buf *found = &a->found[rank];
    struct counting *c = a->c;
    counts_sort(found, sizeof(struct record_key));
    for (size_t i = 0; i < found->n && !c->lost; i += sizeof(struct record_key)) {
        struct record_key answer;
        struct sum sum;
        memcpy(&answer, found->p + i, sizeof answer);
        enum err err = sum_get(c->txn, c->community, &answer, &sum);
        if (err == ERR_NOT_FOUND || counts_fail(c, err) || !(sum.marks & SUM_THERE))
            continue;
        add_answer(a->sum, rank, &sum);
        if (rank != RANK_CONSTRAINT)
            look_below(a, &answer);
    }
}

void counts_answers(struct counting *c, const struct record_key *record, struct sum *sum)
{
    struct group_of group;
    struct answering a = {.c = c, .sum = sum};
    memset(sum->cells + SUM_NATURES, 0, (SUM_CELLS - SUM_NATURES) * sizeof *sum->cells);
    memset(sum->answered, 0, sizeof sum->answered);
    if (!counts_find(c, record, &group) || !group.is_root || counts_rank(record->kind) == RANKS)
        return;
    look_below(&a, record);
    // What answers an answer comes after it; what stands in the way, last.
    for (size_t rank = RANK_NEED; rank-- > 0;)
        add_rank(&a, (enum counts_rank)rank);
    for (size_t rank = 0; rank < RANK_NEED; rank++) {
        counts_fail(c, a.found[rank].err);
        buf_done(&a.found[rank]);
    }
}
