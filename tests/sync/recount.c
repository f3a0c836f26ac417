#include "tests/sync/recount.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "proto/schema.h"
#include "storage/counts.h"
#include "storage/table.h"

enum { ROWS_MAX = 8192, ROOTS_MAX = 2048, STANCES_MAX = 2048, KEY_BYTES = 80, VALUE_BYTES = 1024 };

struct row {
    enum table table;
    size_t key_n;
    size_t value_n;
    uint8_t key[KEY_BYTES];
    uint8_t value[VALUE_BYTES];
};

struct spoken {
    struct model_record said_by;
    struct model_record said_on;
    struct model_record person; // roots of these
    struct model_record subject;
    const struct model_edit *edit;
};

struct recount {
    const struct model_view *view;
    uint32_t community;
    struct row *rows;
    size_t rows_n;
    struct model_record roots[ROOTS_MAX][2]; // of what, which
    size_t roots_n;
    struct spoken stances[STANCES_MAX];
    size_t stances_n;
    struct {
        struct model_record record;
        struct sum sum;
    } sums[ROOTS_MAX];
    size_t sums_n;
};

static bool same(const struct model_record *a, const struct model_record *b)
{
    return a->kind == b->kind && memcmp(a->id, b->id, ID_SIZE) == 0;
}

static struct model_record root_of(struct recount *r, const struct model_record *record)
{
    for (size_t i = 0; i < r->roots_n; i++) {
        if (same(&r->roots[i][0], record))
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
    return same(&own, root);
}

// --- rows ---

static void put(struct recount *r, enum table table, const struct buf *key, const struct buf *value)
{
    assert(r->rows_n < ROWS_MAX && key->n <= KEY_BYTES && value->n <= VALUE_BYTES);
    struct row *row = &r->rows[r->rows_n++];
    *row = (struct row){.table = table, .key_n = key->n, .value_n = value->n};
    memcpy(row->key, key->p, key->n);
    if (value->n)
        memcpy(row->value, value->p, value->n);
}

static void put_record(struct buf *out, const struct model_record *record)
{
    buf_put_u8(out, (uint8_t)(record->kind >> 8));
    buf_put_u8(out, (uint8_t)record->kind);
    buf_put(out, BYTES(record->id));
}

static void put_text(struct buf *out, const struct counts_text *text)
{
    buf_put_u8(out, text->n);
    buf_put(out, bytes_of(text->p, text->n));
}

static void put_cells(struct buf *out, const uint32_t *cells, size_t n)
{
    uint8_t used = 0;
    for (size_t i = 0; i < n; i++)
        used = (uint8_t)(used + !!cells[i]);
    buf_put_u8(out, used);
    for (size_t i = 0; i < n; i++) {
        if (cells[i]) {
            buf_put_u8(out, (uint8_t)i);
            buf_put_be32(out, cells[i]);
        }
    }
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

static struct counts_text place_of(const struct model_edit *edit)
{
    struct place place = {.latitude = 0};
    if (!edit || message_decode(&place_message, content(edit), NULL, &place, NULL))
        return (struct counts_text){.n = 0};
    return text_of(place.code.n ? place.code : place.name, COUNTS_PLACE_MAX);
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
        if (same(&known->said_by, &spoken.said_by) && same(&known->said_on, &spoken.said_on)) {
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
        if (same(&other->person, &spoken->person) && same(&other->subject, &spoken->subject) &&
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

static struct heard heard_of(struct recount *r, const struct model_record *person)
{
    const struct model_edit *party = winner(r, person, 11);
    struct heard heard = {.place = place_of(winner(r, person, FIELD_PLACE))};
    if (party && party->is_varint && party->value < COUNTS_PARTIES)
        heard.party = (uint8_t)party->value;
    return heard;
}

static struct sum *sum_of(struct recount *r, const struct model_record *record)
{
    for (size_t i = 0; i < r->sums_n; i++) {
        if (same(&r->sums[i].record, record))
            return &r->sums[i].sum;
    }
    assert(r->sums_n < ROOTS_MAX);
    memset(&r->sums[r->sums_n], 0, sizeof r->sums[0]);
    r->sums[r->sums_n].record = *record;
    return &r->sums[r->sums_n++].sum;
}

static void put_stance(struct recount *r, const struct spoken *spoken)
{
    struct heard heard = heard_of(r, &spoken->person);
    uint8_t said = stance_of(spoken);
    struct buf key BUF_CLEANUP = {0};
    struct buf value BUF_CLEANUP = {0};
    buf_put_be32(&key, r->community);
    buf_put(&key, BYTES(spoken->said_by.id));
    put_record(&key, &spoken->said_on);
    if (counts_it(r, spoken)) {
        buf_put_u8(&value, said);
        buf_put_u8(&value, heard.party);
        if (!same(&spoken->said_on, &spoken->subject))
            buf_put(&value, BYTES(spoken->subject.id));
        sum_of(r, &spoken->subject)->cells[heard.party * 4 + (said <= 3 ? said - 1 : 3)]++;
    }
    put(r, TABLE_STANCE, &key, &value);
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
        if (!same(&edit->change->record, record))
            continue;
        if (edit->field == FIELD_AUDIENCE && edit->value != 2 && edit->value != 3)
            return false;
        if (edit->field == FIELD_SENSITIVITY && edit->value != 1)
            return false;
        any |= edit->field == FIELD_AUDIENCE;
    }
    return any;
}

static void add_category(struct sum *sum, struct bytes category)
{
    size_t at = 0;
    struct counts_text text = text_of(category, COUNTS_CATEGORY_MAX);
    if (!text.n)
        return;
    for (; at < sum->categories_n; at++) {
        int order = bytes_compare(bytes_of(sum->categories[at].p, sum->categories[at].n), category);
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
        add_category(sum, content(edit));
}

static void say_winners(struct recount *r, const struct model_record *root, struct sum *sum)
{
    const struct model_edit *due = winner(r, root, 15);
    const struct model_edit *state = winner(r, root, root->kind == KIND_CONSTRAINT ? 11 : 16);
    sum->place = place_of(winner(r, root, FIELD_PLACE));
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
        const struct sum *way = same(&to, root) ? NULL : sum_of(r, &to);
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
            put_record(&key, way ? &edit->change->record : &to);
            put_record(&key, way ? &to : &edit->change->record);
            put(r, TABLE_LINK, &key, &none);
        }
    }
}

// --- sums, lists ---

static uint32_t persons(const struct sum *sum, unsigned stance)
{
    uint32_t n = 0;
    for (unsigned party = 0; party < COUNTS_PARTIES; party++)
        n += sum->cells[party * 4 + stance];
    return n;
}

static unsigned state_of(const struct sum *sum)
{
    return sum->cells[34] ? 3 : sum->cells[33] ? 2 : sum->cells[32] ? 1 : 0;
}

static bool is_blocked(const struct sum *sum)
{
    return sum->cells[28] + sum->cells[29] + sum->cells[30] + sum->cells[31] > 0;
}

static void put_order(struct recount *r, const struct model_record *record, uint8_t list,
                      uint32_t number)
{
    struct buf key BUF_CLEANUP = {0};
    struct buf none BUF_CLEANUP = {0};
    buf_put_be32(&key, r->community);
    buf_put_u8(&key, (uint8_t)(record->kind >> 8));
    buf_put_u8(&key, (uint8_t)record->kind);
    buf_put_u8(&key, list);
    buf_put_be32(&key, number);
    buf_put(&key, BYTES(record->id));
    put(r, TABLE_ORDER, &key, &none);
}

static void put_orders(struct recount *r, const struct model_record *record, const struct sum *sum)
{
    uint32_t for_ = persons(sum, 0);
    uint32_t against = persons(sum, 1);
    uint32_t rest = 0xffffffff - for_ - against - persons(sum, 2);
    if (!(sum->marks & SUM_THERE))
        return;
    put_order(r, record, 0, rest);
    put_order(r, record, (uint8_t)(1 + state_of(sum)), rest);
    if (for_ && against)
        put_order(r, record, 5, 0xffffffff - (for_ < against ? for_ : against));
    if (sum->marks & SUM_TENSION)
        put_order(r, record, 6, rest);
    if (is_blocked(sum))
        put_order(r, record, 7, rest);
    if (sum->marks & SUM_STRENGTHS)
        put_order(r, record, 8, rest);
    if ((sum->marks & SUM_DUE) && record->kind == KIND_COMMITMENT && sum->progress < 3)
        put_order(r, record, 9, (uint32_t)sum->due + 0x80000000u);
}

static void put_sum(struct recount *r, const struct model_record *record, const struct sum *sum)
{
    struct buf key BUF_CLEANUP = {0};
    struct buf value BUF_CLEANUP = {0};
    static const uint32_t none[SUM_CELLS];
    if (!sum->marks && memcmp(sum->cells, none, sizeof none) == 0)
        return;
    buf_put_be32(&key, r->community);
    put_record(&key, record);
    put_cells(&value, sum->cells, SUM_CELLS);
    buf_put_u8(&value, 0);
    buf_put_u8(&value, (uint8_t)sum->marks);
    buf_put_be64(&value, (uint64_t)sum->since);
    for (size_t i = 0; i < 3; i++)
        buf_put_be64(&value, (uint64_t)sum->answered[i]);
    buf_put_be32(&value, (uint32_t)sum->due);
    buf_put_u8(&value, sum->progress);
    put_text(&value, &sum->place);
    buf_put_u8(&value, sum->categories_n);
    for (size_t i = 0; i < sum->categories_n; i++)
        put_text(&value, &sum->categories[i]);
    put(r, TABLE_SUM, &key, &value);
}

// --- what adds up ---

struct total {
    uint32_t kind;
    struct counts_text place;
    struct counts_text category;
    uint32_t cells[96];
};

struct totals {
    struct total all[512];
    size_t n;
};

static struct total *total_of(struct totals *totals, uint32_t kind, const struct counts_text *place,
                              const struct counts_text *category)
{
    for (size_t i = 0; i < totals->n; i++) {
        struct total *total = &totals->all[i];
        if (total->kind == kind && memcmp(&total->place, place, sizeof *place) == 0 &&
            memcmp(&total->category, category, sizeof *category) == 0)
            return total;
    }
    assert(totals->n < 512);
    totals->all[totals->n] = (struct total){kind, *place, *category, {0}};
    return &totals->all[totals->n++];
}

static void add_to(struct total *total, const struct sum *sum)
{
    unsigned state = state_of(sum);
    for (unsigned party = 0; party < COUNTS_PARTIES; party++) {
        for (unsigned stance = 0; stance < 3; stance++)
            total->cells[state * 21 + party * 3 + stance] += sum->cells[party * 4 + stance];
    }
    total->cells[84 + state]++;
    total->cells[88] += persons(sum, 0) && persons(sum, 1);
    total->cells[89] += (sum->marks & SUM_TENSION) != 0;
    total->cells[90] += is_blocked(sum);
    total->cells[95] += (sum->marks & SUM_STRENGTHS) != 0;
    for (unsigned i = 0; i < 4; i++)
        total->cells[91 + i] += sum->cells[28 + i];
}

static void add_sum(struct totals *totals, uint32_t kind, const struct sum *sum)
{
    static const struct counts_text all;
    for (int with_place = 0; with_place <= (sum->place.n > 0); with_place++) {
        const struct counts_text *place = with_place ? &sum->place : &all;
        add_to(total_of(totals, kind, place, &all), sum);
        for (size_t i = 0; i < sum->categories_n; i++)
            add_to(total_of(totals, kind, place, &sum->categories[i]), sum);
    }
}

static void put_hash(struct buf *out, const struct counts_text *text)
{
    uint8_t whole[HASH_SIZE] = {0};
    struct hash hash;
    if (text->n) {
        hash_begin(&hash, "folkmoot count v1");
        hash_put(&hash, bytes_of(text->p, text->n));
        hash_end(&hash, whole);
    }
    buf_put(out, bytes_of(whole, 16));
}

static void put_totals(struct recount *r, const struct totals *totals)
{
    for (size_t i = 0; i < totals->n; i++) {
        const struct total *total = &totals->all[i];
        struct buf key BUF_CLEANUP = {0};
        struct buf value BUF_CLEANUP = {0};
        buf_put_be32(&key, r->community);
        buf_put_u8(&key, 0);
        buf_put_u8(&key, (uint8_t)total->kind);
        put_hash(&key, &total->place);
        put_hash(&key, &total->category);
        put_text(&value, &total->place);
        put_text(&value, &total->category);
        put_cells(&value, total->cells, 96);
        put(r, TABLE_COUNTS, &key, &value);
    }
}

// Each person once, though they have spoken of many things.
static void put_heard(struct recount *r, struct totals *totals)
{
    static const struct counts_text all;
    for (size_t i = 0; i < r->stances_n; i++) {
        const struct model_record *person = &r->stances[i].person;
        struct buf key BUF_CLEANUP = {0};
        struct buf value BUF_CLEANUP = {0};
        bool known = false;
        for (size_t k = 0; k < i; k++)
            known |= same(&r->stances[k].person, person);
        if (known)
            continue;
        struct heard heard = heard_of(r, person);
        buf_put_be32(&key, r->community);
        buf_put(&key, BYTES(person->id));
        buf_put_u8(&value, heard.party);
        put_text(&value, &heard.place);
        put(r, TABLE_HEARD, &key, &value);
        total_of(totals, KIND_PERSON, &all, &all)->cells[heard.party]++;
        if (heard.place.n)
            total_of(totals, KIND_PERSON, &heard.place, &all)->cells[heard.party]++;
    }
}

// --- comparing ---

static int by_key(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return bytes_compare(bytes_of(x->key, x->key_n), bytes_of(y->key, y->key_n));
}

static void say(char why[400], const char *what, enum table table, struct bytes key,
                struct bytes value)
{
    char hex[2][160] = {"", ""};
    text_hex(bytes_of(key.p, key.n < 70 ? key.n : 70), hex[0]);
    text_hex(bytes_of(value.p, value.n < 70 ? value.n : 70), hex[1]);
    (void)snprintf(why, 400, "table %d: %s %s %s", (int)(table - TABLE_STANCE), what, hex[0],
                   hex[1]);
}

// `from` goes on behind the table's rows.
static bool compare_table(const struct recount *r, struct txn *txn, enum table table, size_t *from,
                          char why[400])
{
    uint8_t prefix[4];
    be32_put(prefix, r->community);
    struct walk walk WALK_CLEANUP;
    walk_begin(&walk, txn, table, BYTES(prefix), bytes_of(NULL, 0));
    while (walk_next(&walk)) {
        const struct row *row = &r->rows[*from];
        bool is_there = *from < r->rows_n && row->table == table &&
                        bytes_equal(walk.key, bytes_of(row->key, row->key_n));
        if (!is_there || !bytes_equal(walk.value, bytes_of(row->value, row->value_n))) {
            say(why,
                is_there ? "other than counted:" : "too many, or one before is missing:", table,
                walk.key, walk.value);
            return false;
        }
        while (*from < r->rows_n && by_key(&r->rows[*from], row) == 0)
            ++*from;
    }
    if (*from < r->rows_n && r->rows[*from].table == table) {
        const struct row *row = &r->rows[*from];
        say(why, "missing:", table, bytes_of(row->key, row->key_n),
            bytes_of(row->value, row->value_n));
        return false;
    }
    return true;
}

bool recount_is(const struct model_view *view, struct store *store, uint32_t community,
                char why[400])
{
    struct recount *r = calloc(1, sizeof *r);
    struct totals *totals = calloc(1, sizeof *totals);
    assert(r && totals);
    *r = (struct recount){.view = view, .community = community};
    r->rows = calloc(ROWS_MAX, sizeof *r->rows);
    assert(r->rows);
    take_stances(r);
    take_own(r);
    take_answers(r);
    put_links(r);
    put_heard(r, totals);
    for (size_t i = 0; i < r->sums_n; i++) {
        const struct model_record *record = &r->sums[i].record;
        put_sum(r, record, &r->sums[i].sum);
        put_orders(r, record, &r->sums[i].sum);
        if (r->sums[i].sum.marks & SUM_THERE)
            add_sum(totals, record->kind, &r->sums[i].sum);
    }
    put_totals(r, totals);
    qsort(r->rows, r->rows_n, sizeof *r->rows, by_key);
    size_t from = 0;
    bool good = true;
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    for (int table = TABLE_STANCE; good && table <= TABLE_COUNTS; table++)
        good = compare_table(r, txn, (enum table)table, &from, why);
    if (good && !counts_are_kept(txn, community)) {
        (void)snprintf(why, 400, "counts are not kept");
        good = false;
    }
    free(r->rows);
    free(r);
    free(totals);
    return good;
}
