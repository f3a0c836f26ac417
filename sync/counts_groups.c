// Groups of joined records, of as many kinds as are asked for.

#include <stdlib.h>

#include "sync/counts_private.h"

void groups_done(struct groups *groups)
{
    for (size_t i = 0; i < groups->n; i++)
        joined_free(&groups->kinds[i].joined);
    free(groups->kinds);
}

static struct joined *of_kind(struct groups *groups, uint32_t kind)
{
    for (size_t i = groups->n; i-- > 0;) {
        if (groups->kinds[i].kind == kind)
            return groups->kinds[i].joined;
    }
    if (groups->n == groups->cap) {
        size_t cap = groups->cap ? 2 * groups->cap : 8;
        struct groups_of_kind *kinds = realloc(groups->kinds, cap * sizeof *kinds);
        if (!kinds)
            return NULL;
        groups->kinds = kinds;
        groups->cap = cap;
    }
    struct joined *joined = joined_new(groups->txn, groups->community, kind);
    if (joined)
        groups->kinds[groups->n++] = (struct groups_of_kind){kind, joined};
    return joined;
}

enum err groups_find(struct groups *groups, const struct record_key *record, struct group_of *group)
{
    struct joined *joined = of_kind(groups, record->kind);
    enum err err = joined ? joined_group(joined, record->id, &group->number) : ERR_NOMEM;
    if (err)
        return err;
    group->joined = joined;
    group->root = (struct record_key){.kind = record->kind};
    memcpy(group->root.id, joined_root(joined, group->number), ID_SIZE);
    group->is_root = memcmp(group->root.id, record->id, ID_SIZE) == 0;
    return OK;
}

enum err groups_again(struct groups *groups, const struct record_key *root, uint32_t number,
                      struct group_of *group)
{
    *group = (struct group_of){of_kind(groups, root->kind), number, *root, true};
    return group->joined ? OK : ERR_NOMEM;
}

bool groups_member(const struct group_of *group, size_t i, struct record_key *member)
{
    return joined_member(group->joined, group->number, i, member);
}
