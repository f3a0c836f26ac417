#include "daemon/writer_queue.h"

void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

void queue_put(struct queue *queue, struct writer_item *item)
{
    item->next = NULL;
    *queue->end = item;
    queue->end = &item->next;
}

void queue_move(struct queue *from, struct queue *to)
{
    if (!from->first)
        return;
    *to->end = from->first;
    to->end = from->end;
    queue_init(from);
}

struct writer_item *queue_take(struct queue *queue)
{
    struct writer_item *item = queue->first;
    if (!item)
        return NULL;
    queue->first = item->next;
    if (!queue->first)
        queue_init(queue);
    item->next = NULL;
    return item;
}
