#include "sync/population.h"

#include <stdlib.h>

static int compare_codes(const void *a, const void *b)
{
    return bytes_compare(((const struct population_place *)a)->code,
                         ((const struct population_place *)b)->code);
}

static int compare_names(const void *a, const void *b)
{
    const struct population_place *x = *(const struct population_place *const *)a;
    const struct population_place *y = *(const struct population_place *const *)b;
    int order = bytes_compare(x->name, y->name);
    return order ? order : bytes_compare(x->code, y->code);
}

const struct population_place *population_make(struct population_place *places, size_t n,
                                               const struct population_place **by_name,
                                               struct population *population)
{
    if (n)
        qsort(places, n, sizeof *places, compare_codes);
    for (size_t i = 1; i < n; i++) {
        if (bytes_equal(places[i - 1].code, places[i].code))
            return places[i - 1].line > places[i].line ? &places[i - 1] : &places[i];
    }
    for (size_t i = 0; i < n; i++)
        by_name[i] = &places[i];
    if (n)
        qsort(by_name, n, sizeof(const struct population_place *), compare_names);
    *population = (struct population){places, n, by_name};
    return NULL;
}

// The first that is not less, by code or by name; n: none.
static size_t lower_bound(const struct population *population, struct bytes text, bool by_name)
{
    size_t low = 0;
    size_t high = population->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct bytes of =
            by_name ? population->by_name[middle]->name : population->places[middle].code;
        if (bytes_compare(of, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_called(const struct population *population, size_t i, struct bytes name)
{
    return i < population->n && bytes_equal(population->by_name[i]->name, name);
}

const struct population_place *population_find(const struct population *population,
                                               struct bytes text)
{
    if (text.n == 0)
        return NULL;
    size_t at = lower_bound(population, text, false);
    if (at < population->n && bytes_equal(population->places[at].code, text))
        return &population->places[at];
    at = lower_bound(population, text, true);
    return is_called(population, at, text) && !is_called(population, at + 1, text)
               ? population->by_name[at]
               : NULL;
}
