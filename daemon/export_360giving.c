// 360Giving JSON (standard.threesixtygiving.org): commitments as grants. A record that lacks what
// the standard requires is left out and told, and nothing is made up for it.

#include "base/text.h"
#include "daemon/export_json.h"

static const int64_t day_ms = (int64_t)24 * 60 * 60 * 1000;

// A grant while it is made. why: what it lacks; NULL: nothing so far.
struct grant {
    struct export_writing *writing;
    const struct export_row *row;
    struct arena *arena;
    cJSON *json;
    const char *why;
    enum err err;
};

static enum err begin(struct export_writing *writing)
{
    export_write(writing, bytes_of_text("{\"grants\":["));
    return OK;
}

static const struct schema_field *field_of(const struct export_row *row, const char *name)
{
    return schema_field_by_name(row->kind, name);
}

static const struct export_value *value_of(const struct export_row *row, const char *name)
{
    const struct export_field *field = export_row_field(row, field_of(row, name)->number);
    return field ? &field->values[0] : NULL;
}

// --- parts ---

// An id that nobody else's has: the prefix of the publisher, or else the community's.
static void put_id(const struct grant *grant, const char *id, struct buf *out)
{
    const struct export_wish *wish = grant->writing->wish;
    char community[2 * COMMUNITY_SIZE + 1];
    text_hex(BYTES(wish->community->id), community);
    if (wish->prefix)
        buf_put_format(out, "%s-%s", wish->prefix, id);
    else
        buf_put_format(out, "folkmoot-%s-%s", community, id);
}

static void add_id(struct grant *grant, cJSON *to, const char *id)
{
    struct buf text BUF_CLEANUP = {0};
    put_id(grant, id, &text);
    export_json_add_text(to, "id", buf_bytes(&text), &grant->err);
}

static void need_text(struct grant *grant, const char *name, const char *field, const char *why)
{
    const struct export_value *value = value_of(grant->row, field);
    if (value && value->raw.bytes.n > 0)
        export_json_add_text(grant->json, name, value->raw.bytes, &grant->err);
    else if (!grant->why)
        grant->why = why;
}

static void put_date(struct buf *out, int64_t ms, size_t n)
{
    struct buf time BUF_CLEANUP = {0};
    export_put_time(&time, ms);
    buf_put(out, bytes_of(time.p, time.n < n ? time.n : n));
    if (time.err && !out->err)
        out->err = time.err;
}

enum { DATE_YEAR = 4, DATE_MONTH = 7, DATE_DAY = 10 };

static bool same_until(int64_t a, int64_t b, size_t n)
{
    struct buf x BUF_CLEANUP = {0};
    struct buf y BUF_CLEANUP = {0};
    put_date(&x, a, n);
    put_date(&y, b, n);
    return !x.err && !y.err && bytes_equal(buf_bytes(&x), buf_bytes(&y));
}

// Outsiders are told the week: as much of a date as is the same for all days of it.
static size_t date_part(const struct grant *grant, int64_t ms)
{
    if (!grant->writing->wish->masked)
        return DATE_DAY;
    int64_t end = ms + 6 * day_ms;
    return same_until(ms, end, DATE_MONTH)  ? DATE_MONTH
           : same_until(ms, end, DATE_YEAR) ? DATE_YEAR
                                            : 0;
}

static bool has_four_digits(int64_t ms)
{
    return ms >= -62167219200000 && ms < 253402300800000;
}

// When the amount was promised. It is a change's time, which is when it was said.
static void need_award(struct grant *grant)
{
    const struct export_value *amount = value_of(grant->row, "amount");
    struct buf text BUF_CLEANUP = {0};
    struct buf date BUF_CLEANUP = {0};
    if (!amount) {
        grant->why = grant->why ? grant->why : "no amount";
        return;
    }
    export_put_value(&text, field_of(grant->row, "amount"), amount);
    export_json_add_number(grant->json, "amountAwarded", buf_bytes(&text), &grant->err);
    size_t part = has_four_digits(amount->time) ? date_part(grant, amount->time) : 0;
    put_date(&date, amount->time, part);
    if (part)
        export_json_add_text(grant->json, "awardDate", buf_bytes(&date), &grant->err);
    else if (!grant->why)
        grant->why = "no day that can be told";
}

static bool add_party(struct grant *grant, cJSON *to, struct bytes id)
{
    struct export_row party;
    enum err err = grant->writing->look(grant->writing->arg, KIND_PARTY, id, grant->arena, &party);
    if (err && err != ERR_NOT_FOUND && err != ERR_DAMAGED)
        grant->err = grant->err ? grant->err : err;
    const struct export_value *name = err ? NULL : value_of(&party, "title");
    if (!name || name->raw.bytes.n == 0)
        return false;
    const struct export_value *register_id = value_of(&party, "register_id");
    if (register_id && register_id->raw.bytes.n > 0)
        export_json_add_text(to, "id", register_id->raw.bytes, &grant->err);
    else
        add_id(grant, to, party.id);
    export_json_add_text(to, "name", name->raw.bytes, &grant->err);
    return true;
}

// id empty: none is named.
static void need_party(struct grant *grant, const char *name, struct bytes id, const char *why)
{
    cJSON *party = cJSON_CreateObject();
    cJSON *list = cJSON_CreateArray();
    bool is_there = id.n == ID_SIZE && add_party(grant, party, id);
    if (!cJSON_AddItemToArray(list, party)) {
        cJSON_Delete(party);
        grant->err = ERR_NOMEM;
    }
    export_json_add(grant->json, name, list, &grant->err);
    if (!is_there && !grant->why)
        grant->why = why;
}

static void need_funder(struct grant *grant)
{
    const struct export_value *party = value_of(grant->row, "party");
    need_party(grant, "fundingOrganization", party ? party->raw.bytes : (struct bytes){0},
               "no party with a title that promised it");
}

// Who gets it is the one party that the commitment is about.
static void need_recipient(struct grant *grant)
{
    const struct export_field *about = export_row_field(grant->row, FIELD_ABOUT);
    struct bytes recipient = {0};
    size_t n = 0;
    for (size_t i = 0; about && i < about->n; i++) {
        struct ref ref = {0};
        if (message_decode(&ref_message, about->values[i].raw.bytes, NULL, &ref, NULL) ||
            ref.kind != KIND_PARTY)
            continue;
        recipient = ref.id;
        n++;
    }
    if (n > 1 && !grant->why)
        grant->why = "about several parties, so that it is not said who gets it";
    need_party(grant, "recipientOrganization", recipient,
               "not about a party with a title, who gets it");
}

static void add_degrees(struct grant *grant, cJSON *to, const char *name, int32_t e7)
{
    struct buf text BUF_CLEANUP = {0};
    export_put_degrees(&text, e7);
    export_json_add_text(to, name, buf_bytes(&text), &grant->err);
}

static void add_place(struct grant *grant)
{
    struct place place;
    if (!export_row_place(grant->row, &place))
        return;
    cJSON *location = cJSON_CreateObject();
    cJSON *list = cJSON_CreateArray();
    if (place.name.n)
        export_json_add_text(location, "name", place.name, &grant->err);
    if (place.code.n)
        export_json_add_text(location, "geoCode", place.code, &grant->err);
    if (place.has_latitude && place.has_longitude) {
        add_degrees(grant, location, "latitude", place.latitude);
        add_degrees(grant, location, "longitude", place.longitude);
    }
    if (!cJSON_AddItemToArray(list, location)) {
        cJSON_Delete(location);
        grant->err = ERR_NOMEM;
    }
    export_json_add(grant->json, "beneficiaryLocation", list, &grant->err);
}

// The standard has no place for values that stand beside each other; more members are allowed.
static void add_tension(struct grant *grant)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < grant->row->fields_n; i++) {
        const struct export_field *field = &grant->row->fields[i];
        cJSON *name = field->tension ? cJSON_CreateString(field->schema->name) : NULL;
        if (field->tension && !cJSON_AddItemToArray(list, name))
            grant->err = ERR_NOMEM;
    }
    if (cJSON_GetArraySize(list) > 0)
        export_json_add(grant->json, "folkmootTension", list, &grant->err);
    else
        cJSON_Delete(list);
}

static void make(struct grant *grant)
{
    add_id(grant, grant->json, grant->row->id);
    need_text(grant, "title", "title", "no title");
    need_text(grant, "description", "words", "no words that describe it");
    need_text(grant, "currency", "currency", "no currency");
    need_award(grant);
    need_funder(grant);
    need_recipient(grant);
    add_place(grant);
    export_json_add_time(grant->json, "dateModified", grant->row->last, &grant->err);
    add_tension(grant);
}

static enum err put(struct export_writing *writing, const struct export_row *row,
                    struct arena *arena)
{
    struct grant grant = {writing, row, arena, cJSON_CreateObject(), NULL, OK};
    make(&grant);
    if (grant.why && !grant.err) {
        cJSON_Delete(grant.json);
        writing->leave_out(writing->arg, row->kind->name, row->id, grant.why);
        return OK;
    }
    export_write(writing, bytes_of_text(writing->rows++ ? ",\n" : "\n"));
    return export_json_write(writing, grant.json, grant.err);
}

static enum err end(struct export_writing *writing)
{
    export_write(writing, bytes_of_text("\n]}\n"));
    return OK;
}

const struct export_format export_360giving = {
    .name = "360giving",
    .only = KIND_COMMITMENT,
    .has_prefix = true,
    .begin = begin,
    .put = put,
    .end = end,
    .done = export_nothing_done,
};
