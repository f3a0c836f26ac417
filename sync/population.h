#pragma once

// Where people live: the table beside which the picture tells who has not been heard. It is not of
// any log; a hub's admin hands it in. Plain memory; any thread as long as nobody changes it.

#include "base/bytes.h"
#include "base/err.h"

enum { POPULATION_MAX = 20000 };

struct population_place {
    struct bytes code;
    struct bytes name; // empty: it has none
    bool is_counted;   // how many live there is known
    uint32_t persons;
    uint32_t line; // on which it stands, for faults
};

// All zero: no table.
struct population {
    const struct population_place *places; // ascending by code
    size_t n;
    const struct population_place *const *by_name; // ascending by name, then by code
};

// Makes the table of these n places, which it puts in order; `by_name` has room for n. Both are
// borrowed. NULL, or a place whose code another one has, too: the table is then of no use.
const struct population_place *population_make(struct population_place *places, size_t n,
                                               const struct population_place **by_name,
                                               struct population *population) must_check;
// The place with this code; or else the one place with this name: where several have it, or none,
// NULL.
const struct population_place *population_find(const struct population *population,
                                               struct bytes text);
