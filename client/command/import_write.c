#include "base/hash.h"
#include "client/command/import_private.h"

// A chain of references that runs up the file takes a pass for each link.
enum { PASSES_MAX = 64, COMMIT_ROWS = 4096 };

// --- order ---

struct waiting {
    const struct import *import;
    bool waits;
};

static bool is_here(const char *name, void *arg)
{
    struct waiting *waiting = arg;
    const struct import *import = waiting->import;
    uint64_t hash = hashes_of(name, strlen(name));
    uint32_t item = hashes_find(&import->names, hash);
    if (item == UINT32_MAX)
        item = hashes_find(&import->titles, hash);
    waiting->waits = item != UINT32_MAX && import->items[item].state == ITEM_WAITS;
    return !waiting->waits;
}

static bool is_ready(const struct import *import, const struct row *row)
{
    struct waiting waiting = {import, false};
    row_each_reference(row, is_here, &waiting);
    return !waiting.waits;
}

// --- rows of a mapped table ---

// A hash of all that the table's row says, whatever is made of it and in which order it stands.
static void print_row(const struct table *table, size_t row, uint8_t print[MEMO_PRINT_SIZE])
{
    memset(print, 0, MEMO_PRINT_SIZE);
    for (size_t i = 0; i < table->columns; i++) {
        const char *text = table_cell(table, row, i);
        struct hash hash;
        uint8_t one[HASH_SIZE];
        if (!text[0])
            continue;
        hash_begin(&hash, "folkmoot import cell v1");
        hash_put_sized(&hash, bytes_of_text(table_cell(table, 0, i)));
        hash_put_sized(&hash, bytes_of_text(text));
        hash_end(&hash, one);
        for (size_t k = 0; k < MEMO_PRINT_SIZE; k++)
            print[k] ^= one[k];
    }
}

// Of the first section's record: whether its row is new, back, changed or the same.
static enum folkmoot_code count_row(struct import *import, const struct import_item *item,
                                    struct row *row, bool back)
{
    struct folkmoot *fm = import->app->fm;
    struct report *report = &import->report;
    uint8_t print[MEMO_PRINT_SIZE];
    uint8_t before[MEMO_PRINT_SIZE];
    const struct rule *rule = &import->mapping.rules[0];
    if (!import->mapping.path || item->rule != 0 || rule->each || !row->named)
        return FOLKMOOT_OK;
    report->has_rows = true;
    print_row(&import->table, item->row, print);
    bool known = memo_get(fm, "row", row->name, row->kind, before);
    bool same = known && memcmp(before, print, sizeof(print)) == 0;
    report->rows_new += !known;
    report->rows_back += known && back;
    report->rows_changed += known && !back && !same;
    report->rows_same += known && !back && same;
    return same ? FOLKMOOT_OK : memo_put(fm, "row", row->name, row->kind, print, &row->error);
}

// --- one ---

static bool is_about_the_row(enum folkmoot_code code)
{
    return code == FOLKMOOT_INVALID || code == FOLKMOOT_NOT_FOUND || code == FOLKMOOT_AMBIGUOUS;
}

// What a row that is left out said before is not gone.
static enum folkmoot_code keep(struct import *import, struct import_item *item, struct row *row)
{
    char kind[REF_KIND_BYTES];
    bool back;
    import_leave_out(import, item, row);
    if (item->rule == 0 && row->named &&
        folkmoot_named(import->app->fm, row->name, kind, sizeof(kind), row->id) == FOLKMOOT_OK)
        return gone_note(&import->gone, row, false, &back, &row->error);
    return FOLKMOOT_OK;
}

static enum folkmoot_code write_row(struct import *import, struct import_item *item,
                                    struct row *row)
{
    enum row_done done;
    bool back = false;
    enum folkmoot_code code = row_write(row, &done);
    if (code == FOLKMOOT_NOT_FOUND && import->mapping.rules[item->rule].may_wait) {
        item->state = ITEM_LEFT_OUT;
        import->report.waiting++;
        return FOLKMOOT_OK;
    }
    if (is_about_the_row(code))
        return keep(import, item, row);
    if (code == FOLKMOOT_OK && item->rule == 0 && row->named)
        code = gone_note(&import->gone, row, done == ROW_ADDED, &back, &row->error);
    if (code == FOLKMOOT_OK)
        code = count_row(import, item, row, back);
    if (code != FOLKMOOT_OK)
        return code;
    item->state = ITEM_DONE;
    report_count(&import->report, row->kind, done);
    return FOLKMOOT_OK;
}

// Writes an item that refers only to what is here. *waits: it does not.
static enum command_exit write_item(struct import *import, struct import_item *item, bool *waits)
{
    struct import_made made;
    enum command_exit done = COMMAND_OK;
    enum folkmoot_code code = import_make(import, item, &made);
    *waits = code == FOLKMOOT_OK && !is_ready(import, &made.row);
    if (code == FOLKMOOT_OK && !*waits)
        code = write_row(import, item, &made.row);
    if (code != FOLKMOOT_OK)
        done = app_fail(&made.row.error);
    import_unmake(&made);
    return done;
}

// --- all ---

// So that memory does not grow with the table: what is committed stays, and an import that was
// interrupted goes on when it is run again.
static enum command_exit commit_some(struct import *import)
{
    struct folkmoot_error error = {0};
    if (import->strict || import->dry)
        return COMMAND_OK;
    if (folkmoot_end(import->app->fm, true, &error) != FOLKMOOT_OK ||
        folkmoot_begin(import->app->fm, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    return COMMAND_OK;
}

static enum command_exit write_ready(struct import *import, size_t *left)
{
    enum command_exit done = COMMAND_OK;
    size_t written = 0;
    *left = 0;
    for (size_t i = 0; i < import->n && done == COMMAND_OK; i++) {
        bool waits = false;
        if (import->items[i].state != ITEM_WAITS)
            continue;
        done = write_item(import, &import->items[i], &waits);
        *left += waits;
        written += !waits;
        if (done == COMMAND_OK && !waits && written % COMMIT_ROWS == 0)
            done = commit_some(import);
    }
    return done;
}

static void leave_out_waiting(struct import *import)
{
    for (size_t i = 0; i < import->n; i++) {
        struct import_item *item = &import->items[i];
        struct row row = {
            .error = {.code = FOLKMOOT_INVALID,
                      .text = "about: what this row is about refers back to it, or stands too far "
                              "down: put the rows in order"}};
        if (item->state == ITEM_WAITS)
            import_leave_out(import, item, &row);
    }
}

// A row may stand before what it refers to, so rows that wait are looked at again.
static enum command_exit write_rows(struct import *import)
{
    size_t left = import->n;
    enum command_exit done = COMMAND_OK;
    for (int pass = 0; left && pass < PASSES_MAX && done == COMMAND_OK; pass++)
        done = write_ready(import, &left);
    if (done != COMMAND_OK)
        return done;
    leave_out_waiting(import);
    bool withdraw = options_given(&import->app->call, "withdraw_gone");
    return gone_tell(&import->gone, withdraw, &import->report);
}

enum command_exit import_write(struct import *import)
{
    struct folkmoot *fm = import->app->fm;
    struct folkmoot_error error = {0};
    if (folkmoot_begin(fm, &error) != FOLKMOOT_OK)
        return app_fail(&error);
    enum command_exit done = write_rows(import);
    bool refused = import->strict && import->report.left_out;
    bool commit = done == COMMAND_OK && !import->dry && !refused;
    if (folkmoot_end(fm, commit, &error) != FOLKMOOT_OK && done == COMMAND_OK)
        done = app_fail(&error);
    if (done == COMMAND_OK && refused)
        return app_say(COMMAND_FAILED, "nothing was imported");
    return done;
}
