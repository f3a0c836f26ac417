#pragma once

// What a mapping says of one value: text with columns in it, "{Borough}, {Street}".
//
//   {Column}           the cell of that column; {A|B} the first of several that is there and says
//                      something; {A|} may be missing from the table
//   {Column -> NAME}   what the table of values NAME makes of it
//   {:source} {:column} {:cell}   the source's name; of a rule for each of many columns, which
//                      column it is and its cell
//   {{ }} \n \\        a brace, a line break, a backslash
//
// Where none of its columns says anything, the whole value says nothing.

#include "base/arena.h"
#include "client/command/table.h"
#include "client/folkmoot.h"

enum { TEMPLATE_CHOICES_MAX = 4, TEMPLATE_PARTS_MAX = 24 };

struct pair {
    const char *from, *to;
};

// A table of values: [values NAME].
struct lookup {
    const char *name;
    struct pair *pairs;
    size_t n, cap;
    const char *other; // of whatever else, "* = …"; NULL: must not be
};

enum part_what { PART_TEXT, PART_COLUMN, PART_SOURCE, PART_EACH_COLUMN, PART_EACH_CELL };

struct part {
    enum part_what what;
    const char *text; // or the names of the columns, as they are written
    size_t columns[TEMPLATE_CHOICES_MAX];
    size_t columns_n;
    const char *lookup_name; // NULL: none
    const struct lookup *lookup;
};

struct template
{
    struct part *parts;
    size_t n;
    uint32_t line; // of the mapping
    bool raw;      // one cell as it is, spaces and all
};

// Of what a template is made: a row, and of a rule for many columns the one that it is about.
struct making {
    const struct table *table;
    size_t row;
    size_t column;
    const char *source;
    struct arena *arena; // of what has to be made
};

// Reads a template. NULL: it is right; else a sentence about what is wrong with it.
const char *template_read(struct template *out, const char *text, struct arena *arena);
// Finds its columns and tables of values. NULL: all are there; else a sentence.
const char *template_bind(struct template *template, const struct table *table,
                          const struct lookup *lookups, size_t lookups_n, struct arena *arena);
// Its text in this row, "" where it says nothing. FOLKMOOT_INVALID: a value that its table of
// values does not know.
enum folkmoot_code template_fill(const struct template *template, const struct making *making,
                                 const char **text, struct folkmoot_error *error);
// The first column that it is made of, as the table calls it; NULL when it is made of none.
const char *template_column(const struct template *template, const struct table *table);
