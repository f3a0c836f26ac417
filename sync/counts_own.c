// What records say themselves, as far as it is counted: of all that are one, the values of the
// greatest rank.

#include <stdlib.h>

#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/audience.h"
#include "sync/collect.h"
#include "sync/counts_private.h"
#include "sync/merge.h"

struct winner {
    bool is_any;
    struct live edit;
};

struct owning {
    struct counting *c;
    struct sum *sum;
    uint32_t kind;
    bool all_outside;
    bool any;
    struct winner place;
    struct winner due;
    struct winner progress;
};

// --- texts ---

static int compare_text(const struct counts_text *a, const struct counts_text *b)
{
    return bytes_compare(bytes_of(a->p, a->n), bytes_of(b->p, b->n));
}

static bool is_before(const struct counts_text *a, const struct counts_text *b)
{
    return a->position != b->position ? a->position < b->position : a->index < b->index;
}

// In its place, each once, from where it was said first; the last makes room when there are too
// many.
static void add_category(struct sum *sum, const struct live *edit, const struct wire_field *field)
{
    struct counts_text text;
    size_t at = 0;
    counts_take_text(edit, field, false, &text);
    if (text.n == 0)
        return;
    while (at < sum->categories_n && compare_text(&sum->categories[at], &text) < 0)
        at++;
    if (at == COUNTS_CATEGORIES_MAX)
        return;
    if (at < sum->categories_n && compare_text(&sum->categories[at], &text) == 0) {
        if (is_before(&text, &sum->categories[at]))
            sum->categories[at] = text;
        return;
    }
    if (sum->categories_n < COUNTS_CATEGORIES_MAX)
        sum->categories_n++;
    memmove(&sum->categories[at + 1], &sum->categories[at],
            (sum->categories_n - at - 1u) * sizeof text);
    sum->categories[at] = text;
}

// The row says only where they stand.
static void empty_text(struct counts_text *text)
{
    *text = (struct counts_text){.position = text->position, .index = text->index};
}

// --- one record ---

static void keep_winner(struct winner *winner, const struct live *edit)
{
    if (!winner->is_any || merge_rank(edit, &winner->edit) > 0)
        winner->edit = *edit;
    winner->is_any = true;
}

static void take_edit(struct owning *o, const struct live *edit)
{
    struct wire_field field;
    struct sum *sum = o->sum;
    if (!o->any || edit->time < sum->since)
        sum->since = edit->time;
    o->any = true;
    if (edit->field == FIELD_PLACE)
        keep_winner(&o->place, edit);
    else if (o->kind == KIND_COMMITMENT && edit->field == FIELD_DUE)
        keep_winner(&o->due, edit);
    else if ((o->kind == KIND_COMMITMENT && edit->field == FIELD_PROGRESS) ||
             (o->kind == KIND_CONSTRAINT && edit->field == FIELD_NATURE))
        keep_winner(&o->progress, edit);
    else if (o->kind == KIND_NEED && edit->field == FIELD_STRENGTHS)
        sum->marks |= SUM_STRENGTHS;
    else if (o->kind == KIND_NEED && edit->field == FIELD_CATEGORY &&
             counts_read_edit(o->c, edit, &field))
        add_category(sum, edit, &field);
}

// Whether values of one register, n of them, differ.
static bool differ(struct counting *c, const struct live *edits, size_t n)
{
    bool differs = false;
    BUF_CLEANUP struct buf first = {0};
    for (size_t i = 0; i < n && !differs; i++) {
        struct wire_field field;
        if (!counts_read_edit(c, &edits[i], &field))
            continue;
        if (first.n == 0)
            buf_put(&first, field.whole);
        else
            differs = !bytes_equal(buf_bytes(&first), field.whole);
    }
    txn_failed(c->txn, first.err);
    return differs;
}

static bool has_tension(struct owning *o, const struct collection *collection)
{
    const struct live *edits = collection->edits;
    for (size_t i = 0, next; i < collection->n; i = next) {
        for (next = i + 1; next < collection->n && edits[next].field == edits[i].field;)
            next++;
        if (next - i > 1 && collect_is_register(o->kind, edits[i].field) &&
            differ(o->c, edits + i, next - i))
            return true;
    }
    return false;
}

static bool is_outside(struct counting *c, const struct collection *collection)
{
    bool is_said = false;
    for (size_t i = 0; i < collection->n; i++) {
        const struct live *edit = &collection->edits[i];
        struct wire_field field;
        if (edit->field != FIELD_AUDIENCE && edit->field != FIELD_SENSITIVITY)
            continue;
        if (!counts_read_edit(c, edit, &field) || !audience_is_wide(edit->field, field.value))
            return false;
        is_said |= edit->field == FIELD_AUDIENCE;
    }
    return is_said;
}

static void own_record(struct owning *o, const struct record_key *record)
{
    struct counting *c = o->c;
    struct collection collection COLLECT_CLEANUP = {0};
    txn_failed(c->txn, collect_record(c->txn, c->community, record, &collection));
    for (size_t i = 0; i < collection.n; i++)
        take_edit(o, &collection.edits[i]);
    if (has_tension(o, &collection))
        o->sum->marks |= SUM_TENSION;
    if (collection.n)
        o->all_outside &= is_outside(c, &collection);
}

// --- all that are one ---

static bool read_winner(struct owning *o, const struct winner *winner, struct wire_field *field)
{
    return winner->is_any && counts_read_edit(o->c, &winner->edit, field);
}

static void take_winners(struct owning *o)
{
    struct wire_field field;
    struct sum *sum = o->sum;
    if (read_winner(o, &o->place, &field))
        counts_take_text(&o->place.edit, &field, true, &sum->place);
    empty_text(&sum->place);
    for (size_t i = 0; i < sum->categories_n; i++)
        empty_text(&sum->categories[i]);
    if (read_winner(o, &o->due, &field) && field.type == WIRE_VARINT) {
        int64_t due = wire_unzigzag(field.value);
        sum->due = due > INT32_MAX ? INT32_MAX : due < INT32_MIN ? INT32_MIN : (int32_t)due;
        sum->marks |= SUM_DUE;
    }
    if (read_winner(o, &o->progress, &field) && field.type == WIRE_VARINT)
        sum->progress = field.value < UINT8_MAX ? (uint8_t)field.value : 0;
}

static void forget_own(struct sum *sum)
{
    struct sum empty = {.marks = 0};
    memcpy(empty.cells, sum->cells, sizeof empty.cells);
    memcpy(empty.answered, sum->answered, sizeof empty.answered);
    *sum = empty;
}

void counts_own(struct counting *c, const struct record_key *record, struct sum *sum)
{
    struct group_of group;
    struct record_key member;
    uint64_t damage = txn_damage(c->txn);
    struct owning o = {.c = c, .sum = sum, .kind = record->kind, .all_outside = true};
    forget_own(sum);
    if (!counts_find(c, record, &group) || !group.is_root || counts_rank(record->kind) == RANKS)
        return;
    for (size_t i = 0; groups_member(&group, i, &member); i++)
        own_record(&o, &member);
    take_winners(&o);
    if (o.any)
        sum->marks |= SUM_THERE;
    if (o.any && o.all_outside)
        sum->marks |= SUM_OUTSIDE;
    if (txn_damage(c->txn) != damage)
        sum->marks |= SUM_DAMAGED;
}

// --- persons ---

void counts_person(struct counting *c, const struct group_of *person, struct heard *heard)
{
    struct record_key member;
    struct winner party = {.is_any = false};
    struct winner place = {.is_any = false};
    struct owning o = {.c = c};
    struct wire_field field;
    *heard = (struct heard){.party = 0};
    for (size_t i = 0; groups_member(person, i, &member); i++) {
        struct collection collection COLLECT_CLEANUP = {0};
        txn_failed(c->txn, collect_record(c->txn, c->community, &member, &collection));
        for (size_t k = 0; k < collection.n; k++) {
            if (collection.edits[k].field == FIELD_PARTY_KIND)
                keep_winner(&party, &collection.edits[k]);
            if (collection.edits[k].field == FIELD_PLACE)
                keep_winner(&place, &collection.edits[k]);
        }
    }
    if (read_winner(&o, &party, &field) && field.type == WIRE_VARINT &&
        field.value < COUNTS_PARTIES)
        heard->party = (uint8_t)field.value;
    if (read_winner(&o, &place, &field))
        counts_take_text(&place.edit, &field, true, &heard->place);
    empty_text(&heard->place);
}
