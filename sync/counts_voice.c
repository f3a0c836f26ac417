// Which stance of whom counts on what, and the difference to what was counted.

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/collect.h"
#include "sync/counts_private.h"
#include "sync/digest.h"
#include "sync/merge.h"

static bool is_alone(const struct group_of *group)
{
    struct record_key other;
    return !groups_member(group, 1, &other);
}

void counts_restate(struct counting *c, const struct group_of *person,
                    const struct group_of *record, uint8_t stance)
{
    struct restate restate = {.person_group = person->number};
    memcpy(restate.person, person->root.id, ID_SIZE);
    if (record) {
        restate.record = record->root;
        restate.record_group = record->number;
        restate.stance = is_alone(person) && is_alone(record) ? stance : 0;
    }
    buf_put(&c->restates, bytes_of(&restate, sizeof restate));
}

// --- whose stances may be others ---

struct walking {
    struct counting *c;
    const struct group_of *person;
    const struct group_of *record;
};

static bool restate_row(const struct record_key *record, void *arg)
{
    struct walking *w = arg;
    struct group_of group;
    if (counts_find(w->c, record, &group))
        counts_restate(w->c, w->person, &group, 0);
    return !w->c->lost;
}

// Whoever is one with others now, or no more, or speaks for another party, does so with all their
// voices.
static void restate_person(struct counting *c, const uint8_t root[ID_SIZE])
{
    struct record_key person = {.kind = KIND_PERSON};
    struct record_key member;
    struct group_of group;
    memcpy(person.id, root, ID_SIZE);
    if (!counts_find(c, &person, &group))
        return;
    struct walking w = {.c = c, .person = &group};
    counts_restate(c, &group, NULL, 0); // though there be none
    for (size_t i = 0; !c->lost && groups_member(&group, i, &member); i++)
        counts_fail(c, stance_each(c->txn, c->community, member.id, restate_row, &w));
}

static void restate_persons(struct counting *c)
{
    counts_sort(&c->persons, ID_SIZE);
    for (size_t i = 0; i < c->persons.n && !c->lost; i += ID_SIZE)
        restate_person(c, c->persons.p + i);
}

static bool restate_voice(const struct record_key *voice, struct bytes person, void *arg)
{
    struct walking *w = arg;
    struct record_key said_by = {.kind = KIND_PERSON};
    struct group_of speaker;
    (void)voice;
    if (person.n != ID_SIZE)
        return true;
    memcpy(said_by.id, person.p, ID_SIZE);
    if (counts_find(w->c, &said_by, &speaker))
        counts_restate(w->c, &speaker, w->record, 0);
    return !w->c->lost;
}

// A root before has a sum, if anything has.
static void touch_before(struct counting *c, const struct group_of *group,
                         const struct record_key *member)
{
    struct sum sum;
    enum err err = sum_get(c->txn, c->community, member, &sum);
    bool was_root = err != ERR_NOT_FOUND && !counts_fail(c, err);
    if (was_root || memcmp(member->id, group->root.id, ID_SIZE) == 0)
        counts_touch(c, member, TOUCH_OWN | TOUCH_ANSWERS);
}

static void join_records(struct counting *c, const struct group_of *group)
{
    struct walking w = {.c = c, .record = group};
    struct record_key member;
    for (size_t i = 0; !c->lost && groups_member(group, i, &member); i++) {
        touch_before(c, group, &member);
        // Damage among references stays damage, and is told where records are read.
        enum err err = about_each(c->txn, c->community, &member, KIND_VOICE, restate_voice, &w);
        if (err != ERR_DAMAGED)
            counts_fail(c, err);
    }
}

void counts_join(struct counting *c, const struct group_of *group)
{
    if (group->root.kind == KIND_PERSON)
        buf_put(&c->persons, BYTES(group->root.id));
    join_records(c, group);
}

// --- the stance that counts ---

static bool keep_latest(const struct live *edit, void *arg)
{
    struct live *latest = arg;
    if (edit->field == FIELD_VOICE_STANCE &&
        (latest->position == 0 || merge_rank(edit, latest) > 0))
        *latest = *edit;
    return true;
}

static void voice_of(const struct record_key *subject, const uint8_t person[ID_SIZE],
                     struct record_key *voice)
{
    uint8_t about[4 + ID_SIZE];
    be32_put(about, subject->kind);
    memcpy(about + 4, subject->id, ID_SIZE);
    struct bytes parts[2] = {BYTES(about), bytes_of(person, ID_SIZE)};
    *voice = (struct record_key){.kind = KIND_VOICE};
    digest_record_id(KIND_VOICE, (struct list){parts, 2}, voice->id);
}

uint8_t counts_stance(const struct wire_field *field)
{
    bool is_known = field->type == WIRE_VARINT && field->value >= STANCE_FOR &&
                    field->value <= STANCE_WITHDRAWN;
    return is_known ? (uint8_t)field->value : STANCE_UNKNOWN;
}

static uint8_t read_stance(struct counting *c, const struct live *edit)
{
    struct wire_field field;
    if (txn_failed(c->txn, collect_edit(c->txn, c->community, edit, &field)))
        return STANCE_NONE;
    bool is_known =
        field.type == WIRE_VARINT && field.value >= STANCE_FOR && field.value <= STANCE_WITHDRAWN;
    return is_known ? (uint8_t)field.value : STANCE_UNKNOWN;
}

// --- the difference ---

struct speaking {
    struct group_of person;
    bool was_heard;
    bool has_voice; // now
    bool lost_one;
    struct heard was;
    struct heard now;
    const struct group_of *record;
};

static void count_row(struct counting *c, uint32_t kind, const struct stance_row *row, int32_t by)
{
    unsigned column = row->stance <= STANCE_UNSURE ? row->stance - 1u : COUNTS_STANCES - 1u;
    struct touch touch = {.record = {.kind = kind}, .by = by};
    memcpy(touch.record.id, row->root, ID_SIZE);
    touch.cell = (uint8_t)(row->party * COUNTS_STANCES + column);
    if (row->stance != STANCE_NONE)
        buf_put(&c->touched[counts_rank(kind)], bytes_of(&touch, sizeof touch));
}

// A voice of these persons on these records, of which one counts.
struct candidate {
    struct record_key subject;
    struct record_key speaker;
    struct live stance; // the last of this voice; position 0: none
};

static void restate_one(struct counting *c, struct speaking *s, const struct candidate *voice,
                        bool counts)
{
    struct stance_row was;
    struct stance_row is = {.stance = STANCE_NONE};
    enum err err = stance_get(c->txn, c->community, voice->speaker.id, &voice->subject, &was);
    bool was_there = !err;
    bool is_there = voice->stance.position != 0;
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return;
    if (counts) {
        is.stance = read_stance(c, &voice->stance);
        is.party = s->now.party;
        memcpy(is.root, s->record->root.id, ID_SIZE);
    }
    s->has_voice |= is_there;
    s->lost_one |= was_there && !is_there;
    if (was_there == is_there && memcmp(&was, &is, sizeof is) == 0)
        return;
    count_row(c, voice->subject.kind, &was, -1);
    count_row(c, voice->subject.kind, &is, 1);
    if (is_there)
        stance_put(c->txn, c->community, voice->speaker.id, &voice->subject, &is);
    else
        stance_delete(c->txn, c->community, voice->speaker.id, &voice->subject);
}

// Finds the candidates. That of the greatest rank counts: its number; SIZE_MAX: none does.
static size_t find_candidates(struct counting *c, const struct speaking *s)
{
    struct candidate found = {.stance = {.position = 0}};
    struct record_key voice;
    struct live latest = {.position = 0};
    size_t n = 0;
    size_t counts = SIZE_MAX;
    buf_reset(&c->candidates);
    for (size_t i = 0; groups_member(s->record, i, &found.subject); i++) {
        for (size_t k = 0; groups_member(&s->person, k, &found.speaker); k++, n++) {
            found.stance.position = 0;
            voice_of(&found.subject, found.speaker.id, &voice);
            txn_failed(c->txn, live_each(c->txn, c->community, &voice, keep_latest, &found.stance));
            if (found.stance.position &&
                (!latest.position || merge_rank(&found.stance, &latest) > 0)) {
                latest = found.stance;
                counts = n;
            }
            buf_put(&c->candidates, bytes_of(&found, sizeof found));
        }
    }
    counts_fail(c, c->candidates.err);
    return counts;
}

// A first voice between two that are joined with nobody. False where there was one before.
static bool restate_new(struct counting *c, struct speaking *s, uint8_t stance)
{
    struct stance_row row;
    const uint8_t *person = s->person.root.id;
    const struct record_key *record = &s->record->root;
    // Whoever was never heard has none.
    enum err err =
        s->was_heard ? stance_get(c->txn, c->community, person, record, &row) : ERR_NOT_FOUND;
    if (err != ERR_NOT_FOUND)
        return counts_fail(c, err);
    row = (struct stance_row){.stance = stance, .party = s->now.party};
    memcpy(row.root, record->id, ID_SIZE);
    count_row(c, record->kind, &row, 1);
    stance_put(c->txn, c->community, person, record, &row);
    s->has_voice = true;
    return true;
}

static void restate_group(struct counting *c, struct speaking *s, uint8_t stance)
{
    if (stance && restate_new(c, s, stance))
        return;
    uint64_t damage = txn_damage(c->txn);
    size_t counts = find_candidates(c, s);
    const struct candidate *all = (const struct candidate *)(const void *)c->candidates.p;
    for (size_t i = 0; i < c->candidates.n / sizeof *all && !c->lost; i++)
        restate_one(c, s, &all[i], i == counts);
    if (txn_damage(c->txn) != damage)
        counts_touch(c, &s->record->root, TOUCH_DAMAGED);
}

static bool find_any(const struct record_key *record, void *arg)
{
    (void)record;
    *(bool *)arg = true;
    return false;
}

static bool is_heard_still(struct counting *c, const struct speaking *s)
{
    struct record_key member;
    bool is_heard = s->has_voice;
    for (size_t i = 0; !is_heard && !c->lost && groups_member(&s->person, i, &member); i++)
        counts_fail(c, stance_each(c->txn, c->community, member.id, find_any, &is_heard));
    return is_heard;
}

static void change_heard(struct counting *c, const uint8_t id[ID_SIZE], const struct heard *was,
                         const struct heard *is)
{
    if (was)
        counts_heard_changed(c, was, -1);
    if (is)
        counts_heard_changed(c, is, 1);
    if (is)
        heard_put(c->txn, c->community, id, is);
    else if (was)
        heard_delete(c->txn, c->community, id);
}

static bool same_heard(const struct heard *a, const struct heard *b)
{
    return a->party == b->party && a->place.position == b->place.position &&
           a->place.index == b->place.index;
}

static void settle_heard(struct counting *c, struct speaking *s, bool is_noted)
{
    // Without a look, where nothing was taken away.
    bool is_heard = s->has_voice || (s->was_heard && !s->lost_one && !is_noted) ||
                    ((s->lost_one || is_noted) && is_heard_still(c, s));
    if (!c->lost && (is_heard != s->was_heard || (is_heard && !same_heard(&s->was, &s->now))))
        change_heard(c, s->person.root.id, s->was_heard ? &s->was : NULL,
                     is_heard ? &s->now : NULL);
}

// Who was a root and is none any more is heard as another.
static void forget_roots_before(struct counting *c, const struct speaking *s)
{
    struct record_key member;
    for (size_t i = 0; !c->lost && groups_member(&s->person, i, &member); i++) {
        struct heard was;
        enum err err = ERR_NOT_FOUND;
        if (memcmp(member.id, s->person.root.id, ID_SIZE) != 0)
            err = heard_get(c->txn, c->community, member.id, &was);
        if (err != ERR_NOT_FOUND && !counts_fail(c, err))
            change_heard(c, member.id, &was, NULL);
    }
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

static bool begin_person(struct counting *c, const struct restate *restate, bool is_noted,
                         struct speaking *s)
{
    struct record_key person = {.kind = KIND_PERSON};
    memcpy(person.id, restate->person, ID_SIZE);
    enum err err = heard_get(c->txn, c->community, person.id, &s->was);
    s->was_heard = !err;
    if ((err != ERR_NOT_FOUND && counts_fail(c, err)) ||
        counts_fail(c, groups_again(&c->groups, &person, restate->person_group, &s->person)))
        return false;
    s->now = s->was;
    if (!s->was_heard || is_noted)
        counts_person(c, &s->person, &s->now);
    if (is_noted)
        forget_roots_before(c, s);
    return !c->lost;
}

// All of one person, which stand one after the other.
static void settle_person(struct counting *c, const struct restate *restates, size_t n)
{
    struct speaking s = {.was_heard = false};
    bool is_noted = c->persons.n &&
                    bsearch(restates->person, c->persons.p, c->persons.n / ID_SIZE, ID_SIZE, by_id);
    if (!begin_person(c, restates, is_noted, &s))
        return;
    for (size_t i = 0; i < n && !c->lost; i++) {
        const struct restate *restate = &restates[i];
        struct group_of group;
        // What follows of the same record knows less.
        bool is_done =
            i > 0 && memcmp(&restates[i - 1].record, &restate->record, sizeof restate->record) == 0;
        if (is_done || restate->record.kind == 0 ||
            counts_fail(c,
                        groups_again(&c->groups, &restate->record, restate->record_group, &group)))
            continue;
        s.record = &group;
        restate_group(c, &s, (uint8_t)restate->stance);
    }
    settle_heard(c, &s, is_noted);
}

void counts_voices(struct counting *c)
{
    if (!c->lost)
        restate_persons(c);
    counts_sort(&c->restates, sizeof(struct restate));
    const struct restate *all = (const struct restate *)(const void *)c->restates.p;
    size_t n = c->restates.n / sizeof *all;
    for (size_t i = 0, next; i < n && !c->lost && !txn_error(c->txn); i = next) {
        for (next = i + 1; next < n; next++) {
            if (memcmp(all[next].person, all[i].person, ID_SIZE) != 0)
                break;
        }
        settle_person(c, &all[i], next - i);
    }
}
