#include "client/value.h"

#include <stdalign.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "client/parts.h"
#include "client/when.h"

// --- names of kinds ---

static const char numbered[] = "kind ";

uint32_t value_kind(const char *name)
{
    const struct schema_kind *known = schema_kind_by_name(name);
    if (known)
        return known->kind;
    if (strncmp(name, numbered, sizeof numbered - 1) != 0)
        return 0;
    uint32_t kind = 0;
    const char *p = name + sizeof numbered - 1;
    for (; *p >= '0' && *p <= '9' && kind <= KIND_MAX; p++)
        kind = kind * 10 + (uint32_t)(*p - '0');
    return *p || kind > KIND_MAX ? 0 : kind;
}

void value_kind_name(uint32_t kind, char out[16])
{
    const struct schema_kind *known = schema_kind(kind);
    if (known)
        snprintf(out, 16, "%s", known->name);
    else
        snprintf(out, 16, "%s%u", numbered, kind);
}

// --- text to bytes ---

enum err value_read_ref(struct bytes text, const struct value_resolver *resolver, uint32_t *kind,
                        uint8_t id[ID_SIZE])
{
    const uint8_t *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
    struct bytes hex = text;
    *kind = 0;
    if (colon) {
        char name[17] = "";
        size_t n = (size_t)(colon - text.p);
        if (n == 0 || n >= sizeof name)
            return ERR_MALFORMED;
        memcpy(name, text.p, n);
        *kind = value_kind(name);
        hex = bytes_of(colon + 1, text.n - n - 1);
    }
    enum err err = text_unhex(hex, id, ID_SIZE);
    if (!err && !colon && resolver)
        *kind = resolver->kind_of(id, resolver->arg);
    return err ? err : *kind == 0 ? ERR_MALFORMED : OK;
}

static enum err read_ref(struct bytes text, const struct value_resolver *resolver, struct buf *out)
{
    uint8_t id[ID_SIZE] = {0};
    struct ref ref = {.id = BYTES(id)};
    enum err err = value_read_ref(text, resolver, &ref.kind, id);
    if (!err)
        message_encode(&ref_message, &ref, out);
    return err;
}

static enum err read_point(struct bytes text, struct place *place)
{
    const uint8_t *comma = text.n ? memchr(text.p, ',', text.n) : NULL;
    if (!comma)
        return ERR_MALFORMED;
    size_t n = (size_t)(comma - text.p);
    struct bytes east = bytes_of(comma + 1, text.n - n - 1);
    if (east.n && *east.p == ' ')
        east = bytes_of(east.p + 1, east.n - 1);
    place->has_latitude = place->has_longitude = true;
    enum err err = when_read_degrees(bytes_of(text.p, n), 90, &place->latitude);
    return err ? err : when_read_degrees(east, 180, &place->longitude);
}

static enum err read_place(struct bytes text, struct buf *out)
{
    struct parts parts PARTS_CLEANUP = {0};
    enum err err = parts_split(&parts, text, 3);
    if (err)
        return err;
    struct place place = {.name = buf_bytes(&parts.part[0]), .code = buf_bytes(&parts.part[1])};
    if (parts.part[2].n)
        err = read_point(buf_bytes(&parts.part[2]), &place);
    if (!err && place.name.n == 0 && place.code.n == 0 && !place.has_latitude)
        err = ERR_MALFORMED;
    if (!err)
        message_encode(&place_message, &place, out);
    return err;
}

static enum err read_person(const struct buf *hex, uint8_t id[ID_SIZE], struct bytes *person)
{
    if (hex->n == 0)
        return OK;
    *person = bytes_of(id, ID_SIZE);
    return text_unhex(buf_bytes(hex), id, ID_SIZE);
}

static enum err read_consent(struct bytes text, struct buf *out)
{
    struct parts parts PARTS_CLEANUP = {0};
    enum err err = parts_split(&parts, text, 5);
    if (err)
        return err;
    struct consent consent = {.wording = buf_bytes(&parts.part[0])};
    uint8_t person[ID_SIZE];
    uint8_t guardian[ID_SIZE];
    err = parts_number(buf_bytes(&parts.part[1]), &consent.version);
    if (!err && parts.part[2].n)
        err = when_read_time(buf_bytes(&parts.part[2]), &consent.time);
    if (!err)
        err = read_person(&parts.part[3], person, &consent.person);
    if (!err)
        err = read_person(&parts.part[4], guardian, &consent.guardian);
    if (!err && consent.wording.n == 0)
        err = ERR_MALFORMED;
    if (!err)
        message_encode(&consent_message, &consent, out);
    return err;
}

static enum err read_log_head(struct bytes text, struct buf *out)
{
    struct parts parts PARTS_CLEANUP = {0};
    uint8_t log[HANDLE_SIZE];
    uint8_t root[HASH_SIZE];
    uint64_t size = 0;
    enum err err = parts_split(&parts, text, 3);
    if (!err)
        err = text_unhex(buf_bytes(&parts.part[0]), log, sizeof log);
    if (!err)
        err = parts_count(buf_bytes(&parts.part[1]), &size);
    if (!err)
        err = text_unhex(buf_bytes(&parts.part[2]), root, sizeof root);
    if (!err)
        message_encode(&log_head_message, &(struct log_head){BYTES(log), size, BYTES(root)}, out);
    return err;
}

static enum err read_message(const struct schema_field *field, struct bytes text,
                             const struct value_resolver *resolver, struct buf *out)
{
    size_t mark = wire_open(out, field->number);
    enum err err = ERR_MALFORMED;
    if (field->of == &ref_message)
        err = read_ref(text, resolver, out);
    else if (field->of == &place_message)
        err = read_place(text, out);
    else if (field->of == &consent_message)
        err = read_consent(text, out);
    else if (field->of == &log_head_message)
        err = read_log_head(text, out);
    wire_close(out, mark);
    return err;
}

// Whether the message that was made keeps the limits of its fields.
static enum err check_message(const struct schema_field *field, struct bytes whole,
                              struct fault *fault)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, 4096);
    struct wire_reader reader = wire_reader(whole);
    struct wire_field edit;
    void *message = arena_alloc(&arena, 1, field->of->size);
    enum err err = message ? wire_next(&reader, &edit) : ERR_NOMEM;
    struct fault inner = {0};
    if (!err)
        err = message_decode(field->of, edit.bytes, &arena, message, &inner);
    return err ? fault_set(fault, err, "%s: %s", field->name, inner.text) : OK;
}

static enum err read_id(const struct schema_field *field, struct bytes text, size_t n,
                        struct buf *out)
{
    uint8_t id[ID_SIZE];
    enum err err = text_unhex(text, id, n);
    if (!err)
        wire_put_bytes(out, field->number, bytes_of(id, n));
    return err;
}

static enum err read_enum(const struct schema_field *field, struct bytes text, struct buf *out)
{
    for (uint32_t i = 1; field->values[i]; i++) {
        if (bytes_equal(text, bytes_of_text(field->values[i]))) {
            wire_put_uint(out, field->number, i);
            return OK;
        }
    }
    // As value_text shows what a later version means by it.
    uint32_t v;
    if (parts_number(text, &v) || v == 0 || v > INT32_MAX)
        return ERR_MALFORMED;
    wire_put_uint(out, field->number, v);
    return OK;
}

static enum err read_bool(const struct schema_field *field, struct bytes text, struct buf *out)
{
    bool yes = bytes_equal(text, bytes_of_text("true"));
    if (!yes && !bytes_equal(text, bytes_of_text("false")))
        return ERR_MALFORMED;
    wire_put_uint(out, field->number, yes);
    return OK;
}

static enum err read_number(const struct schema_field *field, struct bytes text, struct buf *out)
{
    int64_t v = 0;
    int32_t day = 0;
    enum err err;
    if (field->type == SCHEMA_DAY)
        err = when_read_day(text, &day);
    else if (field->type == SCHEMA_TIME)
        err = when_read_time(text, &v);
    else
        err = when_read_amount(text, &v);
    if (err)
        return err;
    if (field->type == SCHEMA_DAY)
        wire_put_sint(out, field->number, day);
    else
        wire_put_uint(out, field->number, (uint64_t)v);
    return OK;
}

static enum err read_text(const struct schema_field *field, struct bytes text, struct buf *out)
{
    if (!text_is_utf8(text))
        return ERR_MALFORMED;
    if (text.n > field->max)
        return ERR_LIMIT;
    wire_put_bytes(out, field->number, text);
    return OK;
}

static enum err read_any(const struct schema_field *field, struct bytes text,
                         const struct value_resolver *resolver, struct buf *out)
{
    switch (field->type) {
    case SCHEMA_TEXT:
        return read_text(field, text, out);
    case SCHEMA_ID:
        return read_id(field, text, ID_SIZE, out);
    case SCHEMA_HANDLE:
        return read_id(field, text, HANDLE_SIZE, out);
    case SCHEMA_ENUM:
        return read_enum(field, text, out);
    case SCHEMA_TIME:
    case SCHEMA_AMOUNT:
    case SCHEMA_DAY:
        return read_number(field, text, out);
    case SCHEMA_BOOL:
        return read_bool(field, text, out);
    case SCHEMA_MESSAGE:
        return read_message(field, text, resolver, out);
    }
    return ERR_MALFORMED;
}

// --- what a field takes, for people ---

static void list_values(const struct schema_field *field, char *out, size_t n)
{
    size_t used = (size_t)snprintf(out, n, "one of ");
    for (size_t i = 1; field->values[i] && used < n; i++)
        used += (size_t)snprintf(out + used, n - used, "%s%s", i > 1 ? ", " : "", field->values[i]);
}

static const char *form_of_message(const struct schema_field *field)
{
    if (field->of == &ref_message)
        return "KIND:ID, or the ID of a record that is here";
    if (field->of == &place_message)
        return "NAME, NAME|CODE or NAME|CODE|LAT,LON";
    if (field->of == &consent_message)
        return "WORDING|VERSION|TIME|PERSON|GUARDIAN";
    if (field->of == &log_head_message)
        return "LOG|SIZE|ROOT, as the picture names itself";
    return "nothing that people write";
}

static void describe(const struct schema_field *field, char *out, size_t n)
{
    static const char *const forms[] = {
        [SCHEMA_TEXT] = "text in UTF-8, without zero bytes",
        [SCHEMA_ID] = "an id of 32 hexadecimal digits",
        [SCHEMA_HANDLE] = "a device's handle of 24 hexadecimal digits",
        [SCHEMA_TIME] = "a time such as 2026-11-23T10:00:00Z or 2026-11-23",
        [SCHEMA_AMOUNT] = "an amount such as 1200 or 1200.50",
        [SCHEMA_DAY] = "a day such as 2026-11-23",
        [SCHEMA_BOOL] = "true or false",
    };
    if (field->type == SCHEMA_ENUM)
        list_values(field, out, n);
    else if (field->type == SCHEMA_MESSAGE)
        snprintf(out, n, "%s", form_of_message(field));
    else
        snprintf(out, n, "%s", forms[field->type]);
}

enum err value_read(const struct schema_field *field, struct bytes text,
                    const struct value_resolver *resolver, struct buf *out, struct fault *fault)
{
    if (text.n == 0)
        return fault_set(fault, ERR_MALFORMED, "%s: empty", field->name);
    size_t mark = out->n;
    enum err err = read_any(field, text, resolver, out);
    if (!err && out->err)
        return out->err;
    struct bytes whole = err ? bytes_of(NULL, 0) : bytes_of(out->p + mark, out->n - mark);
    bool made = !err;
    if (made && field->type == SCHEMA_MESSAGE)
        err = check_message(field, whole, fault);
    if (!err)
        return OK;
    out->n = mark;
    if (made)
        return err;
    if (err == ERR_LIMIT)
        return fault_set(fault, err, "%s: %zu bytes, at most %u", field->name, text.n, field->max);
    if (err == ERR_NOMEM)
        return err;
    char form[200];
    describe(field, form, sizeof form);
    return fault_set(fault, ERR_MALFORMED, "%s: must be %s", field->name, form);
}

// --- bytes to text ---

static void put_hex(struct buf *out, struct bytes bytes)
{
    char *room = (char *)buf_room(out, bytes.n * 2 + 1);
    if (!room)
        return;
    text_hex(bytes, room);
    out->n += bytes.n * 2;
}

static bool put_ref(struct buf *out, const struct ref *ref)
{
    char kind[16];
    if (ref->id.n != ID_SIZE)
        return false;
    value_kind_name(ref->kind, kind);
    buf_put_format(out, "%s:", kind);
    put_hex(out, ref->id);
    return true;
}

static bool put_place(struct buf *out, const struct place *place)
{
    bool point = place->has_latitude && place->has_longitude;
    parts_put(out, place->name);
    if (place->code.n || point) {
        buf_put_text(out, "|");
        parts_put(out, place->code);
    }
    if (point) {
        buf_put_text(out, "|");
        when_put_degrees(out, place->latitude);
        buf_put_text(out, ",");
        when_put_degrees(out, place->longitude);
    }
    return out->n > 0;
}

static bool put_consent(struct buf *out, const struct consent *consent)
{
    parts_put(out, consent->wording);
    buf_put_format(out, "|%u|", consent->version);
    if (consent->time)
        when_put_time(out, consent->time);
    if (consent->person.n || consent->guardian.n) {
        buf_put_text(out, "|");
        put_hex(out, consent->person);
    }
    if (consent->guardian.n) {
        buf_put_text(out, "|");
        put_hex(out, consent->guardian);
    }
    return true;
}

static bool put_log_head(struct buf *out, const struct log_head *head)
{
    put_hex(out, head->log);
    buf_put_format(out, "|%llu|", (unsigned long long)head->size);
    put_hex(out, head->root);
    return true;
}

static bool put_message(struct buf *out, const struct schema_field *field, struct bytes bytes)
{
    alignas(max_align_t) uint8_t memory[4096];
    struct arena arena;
    arena_init_lent(&arena, memory, sizeof memory);
    void *message = arena_alloc(&arena, 1, field->of->size);
    if (!message || message_decode(field->of, bytes, &arena, message, NULL))
        return false;
    if (field->of == &ref_message)
        return put_ref(out, message);
    if (field->of == &place_message)
        return put_place(out, message);
    if (field->of == &log_head_message)
        return put_log_head(out, message);
    return field->of == &consent_message && put_consent(out, message);
}

static bool put_sized(struct buf *out, const struct schema_field *field, struct bytes bytes)
{
    if (field->type == SCHEMA_TEXT && text_is_utf8(bytes)) {
        buf_put(out, bytes);
        return true;
    }
    return field->type == SCHEMA_MESSAGE && put_message(out, field, bytes);
}

static void put_enum(struct buf *out, const struct schema_field *field, uint64_t v)
{
    uint64_t i = 0;
    while (i < v && field->values[i + 1])
        i++;
    if (i == v && v > 0)
        buf_put_text(out, field->values[v]);
    else
        buf_put_format(out, "%llu", (unsigned long long)v);
}

static bool put_number(struct buf *out, const struct schema_field *field, uint64_t v)
{
    switch (field->type) {
    case SCHEMA_ENUM:
        put_enum(out, field, v);
        return true;
    case SCHEMA_TIME:
        when_put_time(out, (int64_t)v);
        return true;
    case SCHEMA_AMOUNT:
        when_put_amount(out, (int64_t)v);
        return true;
    case SCHEMA_DAY:
        if (v > UINT32_MAX)
            return false;
        when_put_day(out, (int32_t)wire_unzigzag(v));
        return true;
    case SCHEMA_BOOL:
        buf_put_text(out, v ? "true" : "false");
        return true;
    case SCHEMA_TEXT:
    case SCHEMA_ID:
    case SCHEMA_HANDLE:
    case SCHEMA_MESSAGE:
        break;
    }
    return false;
}

const char *value_text(uint32_t kind, const struct wire_field *edit, struct arena *arena)
{
    struct buf out BUF_CLEANUP = {0};
    const struct schema_field *field = schema_field(kind, edit->number);
    bool shown = false;
    if (field && edit->type == WIRE_SIZED)
        shown = put_sized(&out, field, edit->bytes);
    else if (field && edit->type == WIRE_VARINT)
        shown = put_number(&out, field, edit->value);
    if (!shown) {
        buf_reset(&out);
        put_hex(&out, edit->type == WIRE_SIZED ? edit->bytes : edit->whole);
    }
    buf_put_u8(&out, 0);
    return out.err ? NULL : (const char *)arena_copy(arena, buf_bytes(&out)).p;
}
