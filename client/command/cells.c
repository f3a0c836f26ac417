#include "client/command/cells.h"

#include <string.h>

const char *cells_special(const struct cells *cells, enum column_use use)
{
    for (size_t i = 0; i < cells->columns->n; i++) {
        if (cells->columns->list[i].use == use)
            return cells->text[i];
    }
    return "";
}

const char *cells_field(const struct cells *cells, const char *name)
{
    for (size_t i = 0; i < cells->columns->n; i++) {
        const struct column *column = &cells->columns->list[i];
        if (column->use == COLUMN_FIELD && strcmp(column->name, name) == 0)
            return cells->text[i];
    }
    return "";
}
