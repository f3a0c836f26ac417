#pragma once

// The command import: a table's rows become records and voices, all of them in one commit or none.
//
// Each row has a name: its key, or, without one, a hash of its cells. Under that name the store
// keeps the record that the row made and, for each time that the row was taken in with other cells,
// a hash of them. So a row that did not change is left alone, whatever others did to the record
// since; of one that did change, only the cells that differ are put, and never over what another
// device put in the place of this one's value.

#include "client/command/columns.h"

enum command_exit import_file(struct app *app);
