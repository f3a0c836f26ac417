// One change, written anew in another chain: as it was said and when; what it names of the changes
// that are carried over with it, it names by what they have become.

#include "proto/schema.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "sync/merge.h"
#include "sync/rejoin_private.h"

// --- the envelope ---

// A copy that may be changed; NULL when there is no room.
static uint8_t *copy_of(struct arena *arena, struct bytes bytes)
{
    uint8_t *copy = arena_alloc(arena, bytes.n + 1, 1);
    if (copy && bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    return copy;
}

// A member speaks as the person that their first device makes, and may speak as no other: another
// one than before where the hub did not take the new key for theirs.
static void map_member(const struct rejoining *r, const struct carry *was, uint8_t id[ID_SIZE])
{
    const struct author *author = r->author;
    struct device old;
    uint8_t person[ID_SIZE];
    if (author->device->role != ROLE_MEMBER)
        return;
    enum err err = device_get(r->txn, r->community, was->device, &old);
    if (err) {
        txn_fail(r->txn, err == ERR_NOT_FOUND ? OK : err);
        return;
    }
    digest_member(author->community->id, device_first(&old), person);
    if (memcmp(id, person, ID_SIZE) == 0)
        digest_member(author->community->id, device_first(author->device), id);
}

// An id within that copy.
static void map_at(struct rejoining *r, const struct carry *was, uint8_t *copy, struct bytes id)
{
    if (id.n == ID_SIZE && !rejoin_map_id(copy + (id.p - copy), r))
        map_member(r, was, copy + (id.p - copy));
}

// A part is an id, perhaps with its kind before it, or something else.
static void map_parts(struct rejoining *r, const struct carry *was, uint8_t *copy,
                      struct envelope *envelope)
{
    struct bytes *parts = envelope->parts.p;
    for (size_t i = 0; i < envelope->parts.n; i++) {
        bool with_kind = parts[i].n == 4 + ID_SIZE;
        map_at(r, was, copy, with_kind ? bytes_of(parts[i].p + 4, ID_SIZE) : parts[i]);
    }
    bool unsorted = envelope->kind == KIND_SAME_AS && envelope->parts.n == 2 &&
                    bytes_compare(parts[0], parts[1]) > 0;
    if (unsorted) {
        struct bytes first = parts[0];
        parts[0] = parts[1];
        parts[1] = first;
    }
}

static void map_over(const struct rejoining *r, const struct carry *was, struct list *over)
{
    size_t n = 0;
    for (size_t i = 0; i < over->n; i++) {
        struct dot dot = *LIST_AT(struct dot, *over, i);
        if (rejoin_map_change(r, was, &dot.device, &dot.seq, &dot.tag))
            *LIST_AT(struct dot, *over, n++) = dot;
    }
    over->n = n;
}

// --- the fields ---

static void map_ref(struct rejoining *r, const struct carry *was, uint8_t *copy,
                    struct bytes message)
{
    struct ref ref = {0};
    if (message_decode(&ref_message, message, NULL, &ref, NULL) == OK)
        map_at(r, was, copy, ref.id);
}

static void put_change_ref(const struct rejoining *r, const struct carry *was,
                           const struct wire_field *field, struct buf *out)
{
    struct change_ref ref = {0};
    bool sound = message_decode(&change_ref_message, field->bytes, NULL, &ref, NULL) == OK;
    if (!sound || !rejoin_map_change(r, was, &ref.device, &ref.seq, &ref.tag)) {
        buf_put(out, field->whole);
        return;
    }
    size_t mark = wire_open(out, field->number);
    message_encode(&change_ref_message, &ref, out);
    wire_close(out, mark);
}

static void map_field(struct rejoining *r, const struct carry *was, uint32_t kind, uint8_t *copy,
                      const struct wire_field *field, struct buf *out)
{
    const struct schema_field *known = schema_field(kind, field->number);
    const struct message *of = known ? known->of : NULL;
    if (field->type == WIRE_SIZED && of == &change_ref_message) {
        put_change_ref(r, was, field, out);
        return;
    }
    if (field->type == WIRE_SIZED && (field->number == FIELD_ABOUT || of == &ref_message))
        map_ref(r, was, copy, field->bytes);
    else if (field->type == WIRE_SIZED && known && known->type == SCHEMA_ID)
        map_at(r, was, copy, field->bytes);
    buf_put(out, field->whole);
}

static void map_fields(struct rejoining *r, const struct carry *was, uint32_t kind, uint8_t *copy,
                       size_t n, struct buf *out)
{
    struct wire_reader reader = wire_reader(bytes_of(copy, n));
    struct wire_field field;
    while (!wire_at_end(&reader) && wire_next(&reader, &field) == OK)
        map_field(r, was, kind, copy, &field, out);
}

// --- the change ---

// Salts are a stream from the random bytes that the caller gave.
static void next_salt(struct rejoining *r, uint8_t salt[SALT_SIZE])
{
    struct hash hash;
    uint8_t full[HASH_SIZE];
    hash_begin(&hash, "folkmoot carried salt");
    hash_put(&hash, bytes_of(r->random, 32));
    hash_put_be32(&hash, r->salts++);
    hash_end(&hash, full);
    memcpy(salt, full, SALT_SIZE);
}

static enum err write_one(struct rejoining *r, const struct envelope *envelope, struct bytes fields,
                          struct record_key *record, struct fault *fault)
{
    uint8_t salt[SALT_SIZE];
    next_salt(r, salt);
    return author_carry(r->txn, r->author, envelope, fields, salt, record, fault);
}

static enum err note_written(struct rejoining *r, struct carried *c)
{
    uint64_t position;
    struct log_entry entry;
    const struct device *own = r->author->device;
    enum err err = log_find(r->txn, r->community, own->handle, own->seq, &position);
    if (!err)
        err = log_get(r->txn, r->community, position, &entry);
    if (err)
        return err;
    c->seq = own->seq;
    c->tag = log_tag(&entry);
    return OK;
}

// Whole where it fits: the dots of an old chain are longer than those of one's own. Else its words
// first, and then what it goes over.
static enum err write_all(struct rejoining *r, struct carried *c, struct envelope *envelope,
                          struct bytes fields, struct record_key *record, struct fault *fault)
{
    struct buf encoded BUF_CLEANUP = {0};
    struct list over = envelope->over;
    message_encode(&envelope_message, envelope, &encoded);
    if (encoded.err)
        return encoded.err;
    bool fits = encoded.n + fields.n <= CHANGE_MAX;
    if (!fits)
        envelope->over.n = 0;
    enum err err = write_one(r, envelope, fields, record, fault);
    if (!err)
        err = note_written(r, c);
    if (err || fits)
        return err;
    envelope->over = over;
    if (envelope->parts.n == 0)
        envelope->id = BYTES(record->id);
    return write_one(r, envelope, (struct bytes){0}, record, fault);
}

// The change as it lies in the log, in memory that may be changed.
struct old {
    struct envelope envelope;
    uint8_t *head; // the envelope's bytes
    uint8_t *fields;
    size_t fields_n;
};

static enum err read_old(struct rejoining *r, const struct carry *was, struct arena *arena,
                         struct old *old)
{
    struct log_entry entry;
    struct log_body body = {.fields = {0}};
    enum err err = log_get(r->txn, r->community, was->position, &entry);
    // Erased words are gone; what the change went over stays gone, too.
    if (!err && entry.form == LOG_WHOLE)
        err = log_get_body(r->txn, r->community, was->position, &body);
    if (err)
        return err == ERR_NOT_FOUND ? ERR_DAMAGED : err;
    old->head = copy_of(arena, entry.envelope);
    old->fields = copy_of(arena, body.fields);
    old->fields_n = body.fields.n;
    if (!old->head || !old->fields)
        return ERR_NOMEM;
    return merge_envelope(r->txn, bytes_of(old->head, entry.envelope.n), arena, &old->envelope);
}

enum err rejoin_write(struct rejoining *r, struct carried *c, struct fault *fault)
{
    struct old old;
    struct record_key record;
    struct buf fields BUF_CLEANUP = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, MERGE_ARENA_MAX);
    enum err err = read_old(r, &c->was, &arena, &old);
    if (err)
        return err;
    map_at(r, &c->was, old.head, old.envelope.id);
    map_parts(r, &c->was, old.head, &old.envelope);
    map_over(r, &c->was, &old.envelope.over);
    map_fields(r, &c->was, old.envelope.kind, old.fields, old.fields_n, &fields);
    if (fields.err)
        return fields.err;
    if (fields.n == 0 && old.envelope.over.n == 0)
        return OK; // it says nothing any more
    err = write_all(r, c, &old.envelope, buf_bytes(&fields), &record, fault);
    if (!err)
        memcpy(c->id_is, record.id, ID_SIZE);
    return err;
}
