// Which records, in which order, and what came of one.

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/collect.h"
#include "sync/counts_private.h"
#include "sync/joined.h"
#include "sync/picture_private.h"

enum { TITLE_MAX = 200, LOOKED_MAX = 20000, CURSOR_SIZE = 4 + ID_SIZE };

// --- one item ---

bool picture_is_shown(const struct picturing *p, const struct sum *sum)
{
    return (sum->marks & SUM_THERE) && (!p->eye->mask || (sum->marks & SUM_OUTSIDE));
}

static struct bytes cut(struct bytes text)
{
    size_t n = text.n < TITLE_MAX ? text.n : TITLE_MAX;
    while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80)
        n--;
    return bytes_of(text.p, n);
}

// The title of the greatest rank, or else the words; empty when it says neither.
static struct bytes read_title(struct picturing *p, const struct record_key *record)
{
    struct collection collection COLLECT_CLEANUP = {.eye = p->eye->eye};
    const struct live *found = NULL;
    struct wire_field field;
    txn_failed(p->txn, collect_record(p->txn, p->community->number, record, &collection));
    for (size_t i = 0; i < collection.n; i++) {
        uint32_t number = collection.edits[i].field;
        if (number == FIELD_TITLE || number == FIELD_WORDS)
            found = &collection.edits[i];
    }
    if (!found || txn_failed(p->txn, collect_edit(p->txn, p->community->number, found, &field)) ||
        field.type != WIRE_SIZED)
        return bytes_of(NULL, 0);
    struct bytes copy = arena_copy(p->arena, cut(field.bytes));
    if (!copy.p && field.bytes.n && !p->err)
        p->err = ERR_NOMEM;
    return copy;
}

// Of all that are joined the first that says something, the root first.
static void name_item(struct picturing *p, const struct record_key *root, struct picture_item *item)
{
    uint32_t group;
    struct record_key member;
    struct joined *joined JOINED_CLEANUP = joined_new(p->txn, p->community->number, root->kind);
    enum err err = joined ? joined_group(joined, root->id, &group) : ERR_NOMEM;
    if (err && !p->err)
        p->err = err;
    for (size_t i = 0; !p->err && joined_member(joined, group, i, &member); i++) {
        item->joined++;
        if (item->title.n == 0)
            item->title = read_title(p, &member);
    }
}

static struct bytes id_of(struct picturing *p, const struct record_key *record)
{
    uint8_t *id = picture_alloc(p, 1, ID_SIZE);
    if (!id)
        return bytes_of(NULL, 0);
    memcpy(id, record->id, ID_SIZE);
    enum err err = p->eye->mask ? mask_ids(p->eye->mask, record->kind, id, 1) : OK;
    if (err && !p->err)
        p->err = err;
    return bytes_of(id, ID_SIZE);
}

static int64_t time_of(const struct picturing *p, int64_t time)
{
    return p->eye->mask && time ? mask_week(time) : time;
}

static struct list categories_of(struct picturing *p, const struct sum *sum)
{
    struct bytes *made = picture_alloc(p, sum->categories_n, sizeof *made);
    for (size_t i = 0; made && i < sum->categories_n; i++)
        made[i] = picture_text(p, &sum->categories[i], false);
    return (struct list){made, made ? sum->categories_n : 0};
}

static void add_answers(struct picturing *p, const struct sum *sum, struct picture_item *item)
{
    item->solutions = picture_floor(p, sum->cells[SUM_ANSWERS]);
    item->commitments = picture_floor(p, sum->cells[SUM_ANSWERS + 1]);
    item->outcomes = picture_floor(p, sum->cells[SUM_ANSWERS + 2]);
    item->solution_since = time_of(p, sum->answered[0]);
    item->commitment_since = time_of(p, sum->answered[1]);
    item->outcome_since = time_of(p, sum->answered[2]);
}

struct picture_item *picture_item(struct picturing *p, const struct record_key *root,
                                  const struct sum *sum)
{
    struct picture_item *item = picture_alloc(p, 1, sizeof *item);
    if (!item)
        return NULL;
    uint64_t damage = txn_damage(p->txn);
    *item = (struct picture_item){
        .kind = root->kind,
        .id = id_of(p, root),
        .since = time_of(p, sum->since),
        .place = picture_text(p, &sum->place, true),
        .category = categories_of(p, sum),
        .voices = picture_voices(p, sum->cells + SUM_VOICES, COUNTS_STANCES),
        .constraints = picture_constraints(p, sum->cells + SUM_NATURES),
        .tension = sum->marks & SUM_TENSION,
        .strengths = sum->marks & SUM_STRENGTHS,
        .has_due = sum->marks & SUM_DUE,
        .due = sum->due,
    };
    add_answers(p, sum, item);
    item->progress = root->kind == KIND_COMMITMENT ? sum->progress : 0;
    item->nature = root->kind == KIND_CONSTRAINT ? sum->progress : 0;
    name_item(p, root, item);
    item->damaged = (sum->marks & SUM_DAMAGED) || txn_damage(p->txn) != damage;
    return p->err ? NULL : item;
}

// --- a page ---

// Several lists, read as one in the order of numbers and ids.
struct merging {
    enum counts_list lists[COUNTS_STATES];
    size_t n;
    struct order_place next[COUNTS_STATES];
    bool has_next[COUNTS_STATES];
};

struct showing {
    struct picturing p;
    const struct show_request *request;
    struct show_response *response;
    uint32_t kind;
    size_t size;
    size_t looked;
    struct merging merging;
};

static bool take_place(const struct order_place *place, void *arg)
{
    *(struct order_place *)arg = *place;
    return false;
}

static void advance(struct showing *s, size_t i, const struct order_place *after)
{
    struct merging *m = &s->merging;
    struct order_place next = {.number = UINT32_MAX};
    static const uint8_t none[ID_SIZE];
    enum err err = order_each(s->p.txn, s->p.community->number, s->kind, m->lists[i], after,
                              take_place, &next);
    if (err && !s->p.err)
        s->p.err = err;
    // Nothing is given when it keeps the id that no record has.
    m->has_next[i] = memcmp(next.id, none, ID_SIZE) != 0;
    m->next[i] = next;
}

static int compare_places(const struct order_place *a, const struct order_place *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return memcmp(a->id, b->id, ID_SIZE);
}

static bool next_place(struct showing *s, struct order_place *place)
{
    struct merging *m = &s->merging;
    size_t least = m->n;
    for (size_t i = 0; i < m->n; i++) {
        if (m->has_next[i] && (least == m->n || compare_places(&m->next[i], &m->next[least]) < 0))
            least = i;
    }
    if (least == m->n || s->p.err)
        return false;
    *place = m->next[least];
    advance(s, least, place);
    return true;
}

static bool is_text(const struct showing *s, const struct counts_text *text, bool is_place,
                    struct bytes wanted)
{
    struct counts_text loaded = *text;
    if (wanted.n == 0)
        return true;
    (void)counts_load(s->p.txn, s->p.community->number, is_place, &loaded);
    return bytes_equal(bytes_of(loaded.p, loaded.n), wanted);
}

static bool is_wanted(const struct showing *s, const struct sum *sum)
{
    bool has_category = s->request->category.n == 0;
    for (size_t i = 0; !has_category && i < sum->categories_n; i++)
        has_category = is_text(s, &sum->categories[i], false, s->request->category);
    return has_category && picture_is_shown(&s->p, sum) &&
           is_text(s, &sum->place, true, s->request->place);
}

// Numbers would tell an outsider more than the items do: theirs is found anew by the id.
static void set_cursor(struct showing *s, const struct order_place *place)
{
    struct record_key record = {.kind = s->kind};
    uint8_t *cursor = picture_alloc(&s->p, 1, CURSOR_SIZE);
    if (!cursor)
        return;
    memcpy(record.id, place->id, ID_SIZE);
    if (s->p.eye->mask) {
        s->response->next_page = id_of(&s->p, &record);
        return;
    }
    be32_put(cursor, place->number);
    memcpy(cursor + 4, place->id, ID_SIZE);
    s->response->next_page = bytes_of(cursor, CURSOR_SIZE);
}

static enum err read_cursor(struct showing *s, struct order_place *after)
{
    struct bytes page = s->request->page;
    struct record_key record = {.kind = s->kind};
    struct sum sum;
    if (page.n != (s->p.eye->mask ? ID_SIZE : CURSOR_SIZE))
        return ERR_MALFORMED;
    if (!s->p.eye->mask) {
        after->number = be32_get(page.p);
        memcpy(after->id, page.p + 4, ID_SIZE);
        return OK;
    }
    memcpy(record.id, page.p, ID_SIZE);
    enum err err = mask_id_back(s->p.eye->mask, s->kind, record.id);
    if (!err)
        err = sum_get(s->p.txn, s->p.community->number, &record, &sum);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_MALFORMED : err;
    memcpy(after->id, record.id, ID_SIZE);
    // Out of the list it still has a number in its order.
    (void)sum_is_in(&sum, s->kind, s->merging.lists[0], &after->number);
    return OK;
}

static void show_places(struct showing *s)
{
    struct order_place place;
    struct list *items = &s->response->items;
    while (next_place(s, &place)) {
        struct record_key record = {.kind = s->kind};
        struct sum sum;
        memcpy(record.id, place.id, ID_SIZE);
        enum err err = sum_get(s->p.txn, s->p.community->number, &record, &sum);
        // What is in a list has a sum.
        if (err && !s->p.err)
            s->p.err = err == ERR_NOT_FOUND ? txn_damaged(s->p.txn) : err;
        const struct picture_item *item =
            !s->p.err && is_wanted(s, &sum) ? picture_item(&s->p, &record, &sum) : NULL;
        if (item)
            *LIST_AT(struct picture_item, *items, items->n++) = *item;
        if (items->n == s->size || ++s->looked == LOOKED_MAX) {
            set_cursor(s, &place);
            return;
        }
    }
}

static enum err choose_lists(struct showing *s)
{
    struct merging *m = &s->merging;
    uint32_t list = s->request->list;
    m->n = list == 0 ? COUNTS_STATES : 1;
    for (size_t i = 0; i < m->n; i++)
        m->lists[i] = (enum counts_list)(list == 0 ? i : list - 1);
    return list <= LIST_COUNT ? OK : ERR_MALFORMED;
}

enum err picture_show(struct txn *txn, const struct community *community,
                      const struct show_request *request, const struct picture_eye *eye,
                      struct arena *arena, struct show_response *response, struct fault *fault)
{
    struct order_place after;
    struct showing s = {{txn, community, eye, arena, OK},
                        request,
                        response,
                        request->kind ? request->kind : KIND_NEED,
                        request->page_size ? request->page_size : PAGE_DEFAULT,
                        0,
                        {.n = 0}};
    enum err err = picture_begin(&s.p, fault);
    if (err)
        return err;
    err = s.kind > KIND_MAX || s.size > PAGE_MAX ? ERR_MALFORMED : choose_lists(&s);
    if (!err && request->page.n)
        err = read_cursor(&s, &after);
    if (err == ERR_MALFORMED)
        return fault_set(fault, err, "ShowRequest: kind, list, page or page_size is wrong");
    s.p.err = err;
    response->least = eye->least;
    response->items.p = picture_alloc(&s.p, s.size, sizeof(struct picture_item));
    for (size_t i = 0; !s.p.err && i < s.merging.n; i++)
        advance(&s, i, request->page.n ? &after : NULL);
    if (!s.p.err)
        show_places(&s);
    return picture_end(&s.p, fault);
}
