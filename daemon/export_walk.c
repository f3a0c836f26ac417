#include "daemon/export_walk.h"

enum {
    PAGE_RECORDS = 256,
    PAGE_BYTES = 1 << 20,   // after which no more records are put on a page
    PAGE_VOICES = 5000,     // counted, likewise
    PAGE_LOOKED = 2000,     // records, likewise
    ARENA_BYTES = 32 << 20, // what one page may take, its largest record included
    NAMES_WANTED = 1 << 15, // 1 MiB; the kind is gone over once for so many
    IDS_AT_ONCE = 10000,
};

void export_walk_kind(struct export_walk *walk, uint32_t kind)
{
    walk->kind = kind;
    walk->has_after = walk->is_named = walk->is_over = false;
}

void export_walk_done(struct export_walk *walk)
{
    names_done(&walk->names);
}

void export_page_done(struct export_page *page)
{
    arena_done(&page->arena);
}

// --- the next record ---

// The first true id after another one, and so many more of them.
static enum err add_names(struct export_walk *walk, uint8_t after[ID_SIZE], bool *has_after)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(walk->store);
    struct record_key record;
    enum err err = txn_error(txn);
    for (int i = 0; i < IDS_AT_ONCE && !err; i++) {
        err = live_next_record(txn, walk->to.community.number, walk->kind,
                               *has_after ? after : NULL, &record);
        if (err)
            break;
        names_add(&walk->names, record.id);
        memcpy(after, record.id, ID_SIZE);
        *has_after = true;
    }
    return err;
}

// The least names that are greater than the last one.
static enum err find_names(struct export_walk *walk)
{
    uint8_t after[ID_SIZE];
    bool has_after = false;
    enum err err = OK;
    names_done(&walk->names);
    walk->names = (struct names){
        .mask = given_mask(&walk->to),
        .kind = walk->kind,
        .after = bytes_of(walk->after, walk->has_after ? ID_SIZE : 0),
        .max = NAMES_WANTED,
    };
    while (!err)
        err = add_names(walk, after, &has_after);
    if (err == ERR_NOT_FOUND)
        err = names_end(&walk->names);
    walk->at = 0;
    walk->is_named = !err;
    return err;
}

static bool wants_names(const struct export_walk *walk)
{
    return given_is_masked(&walk->to) &&
           (!walk->is_named || (walk->at == walk->names.n && walk->names.more));
}

// The true key of the next record, and what it is called after.
static enum err next(struct export_walk *walk, struct txn *txn, struct record_key *record,
                     uint8_t name[ID_SIZE])
{
    enum err err;
    if (given_is_masked(&walk->to)) {
        if (walk->at == walk->names.n)
            return ERR_NOT_FOUND;
        record->kind = walk->kind;
        memcpy(record->id, walk->names.p[walk->at], ID_SIZE);
        memcpy(name, record->id, ID_SIZE);
        struct mask mask = given_mask(&walk->to);
        return mask_id_back(&mask, walk->kind, record->id);
    }
    err = live_next_record(txn, walk->to.community.number, walk->kind,
                           walk->has_after ? walk->after : NULL, record);
    if (!err)
        memcpy(name, record->id, ID_SIZE);
    return err;
}

static void pass(struct export_walk *walk, const uint8_t name[ID_SIZE])
{
    memcpy(walk->after, name, ID_SIZE);
    walk->has_after = true;
    walk->at++;
}

// --- a page ---

static size_t voices_of(const struct given *given)
{
    const struct tally *tally = given->view.tally;
    return tally ? tally->for_ + tally->against + tally->unsure : 0;
}

// What is given of one record. A page that is full of others gives way (*is_full) to the next.
static enum err add_record(struct export_walk *walk, struct txn *txn, struct export_page *page,
                           const struct record_key *record, const uint8_t name[ID_SIZE],
                           bool *is_full)
{
    struct given *given = &page->records[page->n];
    enum err err = given_record(txn, &walk->to, record, &page->arena, given);
    if (err == ERR_NOMEM && page->arena.err == ERR_LIMIT) {
        *is_full = true;
        if (page->n > 0)
            return OK;
        walk->left_out(walk->arg, record->kind, name, "too large");
    } else if (err == ERR_NOT_FOUND) {
        walk->closed++;
    } else if (err == ERR_DAMAGED || err == ERR_LIMIT) {
        walk->damaged |= err == ERR_DAMAGED;
        walk->left_out(walk->arg, record->kind, name,
                       err == ERR_DAMAGED ? "damaged" : "joined with too many");
    } else if (err) {
        return err;
    } else {
        walk->damaged |= given->view.damaged;
        page->n++;
    }
    pass(walk, name);
    return txn_error(txn);
}

static enum err fill(struct export_walk *walk, struct txn *txn, struct export_page *page)
{
    enum err err = txn_error(txn);
    size_t voices = 0;
    bool is_full = false;
    for (int i = 0; i < PAGE_LOOKED && page->n < PAGE_RECORDS && !err && !is_full; i++) {
        struct record_key record;
        uint8_t name[ID_SIZE];
        size_t before = page->n;
        err = next(walk, txn, &record, name);
        if (!err)
            err = add_record(walk, txn, page, &record, name, &is_full);
        if (!err && page->n > before)
            voices += voices_of(&page->records[before]);
        is_full |= page->arena.used > PAGE_BYTES || voices > PAGE_VOICES;
    }
    return err;
}

enum err export_walk_page(struct export_walk *walk, struct export_page *page)
{
    *page = (struct export_page){.n = 0};
    arena_init(&page->arena, ARENA_BYTES);
    page->records = arena_alloc(&page->arena, PAGE_RECORDS, sizeof *page->records);
    enum err err = page->records ? OK : ERR_NOMEM;
    if (!err && wants_names(walk))
        err = find_names(walk);
    if (err)
        return err;
    struct txn *txn TXN_CLEANUP = txn_begin_read(walk->store);
    err = fill(walk, txn, page);
    walk->is_over = err == ERR_NOT_FOUND && !(walk->is_named && walk->names.more);
    return err == ERR_NOT_FOUND ? OK : err;
}

enum err export_walk_look(struct export_walk *walk, uint32_t kind, struct bytes id,
                          struct arena *arena, struct given *given)
{
    struct mask mask = given_mask(&walk->to);
    struct record_key record = {.kind = kind};
    if (id.n != ID_SIZE)
        return ERR_NOT_FOUND;
    memcpy(record.id, id.p, ID_SIZE);
    enum err err = given_is_masked(&walk->to) ? mask_id_back(&mask, kind, record.id) : OK;
    struct txn *txn TXN_CLEANUP = txn_begin_read(walk->store);
    if (!err)
        err = txn_error(txn);
    return err ? err : given_record(txn, &walk->to, &record, arena, given);
}
