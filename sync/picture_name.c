// What a row of counts is of: its key is a hash, and words are kept in one place alone.

#include "sync/counts_private.h"
#include "sync/picture_private.h"

enum { LOOKED_MAX = 20000 };

struct naming {
    struct picturing *p;
    const struct count_key *key;
    bool is_place;
    struct counts_text found; // n is 0: none yet
    size_t looked;
};

static bool try_text(struct naming *n, const struct counts_text *text)
{
    static const struct counts_text none;
    struct counts_text loaded = *text;
    if (!counts_load(n->p->txn, n->p->community->number, n->is_place, &loaded) || loaded.n == 0)
        return false;
    struct count_key key = n->is_place ? count_key_of(n->key->kind, &loaded, &none)
                                       : count_key_of(n->key->kind, &none, &loaded);
    if (memcmp(key.place, n->key->place, COUNT_HASH_SIZE) != 0 ||
        memcmp(key.category, n->key->category, COUNT_HASH_SIZE) != 0)
        return false;
    n->found = loaded;
    return true;
}

static bool try_record(const struct order_place *place, void *arg)
{
    struct naming *n = arg;
    struct record_key record = {.kind = n->key->kind};
    struct sum sum;
    memcpy(record.id, place->id, ID_SIZE);
    if (txn_failed(n->p->txn, sum_get(n->p->txn, n->p->community->number, &record, &sum)))
        return ++n->looked < LOOKED_MAX;
    bool found = n->is_place && try_text(n, &sum.place);
    for (size_t i = 0; !found && !n->is_place && i < sum.categories_n; i++)
        found = try_text(n, &sum.categories[i]);
    return !found && ++n->looked < LOOKED_MAX;
}

static bool try_heard(const struct heard *heard, void *arg)
{
    struct naming *n = arg;
    return !try_text(n, &heard->place) && ++n->looked < LOOKED_MAX;
}

static void search(struct naming *n)
{
    enum err err = OK;
    uint32_t community = n->p->community->number;
    if (n->key->kind == KIND_PERSON)
        err = heard_each(n->p->txn, community, try_heard, n);
    for (int list = 0; !err && list < COUNTS_STATES && !n->found.n && n->looked < LOOKED_MAX &&
                       n->key->kind != KIND_PERSON;
         list++)
        err = order_each(n->p->txn, community, n->key->kind, (enum counts_list)list, NULL,
                         try_record, n);
    if (err && !n->p->err)
        n->p->err = err;
}

bool picture_name(struct picturing *p, const struct count_key *key, bool is_place,
                  const struct counts_text *example, struct bytes *text)
{
    struct naming naming = {.p = p, .key = key, .is_place = is_place};
    if (!try_text(&naming, example))
        search(&naming);
    *text = arena_copy(p->arena, bytes_of(naming.found.p, naming.found.n));
    if (!text->p && naming.found.n && !p->err)
        p->err = ERR_NOMEM;
    return naming.found.n > 0;
}
