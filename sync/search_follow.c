// Following the log: which records have other words now, and which words may be kept no longer.

#include <stdlib.h>

#include "base/arena.h"
#include "proto/change.h"
#include "proto/schema.h"
#include "storage/log.h"
#include "sync/merge.h"
#include "sync/search_private.h"
#include "sync/tree.h"

enum {
    ENTRIES = 1024,        // of the log, in one go
    BATCH_BYTES = 1 << 20, // of words, after which it ends
    TERMS_MAX = 1 << 26,
};

struct following {
    struct search *search;
    struct txn *txn;
    uint32_t community;
    struct buf terms;
    struct buf words; // struct segment_word
    uint32_t first;   // number of the first new document
    bool rewrite;
    uint64_t damage; // that was met before
    enum err err;
};

static void fail(struct following *f, enum err err)
{
    if (!f->err)
        f->err = err;
}

// What should be there is damaged or not there: the rest is indexed. Other errors are.
static void note_damage(struct following *f, enum err err)
{
    if (err == ERR_NOT_FOUND || err == ERR_DAMAGED)
        err = txn_damaged(f->txn);
    if (err && err != ERR_DAMAGED)
        fail(f, err);
}

// --- the text of a record ---

struct text {
    struct following *f;
    uint64_t latest; // position; 0: there is none
    uint32_t document;
    bool in_title;
};

static bool is_text(const struct live *edit)
{
    return edit->key.class == CLASS_ORDINARY &&
           (edit->field == FIELD_WORDS || edit->field == FIELD_TITLE);
}

static bool find_latest(const struct live *edit, void *arg)
{
    struct text *text = arg;
    if (is_text(edit) && edit->position > text->latest)
        text->latest = edit->position;
    return true;
}

static bool put_word(struct bytes term, unsigned flags, void *arg)
{
    (void)flags;
    struct text *text = arg;
    struct following *f = text->f;
    struct segment_word word = {.term = (uint32_t)f->terms.n,
                                .term_n = (uint8_t)term.n,
                                .in_title = text->in_title,
                                .document = text->document};
    buf_put(&f->terms, term);
    buf_put(&f->words, bytes_of(&word, sizeof word));
    fail(f, f->terms.err ? f->terms.err : f->words.err);
    return !f->err;
}

static bool put_text(const struct live *edit, void *arg)
{
    struct text *text = arg;
    struct log_body body;
    struct wire_field field;
    if (!is_text(edit))
        return true;
    enum err err = log_get_body(text->f->txn, text->f->community, edit->position, &body);
    text->in_title = edit->field == FIELD_TITLE;
    if (err || !fields_edit(body.fields, edit->key.index, &field))
        note_damage(text->f, err ? err : ERR_DAMAGED);
    else if (field.type == WIRE_SIZED)
        words_each(field.bytes, put_word, text);
    return !text->f->err;
}

// --- the record ---

static void index_record(struct following *f, const struct record_key *record, uint64_t latest)
{
    struct text text = {.f = f};
    fail(f, search_add(f->search, record, latest, &text.document));
    if (f->err)
        return;
    enum err err = live_each(f->txn, f->community, record, put_text, &text);
    note_damage(f, err);
}

// What stands at this position is about the record. is_again: older text of it may be live again.
static void look_at_record(struct following *f, const struct record_key *record, uint64_t position,
                           bool is_again)
{
    struct text text = {.f = f};
    enum err err = live_each(f->txn, f->community, record, find_latest, &text);
    struct document *document = search_document(f->search, record);
    note_damage(f, err);
    if (f->err)
        return;
    if (text.latest == 0 && document)
        search_kill(f->search, document);
    else if (text.latest == 0 || (text.latest > position && !is_again))
        return; // no text, or it is met again where the later text stands
    else if (!document || document->at < text.latest || is_again)
        index_record(f, record, text.latest);
}

// --- entries ---

static enum err read_envelope(struct following *f, const struct log_entry *entry,
                              struct arena *arena, struct envelope *envelope,
                              struct record_key *record)
{
    enum err err = merge_envelope(f->txn, entry->envelope, arena, envelope);
    if (!err)
        merge_record(envelope, entry->device, entry->seq, log_tag(entry), record);
    return err;
}

// The record of another change, which was erased or has no effect any more.
static void look_at_named(struct following *f, const struct change_ref *ref, uint64_t position,
                          bool is_erased)
{
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
    uint64_t at;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = ref->device.n == HANDLE_SIZE
                       ? log_find(f->txn, f->community, ref->device.p, ref->seq, &at)
                       : ERR_NOT_FOUND;
    if (!err)
        err = log_get(f->txn, f->community, at, &entry);
    if (!err && entry.form == LOG_BARE)
        err = ERR_NOT_FOUND;
    if (!err)
        err = read_envelope(f, &entry, &arena, &envelope, &record);
    if (err && err != ERR_NOT_FOUND)
        note_damage(f, err);
    if (err)
        return; // not here
    struct document *document = search_document(f->search, &record);
    if (is_erased && document)
        search_kill(f->search, document);
    f->rewrite |= is_erased;
    look_at_record(f, &record, position, true);
}

static void look_at_decision(struct following *f, uint64_t position)
{
    // What was decided before any words were read is carried out in them.
    if (position <= f->search->since)
        return;
    struct log_body body;
    // Reading other bodies takes this one's place.
    struct buf fields BUF_CLEANUP = {0};
    enum err err = log_get_body(f->txn, f->community, position, &body);
    if (err) {
        note_damage(f, err);
        return;
    }
    buf_put(&fields, body.fields);
    fail(f, fields.err);
    struct wire_reader reader = wire_reader(buf_bytes(&fields));
    while (!f->err && !wire_at_end(&reader)) {
        struct wire_field field;
        struct refusal refusal = {0};
        struct change_ref ref = {0};
        if (wire_next(&reader, &field))
            return;
        if (field.number == FIELD_ERASURE &&
            message_decode(&change_ref_message, field.bytes, NULL, &ref, NULL) == OK)
            look_at_named(f, &ref, position, true);
        if (field.number == FIELD_REFUSAL &&
            message_decode(&refusal_message, field.bytes, NULL, &refusal, NULL) == OK)
            look_at_named(f, &(struct change_ref){refusal.device, refusal.seq, refusal.tag},
                          position, false);
    }
}

static void look_at_entry(struct following *f, uint64_t position)
{
    struct log_entry entry;
    struct envelope envelope;
    struct record_key record;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = log_get(f->txn, f->community, position, &entry);
    bool is_again = !err && entry.form == LOG_AGAIN;
    if (is_again)
        err = log_get(f->txn, f->community, entry.first, &entry);
    if (!err && (entry.form == LOG_BARE || entry.form == LOG_AGAIN))
        return;
    if (!err)
        err = read_envelope(f, &entry, &arena, &envelope, &record);
    note_damage(f, err);
    if (err)
        return;
    if (envelope.kind == KIND_DECISION && entry.form == LOG_WHOLE)
        look_at_decision(f, position);
    if (envelope.class == CLASS_ORDINARY)
        look_at_record(f, &record, position, is_again);
}

// --- following ---

// Whether the log goes on from where it was followed.
static bool goes_on(struct following *f, const struct community *community)
{
    uint8_t root[HASH_SIZE];
    const struct search *search = f->search;
    return search->position == 0 ||
           (memcmp(search->log, community->log, HANDLE_SIZE) == 0 &&
            search->position <= community->size &&
            tree_root(f->txn, f->community, search->position, root) == OK &&
            memcmp(root, search->root, HASH_SIZE) == 0);
}

static uint64_t follow_entries(struct following *f, uint64_t from, uint64_t size)
{
    uint64_t position = from;
    while (!f->err && position < size && position - from < ENTRIES && f->terms.n < BATCH_BYTES)
        look_at_entry(f, ++position);
    return position;
}

static enum err arrive(struct following *f, const struct community *community, uint64_t position)
{
    uint8_t root[HASH_SIZE] = {0};
    enum err err = tree_root(f->txn, f->community, position, root);
    if (!err)
        err = txn_error(f->txn);
    if (!err)
        err = search_take(f->search, f->first, buf_bytes(&f->terms),
                          (struct segment_word *)(void *)f->words.p,
                          f->words.n / sizeof(struct segment_word), f->rewrite);
    if (err)
        return err;
    (void)pthread_mutex_lock(&f->search->lock);
    f->search->is_damaged |= txn_damage(f->txn) != f->damage;
    memcpy(f->search->log, community->log, HANDLE_SIZE);
    memcpy(f->search->root, root, HASH_SIZE);
    f->search->position = position;
    (void)pthread_mutex_unlock(&f->search->lock);
    return OK;
}

static void wipe(struct buf *buf)
{
    if (buf->p)
        bytes_wipe(buf->p, buf->cap);
    buf_done(buf);
}

enum err search_follow(struct search *search, struct txn *txn, bool *is_behind)
{
    struct following f = {
        .search = search, .txn = txn, .community = search->community, .damage = txn_damage(txn)};
    struct community community;
    f.terms.max = TERMS_MAX;
    enum err err = community_get_number(txn, search->community, &community);
    if (!err && !goes_on(&f, &community))
        search_empty(search);
    if (!err && search->position < community.size) {
        f.first = search->n;
        if (search->position == 0)
            search->since = community.size;
        uint64_t position = follow_entries(&f, search->position, community.size);
        err = f.err ? f.err : arrive(&f, &community, position);
    }
    wipe(&f.terms);
    wipe(&f.words);
    if (err)
        search_empty(search);
    *is_behind = !err && search->position < community.size;
    return err;
}
