#include "daemon/contacts.h"

#include <pthread.h>
#include <stdlib.h>

struct contact_note {
    struct hub_caller caller;
    struct contact heard;
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

static struct contact_note *find(struct contacts *contacts, uint32_t community,
                                 const uint8_t handle[HANDLE_SIZE])
{
    for (size_t i = 0; i < contacts->n; i++) {
        const struct hub_caller *caller = &contacts->notes[i].caller;
        if (caller->community.number == community &&
            memcmp(caller->device.handle, handle, HANDLE_SIZE) == 0)
            return &contacts->notes[i];
    }
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

void contacts_add(struct contacts *contacts, const struct hub_caller *caller,
                  const struct contact *heard)
{
    (void)pthread_mutex_lock(&contacts->lock);
    struct contact_note *note = find(contacts, caller->community.number, caller->device.handle);
    if (!note)
        note = add(contacts, caller);
    if (note)
        hub_add_contact(&note->heard, heard);
    (void)pthread_mutex_unlock(&contacts->lock);
}

void contacts_add_to(struct contacts *contacts, uint32_t community,
                     const uint8_t handle[HANDLE_SIZE], struct contact *contact)
{
    (void)pthread_mutex_lock(&contacts->lock);
    const struct contact_note *note = find(contacts, community, handle);
    if (note)
        hub_add_contact(contact, &note->heard);
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
        hub_note_contact(txn, &note->caller, &note->heard);
    }
    contacts->n = 0;
    (void)pthread_mutex_unlock(&contacts->lock);
}
