// Everything that a device shows, before and after its next sync with a sound hub.

#include <stdio.h>

#include "tests/rot/rot.h"

static void put_sized(struct buf *out, struct bytes bytes)
{
    buf_put_be32(out, (uint32_t)bytes.n);
    buf_put(out, bytes);
}

static void put_text(struct buf *out, const char *text)
{
    put_sized(out, bytes_of_text(text ? text : "(none)"));
}

static void put_fields(struct buf *out, const struct folkmoot_record *record)
{
    for (size_t i = 0; i < record->fields_n; i++) {
        const struct folkmoot_field *field = &record->fields[i];
        put_text(out, field->name);
        buf_put_u8(out, field->tension);
        for (size_t j = 0; j < field->values_n; j++) {
            put_text(out, field->values[j].text);
            buf_put(out, BYTES(field->values[j].device));
            buf_put_be64(out, (uint64_t)field->values[j].time);
        }
    }
}

static void put_links(struct buf *out, const struct folkmoot_link *links, size_t n)
{
    buf_put_be32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        buf_put(out, BYTES(links[i].id));
}

static void put_record(struct buf *out, const struct folkmoot_record *record)
{
    put_text(out, record->kind);
    put_text(out, record->title);
    put_sized(out, bytes_of(record->bytes, record->bytes_n));
    put_fields(out, record);
    buf_put_be32(out, record->votes_for);
    buf_put_be32(out, record->votes_against);
    buf_put_be32(out, record->votes_unsure);
    put_links(out, record->about, record->about_n);
    put_links(out, record->from, record->from_n);
    put_links(out, record->same, record->same_n);
    for (size_t i = 0; i < record->voices_n; i++) {
        buf_put(out, BYTES(record->voices[i].person));
        put_text(out, record->voices[i].stance);
        put_text(out, record->voices[i].words);
    }
    for (size_t i = 0; i < record->past_n; i++) {
        put_text(out, record->past[i].field);
        put_text(out, record->past[i].text);
        buf_put_be64(out, (uint64_t)record->past[i].by_time);
    }
}

struct asking {
    struct folkmoot *fm;
    struct answers *answers;
    struct buf bytes;
    bool damaged; // a record of a list
};

static void add(struct asking *a, const char *name, enum folkmoot_code code, bool is_named)
{
    if (code)
        answers_add_code(a->answers, name, code);
    else
        answers_add(a->answers, name, buf_bytes(&a->bytes), is_named);
    buf_reset(&a->bytes);
}

static void ask_record(struct asking *a, const struct record_key *key)
{
    struct folkmoot_record record;
    enum folkmoot_code code = folkmoot_record_get(a->fm, folkmoot_kind_name(key->kind - 1), key->id,
                                                  FOLKMOOT_WHOLE, &record, NULL);
    bool damaged = !code && record.damaged;
    if (!code) {
        put_record(&a->bytes, &record);
        folkmoot_record_done(&record);
    }
    char name[40];
    snprintf(name, sizeof name, "%s %02x%02x", folkmoot_kind_name(key->kind - 1), key->id[0],
             key->id[1]);
    add(a, name, code, damaged);
}

static bool list_one(const struct folkmoot_record *record, void *arg)
{
    struct asking *a = arg;
    put_record(&a->bytes, record);
    a->damaged |= record->damaged;
    return true;
}

static bool apart_one(const struct folkmoot_apart *apart, void *arg)
{
    struct asking *a = arg;
    buf_put_be32(&a->bytes, apart->seq);
    put_text(&a->bytes, apart->kind);
    buf_put(&a->bytes, BYTES(apart->id));
    put_text(&a->bytes, apart->why);
    return true;
}

static void ask_lists(struct asking *a)
{
    for (size_t i = 0; i < 14; i++) {
        if (!folkmoot_kind_name(i))
            continue;
        a->damaged = false;
        enum folkmoot_code code = folkmoot_list(a->fm, folkmoot_kind_name(i), list_one, a, NULL);
        add(a, "list", code, a->damaged);
    }
    add(a, "list apart", folkmoot_list_apart(a->fm, apart_one, a, NULL), false);
}

static void ask_status(struct asking *a)
{
    struct folkmoot_community c;
    enum folkmoot_code code = folkmoot_community_at(a->fm, 0, &c);
    if (!code) {
        put_text(&a->bytes, c.name);
        put_text(&a->bytes, c.address);
        put_text(&a->bytes, c.role);
        put_text(&a->bytes, c.alarm);
        buf_put(&a->bytes, BYTES(c.device));
        buf_put_be32(&a->bytes, c.written);
        buf_put_be32(&a->bytes, c.unsent);
        buf_put_be64(&a->bytes, c.known);
        buf_put_u8(&a->bytes, (uint8_t)(c.forked * 2 + c.revoked));
    }
    add(a, "status", code, !code && c.damaged);
    uint8_t hash[32];
    uint64_t records;
    code = folkmoot_fingerprint(a->fm, hash, &records, NULL);
    if (!code)
        buf_put(&a->bytes, BYTES(hash));
    add(a, "fingerprint", code, false);
}

static void ask_finding(struct asking *a, const char *text)
{
    char kind[16];
    uint8_t id[16];
    enum folkmoot_code code = folkmoot_find(a->fm, text, kind, id, NULL);
    if (!code)
        buf_put(&a->bytes, BYTES(id));
    add(a, "find", code, false);
}

static void ask_all(struct asking *a, const struct known *known)
{
    ask_status(a);
    for (size_t i = 0; i < known->n; i++)
        ask_record(a, &known->records[i]);
    ask_lists(a);
    ask_finding(a, "need 1 of this town");
    ask_finding(a, "need 5 of this town");
    ask_finding(a, "row 17");
}

static void sync_with(struct asking *a, struct hub_double *hub)
{
    struct folkmoot_session *session;
    struct folkmoot_progress progress;
    enum folkmoot_code code = folkmoot_sync(a->fm, &session, NULL);
    if (!code) {
        hub_double_run(hub, session, NULL);
        code = folkmoot_session_error(session)->code;
        folkmoot_session_progress(session, &progress);
        buf_put_be32(&a->bytes, progress.unsent);
        buf_put_u8(&a->bytes, progress.alarm);
        folkmoot_session_done(&session);
    }
    add(a, "sync", code, false);
}

void ask_phone(struct town *town, const char *path, const char *hub, const struct known *known,
               struct answers *answers)
{
    struct asking a = {.answers = answers};
    uint64_t drawn = 1;
    struct folkmoot_host host = town_host(&drawn);
    answers->of = "phone:";
    enum folkmoot_code code = folkmoot_open(path, &host, &a.fm, NULL);
    answers_add_code(answers, "open", code);
    if (code)
        return;
    ask_all(&a, known);
    hub_double_open(town->world.hub, hub);
    sync_with(&a, town->world.hub);
    answers_sync_was_last(answers);
    hub_double_close(town->world.hub);
    answers->of = "phone after a sync:";
    ask_all(&a, known);
    folkmoot_close(&a.fm);
    buf_done(&a.bytes);
}
