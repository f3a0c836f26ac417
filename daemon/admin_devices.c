// The devices of a community, in the order of who needs a call.

#include <stdlib.h>

#include "daemon/admin_private.h"
#include "daemon/named.h"
#include "daemon/rpc.h"

struct listed {
    struct device device;
    struct contact contact;
    uint64_t apart;
};

struct listing {
    struct contacts *contacts;
    struct txn *txn;
    uint32_t community;
    struct buf all; // struct listed
};

static bool gather(const struct device *device, void *arg)
{
    struct listing *listing = arg;
    struct listed listed = {.device = *device};
    contact_get(listing->txn, listing->community, device->handle, &listed.contact);
    contacts_add_to(listing->contacts, listing->community, device->handle, &listed.contact);
    listed.apart = admin_count_apart(listing->txn, listing->community, device->handle);
    buf_put(&listing->all, bytes_of(&listed, sizeof listed));
    return !listing->all.err;
}

// As far as the hub can know: the device has said how long its chain is, and not all of it is here.
static uint32_t undelivered(const struct listed *listed)
{
    uint32_t written = listed->contact.written;
    return written > listed->device.seq ? written - listed->device.seq : 0;
}

// Words that are on their way come first, then whose sync was refused; a hub and who was revoked
// need none.
static int need_of(const struct listed *listed)
{
    if (listed->device.role == ROLE_HUB || listed->device.role == ROLE_NONE)
        return 0;
    return undelivered(listed) ? 3 : listed->contact.error ? 2 : 1;
}

// Then who was silent for longest.
static int by_need(const void *a, const void *b)
{
    const struct listed *x = a;
    const struct listed *y = b;
    if (need_of(x) != need_of(y))
        return need_of(x) > need_of(y) ? -1 : 1;
    if (x->contact.last_sync != y->contact.last_sync)
        return x->contact.last_sync < y->contact.last_sync ? -1 : 1;
    return memcmp(x->device.handle, y->device.handle, HANDLE_SIZE);
}

static void add(cJSON *list, const struct listed *listed)
{
    const struct device *device = &listed->device;
    const struct contact *contact = &listed->contact;
    cJSON *item = cJSON_CreateObject();
    admin_hex(item, "handle", BYTES(device->handle));
    (void)cJSON_AddStringToObject(item, "role", role_name(device->role));
    (void)cJSON_AddStringToObject(item, "label", device->label);
    admin_number(item, "changes", device->seq);
    admin_number(item, "undelivered", undelivered(listed));
    admin_number(item, "apart", listed->apart);
    (void)cJSON_AddNumberToObject(item, "last_sync", (double)contact->last_sync);
    admin_number(item, "bytes_in", contact->bytes_in);
    admin_number(item, "bytes_out", contact->bytes_out);
    if (contact->app[0])
        (void)cJSON_AddStringToObject(item, "app", contact->app);
    if (contact->error) {
        (void)cJSON_AddStringToObject(item, "error", rpc_code_name((enum rpc_code)contact->error));
        (void)cJSON_AddNumberToObject(item, "error_time", (double)contact->error_time);
    }
    (void)cJSON_AddItemToArray(list, item);
}

cJSON *admin_devices(struct admin_context *context, const cJSON *request, struct txn *txn)
{
    struct fault fault = {0};
    struct community community = {.number = 0};
    enum err err = named_community(txn, admin_text(request, "community"), &community, &fault);
    if (err)
        return admin_fault(err, &fault);
    struct listing listing = {context->calls->contacts, txn, community.number, {0}};
    device_each(txn, community.number, gather, &listing);
    size_t n = listing.all.n / sizeof(struct listed);
    struct listed *all = (struct listed *)(void *)listing.all.p;
    if (n)
        qsort(all, n, sizeof *all, by_need);
    cJSON *answer = listing.all.err ? admin_fault(listing.all.err, &fault) : admin_ok();
    (void)cJSON_AddStringToObject(answer, "community", community.name);
    cJSON *list = cJSON_AddArrayToObject(answer, "devices");
    for (size_t i = 0; i < n; i++)
        add(list, &all[i]);
    buf_done(&listing.all);
    return answer;
}
