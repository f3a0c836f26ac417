#include "sync/picture.h"

#include "sync/counts_private.h"
#include "sync/picture_private.h"

// --- what all answers share ---

enum err picture_begin(const struct picturing *p, struct fault *fault)
{
    return counts_are_kept(p->txn, p->community->number)
               ? OK
               : fault_set(
                     fault, ERR_BUSY,
                     "the counts are to be made anew, which is done when the database is opened "
                     "the next time");
}

enum err picture_end(const struct picturing *p, struct fault *fault)
{
    enum err err = txn_error(p->txn) ? txn_error(p->txn) : p->err;
    if (err == ERR_NOMEM && p->arena->err == ERR_LIMIT)
        return fault_set(fault, ERR_LIMIT, "the picture is too large for one answer");
    return err ? fault_set(fault, err, "the picture could not be read: %s", err_text(err)) : OK;
}

void *picture_alloc(struct picturing *p, size_t n, size_t size)
{
    void *made = p->err ? NULL : arena_alloc(p->arena, n ? n : 1, size);
    if (!made && !p->err)
        p->err = ERR_NOMEM;
    return made;
}

static struct bytes copy_text(struct picturing *p, const struct counts_text *text)
{
    struct bytes copy = arena_copy(p->arena, bytes_of(text->p, text->n));
    if (text->n && !copy.p && !p->err)
        p->err = ERR_NOMEM;
    return copy;
}

struct bytes picture_text(struct picturing *p, const struct counts_text *text, bool is_place)
{
    struct counts_text loaded = *text;
    (void)counts_load(p->txn, p->community->number, is_place, &loaded);
    return copy_text(p, &loaded);
}

uint32_t picture_floor(const struct picturing *p, uint32_t n)
{
    return p->eye->least ? n - n % p->eye->least : n;
}

struct picture_constraints *picture_constraints(struct picturing *p, const uint32_t natures[4])
{
    struct picture_constraints *made = picture_alloc(p, 1, sizeof *made);
    if (made)
        *made = (struct picture_constraints){
            picture_floor(p, natures[0]), picture_floor(p, natures[1]),
            picture_floor(p, natures[2]), picture_floor(p, natures[3])};
    return made;
}

struct list picture_voices(struct picturing *p, const uint32_t *by_party, size_t stances)
{
    struct picture_voices *made = picture_alloc(p, COUNTS_PARTIES, sizeof *made);
    struct list list = {made, 0};
    for (uint32_t party = 0; made && party < COUNTS_PARTIES; party++) {
        const uint32_t *of = by_party + party * stances;
        struct picture_voices voices = {party, picture_floor(p, of[0]), picture_floor(p, of[1]),
                                        picture_floor(p, of[2])};
        if (voices.for_ || voices.against || voices.unsure)
            made[list.n++] = voices;
    }
    return list;
}

// --- how many ---

struct counting_up {
    struct picturing p;
    struct picture_response *response;
    struct unheard unheard;
};

// Over all states.
static void add_voices(const struct count *count, uint32_t by_party[COUNTS_PARTIES * 3])
{
    enum { A_STATE = COUNTS_PARTIES * 3 };
    memset(by_party, 0, A_STATE * sizeof *by_party);
    for (size_t i = 0; i < (size_t)COUNTS_STATES * A_STATE; i++)
        by_party[i % A_STATE] += count->cells[COUNT_VOICES + i];
}

static void fill(struct picturing *p, const struct count *from, struct picture_count *to)
{
    const uint32_t *cells = from->cells;
    uint32_t by_party[COUNTS_PARTIES * 3];
    add_voices(from, by_party);
    *to = (struct picture_count){
        .unanswered = picture_floor(p, cells[COUNT_RECORDS]),
        .solution = picture_floor(p, cells[COUNT_RECORDS + 1]),
        .commitment = picture_floor(p, cells[COUNT_RECORDS + 2]),
        .outcome = picture_floor(p, cells[COUNT_RECORDS + 3]),
        .divided = picture_floor(p, cells[COUNT_DIVIDED]),
        .tension = picture_floor(p, cells[COUNT_TENSION]),
        .blocked = picture_floor(p, cells[COUNT_BLOCKED]),
        .strengths = picture_floor(p, cells[COUNT_STRENGTHS]),
        .constraints = picture_constraints(p, cells + COUNT_NATURES),
        .voices = picture_voices(p, by_party, 3),
    };
}

// An outsider is not told the name of what too few speak of.
static bool is_too_few(const struct picturing *p, const struct picture_count *count)
{
    return p->eye->least && !count->voices.n && !count->unanswered && !count->solution &&
           !count->commitment && !count->outcome;
}

static bool is_all(const uint8_t hash[COUNT_HASH_SIZE])
{
    static const uint8_t all[COUNT_HASH_SIZE];
    return memcmp(hash, all, sizeof all) == 0;
}

static bool add_count(const struct count_key *key, const struct count *count, void *arg)
{
    struct counting_up *c = arg;
    struct list *counts = &c->response->counts;
    struct picture_count *to = LIST_AT(struct picture_count, *counts, counts->n);
    bool by_place = !is_all(key->place);
    if (by_place == !is_all(key->category))
        return true; // all, or of a place and a category together
    c->response->more |= counts->n == PICTURE_COUNTS_MAX;
    if (c->response->more)
        return false;
    fill(&c->p, count, to);
    if (!is_too_few(&c->p, to) &&
        picture_name(&c->p, key, by_place, by_place ? &count->place : &count->category,
                     by_place ? &to->place : &to->category))
        counts->n++;
    return !c->p.err;
}

static bool add_heard(const struct count_key *key, const struct count *count, void *arg)
{
    struct counting_up *c = arg;
    struct list *heard = &c->response->heard;
    struct bytes place = {0};
    uint32_t all = 0;
    if (!is_all(key->place) && !picture_name(&c->p, key, true, &count->place, &place))
        return !c->p.err;
    for (uint32_t party = 0; party < COUNTS_PARTIES; party++) {
        uint32_t persons = picture_floor(&c->p, count->cells[party]);
        all += count->cells[party];
        c->response->more |= persons && heard->n == PICTURE_COUNTS_MAX;
        if (persons && heard->n < PICTURE_COUNTS_MAX)
            *LIST_AT(struct picture_heard, *heard, heard->n++) =
                (struct picture_heard){place, party, persons};
    }
    picture_unheard_add(&c->unheard, place, all);
    return !c->p.err;
}

enum err picture_counts(struct txn *txn, const struct community *community, uint32_t kind,
                        const struct picture_eye *eye, struct arena *arena,
                        struct picture_response *response, struct fault *fault)
{
    struct counting_up c = {{txn, community, eye, arena, OK}, response, {0}};
    struct count_key all = {.kind = kind ? kind : KIND_NEED};
    struct count count;
    if (all.kind > KIND_MAX)
        return fault_set(fault, ERR_MALFORMED, "PictureRequest: there is no such kind");
    enum err err = picture_begin(&c.p, fault);
    if (err)
        return err;
    response->least = eye->least;
    response->total = picture_alloc(&c.p, 1, sizeof *response->total);
    response->counts.p = picture_alloc(&c.p, PICTURE_COUNTS_MAX + 1, sizeof(struct picture_count));
    response->heard.p = picture_alloc(&c.p, PICTURE_COUNTS_MAX, sizeof(struct picture_heard));
    if (!picture_unheard_begin(&c.p, &c.unheard))
        return picture_end(&c.p, fault);
    err = count_get(txn, community->number, &all, &count);
    if (!err || err == ERR_NOT_FOUND) {
        fill(&c.p, &count, response->total);
        err = count_each(txn, community->number, all.kind, add_count, &c);
    }
    if (!err)
        err = count_each(txn, community->number, KIND_PERSON, add_heard, &c);
    if (!c.p.err)
        c.p.err = err;
    picture_unheard_end(&c.p, &c.unheard, response);
    return picture_end(&c.p, fault);
}
