// What a transaction touched is noted as it is folded, and settled at its end: joins first, then
// voices, then sums in the order of ranks, then the rows that add up sums.

#include <stdlib.h>

#include "proto/schema.h"
#include "storage/community.h"
#include "storage/log.h"
#include "sync/counts_private.h"
#include "sync/merge.h"

// --- notes ---

enum note_what { NOTE_JOINED, NOTE_VOICE, NOTE_PERSON, NOTE_OWN };

struct note {
    uint32_t community;
    uint32_t what;
    struct record_key record; // of a voice: its subject
    uint8_t person[ID_SIZE];  // of a voice; else zeros
    uint32_t stance;          // of a voice that may be new; 0: look
};

struct notes {
    struct buf all;   // struct note
    struct buf words; // counts_words.c
    bool anew;        // counts that are not kept yet are being made
};

static void settle(struct txn *txn, void *arg);

static void notes_done(void *arg)
{
    struct notes *notes = arg;
    buf_done(&notes->all);
    bytes_wipe(notes->words.p, notes->words.cap);
    buf_done(&notes->words);
    free(notes);
}

static const struct txn_rider rider = {settle, notes_done};

static struct notes *notes_of(struct txn *txn)
{
    struct notes *notes = txn_riding(txn, &rider);
    if (notes || txn_error(txn))
        return notes;
    notes = calloc(1, sizeof *notes);
    if (!notes) {
        txn_fail(txn, ERR_NOMEM);
    } else if (!txn_ride(txn, &rider, notes)) {
        free(notes);
        notes = NULL;
    }
    return notes;
}

static void note(struct txn *txn, uint32_t community, enum note_what what,
                 const struct record_key *record, const uint8_t *person, uint8_t stance)
{
    struct notes *notes = notes_of(txn);
    struct note noted = {.community = community, .what = what, .record = *record, .stance = stance};
    if (!notes)
        return;
    if (person)
        memcpy(noted.person, person, ID_SIZE);
    buf_put(&notes->all, bytes_of(&noted, sizeof noted));
    txn_fail(txn, notes->all.err);
}

static bool part_record(struct bytes part, struct record_key *record)
{
    *record = (struct record_key){.kind = part.n == 4 + ID_SIZE ? be32_get(part.p) : 0};
    if (record->kind == 0 || record->kind > KIND_MAX)
        return false;
    memcpy(record->id, part.p + 4, ID_SIZE);
    return true;
}

static void note_joined(struct txn *txn, uint32_t community, struct bytes a, struct bytes b)
{
    struct record_key one;
    struct record_key other;
    if (!part_record(a, &one) || !part_record(b, &other))
        return;
    note(txn, community, NOTE_JOINED, &one, NULL, 0);
    note(txn, community, NOTE_JOINED, &other, NULL, 0);
}

static void note_change(struct txn *txn, uint32_t community, const struct record_key *record,
                        const struct envelope *envelope, uint8_t stance)
{
    struct record_key subject;
    bool is_pair = envelope->parts.n == 2;
    struct bytes a = is_pair ? *LIST_AT(struct bytes, envelope->parts, 0) : (struct bytes){0};
    struct bytes b = is_pair ? *LIST_AT(struct bytes, envelope->parts, 1) : (struct bytes){0};
    if (record->kind == KIND_VOICE && part_record(a, &subject) && b.n == ID_SIZE)
        note(txn, community, NOTE_VOICE, &subject, b.p, stance);
    else if (record->kind == KIND_SAME_AS)
        note_joined(txn, community, a, b);
    else if (record->kind == KIND_PERSON)
        note(txn, community, NOTE_PERSON, record, NULL, 0);
    else if (counts_rank(record->kind) != RANKS)
        note(txn, community, NOTE_OWN, record, NULL, 0);
}

void counts_note(struct txn *txn, uint32_t community, const struct record_key *record,
                 const struct envelope *envelope)
{
    note_change(txn, community, record, envelope, 0);
}

void counts_keep_words(struct txn *txn, uint32_t community, const struct record_key *record,
                       uint64_t position, struct bytes fields)
{
    struct notes *notes = notes_of(txn);
    if (!notes || (record->kind != KIND_PERSON && counts_rank(record->kind) == RANKS))
        return;
    counts_put_words(&notes->words, community, position, fields);
    txn_fail(txn, notes->words.err);
}

void counts_see(struct counts_seen *seen, const struct live *edit, bool alive)
{
    struct wire_field field;
    const struct merge_change *change = seen->change;
    if (edit->key.record.kind != KIND_VOICE || edit->field != FIELD_VOICE_STANCE)
        return;
    if (alive && edit->key.seq == change->seq &&
        memcmp(edit->key.device, change->device, HANDLE_SIZE) == 0 &&
        fields_edit(change->fields, edit->key.index, &field)) {
        seen->stance = counts_stance(&field);
        seen->born++;
    } else {
        seen->other++;
    }
}

void counts_note_seen(struct txn *txn, uint32_t community, const struct counts_seen *seen)
{
    const struct merge_change *change = seen->change;
    bool is_first = seen->born == 1 && seen->other == 0;
    if (change->record.kind != KIND_VOICE || seen->born || seen->other)
        note_change(txn, community, &change->record, change->envelope, is_first ? seen->stance : 0);
}

// --- what settling shares ---

enum counts_rank counts_rank(uint32_t kind)
{
    switch (kind) {
    case KIND_CONSTRAINT:
        return RANK_CONSTRAINT;
    case KIND_OUTCOME:
        return RANK_OUTCOME;
    case KIND_COMMITMENT:
        return RANK_COMMITMENT;
    case KIND_SOLUTION:
        return RANK_SOLUTION;
    case KIND_NEED:
        return RANK_NEED;
    default:
        return RANKS;
    }
}

bool counts_fail(struct counting *c, enum err err)
{
    if (err == ERR_NOMEM || txn_error(c->txn))
        txn_fail(c->txn, err);
    else
        c->lost |= err != OK;
    return err != OK || c->lost;
}

bool counts_find(struct counting *c, const struct record_key *record, struct group_of *group)
{
    return !counts_fail(c, groups_find(&c->groups, record, group));
}

static int compare(const void *a, const void *b, void *size)
{
    return memcmp(a, b, *(size_t *)size);
}

void counts_sort(struct buf *buf, size_t size)
{
    size_t n = buf->n / size;
    size_t kept = 0;
    if (n < 2)
        return;
    qsort_r(buf->p, n, size, compare, &size);
    for (size_t i = 1; i < n; i++) {
        if (memcmp(buf->p + kept * size, buf->p + i * size, size) != 0)
            memmove(buf->p + ++kept * size, buf->p + i * size, size);
    }
    buf->n = (kept + 1) * size;
}

// --- settling ---

static const struct touch *touch_at(const struct buf *touched, size_t i)
{
    return (const struct touch *)(const void *)(touched->p + i * sizeof(struct touch));
}

// False when voices are taken away that were never there.
static bool add_voices(struct sum *sum, const struct touch *touch)
{
    uint32_t *cell = &sum->cells[SUM_VOICES + touch->cell];
    if (touch->by < 0 && *cell < 0u - (uint32_t)touch->by)
        return false;
    *cell += (uint32_t)touch->by;
    return true;
}

// The touches of one record, which stand one after the other.
static void settle_sum(struct counting *c, const struct touch *touches, size_t n)
{
    struct sum was;
    const struct record_key record = touches->record;
    uint8_t what = 0;
    enum err err = sum_get(c->txn, c->community, &record, &was);
    struct sum is = was;
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return;
    for (size_t i = 0; i < n; i++) {
        what |= touches[i].what;
        c->lost |= touches[i].by && !add_voices(&is, &touches[i]);
    }
    if (what & TOUCH_OWN)
        counts_own(c, &record, &is);
    if (what & (TOUCH_OWN | TOUCH_ANSWERS))
        counts_answers(c, &record, &is);
    if (what & TOUCH_DAMAGED)
        is.marks |= SUM_DAMAGED;
    bool changed = !sum_is_same(&was, &is);
    // What answers this answers what this answers.
    if ((what & TOUCH_ANSWERS) || (changed && (what & TOUCH_OWN)))
        counts_touch_up(c, &record);
    if (c->lost || !changed)
        return;
    sum_put(c->txn, c->community, &record, &is);
    order_move(c->txn, c->community, &record, &was, &is);
    counts_sum_changed(c, record.kind, &was, &is);
}

static void settle_rank(struct counting *c, struct buf *touched)
{
    // Touching goes up alone, so that nothing is added here meanwhile.
    size_t n = touched->n / sizeof(struct touch);
    size_t size = sizeof(struct touch);
    if (n > 1)
        qsort_r(touched->p, n, size, compare, &size);
    for (size_t i = 0, next; i < n && !c->lost && !txn_error(c->txn); i = next) {
        const struct touch *first = touch_at(touched, i);
        for (next = i + 1; next < n; next++) {
            if (memcmp(&touch_at(touched, next)->record, &first->record, sizeof first->record) != 0)
                break;
        }
        settle_sum(c, first, next - i);
    }
}

// record: of the note, found. is_alone: nothing else is noted of this voice.
static void take_voice(struct counting *c, const struct note *note, const struct group_of *record,
                       bool is_alone)
{
    struct record_key person = {.kind = KIND_PERSON};
    struct group_of speaker;
    memcpy(person.id, note->person, ID_SIZE);
    if (counts_find(c, &person, &speaker))
        counts_restate(c, &speaker, record, is_alone ? (uint8_t)note->stance : 0);
}

static void take_note(struct counting *c, const struct note *note, const struct group_of *group,
                      bool is_alone)
{
    switch ((enum note_what)note->what) {
    case NOTE_JOINED:
        counts_join(c, group);
        break;
    case NOTE_VOICE:
        take_voice(c, note, group, is_alone);
        break;
    case NOTE_PERSON:
        buf_put(&c->persons, BYTES(group->root.id));
        break;
    case NOTE_OWN:
        counts_relink(c, &note->record);
        counts_touch(c, &group->root, TOUCH_OWN);
        break;
    }
}

static bool same_voice(const struct note *a, const struct note *b)
{
    return memcmp(&a->record, &b->record, sizeof a->record) == 0 &&
           memcmp(a->person, b->person, ID_SIZE) == 0;
}

// Those of one record stand one after the other.
static void take_notes(struct counting *c, const struct note *notes, size_t n)
{
    struct group_of group;
    for (size_t i = 0; i < n && !c->lost && !txn_error(c->txn); i++) {
        const struct record_key *record = &notes[i].record;
        if ((i == 0 || memcmp(&notes[i - 1].record, record, sizeof *record) != 0) &&
            !counts_find(c, record, &group))
            return;
        bool is_alone = !(i > 0 && same_voice(&notes[i - 1], &notes[i])) &&
                        !(i + 1 < n && same_voice(&notes[i + 1], &notes[i]));
        take_note(c, &notes[i], &group, is_alone);
    }
}

static enum err buffers_failed(const struct counting *c)
{
    enum err err = c->restates.err ? c->restates.err : c->persons.err;
    for (size_t i = 0; i <= RANKS && !err; i++)
        err = c->touched[i].err;
    err = err ? err : c->rows.err;
    return err ? err : c->slots.err;
}

static void settle_community(struct txn *txn, const struct note *notes, size_t n)
{
    struct counting c = {.txn = txn, .community = notes->community};
    c.words = &notes_of(txn)->words;
    c.groups = (struct groups){.txn = txn, .community = notes->community};
    take_notes(&c, notes, n);
    counts_voices(&c);
    for (size_t i = 0; i <= RANKS; i++)
        settle_rank(&c, &c.touched[i]);
    counts_fail(&c, buffers_failed(&c));
    counts_rows(&c);
    // Where they are being made, nothing more can be done.
    if (c.lost && notes_of(txn)->anew)
        txn_fail(txn, ERR_DAMAGED);
    else if (c.lost)
        counts_keep(txn, c.community, false);
    for (size_t i = 0; i <= RANKS; i++)
        buf_done(&c.touched[i]);
    buf_done(&c.restates);
    buf_done(&c.persons);
    buf_done(&c.candidates);
    buf_done(&c.rows);
    buf_done(&c.slots);
    bytes_wipe(c.read.p, c.read.cap);
    buf_done(&c.read);
    groups_done(&c.groups);
}

static void settle(struct txn *txn, void *arg)
{
    struct notes *notes = arg;
    counts_sort(&notes->all, sizeof(struct note));
    const struct note *all = (const struct note *)(const void *)notes->all.p;
    size_t n = notes->all.n / sizeof *all;
    for (size_t i = 0, next; i < n && !txn_error(txn); i = next) {
        for (next = i + 1; next < n && all[next].community == all[i].community;)
            next++;
        if (notes->anew || counts_are_kept(txn, all[i].community))
            settle_community(txn, &all[i], next - i);
    }
}

// --- making them anew ---

enum { RECORDS_A_COMMIT = 5000, ROWS_A_COMMIT = 50000 };

static bool take_first(const struct live *edit, void *arg)
{
    *(struct live *)arg = *edit;
    return false;
}

// As if the change of one of its live edits took effect now.
static void note_record(struct txn *txn, uint32_t community, const struct record_key *record)
{
    struct live edit = {.position = 0};
    struct log_entry entry;
    struct envelope envelope;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    if (txn_failed(txn, live_each(txn, community, record, take_first, &edit)) ||
        txn_failed(txn, log_get(txn, community, edit.position, &entry)) ||
        merge_envelope(txn, entry.envelope, &arena, &envelope))
        return;
    // Groups are found as they are: a join is no news.
    if (record->kind != KIND_SAME_AS)
        counts_note(txn, community, record, &envelope);
}

static enum err clear(struct store *store, uint32_t community)
{
    for (bool done = false; !done;) {
        struct txn *txn = txn_begin_write(store);
        done = counts_clear(txn, community, ROWS_A_COMMIT);
        enum err err = txn_commit(&txn);
        if (err)
            return err;
    }
    return OK;
}

static bool is_behind(const struct record_key *record, const struct record_key *of)
{
    return record->kind > of->kind ||
           (record->kind == of->kind && memcmp(record->id, of->id, ID_SIZE) > 0);
}

// Notes the records behind `at`, which goes on; `ended` when there are no more.
static enum err count_some(struct store *store, uint32_t community, struct record_key *at,
                           bool *ended)
{
    struct txn *txn = txn_begin_write(store);
    struct notes *notes = notes_of(txn);
    if (notes)
        notes->anew = true;
    *ended = false;
    for (size_t i = 0; notes && i < RECORDS_A_COMMIT; i++) {
        struct record_key next;
        enum err err = live_next(txn, community, at->kind ? at : NULL, &next);
        *ended = err != OK;
        if (err == OK && !is_behind(&next, at)) // on a damaged disk a walk may lead back
            err = ERR_DAMAGED;
        if (err && err != ERR_NOT_FOUND)
            txn_fail(txn, err);
        if (err)
            break;
        note_record(txn, community, &next);
        *at = next;
    }
    // What was passed over would be missing in silence.
    if (txn_damage(txn))
        txn_fail(txn, ERR_DAMAGED);
    return txn_commit(&txn);
}

static enum err keep(struct store *store, uint32_t community)
{
    struct txn *txn = txn_begin_write(store);
    counts_keep(txn, community, true);
    return txn_commit(&txn);
}

static enum err make(struct store *store, uint32_t community)
{
    struct record_key at = {.kind = 0};
    bool ended = false;
    enum err err = clear(store, community);
    while (!err && !ended)
        err = count_some(store, community, &at, &ended);
    return err ? err : keep(store, community);
}

static bool gather(const struct community *community, void *arg)
{
    buf_put_be32(arg, community->number);
    return true;
}

static bool is_kept(struct store *store, uint32_t community)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(store);
    return counts_are_kept(txn, community);
}

enum err counts_make(struct store *store)
{
    BUF_CLEANUP struct buf numbers = {0};
    struct txn *txn = txn_begin_read(store);
    community_each(txn, gather, &numbers);
    enum err err = txn_error(txn) == ERR_DAMAGED ? numbers.err : txn_error(txn);
    txn_abort(&txn);
    for (size_t i = 0; i < numbers.n && !err; i += 4) {
        uint32_t number = be32_get(numbers.p + i);
        if (!is_kept(store, number))
            err = make(store, number);
        // The others are counted.
        if (err == ERR_DAMAGED)
            err = OK;
    }
    return err;
}
