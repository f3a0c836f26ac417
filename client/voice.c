#include "client/card.h"
#include "client/draft.h"
#include "client/value.h"
#include "proto/change.h"
#include "storage/log.h"
#include "sync/digest.h"
#include "sync/merge.h"

enum { VOICE_ARENA_MAX = 16 << 20, SUBJECT_SIZE = 4 + ID_SIZE };

static void subject_part(uint32_t kind, const uint8_t *id, uint8_t out[SUBJECT_SIZE])
{
    be32_put(out, kind);
    memcpy(out + 4, id, ID_SIZE);
}

// A draft of the record whose id comes of these two parts, which must outlive it.
static enum err begin_derived(struct scope *scope, struct draft *draft, uint32_t kind,
                              struct bytes a, struct bytes b, int64_t time, struct arena *arena)
{
    struct bytes parts[2] = {a, b};
    uint8_t id[ID_SIZE];
    digest_record_id(kind, (struct list){parts, 2}, id);
    enum err err = draft_init(draft, scope, schema_kind(kind), id, time, arena);
    memcpy(draft->parts, parts, sizeof parts);
    return err;
}

// --- voices ---

struct saying {
    uint32_t subject_kind;
    const uint8_t *subject;
    const uint8_t *person;
    struct buf stance; // encoded, as are the others; empty: none
    struct buf words;
    struct buf language;
    int64_t time;
    bool timed; // the caller knows when it was said
};

static void saying_done(struct saying *saying)
{
    buf_done(&saying->stance);
    buf_done(&saying->words);
    buf_done(&saying->language);
}

static enum err read_value(uint32_t number, const char *text, struct buf *out, struct fault *fault)
{
    if (!text || !*text)
        return OK;
    return value_read(schema_field(KIND_VOICE, number), bytes_of_text(text), NULL, out, fault);
}

// Looks among what was gone over for this very stance, said at this very time.
struct retelling {
    const struct scope *scope;
    const struct saying *saying;
    bool found;
};

static bool is_retold(const struct cover *cover, void *arg)
{
    struct retelling *retelling = arg;
    const struct scope *scope = retelling->scope;
    uint64_t position;
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    struct wire_field field;
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, VOICE_ARENA_MAX);
    uint32_t community = scope->community.number;
    if (log_find(scope->txn, community, cover->target.device, cover->target.seq, &position) ||
        log_get(scope->txn, community, position, &entry) || log_tag(&entry) != cover->tag ||
        merge_envelope(scope->txn, entry.envelope, &arena, &envelope) ||
        envelope.time != retelling->saying->time ||
        log_get_body(scope->txn, community, position, &body) ||
        !fields_edit(body.fields, cover->target.index, &field))
        return true;
    retelling->found = bytes_equal(field.whole, buf_bytes(&retelling->saying->stance));
    return !retelling->found;
}

static const struct present_edit *latest(const struct draft *draft, uint32_t field)
{
    const struct present_edit *found = NULL;
    for (size_t i = 0; i < draft->present.n; i++) {
        if (draft->present.edits[i].live.field == field)
            found = &draft->present.edits[i];
    }
    return found;
}

// Whether this was said before, by whichever volunteer: the same stance at the same time, or, where
// nobody says when, the stance that stands.
static bool is_known(struct scope *scope, const struct draft *draft, const struct saying *saying)
{
    struct bytes stance = buf_bytes(&saying->stance);
    const struct present_edit *stands = latest(draft, FIELD_VOICE_STANCE);
    if (!saying->timed)
        return stands && bytes_equal(stands->field.whole, stance);
    for (size_t i = 0; i < draft->present.n; i++) {
        const struct present_edit *each = &draft->present.edits[i];
        if (each->live.time == saying->time && bytes_equal(each->field.whole, stance))
            return true;
    }
    struct retelling retelling = {scope, saying, false};
    cover_each_of_record(scope->txn, scope->community.number, &draft->record, is_retold,
                         &retelling);
    return retelling.found;
}

// Words belong to the stance that they were said with: another one leaves them behind.
static void draft_words(struct draft *draft, const struct saying *saying, bool turned)
{
    const struct buf *values[] = {&saying->words, &saying->language};
    const uint32_t numbers[] = {FIELD_WORDS, FIELD_LANGUAGE};
    for (size_t i = 0; i < 2; i++) {
        if (values[i]->n)
            draft_put(draft, schema_field(KIND_VOICE, numbers[i]), buf_bytes(values[i]),
                      saying->time);
        else if (turned)
            draft_clear(draft, numbers[i], saying->time);
    }
}

static enum folkmoot_code say(struct folkmoot *fm, struct scope *scope, struct saying *saying,
                              struct folkmoot_error *error)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, VOICE_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    uint8_t subject[SUBJECT_SIZE];
    subject_part(saying->subject_kind, saying->subject, subject);
    enum err err = begin_derived(scope, &draft, KIND_VOICE, BYTES(subject),
                                 bytes_of(saying->person, ID_SIZE), saying->time, &arena);
    if (err)
        return state_fail_err(error, err, NULL);
    const struct present_edit *before = latest(&draft, FIELD_VOICE_STANCE);
    // A stance that a wrong clock put into the future can be gone over at its own time.
    if (!saying->timed && before && before->live.time > saying->time)
        draft.time = saying->time = before->live.time;
    bool turned = !before || !bytes_equal(before->field.whole, buf_bytes(&saying->stance));
    if (!is_known(scope, &draft, saying)) {
        draft_clear(&draft, FIELD_VOICE_STANCE, saying->time);
        draft_put_raw(&draft, buf_bytes(&saying->stance));
        draft_words(&draft, saying, turned);
    } else if (!turned) {
        draft_words(&draft, saying, false);
    }
    return draft_is_empty(&draft) ? FOLKMOOT_OK : draft_write(fm, scope, &draft, error);
}

static enum folkmoot_code read_saying(struct saying *saying, const char *kind, const char *stance,
                                      const char *words, const char *language,
                                      struct folkmoot_error *error)
{
    struct fault fault = {0};
    saying->subject_kind = value_kind(kind);
    if (saying->subject_kind == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    enum err err = stance ? value_read(schema_field(KIND_VOICE, FIELD_VOICE_STANCE),
                                       bytes_of_text(stance), NULL, &saying->stance, &fault)
                          : fault_set(&fault, ERR_MALFORMED, "stance: empty");
    if (!err)
        err = read_value(FIELD_WORDS, words, &saying->words, &fault);
    if (!err)
        err = read_value(FIELD_LANGUAGE, language, &saying->language, &fault);
    return err ? state_fail_err(error, err, &fault) : FOLKMOOT_OK;
}

enum folkmoot_code folkmoot_voice(struct folkmoot *fm, const char *subject_kind,
                                  const uint8_t *subject, const uint8_t *person, const char *stance,
                                  const char *words, const char *language, int64_t time,
                                  struct folkmoot_error *error)
{
    struct scope scope;
    struct saying saying = {.subject = subject,
                            .person = person,
                            .time = time ? time : state_now(fm),
                            .timed = time != 0};
    state_clear(error);
    enum folkmoot_code code = read_saying(&saying, subject_kind, stance, words, language, error);
    if (!code)
        code = state_begin(fm, 0, true, &scope, error);
    if (!code) {
        code = say(fm, &scope, &saying, error);
        enum folkmoot_code ended = state_end(fm, &scope, !code, error);
        code = code ? code : ended;
    }
    saying_done(&saying);
    return code;
}

// --- persons ---

enum folkmoot_code folkmoot_card(struct folkmoot *fm, const char *code, uint8_t *person,
                                 struct folkmoot_error *error)
{
    struct scope scope;
    struct fault fault = {0};
    struct buf normal BUF_CLEANUP = {.max = 4 * (size_t)CARD_CODE_MAX};
    state_clear(error);
    enum err err = card_normalise(code, &normal, &fault);
    if (err)
        return state_fail_err(error, err, &fault);
    enum folkmoot_code result = state_begin(fm, 0, false, &scope, error);
    if (result)
        return result;
    digest_card(scope.community.id, buf_bytes(&normal), person);
    return state_end(fm, &scope, false, error);
}

enum folkmoot_code folkmoot_myself(struct folkmoot *fm, uint8_t *person,
                                   struct folkmoot_error *error)
{
    struct scope scope;
    enum folkmoot_code code = state_begin(fm, 0, false, &scope, error);
    if (code)
        return code;
    digest_member(scope.community.id, device_first(&scope.device), person);
    return state_end(fm, &scope, false, error);
}

// --- two that are one ---

static enum folkmoot_code join_pair(struct folkmoot *fm, struct scope *scope, uint32_t kind,
                                    const uint8_t *a, const uint8_t *b, bool same, int64_t time,
                                    struct folkmoot_error *error)
{
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, VOICE_ARENA_MAX);
    struct draft draft DRAFT_CLEANUP = {0};
    uint8_t parts[2][SUBJECT_SIZE];
    bool sorted = memcmp(a, b, ID_SIZE) < 0;
    subject_part(kind, sorted ? a : b, parts[0]);
    subject_part(kind, sorted ? b : a, parts[1]);
    enum err err =
        begin_derived(scope, &draft, KIND_SAME_AS, BYTES(parts[0]), BYTES(parts[1]), time, &arena);
    struct buf yes BUF_CLEANUP = {0};
    wire_put_uint(&yes, FIELD_SAME, 1);
    if (err || yes.err)
        return state_fail_err(error, err ? err : yes.err, NULL);
    draft_clear(&draft, FIELD_SAME, INT64_MAX);
    if (same)
        draft_put(&draft, schema_field(KIND_SAME_AS, FIELD_SAME), buf_bytes(&yes), INT64_MAX);
    return draft_is_empty(&draft) ? FOLKMOOT_OK : draft_write(fm, scope, &draft, error);
}

enum folkmoot_code folkmoot_same(struct folkmoot *fm, const char *kind, const uint8_t *a,
                                 const uint8_t *b, bool same, int64_t time,
                                 struct folkmoot_error *error)
{
    struct scope scope;
    state_clear(error);
    uint32_t number = value_kind(kind);
    if (number == 0)
        return state_fail(error, FOLKMOOT_NOT_FOUND, "there is no kind \"%.40s\"", kind);
    if (memcmp(a, b, ID_SIZE) == 0)
        return state_fail(error, FOLKMOOT_INVALID, "a record is always the same as itself");
    enum folkmoot_code code = state_begin(fm, 0, true, &scope, error);
    if (code)
        return code;
    code = join_pair(fm, &scope, number, a, b, same, time ? time : state_now(fm), error);
    enum folkmoot_code ended = state_end(fm, &scope, !code, error);
    return code ? code : ended;
}
