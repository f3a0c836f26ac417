#pragma once

// What the messages*.c family shares.

#include "proto/messages.h"

// One row a field: the .proto files say what it means, this says where it goes and its bounds.
#define AT(struct_name, field) (uint16_t) offsetof(struct struct_name, field)
#define FIELDS(table)          (table), sizeof(table) / sizeof *(table)
