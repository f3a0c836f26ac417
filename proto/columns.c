#include "proto/columns.h"

#include "proto/wire.h"

enum { LEVELS_MAX = 4, SHORT_MAX = 15, ID_BYTES = 16 };

enum stream { TEXTS, LENGTHS, SHAPE, TIMES, SEQS, NUMBERS, SHORTS, IDS, TAGS, STREAMS };

// What a sub-message is.
enum level { CHANGES, ENTRIES, CHANGE, ENTRY, ENVELOPE, DOT, FIELDS, NONE };

static enum level below(enum level level, uint32_t number)
{
    static const struct {
        enum level level;
        uint32_t number;
        enum level below;
    } rows[] = {
        {CHANGES, 1, CHANGE}, {ENTRIES, 2, ENTRY}, {CHANGE, 1, ENVELOPE}, {CHANGE, 2, FIELDS},
        {ENTRY, 4, ENVELOPE}, {ENTRY, 5, FIELDS},  {ENVELOPE, 6, DOT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].level == level && rows[i].number == number)
            return rows[i].below;
    }
    return NONE;
}

// Where a varint of a message stands, and what it is written as a difference to.
static enum stream stream_of_number(enum level level, uint32_t number)
{
    if (level == ENVELOPE && number == 4)
        return TIMES;
    return level == ENTRY && number == 2 ? SEQS : NUMBERS;
}

static enum stream stream_of_bytes(enum level level, size_t n)
{
    if (level != FIELDS || n == ID_BYTES)
        return IDS;
    return n <= SHORT_MAX ? SHORTS : TEXTS;
}

static bool level_of(unsigned of, enum level *level)
{
    *level = of == COLUMNS_OF_CHANGES ? CHANGES : ENTRIES;
    return of == COLUMNS_OF_CHANGES || of == COLUMNS_OF_ENTRIES;
}

// --- into columns ---

struct making {
    struct buf streams[STREAMS];
    uint64_t last[STREAMS]; // of TIMES and SEQS
    struct {
        struct wire_reader reader;
        enum level level;
    } open[LEVELS_MAX];
    size_t depth;
};

static void put_difference(struct making *m, enum stream stream, uint64_t value)
{
    uint64_t by = value - m->last[stream];
    m->last[stream] = value;
    wire_put_varint(&m->streams[stream], by << 1 ^ (by >> 63 ? UINT64_MAX : 0));
}

static void put_number(struct making *m, enum level level, const struct wire_field *field)
{
    enum stream stream = stream_of_number(level, field->number);
    if (stream == NUMBERS)
        wire_put_varint(&m->streams[NUMBERS], field->value);
    else
        put_difference(m, stream, field->value);
}

static void put_bytes(struct making *m, enum level level, struct bytes bytes)
{
    enum stream stream = stream_of_bytes(level, bytes.n);
    wire_put_varint(&m->streams[SHAPE], bytes.n <= SHORT_MAX ? bytes.n : SHORT_MAX + 1);
    if (bytes.n > SHORT_MAX)
        wire_put_varint(&m->streams[LENGTHS], bytes.n - SHORT_MAX - 1);
    buf_put(&m->streams[stream], bytes);
}

static void put_fixed(struct making *m, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_put_u8(&m->streams[TAGS], (uint8_t)(value >> (8 * i)));
}

static void put_value(struct making *m, enum level level, const struct wire_field *field)
{
    switch (field->type) {
    case WIRE_VARINT:
        put_number(m, level, field);
        break;
    case WIRE_SIZED:
        put_bytes(m, level, field->bytes);
        break;
    case WIRE_FIXED32:
        put_fixed(m, field->value, 4);
        break;
    case WIRE_FIXED64:
        put_fixed(m, field->value, 8);
        break;
    }
}

static enum err take_field(struct making *m)
{
    struct wire_field field;
    enum level level = m->open[m->depth].level;
    enum err err = wire_next(&m->open[m->depth].reader, &field);
    if (err || !field.minimal)
        return err ? err : ERR_MALFORMED;
    enum level inner = field.type == WIRE_SIZED ? below(level, field.number) : NONE;
    wire_put_varint(&m->streams[SHAPE], (uint64_t)field.number << 3 | (uint64_t)field.type);
    if (inner == NONE) {
        put_value(m, level, &field);
    } else {
        m->depth++;
        m->open[m->depth].reader = wire_reader(field.bytes);
        m->open[m->depth].level = inner;
    }
    return OK;
}

static enum err take_fields(struct making *m)
{
    for (;;) {
        bool is_over = wire_at_end(&m->open[m->depth].reader);
        if (is_over && m->depth == 0)
            return OK;
        enum err err = OK;
        if (is_over) {
            buf_put_u8(&m->streams[SHAPE], 0);
            m->depth--;
        } else if ((err = take_field(m))) {
            return err;
        }
    }
}

static void put_streams(const struct making *m, struct buf *columns)
{
    for (int i = 0; i < STREAMS; i++)
        wire_put_varint(columns, m->streams[i].n);
    for (int i = 0; i < STREAMS; i++) {
        buf_put(columns, buf_bytes(&m->streams[i]));
        if (!columns->err)
            columns->err = m->streams[i].err;
    }
}

enum err columns_make(struct bytes message, enum columns_of of, struct buf *columns)
{
    struct making m = {.depth = 0};
    if (!level_of(of, &m.open[0].level))
        return ERR_MALFORMED;
    m.open[0].reader = wire_reader(message);
    enum err err = take_fields(&m);
    buf_put_u8(columns, (uint8_t)of);
    put_streams(&m, columns);
    for (int i = 0; i < STREAMS; i++)
        buf_done(&m.streams[i]);
    return err ? err : columns->err;
}

// --- and back ---

struct opening {
    struct wire_reader streams[STREAMS];
    uint64_t last[STREAMS];
    struct {
        size_t mark;
        enum level level;
    } open[LEVELS_MAX];
    size_t depth;
    struct buf *message;
};

static enum err get_number(struct opening *o, enum stream stream, uint64_t *value)
{
    bool minimal = true;
    enum err err = wire_varint(&o->streams[stream], value, &minimal);
    return err || !minimal ? ERR_MALFORMED : OK;
}

static enum err get_bytes(struct opening *o, enum stream stream, uint64_t n, struct bytes *bytes)
{
    struct wire_reader *reader = &o->streams[stream];
    if (n > (uint64_t)(reader->end - reader->p))
        return ERR_MALFORMED;
    *bytes = bytes_of(reader->p, (size_t)n);
    reader->p += n;
    return OK;
}

static enum err give_number(struct opening *o, enum level level, uint32_t number)
{
    uint64_t value;
    enum stream stream = stream_of_number(level, number);
    enum err err = get_number(o, stream, &value);
    if (err)
        return err;
    if (stream != NUMBERS)
        value = o->last[stream] += (uint64_t)wire_unzigzag(value);
    wire_put_uint(o->message, number, value);
    return OK;
}

static enum err give_bytes(struct opening *o, enum level level, uint32_t number)
{
    uint64_t n;
    uint64_t more = 0;
    struct bytes bytes;
    enum err err = get_number(o, SHAPE, &n);
    if (!err && n > SHORT_MAX)
        err = n == SHORT_MAX + 1 ? get_number(o, LENGTHS, &more) : ERR_MALFORMED;
    if (!err && more > COLUMNS_MAX)
        err = ERR_MALFORMED;
    if (!err)
        err = get_bytes(o, stream_of_bytes(level, (size_t)(n + more)), n + more, &bytes);
    if (!err)
        wire_put_bytes(o->message, number, bytes);
    return err;
}

static enum err give_fixed(struct opening *o, uint64_t key, size_t n)
{
    struct bytes bytes;
    enum err err = get_bytes(o, TAGS, n, &bytes);
    if (err)
        return err;
    wire_put_varint(o->message, key);
    buf_put(o->message, bytes);
    return OK;
}

static enum err give_value(struct opening *o, enum level level, uint64_t key)
{
    uint32_t number = (uint32_t)(key >> 3);
    switch (key & 7) {
    case WIRE_VARINT:
        return give_number(o, level, number);
    case WIRE_SIZED:
        return give_bytes(o, level, number);
    case WIRE_FIXED32:
        return give_fixed(o, key, 4);
    case WIRE_FIXED64:
        return give_fixed(o, key, 8);
    default:
        return ERR_MALFORMED;
    }
}

static enum err end_level(struct opening *o)
{
    if (o->depth == 0)
        return ERR_MALFORMED;
    wire_close(o->message, o->open[o->depth].mark);
    o->depth--;
    return OK;
}

static enum err give_field(struct opening *o)
{
    enum { NUMBER_MAX = 536870911 };
    uint64_t key;
    enum level level = o->open[o->depth].level;
    enum err err = get_number(o, SHAPE, &key);
    if (err || key == 0)
        return err ? err : end_level(o);
    if (key >> 3 == 0 || key >> 3 > NUMBER_MAX)
        return ERR_MALFORMED;
    uint32_t number = (uint32_t)(key >> 3);
    enum level inner = (key & 7) == WIRE_SIZED ? below(level, number) : NONE;
    if (inner == NONE)
        return give_value(o, level, key);
    o->depth++;
    o->open[o->depth].mark = wire_open(o->message, number);
    o->open[o->depth].level = inner;
    return OK;
}

static enum err read_streams(struct opening *o, struct wire_reader *columns)
{
    uint64_t sizes[STREAMS];
    bool minimal = true;
    for (int i = 0; i < STREAMS; i++) {
        if (wire_varint(columns, &sizes[i], &minimal) || !minimal)
            return ERR_MALFORMED;
    }
    for (int i = 0; i < STREAMS; i++) {
        if (sizes[i] > (uint64_t)(columns->end - columns->p))
            return ERR_MALFORMED;
        o->streams[i] = wire_reader(bytes_of(columns->p, (size_t)sizes[i]));
        columns->p += sizes[i];
    }
    return wire_at_end(columns) ? OK : ERR_MALFORMED;
}

// All that is in them was used.
static bool is_used_up(const struct opening *o)
{
    for (int i = 0; i < STREAMS; i++) {
        if (!wire_at_end(&o->streams[i]))
            return false;
    }
    return o->depth == 0;
}

enum err columns_open(struct bytes columns, size_t max, struct buf *message)
{
    struct opening o = {.message = message};
    if (!columns.p || columns.n == 0 || !level_of(columns.p[0], &o.open[0].level))
        return ERR_MALFORMED;
    struct wire_reader reader = wire_reader(bytes_of(columns.p + 1, columns.n - 1));
    message->max = message->n + max;
    enum err err = read_streams(&o, &reader);
    while (!err && !wire_at_end(&o.streams[SHAPE])) {
        err = give_field(&o);
        if (!err)
            err = message->err;
    }
    return err || is_used_up(&o) ? err : ERR_MALFORMED;
}
