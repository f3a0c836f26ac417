#pragma once

// Items one after the other, for writer.c alone. One thread at a time.

#include "daemon/writer.h"

struct queue {
    struct writer_item *first;
    struct writer_item **end;
};

void queue_init(struct queue *queue);
void queue_put(struct queue *queue, struct writer_item *item);
// The first; NULL: there is none.
struct writer_item *queue_take(struct queue *queue);
// All of one behind the last of the other.
void queue_move(struct queue *from, struct queue *to);
