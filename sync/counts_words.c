// Places and categories, read from the words in which they stand.

#include <assert.h>

#include "proto/change.h"
#include "storage/log.h"
#include "sync/counts_private.h"

// Behind it stand the fields.
struct kept {
    uint64_t position;
    uint32_t community;
    uint32_t n;
};

void counts_put_words(struct buf *words, uint32_t community, uint64_t position, struct bytes fields)
{
    struct kept kept = {position, community, (uint32_t)fields.n};
    buf_put(words, bytes_of(&kept, sizeof kept));
    buf_put(words, fields);
}

static bool find_kept(const struct buf *words, uint32_t community, uint64_t position,
                      struct bytes *fields)
{
    for (size_t at = 0; words && at < words->n;) {
        struct kept kept;
        memcpy(&kept, words->p + at, sizeof kept);
        at += sizeof kept;
        *fields = bytes_of(words->p + at, kept.n);
        if (kept.position == position && kept.community == community)
            return true;
        at += kept.n;
    }
    return false;
}

// Cut where a character ends (RFC 3629).
static void set_text(struct bytes bytes, size_t max, struct counts_text *text)
{
    size_t n = bytes.n < max ? bytes.n : max;
    while (n < bytes.n && n > 0 && (bytes.p[n] & 0xc0) == 0x80)
        n--;
    assert(n <= sizeof text->p);
    text->n = (uint8_t)n;
    if (n)
        memcpy(text->p, bytes.p, n);
}

static void read_field(const struct wire_field *field, bool is_place, struct counts_text *text)
{
    struct place place = {.latitude = 0};
    if (field->type != WIRE_SIZED)
        return;
    if (!is_place)
        set_text(field->bytes, COUNTS_CATEGORY_MAX, text);
    else if (message_decode(&place_message, field->bytes, NULL, &place, NULL) == OK)
        set_text(place.code.n ? place.code : place.name, COUNTS_PLACE_MAX, text);
}

void counts_take_text(const struct live *edit, const struct wire_field *field, bool is_place,
                      struct counts_text *text)
{
    *text = (struct counts_text){.position = edit->position, .index = edit->key.index};
    read_field(field, is_place, text);
    // What says nothing is none.
    if (text->n == 0)
        *text = (struct counts_text){.n = 0};
}

static bool load_from(struct bytes fields, bool is_place, struct counts_text *text)
{
    struct wire_field field;
    if (!fields_edit(fields, text->index, &field))
        return false;
    read_field(&field, is_place, text);
    return text->n > 0;
}

bool counts_load(struct txn *txn, uint32_t community, bool is_place, struct counts_text *text)
{
    struct log_body body;
    if (text->position == 0)
        return true;
    return !txn_failed(txn, log_get_body(txn, community, text->position, &body)) &&
           load_from(body.fields, is_place, text);
}

// --- while settling: what was read last is asked for again ---

static bool find_fields(struct counting *c, uint64_t position, struct bytes *fields)
{
    struct log_body body;
    *fields = buf_bytes(&c->read);
    if (c->read_position == position)
        return true;
    if (!find_kept(c->words, c->community, position, fields)) {
        if (txn_failed(c->txn, log_get_body(c->txn, c->community, position, &body)))
            return false;
        *fields = body.fields;
    }
    buf_reset(&c->read);
    buf_put(&c->read, *fields);
    c->read_position = c->read.err ? 0 : position;
    txn_failed(c->txn, c->read.err);
    *fields = buf_bytes(&c->read);
    return c->read_position != 0;
}

bool counts_load_again(struct counting *c, bool is_place, struct counts_text *text)
{
    struct bytes fields;
    return text->position == 0 ||
           (find_fields(c, text->position, &fields) && load_from(fields, is_place, text));
}

bool counts_read_edit(struct counting *c, const struct live *edit, struct wire_field *field)
{
    struct bytes fields;
    if (find_fields(c, edit->position, &fields) && fields_edit(fields, edit->key.index, field))
        return true;
    (void)txn_damaged(c->txn);
    return false;
}
