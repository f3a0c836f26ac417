#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/schema.h"
#include "storage/log.h"
#include "tests/sync/recount_private.h"

bool recount_same(const struct model_record *a, const struct model_record *b)
{
    return a->kind == b->kind && memcmp(a->id, b->id, ID_SIZE) == 0;
}

static struct model_record root_of(struct recount *r, const struct model_record *record)
{
    for (size_t i = 0; i < r->roots_n; i++) {
        if (recount_same(&r->roots[i][0], record))
            return r->roots[i][1];
    }
    assert(r->roots_n < ROOTS_MAX);
    r->roots[r->roots_n][0] = *record;
    r->roots[r->roots_n][1] = model_root(r->view, record);
    return r->roots[r->roots_n++][1];
}

static bool is_one(struct recount *r, const struct model_record *record,
                   const struct model_record *root)
{
    struct model_record own = root_of(r, record);
    return recount_same(&own, root);
}

// --- texts ---

static struct counts_text text_of(struct bytes bytes, size_t max)
{
    struct counts_text text = {.n = (uint8_t)(bytes.n < max ? bytes.n : max)};
    if (text.n)
        memcpy(text.p, bytes.p, text.n);
    return text; // texts of this world are ASCII
}

static struct bytes content(const struct model_edit *edit)
{
    struct wire_field field;
    struct wire_reader reader = wire_reader(edit->bytes);
    return wire_next(&reader, &field) == OK && field.type == WIRE_SIZED ? field.bytes
                                                                        : (struct bytes){0};
}

// Rows say only where it stands.
static void stand(struct recount *r, const struct model_edit *edit, struct counts_text *text)
{
    enum err err =
        log_find(r->txn, r->community, edit->change->device, edit->change->seq, &text->position);
    assert(!err);
    text->index = (uint8_t)edit->index;
}

static struct counts_text place_of(struct recount *r, const struct model_edit *edit)
{
    struct place place = {.latitude = 0};
    if (!edit || message_decode(&place_message, content(edit), NULL, &place, NULL))
        return (struct counts_text){.n = 0};
    struct counts_text text = text_of(place.code.n ? place.code : place.name, COUNTS_PLACE_MAX);
    if (text.n)
        stand(r, edit, &text);
    return text;
}

// The value of the greatest rank of a field, of all that are one.
static const struct model_edit *winner(struct recount *r, const struct model_record *root,
                                       uint32_t field)
{
    const struct model_edit *found = NULL;
    for (size_t i = 0; i < r->view->n; i++) {
        const struct model_edit *edit = &r->view->edits[i];
        if (edit->field == field && edit->change->record.kind == root->kind &&
            is_one(r, &edit->change->record, root) && (!found || model_outranks(edit, found)))
            found = edit;
    }
    return found;
}

// --- stances ---

// One for each voice: its last stance.
static void hear(struct recount *r, const struct model_edit *edit)
{
    const struct bytes *parts = LIST_AT(struct bytes, edit->change->envelope.parts, 0);
    struct spoken spoken = {.edit = edit};
    spoken.said_on.kind = be32_get(parts[0].p);
    spoken.said_by.kind = KIND_PERSON;
    memcpy(spoken.said_on.id, parts[0].p + 4, ID_SIZE);
    memcpy(spoken.said_by.id, parts[1].p, ID_SIZE);
    spoken.subject = root_of(r, &spoken.said_on);
    spoken.person = root_of(r, &spoken.said_by);
    for (size_t i = 0; i < r->stances_n; i++) {
        struct spoken *known = &r->stances[i];
        if (recount_same(&known->said_by, &spoken.said_by) &&
            recount_same(&known->said_on, &spoken.said_on)) {
            if (model_outranks(edit, known->edit))
                known->edit = edit;
            return;
        }
    }
    assert(r->stances_n < STANCES_MAX);
    r->stances[r->stances_n++] = spoken;
}

static bool counts_it(const struct recount *r, const struct spoken *spoken)
{
    for (size_t i = 0; i < r->stances_n; i++) {
        const struct spoken *other = &r->stances[i];
        if (recount_same(&other->person, &spoken->person) &&
            recount_same(&other->subject, &spoken->subject) &&
            model_outranks(other->edit, spoken->edit))
            return false;
    }
    return true;
}

static uint8_t stance_of(const struct spoken *stance)
{
    uint64_t value = stance->edit->is_varint ? stance->edit->value : 0;
    return value >= 1 && value <= 4 ? (uint8_t)value : 5;
}

struct heard recount_heard(struct recount *r, const struct model_record *person)
{
    const struct model_edit *party = winner(r, person, 11);
    struct heard heard = {.place = place_of(r, winner(r, person, FIELD_PLACE))};
    if (party && party->is_varint && party->value < COUNTS_PARTIES)
        heard.party = (uint8_t)party->value;
    return heard;
}

static struct sum *sum_of(struct recount *r, const struct model_record *record)
{
    for (size_t i = 0; i < r->sums_n; i++) {
        if (recount_same(&r->sums[i].record, record))
            return &r->sums[i].sum;
    }
    assert(r->sums_n < ROOTS_MAX);
    memset(&r->sums[r->sums_n], 0, sizeof r->sums[0]);
    r->sums[r->sums_n].record = *record;
    return &r->sums[r->sums_n++].sum;
}

static void put_stance(struct recount *r, const struct spoken *spoken)
{
    struct heard heard = recount_heard(r, &spoken->person);
    uint8_t said = stance_of(spoken);
    struct buf key BUF_CLEANUP = {0};
    struct buf value BUF_CLEANUP = {0};
    buf_put_be32(&key, r->community);
    buf_put(&key, BYTES(spoken->said_by.id));
    recount_put_record(&key, &spoken->said_on);
    if (counts_it(r, spoken)) {
        buf_put_u8(&value, said);
        buf_put_u8(&value, heard.party);
        if (!recount_same(&spoken->said_on, &spoken->subject))
            buf_put(&value, BYTES(spoken->subject.id));
        sum_of(r, &spoken->subject)->cells[heard.party * 4 + (said <= 3 ? said - 1 : 3)]++;
    }
    recount_put(r, TABLE_STANCE, &key, &value);
}

static void take_stances(struct recount *r)
{
    for (size_t i = 0; i < r->view->n; i++) {
        const struct model_edit *edit = &r->view->edits[i];
        if (edit->change->record.kind == KIND_VOICE && edit->field == FIELD_VOICE_STANCE)
            hear(r, edit);
    }
    for (size_t i = 0; i < r->stances_n; i++)
        put_stance(r, &r->stances[i]);
}

// --- what records say ---

static bool is_said(uint32_t kind)
{
    return kind == KIND_NEED || (kind >= KIND_CONSTRAINT && kind <= KIND_OUTCOME);
}

static bool is_outside(const struct model_view *view, const struct model_record *record)
{
    bool any = false;
    for (size_t i = 0; i < view->n; i++) {
        const struct model_edit *edit = &view->edits[i];
        if (!recount_same(&edit->change->record, record))
            continue;
        if (edit->field == FIELD_AUDIENCE && edit->value != 2 && edit->value != 3)
            return false;
        if (edit->field == FIELD_SENSITIVITY && edit->value != 1)
            return false;
        any |= edit->field == FIELD_AUDIENCE;
    }
    return any;
}

static void add_category(struct recount *r, struct sum *sum, const struct model_edit *edit)
{
    size_t at = 0;
    struct counts_text text = text_of(content(edit), COUNTS_CATEGORY_MAX);
    if (!text.n)
        return;
    stand(r, edit, &text);
    for (; at < sum->categories_n; at++) {
        struct counts_text *known = &sum->categories[at];
        int order = bytes_compare(bytes_of(known->p, known->n), bytes_of(text.p, text.n));
        bool is_earlier = text.position < known->position ||
                          (text.position == known->position && text.index < known->index);
        if (order == 0 && is_earlier)
            *known = text;
        if (order == 0)
            return;
        if (order > 0)
            break;
    }
    assert(sum->categories_n < COUNTS_CATEGORIES_MAX);
    for (size_t i = sum->categories_n++; i > at; i--)
        sum->categories[i] = sum->categories[i - 1];
    sum->categories[at] = text;
}

static void say_edit(struct recount *r, const struct model_edit *edit, struct sum *sum)
{
    const struct model_record *record = &edit->change->record;
    bool is_need = record->kind == KIND_NEED;
    int64_t time = edit->change->envelope.time;
    if (!(sum->marks & SUM_THERE) || time < sum->since)
        sum->since = time;
    // Until somebody is found for whom it is not.
    if (!(sum->marks & SUM_THERE))
        sum->marks |= SUM_OUTSIDE;
    sum->marks |= SUM_THERE;
    if (!is_outside(r->view, record))
        sum->marks &= (uint16_t)~SUM_OUTSIDE;
    if (model_has_tension(r->view, record, edit->field))
        sum->marks |= SUM_TENSION;
    if (is_need && edit->field == 13)
        sum->marks |= SUM_STRENGTHS;
    if (is_need && edit->field == 11)
        add_category(r, sum, edit);
}

static void say_winners(struct recount *r, const struct model_record *root, struct sum *sum)
{
    const struct model_edit *due = winner(r, root, 15);
    const struct model_edit *state = winner(r, root, root->kind == KIND_CONSTRAINT ? 11 : 16);
    sum->place = place_of(r, winner(r, root, FIELD_PLACE));
    if (root->kind == KIND_COMMITMENT && due) {
        sum->due = (int32_t)wire_unzigzag(due->value);
        sum->marks |= SUM_DUE;
    }
    if ((root->kind == KIND_COMMITMENT || root->kind == KIND_CONSTRAINT) && state)
        sum->progress = (uint8_t)state->value;
}

static void take_own(struct recount *r)
{
    for (size_t i = 0; i < r->view->n; i++) {
        const struct model_edit *edit = &r->view->edits[i];
        if (!is_said(edit->change->record.kind))
            continue;
        struct model_record root = root_of(r, &edit->change->record);
        say_edit(r, edit, sum_of(r, &root));
    }
    for (size_t i = 0; i < r->sums_n; i++) {
        if (is_said(r->sums[i].record.kind))
            say_winners(r, &r->sums[i].record, &r->sums[i].sum);
    }
}

// --- answers ---

static bool may_answer(uint32_t kind, uint32_t to)
{
    switch (kind) {
    case KIND_CONSTRAINT:
        return to == KIND_NEED || to == KIND_SOLUTION;
    case KIND_SOLUTION:
        return to == KIND_NEED;
    case KIND_COMMITMENT:
        return to == KIND_NEED || to == KIND_SOLUTION;
    case KIND_OUTCOME:
        return to == KIND_NEED || to == KIND_SOLUTION || to == KIND_COMMITMENT;
    default:
        return false;
    }
}

static bool link_of(const struct model_edit *edit, struct model_record *to)
{
    struct ref ref = {0};
    if (edit->field != FIELD_ABOUT ||
        message_decode(&ref_message, content(edit), NULL, &ref, NULL) || ref.id.n != ID_SIZE ||
        !may_answer(edit->change->record.kind, ref.kind))
        return false;
    to->kind = ref.kind;
    memcpy(to->id, ref.id.p, ID_SIZE);
    return true;
}

// Whether an answer (a root) answers this root, directly or by way of others.
static bool answers(struct recount *r, const struct model_record *answer,
                    const struct model_record *root)
{
    for (size_t i = 0; i < r->view->n; i++) {
        const struct model_edit *edit = &r->view->edits[i];
        struct model_record to;
        if (edit->change->record.kind != answer->kind || !link_of(edit, &to) ||
            !is_one(r, &edit->change->record, answer))
            continue;
        to = root_of(r, &to);
        const struct sum *way = recount_same(&to, root) ? NULL : sum_of(r, &to);
        if (!way || ((way->marks & SUM_THERE) && answers(r, &to, root)))
            return true;
    }
    return false;
}

static void take_answers(struct recount *r)
{
    for (size_t i = 0; i < r->sums_n; i++) {
        struct sum *sum = &r->sums[i].sum;
        for (size_t k = 0; k < r->sums_n && is_said(r->sums[i].record.kind); k++) {
            const struct model_record *answer = &r->sums[k].record;
            const struct sum *of = &r->sums[k].sum;
            if (!(of->marks & SUM_THERE) || !may_answer(answer->kind, r->sums[i].record.kind) ||
                !answers(r, answer, &r->sums[i].record))
                continue;
            if (answer->kind == KIND_CONSTRAINT) {
                sum->cells[28 + (of->progress < 4 ? of->progress : 0)]++;
                continue;
            }
            size_t which = answer->kind - KIND_SOLUTION;
            if (!sum->cells[32 + which]++ || of->since < sum->answered[which])
                sum->answered[which] = of->since;
        }
    }
}

static void put_links(struct recount *r)
{
    for (size_t i = 0; i < r->view->n; i++) {
        const struct model_edit *edit = &r->view->edits[i];
        struct model_record to;
        struct buf none BUF_CLEANUP = {0};
        if (!link_of(edit, &to))
            continue;
        for (uint8_t way = 0; way < 2; way++) {
            struct buf key BUF_CLEANUP = {0};
            buf_put_be32(&key, r->community);
            buf_put_u8(&key, way);
            recount_put_record(&key, way ? &edit->change->record : &to);
            recount_put_record(&key, way ? &to : &edit->change->record);
            recount_put(r, TABLE_LINK, &key, &none);
        }
    }
}

// --- all of it ---

bool recount_is(const struct model_view *view, struct txn *txn, uint32_t community, char why[400])
{
    struct recount *r = calloc(1, sizeof *r);
    assert(r);
    *r = (struct recount){.view = view, .txn = txn, .community = community};
    r->rows = calloc(ROWS_MAX, sizeof *r->rows);
    assert(r->rows);
    take_stances(r);
    take_own(r);
    take_answers(r);
    put_links(r);
    recount_put_sums(r);
    bool good = recount_compare(r, txn, why);
    if (good && !counts_are_kept(txn, community)) {
        (void)snprintf(why, 400, "counts are not kept");
        good = false;
    }
    free(r->rows);
    free(r);
    return good;
}
