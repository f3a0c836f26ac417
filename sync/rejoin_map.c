// What has become of dots and ids.

#include <stdlib.h>

#include "sync/rejoin_private.h"

// --- dots ---

struct wanted {
    const uint8_t *device;
    uint32_t seq;
    uint32_t tag;
};

static int compare_dot(const struct wanted *a, const struct wanted *b)
{
    int order = memcmp(a->device, b->device, HANDLE_SIZE);
    if (order)
        return order;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->tag < b->tag ? -1 : a->tag > b->tag;
}

static struct wanted dot_of(const struct carried *c)
{
    return (struct wanted){c->was.device, c->was.seq, c->was.tag};
}

static int by_dot(const void *a, const void *b)
{
    struct wanted x = dot_of(*(struct carried *const *)a);
    struct wanted y = dot_of(*(struct carried *const *)b);
    return compare_dot(&x, &y);
}

static int find_dot(const void *key, const void *item)
{
    struct wanted y = dot_of(*(struct carried *const *)item);
    return compare_dot(key, &y);
}

bool rejoin_map_change(const struct rejoining *r, const struct carry *by, struct bytes *device,
                       uint32_t *seq, uint32_t *tag)
{
    struct wanted wanted = {device->n ? device->p : by->device, *seq, *tag};
    struct carried *const *found =
        bsearch(&wanted, r->by_dot, r->n, sizeof(struct carried *), find_dot);
    *device = bytes_of(wanted.device, HANDLE_SIZE);
    if (!found)
        return true;
    *device = (struct bytes){0};
    *seq = (*found)->seq;
    *tag = (*found)->tag;
    return (*found)->seq != 0;
}

// --- ids ---

static int by_id(const void *a, const void *b)
{
    const struct carried *x = *(struct carried *const *)a;
    const struct carried *y = *(struct carried *const *)b;
    int order = memcmp(x->id_was, y->id_was, ID_SIZE);
    return order ? order : x < y ? -1 : x > y;
}

// The first place in by_id whose id is not less.
static size_t place_of(const struct rejoining *r, const uint8_t id[ID_SIZE])
{
    size_t low = 0;
    size_t high = r->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(r->by_id[middle]->id_was, id, ID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Whoever refers to a record was written after the change that it is known by.
bool rejoin_map_id(uint8_t id[ID_SIZE], void *arg)
{
    const struct rejoining *r = arg;
    size_t i = place_of(r, id);
    while (i < r->n && r->by_id[i]->seq == 0 && memcmp(r->by_id[i]->id_was, id, ID_SIZE) == 0)
        i++;
    if (i == r->n || memcmp(r->by_id[i]->id_was, id, ID_SIZE) != 0 ||
        memcmp(r->by_id[i]->id_is, id, ID_SIZE) == 0)
        return false;
    memcpy(id, r->by_id[i]->id_is, ID_SIZE);
    return true;
}

enum err rejoin_sort(struct rejoining *r)
{
    r->by_dot = calloc(r->n, sizeof(struct carried *));
    r->by_id = calloc(r->n, sizeof(struct carried *));
    if (!r->by_dot || !r->by_id)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n; i++)
        r->by_dot[i] = r->by_id[i] = &r->list[i];
    qsort(r->by_dot, r->n, sizeof(struct carried *), by_dot);
    qsort(r->by_id, r->n, sizeof(struct carried *), by_id);
    return OK;
}
