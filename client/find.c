#include <stdio.h>

#include "base/text.h"
#include "client/present.h"
#include "client/reading.h"
#include "client/titles.h"
#include "client/value.h"
#include "proto/schema.h"

enum { PREFIX_DIGITS_MIN = 4 };

// --- kinds and fields ---

const char *folkmoot_kind_name(size_t i)
{
    const struct schema_kind *kind = i < KIND_MAX ? schema_kind((uint32_t)i + 1) : NULL;
    return kind ? kind->name : NULL;
}

const char *folkmoot_field_name(const char *kind, size_t i)
{
    const struct schema_kind *known = schema_kind_by_name(kind);
    return known && i < known->fields_n ? known->fields[i].name : NULL;
}

const char *folkmoot_field_value(const char *kind, const char *field, size_t i)
{
    const struct schema_kind *known = schema_kind_by_name(kind);
    const struct schema_field *row = known ? schema_field_by_name(known, field) : NULL;
    if (!row || row->type != SCHEMA_ENUM)
        return NULL;
    for (size_t n = 0; n <= i; n++) {
        if (!row->values[n + 1])
            return NULL;
    }
    return row->values[i + 1];
}

// --- listing ---

static bool is_listed(uint32_t kind)
{
    return kind != KIND_VOICE && kind != KIND_SAME_AS && kind != KIND_DECISION;
}

// The next record of the kind, in a transaction of its own: the host's function may take its time.
static enum folkmoot_code next_record(struct folkmoot *fm, uint32_t kind, const uint8_t *after,
                                      struct record_key *record, bool *damaged,
                                      struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    uint64_t damage = txn_damage(scope.txn);
    enum err err = live_next_record(scope.txn, scope.community.number, kind, after, record);
    *damaged |= txn_damage(scope.txn) != damage;
    (void)state_end(fm, &scope, false, NULL);
    return err ? state_fail_err(error, err, NULL) : FOLKMOOT_OK;
}

static enum folkmoot_code list_kind(struct folkmoot *fm, uint32_t kind,
                                    bool (*each)(const struct folkmoot_record *, void *), void *arg,
                                    bool *on, bool *damaged, struct folkmoot_error *error)
{
    char name[16];
    struct record_key key;
    value_kind_name(kind, name);
    enum folkmoot_code code = next_record(fm, kind, NULL, &key, damaged, error);
    while (!code) {
        struct folkmoot_record record;
        code = folkmoot_record_get(fm, name, key.id, FOLKMOOT_BRIEF, &record, error);
        // It may have gone between the two looks. One that is damaged does not hide the others.
        if (code && code != FOLKMOOT_NOT_FOUND && code != FOLKMOOT_STORE)
            return code;
        *damaged |= code == FOLKMOOT_STORE;
        if (!code) {
            *on = each(&record, arg);
            folkmoot_record_done(&record);
        }
        if (!*on)
            return FOLKMOOT_OK;
        uint8_t after[ID_SIZE];
        memcpy(after, key.id, ID_SIZE);
        code = next_record(fm, kind, after, &key, damaged, error);
    }
    return code == FOLKMOOT_NOT_FOUND ? FOLKMOOT_OK : code;
}

enum folkmoot_code folkmoot_list(struct folkmoot *fm, const char *kind,
                                 bool (*each)(const struct folkmoot_record *, void *), void *arg,
                                 struct folkmoot_error *error)
{
    bool on = true;
    state_clear(error);
    if (fm->chosen == 0)
        return state_fail_none(fm, error);
    uint32_t one = kind ? value_kind(kind) : 0;
    if (kind && one == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    enum folkmoot_code code = FOLKMOOT_OK;
    bool damaged = false;
    if (kind)
        code = list_kind(fm, one, each, arg, &on, &damaged, error);
    for (uint32_t i = 1; !kind && !code && on && schema_kind(i); i++) {
        if (is_listed(i))
            code = list_kind(fm, i, each, arg, &on, &damaged, error);
    }
    if (!code && damaged)
        return state_fail(error, FOLKMOOT_STORE,
                          "the disk has damaged something: records may be missing");
    if (!code)
        state_clear(error);
    return code;
}

// --- names ---

enum folkmoot_code folkmoot_named(struct folkmoot *fm, const char *name, char *kind, size_t kind_n,
                                  uint8_t *id)
{
    struct scope scope;
    uint32_t number;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, NULL);
    if (code)
        return code;
    enum err err =
        *name ? name_get(scope.txn, scope.community.number, bytes_of_text(name), &number, id)
              : ERR_NOT_FOUND;
    (void)state_end(fm, &scope, false, NULL);
    if (err)
        return state_fail_err(NULL, err, NULL);
    char text[16];
    value_kind_name(number, text);
    snprintf(kind, kind_n, "%s", text);
    return FOLKMOOT_OK;
}

enum folkmoot_code folkmoot_name(struct folkmoot *fm, const char *name, const char *kind,
                                 const uint8_t *id, struct folkmoot_error *error)
{
    struct scope scope;
    state_clear(error);
    uint32_t number = value_kind(kind);
    if (number == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    if (!*name)
        return state_fail(error, FOLKMOOT_INVALID, "a record's name is empty");
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    name_put(scope.txn, scope.community.number, bytes_of_text(name), number, id);
    return state_end(fm, &scope, true, error);
}

// --- finding ---

struct finding {
    struct folkmoot *fm;
    const struct scope *scope;
    struct bytes text;
    struct record_key found;
    size_t count;
};

static void note_found(struct finding *finding, const struct record_key *record)
{
    bool again = finding->count && finding->found.kind == record->kind &&
                 memcmp(finding->found.id, record->id, ID_SIZE) == 0;
    finding->found = *record;
    finding->count += !again;
}

static bool is_hex(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
            return false;
    }
    return text.n >= PREFIX_DIGITS_MIN && text.n <= 2 * (size_t)ID_SIZE;
}

// The first id with these digits, and the one before it.
static void prefix_bounds(struct bytes digits, uint8_t first[ID_SIZE], uint8_t before[ID_SIZE])
{
    char padded[2 * ID_SIZE];
    memset(padded, '0', sizeof padded);
    memcpy(padded, digits.p, digits.n);
    enum err err = text_unhex(bytes_of(padded, sizeof padded), first, ID_SIZE);
    (void)err; // they are hexadecimal digits
    memcpy(before, first, ID_SIZE);
    for (size_t i = ID_SIZE; i-- > 0;) {
        if (before[i]--)
            break;
    }
}

static bool has_prefix(const uint8_t id[ID_SIZE], struct bytes digits)
{
    char hex[2 * ID_SIZE + 1];
    text_hex(bytes_of(id, ID_SIZE), hex);
    for (size_t i = 0; i < digits.n; i++) {
        uint8_t c = digits.p[i];
        if ((c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) != hex[i])
            return false;
    }
    return true;
}

static void find_prefix_of_kind(struct finding *finding, uint32_t kind, struct bytes digits)
{
    static const uint8_t zeros[ID_SIZE];
    uint8_t first[ID_SIZE];
    uint8_t after[ID_SIZE];
    prefix_bounds(digits, first, after);
    const uint8_t *from = memcmp(first, zeros, ID_SIZE) == 0 ? NULL : after;
    struct record_key record;
    while (finding->count < 2 &&
           live_next_record(finding->scope->txn, finding->scope->community.number, kind, from,
                            &record) == OK &&
           has_prefix(record.id, digits)) {
        note_found(finding, &record);
        memcpy(after, record.id, ID_SIZE);
        from = after;
    }
}

static void find_prefix(struct finding *finding)
{
    for (uint32_t kind = 1; is_hex(finding->text) && schema_kind(kind); kind++) {
        if (is_listed(kind))
            find_prefix_of_kind(finding, kind, finding->text);
    }
}

// "KIND:ID", the id as far as it is needed.
static bool find_with_kind(struct finding *finding)
{
    struct bytes text = finding->text;
    const uint8_t *colon = memchr(text.p, ':', text.n);
    char name[17] = "";
    if (!colon || (size_t)(colon - text.p) >= sizeof name)
        return false;
    memcpy(name, text.p, (size_t)(colon - text.p));
    uint32_t kind = value_kind(name);
    struct bytes digits = bytes_of(colon + 1, text.n - (size_t)(colon + 1 - text.p));
    if (kind == 0 || !is_hex(digits))
        return false;
    find_prefix_of_kind(finding, kind, digits);
    // A whole id names a record that is not here (yet), too.
    if (finding->count == 0 && digits.n == 2 * (size_t)ID_SIZE) {
        struct record_key record = {.kind = kind};
        if (text_unhex(digits, record.id, ID_SIZE) == OK)
            note_found(finding, &record);
    }
    return true;
}

static void find_name(struct finding *finding)
{
    struct record_key record;
    if (name_get(finding->scope->txn, finding->scope->community.number, finding->text, &record.kind,
                 record.id) == OK)
        note_found(finding, &record);
}

struct title_look {
    struct finding *finding;
    struct arena arena;
    bool has_it;
};

static bool look_at_title(const struct live *live, void *arg)
{
    struct title_look *look = arg;
    const struct scope *scope = look->finding->scope;
    struct wire_field field;
    look->has_it =
        live->field == FIELD_TITLE &&
        !txn_failed(scope->txn, present_words(scope->txn, scope->community.number, live->position,
                                              live->key.index, &look->arena, &field)) &&
        field.type == WIRE_SIZED && bytes_equal(field.bytes, look->finding->text);
    return !look->has_it;
}

static bool check_title(const struct record_key *record, void *arg)
{
    struct finding *finding = arg;
    struct title_look look = {.finding = finding};
    const struct scope *scope = finding->scope;
    arena_init(&look.arena, RECORD_MAX);
    enum err err = live_each(scope->txn, scope->community.number, record, look_at_title, &look);
    if ((!err || err == ERR_DAMAGED) && look.has_it)
        note_found(finding, record);
    if (look.arena.err)
        txn_fail(scope->txn, ERR_NOMEM);
    arena_done(&look.arena);
    return finding->count < 2;
}

static enum err find_title(struct finding *finding)
{
    struct folkmoot *fm = finding->fm;
    if (fm->titles && titles_are_spoilt(fm->titles))
        titles_free(&fm->titles);
    if (!fm->titles)
        fm->titles = titles_read(finding->scope->txn, finding->scope->community.number);
    if (!fm->titles)
        return ERR_NOMEM;
    titles_each(fm->titles, finding->text, check_title, finding);
    return OK;
}

static enum err find(struct finding *finding)
{
    if (finding->text.n == 0 || find_with_kind(finding))
        return OK;
    find_name(finding);
    if (finding->count == 0)
        find_prefix(finding);
    return finding->count == 0 ? find_title(finding) : OK;
}

enum folkmoot_code folkmoot_find(struct folkmoot *fm, const char *text, char *kind, uint8_t *id,
                                 struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    struct finding finding = {.fm = fm, .scope = &scope, .text = bytes_of_text(text)};
    uint64_t damage = txn_damage(scope.txn);
    enum err err = find(&finding);
    if (!err)
        err = txn_error(scope.txn);
    if (!err && txn_damage(scope.txn) != damage)
        err = ERR_DAMAGED;
    (void)state_end(fm, &scope, false, NULL);
    if (err)
        return state_fail_err(error, err, NULL);
    if (finding.count == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "\"%.80s\" names no record here", text);
    if (finding.count > 1)
        return state_fail(error, FOLKMOOT_AMBIGUOUS, "\"%.80s\" names several records", text);
    value_kind_name(finding.found.kind, kind);
    memcpy(id, finding.found.id, ID_SIZE);
    return FOLKMOOT_OK;
}
