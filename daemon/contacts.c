#include "daemon/contacts.h"

#include <pthread.h>
#include <stdlib.h>

struct contact_note {
    struct hub_caller caller;
    int64_t now;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

struct contacts {
    pthread_mutex_t lock;
    struct contact_note *notes;
    size_t n;
    size_t room;
};

struct contacts *contacts_new(void)
{
    struct contacts *contacts = calloc(1, sizeof *contacts);
    if (contacts && pthread_mutex_init(&contacts->lock, NULL)) {
        free(contacts);
        contacts = NULL;
    }
    return contacts;
}

void contacts_free(struct contacts **contacts)
{
    if (!*contacts)
        return;
    (void)pthread_mutex_destroy(&(*contacts)->lock);
    free((*contacts)->notes);
    free(*contacts);
    *contacts = NULL;
}

static bool is_same(const struct hub_caller *a, const struct hub_caller *b)
{
    return a->community.number == b->community.number &&
           memcmp(a->device.handle, b->device.handle, HANDLE_SIZE) == 0;
}

static struct contact_note *find(struct contacts *contacts, const struct hub_caller *caller)
{
    for (size_t i = 0; i < contacts->n; i++)
        if (is_same(&contacts->notes[i].caller, caller))
            return &contacts->notes[i];
    return NULL;
}

static struct contact_note *add(struct contacts *contacts, const struct hub_caller *caller)
{
    if (contacts->n == contacts->room) {
        size_t room = contacts->room ? contacts->room * 2 : 16;
        struct contact_note *notes =
            room > CONTACTS_MAX ? NULL : realloc(contacts->notes, room * sizeof *notes);
        if (!notes)
            return NULL;
        contacts->notes = notes;
        contacts->room = room;
    }
    struct contact_note *note = &contacts->notes[contacts->n++];
    *note = (struct contact_note){.caller = *caller};
    return note;
}

void contacts_add(struct contacts *contacts, const struct hub_caller *caller, int64_t now,
                  uint64_t bytes_in, uint64_t bytes_out)
{
    (void)pthread_mutex_lock(&contacts->lock);
    struct contact_note *note = find(contacts, caller);
    if (!note)
        note = add(contacts, caller);
    if (note) {
        note->now = now;
        note->bytes_in += bytes_in;
        note->bytes_out += bytes_out;
    }
    (void)pthread_mutex_unlock(&contacts->lock);
}

bool contacts_any(struct contacts *contacts)
{
    (void)pthread_mutex_lock(&contacts->lock);
    bool any = contacts->n > 0;
    (void)pthread_mutex_unlock(&contacts->lock);
    return any;
}

void contacts_write(struct contacts *contacts, struct txn *txn)
{
    (void)pthread_mutex_lock(&contacts->lock);
    for (size_t i = 0; i < contacts->n; i++) {
        const struct contact_note *note = &contacts->notes[i];
        hub_note_contact(txn, &note->caller, note->now, note->bytes_in, note->bytes_out);
    }
    contacts->n = 0;
    (void)pthread_mutex_unlock(&contacts->lock);
}
