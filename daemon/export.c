#include "daemon/export.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "daemon/copies_private.h"
#include "daemon/export_format.h"
#include "daemon/export_walk.h"
#include "daemon/file.h"
#include "daemon/identity.h"
#include "daemon/named.h"
#include "daemon/place.h"
#include "sync/digest.h"
#include "sync/hub.h"

enum { KINDS_LAST = KIND_REQUEST, PREFIX_MAX = 64 };

// One export under way.
struct exporting {
    const struct export_call *call;
    const struct export_told *told;
    const struct export_format *format;
    struct export_wish wish;
    struct export_walk walk;
    struct export_writing writing;
    struct exported *exported;
    struct fault *fault;
};

// --- what is asked for ---

static enum err read_format(struct exporting *e)
{
    struct buf names BUF_CLEANUP = {0};
    const struct export_format *format;
    e->format = export_format_find(e->call->as);
    if (e->format)
        return OK;
    for (size_t i = 0; (format = export_format_row(i)); i++)
        buf_put_format(&names, "%s%s", i ? ", " : "", format->name);
    return fault_set(e->fault, ERR_MALFORMED, "--as is one of %.*s", (int)names.n,
                     names.p ? (const char *)names.p : "");
}

static enum err read_kind(struct exporting *e)
{
    const struct schema_kind *kind = e->call->kind ? schema_kind_by_name(e->call->kind) : NULL;
    e->wish.kind = e->format->one_kind ? KIND_NEED : e->format->only;
    if (!e->call->kind)
        return OK;
    if (!kind)
        return fault_set(e->fault, ERR_MALFORMED, "there is no kind of record called %s",
                         e->call->kind);
    if (kind->class != CLASS_ORDINARY)
        return fault_set(e->fault, ERR_MALFORMED, "a %s is personal: it is not exported",
                         kind->name);
    if (!given_kind(kind->kind))
        return fault_set(e->fault, ERR_MALFORMED, "a %s is not exported: see folkmootctl audit",
                         kind->name);
    if (e->format->only && e->format->only != kind->kind)
        return fault_set(e->fault, ERR_MALFORMED, "%s has commitments only", e->format->name);
    e->wish.kind = kind->kind;
    return OK;
}

static enum err read_audience(struct exporting *e)
{
    const struct schema_field *field = schema_field(KIND_NEED, FIELD_AUDIENCE);
    const char *wanted = e->call->audience ? e->call->audience : field->values[AUDIENCE_COMMUNITY];
    for (int i = AUDIENCE_COMMUNITY; field->values[i]; i++) {
        if (strcmp(field->values[i], wanted) != 0)
            continue;
        e->walk.to.audience = (enum audience)i;
        e->wish.masked = given_is_masked(&e->walk.to);
        return OK;
    }
    return fault_set(e->fault, ERR_MALFORMED, "--audience is community, organisations or public");
}

static bool is_prefix(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n <= PREFIX_MAX &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:") == n;
}

static enum err read_rest(struct exporting *e)
{
    const struct export_call *call = e->call;
    if (call->hxl && !e->format->has_hxl)
        return fault_set(e->fault, ERR_MALFORMED, "--hxl is for csv");
    if (call->prefix && !e->format->has_prefix)
        return fault_set(e->fault, ERR_MALFORMED, "--prefix is for 360giving");
    if (call->prefix && !is_prefix(call->prefix))
        return fault_set(e->fault, ERR_MALFORMED,
                         "--prefix is what 360Giving gave the publisher, such as 360G-example");
    if (e->format->by_path && strcmp(call->file, "-") == 0)
        return fault_set(e->fault, ERR_MALFORMED, "%s needs a file", e->format->name);
    e->wish.hxl = call->hxl;
    e->wish.prefix = call->prefix;
    return OK;
}

static enum err read_call(struct exporting *e)
{
    enum err err = read_format(e);
    if (!err)
        err = read_kind(e);
    if (!err)
        err = read_audience(e);
    return err ? err : read_rest(e);
}

// --- whose, and for whom ---

static enum err find_community(struct exporting *e)
{
    struct txn *txn TXN_CLEANUP = txn_begin_read(e->walk.store);
    return named_community(txn, e->call->community, &e->walk.to.community, e->fault);
}

// Outsiders know records by other ids, which hang on the hub's identity.
static enum err make_mask(struct exporting *e, const struct config *config)
{
    char path[PATH_MAX];
    struct identity identity;
    bool made = false;
    struct given_to *to = &e->walk.to;
    to->least = (uint32_t)config->observer_least;
    if (!e->wish.masked)
        return OK;
    enum err err = place_identity_of_hub(config, path, e->fault);
    if (!err && access(path, R_OK) != 0)
        return whole_fail(e->fault, "read", path);
    if (!err)
        err = identity_open(path, &identity, &made, e->fault);
    if (err)
        return err;
    hub_observer_secret(identity.seed, to->secret);
    identity_done(&identity);
    digest_export(to->community.id, to->audience, to->handle);
    return OK;
}

// --- going over it ---

static void leave_out(void *arg, const char *kind, const char *id, const char *why)
{
    struct exporting *e = arg;
    e->exported->left_out++;
    e->told->left_out(e->told->arg, kind, id, why);
}

static void leave_out_key(void *arg, uint32_t kind, const uint8_t *id, const char *why)
{
    char hex[EXPORT_ID_TEXT];
    text_hex(bytes_of(id, ID_SIZE), hex);
    leave_out(arg, schema_kind(kind)->name, hex, why);
}

static enum err look(void *arg, uint32_t kind, struct bytes id, struct arena *arena,
                     struct export_row *row)
{
    struct exporting *e = arg;
    struct given given;
    enum err err = export_walk_look(&e->walk, kind, id, arena, &given);
    return err ? err : export_row_make(&given, arena, row);
}

static enum err write_page(struct exporting *e, const struct export_page *page)
{
    enum err err = OK;
    for (size_t i = 0; i < page->n && !err; i++) {
        struct arena arena ARENA_CLEANUP;
        struct export_row row;
        arena_init(&arena, 64 << 20);
        err = export_row_make(&page->records[i], &arena, &row);
        if (!err)
            err = e->format->put(&e->writing, &row, &arena);
    }
    if (!err && e->writing.out && ferror(e->writing.out))
        err = whole_fail(e->fault, "write", e->call->file);
    return err;
}

static enum err write_kind(struct exporting *e, uint32_t kind)
{
    enum err err = OK;
    for (export_walk_kind(&e->walk, kind); !err && !e->walk.is_over;) {
        struct export_page page;
        err = export_walk_page(&e->walk, &page);
        if (!err)
            err = write_page(e, &page);
        export_page_done(&page);
    }
    return err;
}

static enum err write_all(struct exporting *e)
{
    enum err err = e->format->begin(&e->writing);
    for (uint32_t kind = 1; kind <= KINDS_LAST && !err; kind++) {
        if (given_kind(kind) && (e->wish.kind == 0 || e->wish.kind == kind))
            err = write_kind(e, kind);
    }
    if (!err)
        err = e->format->end(&e->writing);
    e->format->done(&e->writing);
    e->exported->records = e->writing.rows;
    e->exported->closed = e->walk.closed;
    e->exported->damaged = e->walk.damaged;
    return err;
}

// --- where to ---

static enum err write_stream(struct exporting *e, int fd)
{
    int copy = dup(fd);
    e->writing.out = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (!e->writing.out) {
        if (copy >= 0)
            (void)close(copy);
        return whole_fail(e->fault, "write", e->call->file);
    }
    enum err err = write_all(e);
    if (fclose(e->writing.out) != 0 && !err)
        err = whole_fail(e->fault, "write", e->call->file);
    return err;
}

static enum err write_file(struct exporting *e)
{
    struct whole whole;
    enum err err = whole_begin(&whole, e->call->file, e->fault);
    if (err)
        return err;
    e->writing.path = whole.path;
    err = e->format->by_path ? write_all(e) : write_stream(e, whole.fd);
    if (!err && fsync(whole.fd) != 0)
        err = whole_fail(e->fault, "write", e->call->file);
    e->writing.path = NULL;
    return whole_end(&whole, err, e->fault);
}

static enum err run(struct exporting *e, const struct config *config)
{
    struct places places;
    enum err err = read_call(e);
    if (!err)
        err = copies_find(config, &places, e->fault);
    if (!err)
        err = copies_open_store(config, places.database, true, &e->walk.store, e->fault);
    if (!err)
        err = find_community(e);
    if (!err)
        err = make_mask(e, config);
    if (err)
        return err;
    return strcmp(e->call->file, "-") == 0 ? write_stream(e, STDOUT_FILENO) : write_file(e);
}

enum err export_run(const struct config *config, const struct export_call *call,
                    const struct export_told *told, struct exported *exported, struct fault *fault)
{
    struct exporting e = {.call = call, .told = told, .exported = exported, .fault = fault};
    *exported = (struct exported){.records = 0};
    e.wish.community = &e.walk.to.community;
    e.walk.left_out = leave_out_key;
    e.walk.arg = &e;
    e.writing = (struct export_writing){
        .wish = &e.wish, .fault = fault, .look = look, .leave_out = leave_out, .arg = &e};
    enum err err = run(&e, config);
    export_walk_done(&e.walk);
    store_close(&e.walk.store);
    return err;
}
