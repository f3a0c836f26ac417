#pragma once

#include "proto/message.h"

// Appends the bytes of an encoded message that decodes, less the fields that its table, or that of
// a message within it, does not know. Errors stick to the buf.
void known_only(const struct message *message, struct bytes bytes, struct buf *out);
