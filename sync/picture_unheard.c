// Who has not been heard: the places of the population table, by how few of whoever lives there
// have a voice on anything.

#include <stdlib.h>

#include "sync/picture_private.h"

bool picture_unheard_begin(struct picturing *p, struct unheard *unheard)
{
    const struct population *table = p->eye->population;
    *unheard = (struct unheard){.table = NULL};
    if (table && table->n) {
        unheard->table = table;
        unheard->heard = picture_alloc(p, table->n, sizeof *unheard->heard);
    }
    return !p->err;
}

void picture_unheard_add(struct unheard *unheard, struct bytes place, uint32_t persons)
{
    const struct population_place *found =
        unheard->table ? population_find(unheard->table, place) : NULL;
    if (found)
        unheard->heard[found - unheard->table->places] += persons;
}

// Where nobody lives nobody is missed.
static bool is_told(const struct population_place *place)
{
    return !place->is_counted || place->persons > 0;
}

static struct picture_place place_of(const struct population_place *place, uint32_t heard)
{
    return (struct picture_place){.code = place->code,
                                  .name = place->name,
                                  .population = place->is_counted ? place->persons : 0,
                                  .heard = heard};
}

// Fewest by how many live there; those of which that is not known stand behind, fewest first.
static int compare(const void *a, const void *b)
{
    const struct picture_place *x = a;
    const struct picture_place *y = b;
    if (!x->population != !y->population)
        return x->population ? -1 : 1;
    uint64_t of_x = (uint64_t)x->heard * (y->population ? y->population : 1);
    uint64_t of_y = (uint64_t)y->heard * (x->population ? x->population : 1);
    if (of_x != of_y)
        return of_x < of_y ? -1 : 1;
    return bytes_compare(x->code, y->code);
}

static bool put(struct picture_response *response, const struct picture_place *place)
{
    response->more_unheard |= response->unheard.n == PICTURE_UNHEARD_MAX;
    if (response->more_unheard)
        return false;
    *LIST_AT(struct picture_place, response->unheard, response->unheard.n++) = *place;
    return true;
}

// The table is in the order of codes, and only the few where somebody was heard need sorting.
void picture_unheard_end(struct picturing *p, struct unheard *unheard,
                         struct picture_response *response)
{
    const struct population *table = unheard->table;
    if (!table || p->err)
        return;
    size_t heard_n = 0;
    for (size_t i = 0; i < table->n; i++) {
        unheard->heard[i] = picture_floor(p, unheard->heard[i]);
        heard_n += unheard->heard[i] > 0;
    }
    response->unheard.p = picture_alloc(p, PICTURE_UNHEARD_MAX, sizeof(struct picture_place));
    struct picture_place *heard = picture_alloc(p, heard_n, sizeof *heard);
    heard_n = 0;
    for (size_t i = 0; !p->err && i < table->n; i++) {
        struct picture_place place = place_of(&table->places[i], unheard->heard[i]);
        if (is_told(&table->places[i]) && place.heard)
            heard[heard_n++] = place;
        else if (is_told(&table->places[i]))
            (void)put(response, &place);
    }
    if (!p->err && heard_n)
        qsort(heard, heard_n, sizeof *heard, compare);
    for (size_t i = 0; !p->err && i < heard_n && put(response, &heard[i]); i++)
        continue;
}
