#include "storage/row.h"

#include <string.h>

#include "storage/stored.h"

// What stands in a table's keys: c community, p position, r record, d device, s seq, a digit that
// many bytes of something else. A key that is short of that says less.
static const char *layout_of(const char *table)
{
    static const char *const layouts[][2] = {
        {"entry", "cp"},    {"body", "cp"},    {"chain", "cds"},   {"run", "cds"},
        {"tree", "cp"},     {"device", "cd"},  {"contact", "cd"},  {"live", "cr4ds"},
        {"cover", "cr4ds"}, {"about", "cr"},   {"apart", "cds"},   {"role", "cds"},
        {"quota", "cd"},    {"erased", "cds"}, {"closed", "cr"},   {"keep", "c8rds"},
        {"evidence", "cd"}, {"carry", "cp"},   {"dropped", "cp"},  {"secret", "c"},
        {"progress", "c"},  {"name", "c"},     {"stance", "c88r"}, {"heard", "c"},
        {"link", "c1r"},    {"sum", "cr"},     {"order", "c"},     {"count", "c"},
    };
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (strcmp(layouts[i][0], table) == 0)
            return layouts[i][1];
    }
    return "";
}

static void take(struct stored *key, char part, struct row *row)
{
    uint8_t skipped[8];
    if (part == 'c')
        row->community = stored_u32(key);
    else if (part == 'p')
        row->position = stored_u64(key);
    else if (part == 's')
        row->seq = stored_u32(key);
    else if (part == 'd')
        stored_copy(key, row->device, HANDLE_SIZE);
    else if (part == 'r') {
        row->record.kind = stored_u16(key);
        stored_copy(key, row->record.id, ID_SIZE);
    } else {
        stored_copy(key, skipped, (size_t)(part - '0'));
    }
}

struct row row_of(const char *table, struct bytes key)
{
    struct row row = {.table = table};
    struct stored rest = stored_of(key);
    for (const char *part = layout_of(table); *part; part++)
        take(&rest, *part, &row);
    return row;
}
