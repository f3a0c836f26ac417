#include "sync/tally.h"

#include <stdlib.h>

#include "proto/schema.h"
#include "sync/collect.h"
#include "sync/joined.h"
#include "sync/merge.h"

struct voice {
    uint32_t person; // the group of persons that are one
    struct live stance;
};

struct hearing {
    struct txn *txn;
    uint32_t community;
    struct joined *persons;
    struct voice *voices;
    size_t n;
    size_t cap;
    enum err err;
};

static enum err make_room(struct hearing *hearing)
{
    if (hearing->n < hearing->cap)
        return OK;
    size_t cap = hearing->cap ? hearing->cap * 2 : 64;
    struct voice *voices = realloc(hearing->voices, cap * sizeof *voices);
    if (!voices)
        return ERR_NOMEM;
    hearing->voices = voices;
    hearing->cap = cap;
    return OK;
}

// Edits of one field are sorted by rank: the last one is the greatest.
static const struct live *latest_stance(const struct collection *collection)
{
    const struct live *latest = NULL;
    for (size_t i = 0; i < collection->n; i++) {
        if (collection->edits[i].field == FIELD_VOICE_STANCE)
            latest = &collection->edits[i];
    }
    return latest;
}

static enum err hear_one(struct hearing *hearing, const struct record_key *voice,
                         struct bytes person)
{
    struct collection collection COLLECT_CLEANUP = {0};
    enum err err = collect_record(hearing->txn, hearing->community, voice, &collection);
    if (err)
        return err == ERR_DAMAGED ? OK : err;
    const struct live *stance = latest_stance(&collection);
    if (!stance)
        return OK;
    err = make_room(hearing);
    if (err)
        return err;
    struct voice *heard = &hearing->voices[hearing->n++];
    heard->stance = *stance;
    return joined_group(hearing->persons, person.p, &heard->person);
}

static bool hear(const struct record_key *voice, struct bytes person, void *arg)
{
    struct hearing *hearing = arg;
    if (person.n == ID_SIZE)
        hearing->err = hear_one(hearing, voice, person);
    return !hearing->err;
}

// Every voice on any of the records that the record is joined with.
static enum err hear_all(struct hearing *hearing, const struct record_key *record)
{
    struct record_key subject;
    uint32_t group;
    struct joined *subjects JOINED_CLEANUP =
        joined_new(hearing->txn, hearing->community, record->kind);
    enum err err = subjects ? joined_group(subjects, record->id, &group) : ERR_NOMEM;
    for (size_t i = 0; !err && joined_member(subjects, group, i, &subject); i++) {
        err = about_each(hearing->txn, hearing->community, &subject, KIND_VOICE, hear, hearing);
        err = err ? err : hearing->err;
    }
    return err;
}

static int by_person_and_rank(const void *a, const void *b)
{
    const struct voice *x = a;
    const struct voice *y = b;
    if (x->person != y->person)
        return x->person < y->person ? -1 : 1;
    return merge_rank(&x->stance, &y->stance);
}

static void count(const struct hearing *hearing, const struct live *stance, struct tally *tally)
{
    struct wire_field field;
    if (txn_failed(hearing->txn, collect_edit(hearing->txn, hearing->community, stance, &field)) ||
        field.type != WIRE_VARINT)
        return;
    tally->for_ += field.value == STANCE_FOR;
    tally->against += field.value == STANCE_AGAINST;
    tally->unsure += field.value == STANCE_UNSURE;
}

static void count_all(struct hearing *hearing, struct tally *tally)
{
    if (hearing->n)
        qsort(hearing->voices, hearing->n, sizeof *hearing->voices, by_person_and_rank);
    for (size_t i = 0; i < hearing->n; i++) {
        const struct voice *voice = &hearing->voices[i];
        if (i + 1 == hearing->n || voice[0].person != voice[1].person)
            count(hearing, &voice->stance, tally);
    }
}

enum err tally_count(struct txn *txn, const struct community *community,
                     const struct record_key *record, struct tally *tally)
{
    *tally = (struct tally){0};
    struct joined *persons JOINED_CLEANUP = joined_new(txn, community->number, KIND_PERSON);
    struct hearing hearing = {.txn = txn, .community = community->number, .persons = persons};
    enum err err = persons ? hear_all(&hearing, record) : ERR_NOMEM;
    if (!err)
        count_all(&hearing, tally);
    free(hearing.voices);
    return err ? err : txn_error(txn);
}
