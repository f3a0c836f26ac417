// Which stance of whom counts on what, and the difference to what was counted.

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/collect.h"
#include "sync/counts_private.h"
#include "sync/digest.h"
#include "sync/merge.h"

void counts_restate(struct counting *c, const uint8_t person[ID_SIZE],
                    const struct record_key *record)
{
    struct restate restate = {.record = *record};
    memcpy(restate.person, person, ID_SIZE);
    buf_put(&c->restates, bytes_of(&restate, sizeof restate));
}

// --- joins ---

struct walking {
    struct counting *c;
    const struct record_key *root;
    const uint8_t *person;  // whose rows are walked
    const struct buf *were; // ids: roots before, as far as they are no more
};

static bool restate_row(const struct record_key *record, uint8_t stance, void *arg)
{
    struct walking *w = arg;
    struct group_of now;
    (void)stance;
    counts_restate(w->c, w->person, record);
    if (counts_find(w->c, record, &now))
        counts_restate(w->c, w->root->id, &now.root);
    return !w->c->lost;
}

// The rows of each who is one with others now, or was, come under the one root.
static void join_persons(struct counting *c, const struct group_of *group)
{
    struct record_key member;
    for (size_t i = 0; !c->lost && groups_member(group, i, &member); i++) {
        struct walking w = {.c = c, .root = &group->root, .person = member.id};
        counts_fail(c, stance_each(c->txn, c->community, member.id, restate_row, &w));
    }
    buf_put(&c->persons, BYTES(group->root.id));
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
    if (!counts_find(w->c, &said_by, &speaker))
        return false;
    counts_restate(w->c, speaker.root.id, w->root);
    for (size_t i = 0; i < w->were->n; i += ID_SIZE) {
        struct record_key was = {.kind = w->root->kind};
        memcpy(was.id, w->were->p + i, ID_SIZE);
        counts_restate(w->c, speaker.root.id, &was);
    }
    return true;
}

// Only a root has a sum.
static void find_roots_before(struct counting *c, const struct group_of *group, struct buf *were)
{
    struct record_key member;
    for (size_t i = 0; !c->lost && groups_member(group, i, &member); i++) {
        struct sum sum;
        enum err err = sum_get(c->txn, c->community, &member, &sum);
        if (err == ERR_NOT_FOUND || memcmp(member.id, group->root.id, ID_SIZE) == 0 ||
            counts_fail(c, err))
            continue;
        buf_put(were, BYTES(member.id));
        counts_touch(c, &member, TOUCH_OWN | TOUCH_ANSWERS);
    }
    counts_fail(c, were->err);
}

static void join_records(struct counting *c, const struct group_of *group)
{
    BUF_CLEANUP struct buf were = {0};
    struct walking w = {.c = c, .root = &group->root, .were = &were};
    struct record_key member;
    find_roots_before(c, group, &were);
    counts_touch(c, &group->root, TOUCH_OWN | TOUCH_ANSWERS);
    for (size_t i = 0; !c->lost && groups_member(group, i, &member); i++) {
        // Damage among references stays damage, and is told where records are read.
        enum err err = about_each(c->txn, c->community, &member, KIND_VOICE, restate_voice, &w);
        if (err != ERR_DAMAGED)
            counts_fail(c, err);
    }
}

void counts_join(struct counting *c, const struct record_key *record)
{
    struct group_of group;
    if (!counts_find(c, record, &group))
        return;
    if (record->kind == KIND_PERSON)
        join_persons(c, &group);
    join_records(c, &group);
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

static void note_damage(struct counting *c, const struct record_key *record, uint64_t before)
{
    if (txn_damage(c->txn) != before)
        counts_touch(c, record, TOUCH_DAMAGED);
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

// Of all voices of these persons on these records that of the greatest rank.
static uint8_t stance_now(struct counting *c, const struct group_of *person,
                          const struct group_of *record)
{
    struct live latest = {.position = 0};
    struct record_key subject;
    struct record_key speaker;
    struct record_key voice;
    uint64_t damage = txn_damage(c->txn);
    for (size_t i = 0; groups_member(record, i, &subject); i++) {
        for (size_t k = 0; groups_member(person, k, &speaker); k++) {
            voice_of(&subject, speaker.id, &voice);
            txn_failed(c->txn, live_each(c->txn, c->community, &voice, keep_latest, &latest));
        }
    }
    uint8_t stance = latest.position ? read_stance(c, &latest) : STANCE_NONE;
    note_damage(c, &record->root, damage);
    return stance;
}

// --- the difference ---

struct speaking {
    const uint8_t *person;
    struct group_of group;
    bool was_heard;
    bool has_voice; // now
    bool lost_one;
    struct heard was;
    struct heard now;
};

static void touch_voice(struct counting *c, const struct record_key *record,
                        const struct heard *heard, uint8_t stance, int32_t by)
{
    enum counts_rank rank = counts_rank(record->kind);
    unsigned column = stance <= STANCE_UNSURE ? stance - 1u : COUNTS_STANCES - 1u;
    struct touch touch = {.record = *record, .by = by};
    touch.cell = (uint8_t)(heard->party * COUNTS_STANCES + column);
    if (stance != STANCE_NONE)
        buf_put(&c->touched[rank], bytes_of(&touch, sizeof touch));
}

static void restate_one(struct counting *c, struct speaking *s, const struct record_key *record)
{
    uint8_t was = STANCE_NONE;
    uint8_t is = STANCE_NONE;
    struct group_of group;
    enum err err = s->was_heard ? stance_get(c->txn, c->community, s->person, record, &was) : OK;
    if (err != ERR_NOT_FOUND && counts_fail(c, err))
        return;
    if (s->group.is_root && counts_find(c, record, &group) && group.is_root)
        is = stance_now(c, &s->group, &group);
    s->has_voice |= is != STANCE_NONE;
    s->lost_one |= was != STANCE_NONE && is == STANCE_NONE;
    if (was == is && s->was.party == s->now.party)
        return;
    touch_voice(c, record, &s->was, was, -1);
    touch_voice(c, record, &s->now, is, 1);
    if (was != is && is)
        stance_put(c->txn, c->community, s->person, record, is);
    else if (was != is)
        stance_delete(c->txn, c->community, s->person, record);
}

static bool find_any(const struct record_key *record, uint8_t stance, void *arg)
{
    (void)record;
    (void)stance;
    *(bool *)arg = true;
    return false;
}

static void settle_heard(struct counting *c, struct speaking *s)
{
    bool is_heard = s->has_voice || (s->was_heard && !s->lost_one);
    if (!is_heard && s->lost_one)
        counts_fail(c, stance_each(c->txn, c->community, s->person, find_any, &is_heard));
    if (c->lost ||
        (is_heard == s->was_heard && (!is_heard || memcmp(&s->was, &s->now, sizeof s->now) == 0)))
        return;
    if (s->was_heard)
        counts_heard_changed(c, &s->was, -1);
    if (is_heard)
        counts_heard_changed(c, &s->now, 1);
    if (is_heard)
        heard_put(c->txn, c->community, s->person, &s->now);
    else
        heard_delete(c->txn, c->community, s->person);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, ID_SIZE);
}

static bool is_noted(const struct counting *c, const uint8_t id[ID_SIZE])
{
    return c->persons.n && bsearch(id, c->persons.p, c->persons.n / ID_SIZE, ID_SIZE, by_id);
}

// All of one person, which stand one after the other.
static void settle_person(struct counting *c, const struct restate *restates, size_t n)
{
    struct speaking s = {.person = restates->person};
    struct record_key person = {.kind = KIND_PERSON};
    memcpy(person.id, s.person, ID_SIZE);
    enum err err = heard_get(c->txn, c->community, s.person, &s.was);
    s.was_heard = !err;
    if ((err != ERR_NOT_FOUND && counts_fail(c, err)) || !counts_find(c, &person, &s.group))
        return;
    s.now = s.was;
    if (s.group.is_root && (!s.was_heard || is_noted(c, s.person)))
        counts_person(c, &s.group, &s.now);
    for (size_t i = 0; i < n && !c->lost; i++)
        restate_one(c, &s, &restates[i].record);
    settle_heard(c, &s);
}

// Whoever speaks for another party now does so with all their voices.
static void restate_persons(struct counting *c)
{
    counts_sort(&c->persons, ID_SIZE);
    for (size_t i = 0; i < c->persons.n && !c->lost; i += ID_SIZE) {
        struct record_key person = {.kind = KIND_PERSON};
        memcpy(person.id, c->persons.p + i, ID_SIZE);
        struct walking w = {.c = c, .root = &person, .person = person.id};
        counts_fail(c, stance_each(c->txn, c->community, person.id, restate_row, &w));
    }
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
