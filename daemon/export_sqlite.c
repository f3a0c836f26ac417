// One SQLite file for analysts: records, their live edits, voices, and what refers to what.

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "daemon/export_format.h"

enum insert { INSERT_RECORD, INSERT_EDIT, INSERT_VOICE, INSERT_LINK, INSERTS };

struct database {
    sqlite3 *db;
    sqlite3_stmt *inserts[INSERTS];
};

static const char schema[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;"
    "BEGIN;"
    "CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, joined_id TEXT NOT NULL,"
    " first_said TEXT NOT NULL, last_said TEXT NOT NULL, title TEXT, words TEXT, place TEXT,"
    " place_code TEXT, latitude REAL, longitude REAL, tensions INTEGER NOT NULL,"
    " voices_for INTEGER, voices_against INTEGER, voices_unsure INTEGER);"
    "CREATE TABLE edits (kind TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL, value NOT NULL,"
    " said TEXT NOT NULL, device TEXT, holds INTEGER NOT NULL, tension INTEGER NOT NULL);"
    "CREATE TABLE voices (id TEXT NOT NULL, on_kind TEXT NOT NULL, on_id TEXT NOT NULL,"
    " stance TEXT, said TEXT NOT NULL, words TEXT);"
    "CREATE TABLE links (from_kind TEXT NOT NULL, from_id TEXT NOT NULL, how TEXT NOT NULL,"
    " to_kind TEXT NOT NULL, to_id TEXT NOT NULL);";

static const char indexes[] = "CREATE UNIQUE INDEX records_id ON records (kind, id);"
                              "CREATE INDEX records_joined ON records (joined_id);"
                              "CREATE INDEX edits_id ON edits (kind, id, field);"
                              "CREATE INDEX edits_value ON edits (field, value);"
                              "CREATE INDEX voices_on ON voices (on_kind, on_id);"
                              "CREATE INDEX links_from ON links (from_kind, from_id);"
                              "CREATE INDEX links_to ON links (to_kind, to_id);"
                              "COMMIT;";

static const char *const inserts[INSERTS] = {
    [INSERT_RECORD] = "INSERT INTO records VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [INSERT_EDIT] = "INSERT INTO edits VALUES (?,?,?,?,?,?,?,?)",
    [INSERT_VOICE] = "INSERT INTO voices VALUES (?,?,?,?,?,?)",
    [INSERT_LINK] = "INSERT INTO links VALUES (?,?,?,?,?)",
};

static enum err failed(struct export_writing *writing)
{
    const struct database *database = writing->state;
    bool is_full = sqlite3_errcode(database->db) == SQLITE_FULL;
    return fault_set(writing->fault, is_full ? ERR_FULL : ERR_IO, "cannot write %s: %s",
                     writing->path, sqlite3_errmsg(database->db));
}

static enum err run(struct export_writing *writing, const char *sql)
{
    const struct database *database = writing->state;
    return sqlite3_exec(database->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : failed(writing);
}

static enum err begin(struct export_writing *writing)
{
    struct database *database = calloc(1, sizeof *database);
    writing->state = database;
    if (!database)
        return ERR_NOMEM;
    if (sqlite3_open_v2(writing->path, &database->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return database->db ? failed(writing) : ERR_NOMEM;
    enum err err = run(writing, schema);
    for (int i = 0; i < INSERTS && !err; i++) {
        if (sqlite3_prepare_v2(database->db, inserts[i], -1, &database->inserts[i], NULL) !=
            SQLITE_OK)
            err = failed(writing);
    }
    return err;
}

// --- one row ---

// Binds one value after the other.
struct binding {
    sqlite3_stmt *statement;
    int at;
    enum err err;
};

static struct binding bind(struct export_writing *writing, enum insert which)
{
    const struct database *database = writing->state;
    return (struct binding){database->inserts[which], 0, OK};
}

static void note(struct binding *binding, int code)
{
    if (code != SQLITE_OK)
        binding->err = ERR_NOMEM;
}

static void bind_bytes(struct binding *binding, struct bytes text)
{
    binding->at++;
    if (text.n)
        note(binding, sqlite3_bind_text(binding->statement, binding->at, (const char *)text.p,
                                        (int)text.n, SQLITE_TRANSIENT));
    else
        note(binding, sqlite3_bind_null(binding->statement, binding->at));
}

static void bind_text(struct binding *binding, const char *text)
{
    bind_bytes(binding, bytes_of_text(text));
}

static void bind_buf(struct binding *binding, const struct buf *text)
{
    bind_bytes(binding, buf_bytes(text));
    if (text->err)
        binding->err = text->err;
}

static void bind_number(struct binding *binding, int64_t number)
{
    note(binding, sqlite3_bind_int64(binding->statement, ++binding->at, number));
}

static void bind_degrees(struct binding *binding, bool is_there, int32_t e7)
{
    if (is_there)
        note(binding, sqlite3_bind_double(binding->statement, ++binding->at, (double)e7 / 1e7));
    else
        bind_text(binding, "");
}

static void bind_count(struct binding *binding, const struct tally *tally, uint32_t count)
{
    if (tally->for_ + tally->against + tally->unsure > 0)
        bind_number(binding, count);
    else
        bind_text(binding, "");
}

static void bind_time(struct binding *binding, int64_t ms)
{
    struct buf text BUF_CLEANUP = {0};
    export_put_time(&text, ms);
    bind_buf(binding, &text);
}

static void bind_field(struct binding *binding, const struct export_row *row, uint32_t number)
{
    const struct export_field *field = export_row_field(row, number);
    struct buf text BUF_CLEANUP = {0};
    if (field)
        export_put_value(&text, field->schema, &field->values[0]);
    bind_buf(binding, &text);
}

static enum err insert(struct export_writing *writing, struct binding *binding)
{
    if (!binding->err && sqlite3_step(binding->statement) != SQLITE_DONE)
        binding->err = failed(writing);
    (void)sqlite3_reset(binding->statement);
    return binding->err;
}

// --- tables ---

static enum err put_record(struct export_writing *writing, const struct export_row *row)
{
    struct place place;
    struct binding binding = bind(writing, INSERT_RECORD);
    int64_t tensions = 0;
    bool has_point = export_row_place(row, &place) && place.has_latitude && place.has_longitude;
    for (size_t i = 0; i < row->fields_n; i++)
        tensions += row->fields[i].tension;
    bind_text(&binding, row->kind->name);
    bind_text(&binding, row->id);
    bind_text(&binding, row->joined);
    bind_time(&binding, row->first);
    bind_time(&binding, row->last);
    bind_field(&binding, row, FIELD_TITLE);
    bind_field(&binding, row, FIELD_WORDS);
    bind_field(&binding, row, FIELD_PLACE);
    bind_bytes(&binding, place.code);
    bind_degrees(&binding, has_point, place.latitude);
    bind_degrees(&binding, has_point, place.longitude);
    bind_number(&binding, tensions);
    bind_count(&binding, &row->tally, row->tally.for_);
    bind_count(&binding, &row->tally, row->tally.against);
    bind_count(&binding, &row->tally, row->tally.unsure);
    return insert(writing, &binding);
}

static void bind_value(struct binding *binding, const struct export_field *field,
                       const struct export_value *value)
{
    struct buf text BUF_CLEANUP = {0};
    export_put_value(&text, field->schema, value);
    // An empty text is a value, too.
    if (text.n == 0 && !text.err)
        note(binding, sqlite3_bind_text(binding->statement, ++binding->at, "", 0, SQLITE_STATIC));
    else if (field->schema->type == SCHEMA_AMOUNT)
        note(binding, sqlite3_bind_double(binding->statement, ++binding->at,
                                          (double)value->raw.value / 100));
    else
        bind_buf(binding, &text);
}

static enum err put_edit(struct export_writing *writing, const struct export_row *row,
                         const struct export_field *field, size_t i)
{
    const struct export_value *value = &field->values[i];
    struct binding binding = bind(writing, INSERT_EDIT);
    char device[2 * HANDLE_SIZE + 1] = "";
    if (value->device.n == HANDLE_SIZE)
        text_hex(value->device, device);
    bind_text(&binding, row->kind->name);
    bind_text(&binding, row->id);
    bind_text(&binding, field->schema->name);
    bind_value(&binding, field, value);
    bind_time(&binding, value->time);
    bind_text(&binding, device);
    bind_number(&binding, i == 0 || field->schema->set);
    bind_number(&binding, field->tension);
    return insert(writing, &binding);
}

static enum err put_link(struct export_writing *writing, const struct export_row *row,
                         const char *how, uint32_t kind, struct bytes id)
{
    const struct schema_kind *to = schema_kind(kind);
    struct binding binding = bind(writing, INSERT_LINK);
    char hex[EXPORT_ID_TEXT] = "";
    if (!to || id.n != ID_SIZE)
        return OK;
    text_hex(id, hex);
    bind_text(&binding, row->kind->name);
    bind_text(&binding, row->id);
    bind_text(&binding, how);
    bind_text(&binding, to->name);
    bind_text(&binding, hex);
    return insert(writing, &binding);
}

static enum err put_reference(struct export_writing *writing, const struct export_row *row,
                              const struct export_field *field, const struct export_value *value)
{
    struct ref ref = {0};
    if (field->schema->type == SCHEMA_ID)
        return put_link(writing, row, field->schema->name, KIND_PARTY, value->raw.bytes);
    if (field->schema->of != &ref_message ||
        message_decode(&ref_message, value->raw.bytes, NULL, &ref, NULL))
        return OK;
    return put_link(writing, row, field->schema->name, ref.kind, ref.id);
}

static enum err put_field(struct export_writing *writing, const struct export_row *row,
                          const struct export_field *field)
{
    enum err err = OK;
    for (size_t i = 0; i < field->n && !err; i++) {
        err = put_edit(writing, row, field, i);
        if (!err)
            err = put_reference(writing, row, field, &field->values[i]);
    }
    return err;
}

static enum err put_voice(struct export_writing *writing, const struct export_row *row)
{
    const struct schema_kind *on = row->subjects_n ? schema_kind(row->subjects->kind) : NULL;
    struct binding binding = bind(writing, INSERT_VOICE);
    char hex[EXPORT_ID_TEXT];
    if (row->kind->kind != KIND_VOICE || !on)
        return OK;
    text_hex(row->subjects->id, hex);
    bind_text(&binding, row->id);
    bind_text(&binding, on->name);
    bind_text(&binding, hex);
    bind_field(&binding, row, FIELD_VOICE_STANCE);
    bind_time(&binding, row->last);
    bind_field(&binding, row, FIELD_WORDS);
    return insert(writing, &binding);
}

static enum err put(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena)
{
    (void)arena;
    enum err err = put_record(writing, row);
    for (size_t i = 0; i < row->fields_n && !err; i++)
        err = put_field(writing, row, &row->fields[i]);
    for (size_t i = 0; i < row->subjects_n && !err; i++)
        err = put_link(writing, row, "subject", row->subjects[i].kind, row->subjects[i].id);
    writing->rows++;
    return err ? err : put_voice(writing, row);
}

static enum err end(struct export_writing *writing)
{
    return run(writing, indexes);
}

static void done(struct export_writing *writing)
{
    struct database *database = writing->state;
    for (int i = 0; database && i < INSERTS; i++)
        (void)sqlite3_finalize(database->inserts[i]);
    if (database)
        (void)sqlite3_close(database->db);
    free(database);
}

const struct export_format export_sqlite = {
    .name = "sqlite",
    .by_path = true,
    .begin = begin,
    .put = put,
    .end = end,
    .done = done,
};
