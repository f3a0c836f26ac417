#pragma once

// What a table's rows become: rules, each of which makes a record of a row (or of each of many
// columns of it). They come from a mapping file, docs/imports.md, or, without one, from the table's
// first line: then there is one rule, that of the columns as they are called.

#include "client/command/app.h"
#include "client/command/columns.h"
#include "client/command/table.h"
#include "client/command/template.h"

enum { MAPPING_RULES_MAX = 32, MAPPING_LOOKUPS_MAX = 64, MAPPING_BYTES_MAX = 1 << 20 };

enum mapping_dates { DATES_ISO, DATES_DAY_FIRST, DATES_MONTH_FIRST };

struct rule {
    const char *kind; // "": a column says it
    uint32_t line;    // of the mapping
    struct columns columns;
    struct template *templates; // one for each column
    struct template only;       // without parts: there is no such condition
    const char *each;           // NULL, "numbers" or "PREFIX*": for which columns
    bool may_wait;              // what it refers to may be missing: then nothing is made
    bool once;                  // several rows may tell of one record: the first is heard
};

struct area {
    double south, west, north, east;
};

struct mapping {
    const char *path;   // of the mapping file; NULL: there is none
    const char *source; // NULL: none
    struct table_form form;
    struct area area;
    bool has_area;
    const char *odd; // the category of a pin that lies outside
    enum mapping_dates dates;
    bool complete; // each table has all rows: one that is missing is gone
    struct rule rules[MAPPING_RULES_MAX];
    size_t rules_n;
    struct lookup lookups[MAPPING_LOOKUPS_MAX];
    size_t lookups_n;
    struct arena arena; // where all texts live
};

// Reads --mapping, if it is given, and --source. Says what is wrong, with file and line. `mapping`
// is all zero; to be given back with mapping_done in any case.
enum command_exit mapping_read(struct mapping *mapping, const struct app *app);
// Finds the columns in the table; without a mapping file, reads them with --map.
enum command_exit mapping_bind(struct mapping *mapping, const struct app *app,
                               const struct table *table);
// Whether a rule that is for many columns is for this one.
bool mapping_is_for(const struct rule *rule, const char *column);
void mapping_done(struct mapping *mapping);
