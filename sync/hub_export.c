// All records, page by page, for callers who keep what they are given.

#include "proto/schema.h"
#include "sync/hub.h"

enum { KIND_SIZE = 4, CURSOR_SIZE = KIND_SIZE + ID_SIZE };

static bool is_sound(const struct export_request *request)
{
    struct bytes cursor = request->cursor;
    if (request->kind > KIND_MAX || (cursor.n && cursor.n != KIND_SIZE && cursor.n != CURSOR_SIZE))
        return false;
    uint32_t kind = cursor.n ? be32_get(cursor.p) : 1;
    return kind > 0 && kind <= KIND_MAX &&
           (cursor.n == 0 || !request->kind || kind == request->kind);
}

static void begin(const struct export_request *request, struct hub_exported *exported)
{
    struct bytes cursor = request->cursor;
    uint32_t first = request->kind ? request->kind : 1;
    *exported = (struct hub_exported){.is_begun = true,
                                      .is_one_kind = request->kind != 0,
                                      .kind = cursor.n ? be32_get(cursor.p) : first};
    exported->has_after = cursor.n == CURSOR_SIZE;
    if (exported->has_after)
        memcpy(exported->after, cursor.p + KIND_SIZE, ID_SIZE);
}

// Behind the page's last record, or at the next kind.
static void move_on(struct hub_exported *exported, struct bytes next_page)
{
    exported->has_after = next_page.n == ID_SIZE;
    if (exported->has_after) {
        memcpy(exported->after, next_page.p, ID_SIZE);
        return;
    }
    exported->kind++;
    exported->has_ended = exported->is_one_kind || !schema_kind(exported->kind);
}

static enum err put_cursor(const struct hub_exported *exported, struct arena *arena,
                           struct bytes *out)
{
    uint8_t cursor[CURSOR_SIZE];
    be32_put(cursor, exported->kind);
    memcpy(cursor + KIND_SIZE, exported->after, ID_SIZE);
    *out = arena_copy(arena, bytes_of(cursor, exported->has_after ? CURSOR_SIZE : KIND_SIZE));
    return out->p ? OK : ERR_NOMEM;
}

enum err hub_export(struct txn *txn, const struct hub_caller *caller,
                    const struct export_request *request, struct hub_exported *exported,
                    struct arena *arena, struct export_response *response, struct fault *fault)
{
    *response = (struct export_response){.damaged = false};
    if (!exported->is_begun && !is_sound(request))
        return fault_set(fault, ERR_MALFORMED, "ExportRequest: kind or cursor is wrong");
    if (!exported->is_begun)
        begin(request, exported);
    struct list_request page = {.kind = exported->kind,
                                .page_size = PAGE_MAX,
                                .page =
                                    bytes_of(exported->after, exported->has_after ? ID_SIZE : 0)};
    struct list_response listed;
    enum err err = hub_list(txn, caller, &page, arena, &listed, fault);
    if (err)
        return err;
    move_on(exported, listed.next_page);
    response->records = listed.records;
    response->damaged = listed.damaged;
    return put_cursor(exported, arena, &response->cursor);
}
