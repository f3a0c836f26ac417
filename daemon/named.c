#include "daemon/named.h"

#include <string.h>

#include "base/text.h"

struct search {
    const char *wanted;
    struct community found;
    int count;
};

static bool consider(const struct community *community, void *arg)
{
    struct search *search = arg;
    char hex[2 * COMMUNITY_SIZE + 1];
    text_hex(BYTES(community->id), hex);
    size_t n = strlen(search->wanted);
    bool fits =
        bytes_equal(bytes_of(community->name, community->name_n), bytes_of_text(search->wanted)) ||
        (n >= 8 && n < sizeof hex && strncmp(hex, search->wanted, n) == 0);
    if (community->is_hub && fits) {
        search->found = *community;
        search->count++;
    }
    return true;
}

enum err named_community(struct txn *txn, const char *wanted, struct community *community,
                         struct fault *fault)
{
    struct search search = {.wanted = wanted};
    community_each(txn, consider, &search);
    if (search.count > 1)
        return fault_set(fault, ERR_EXISTS, "several communities are called so: name it by its id");
    if (search.count == 0)
        return fault_set(
            fault, ERR_NOT_FOUND,
            "no such community: name one by its name, or by 8 or more digits of its id");
    *community = search.found;
    return OK;
}
