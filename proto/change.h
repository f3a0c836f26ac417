#pragma once

// What every version checks of a change: the canonical envelope and the form of its fields. Any
// thread.

#include "proto/messages.h"
#include "proto/wire.h"

// Decodes a canonical envelope; lists come from the arena. ERR_MALFORMED for any other form, for
// both id and parts, for a kind or a dot out of range.
enum err envelope_decode(struct bytes bytes, struct arena *arena, struct envelope *envelope,
                         struct fault *fault) must_check;

// Checks the form of a change's fields and counts its edits: minimal varints, no groups, at most
// EDITS_MAX. Says nothing of what the fields mean.
enum err fields_check(struct bytes fields, uint32_t *edits, struct fault *fault) must_check;

// The index-th edit of fields that passed fields_check. False when there are fewer.
bool fields_edit(struct bytes fields, uint32_t index, struct wire_field *edit) must_check;
