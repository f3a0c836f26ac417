#pragma once

// Shared by hub_pull.c (cursor, head, the answer) and hub_pieces.c (what the log holds, in pieces).

#include "sync/eye.h"
#include "sync/hub.h"

struct pulling {
    struct txn *txn;
    const struct hub_caller *caller;
    const struct sync_request *request;
    struct arena *arena;
    struct community community;
    struct eye eye;
    struct list vector; // the request's, sorted
    struct sync_response *response;
    struct hub_pulled *pulled;
    bool is_sliced;
    // the piece under construction
    struct buf entries;
    struct buf devices;
    uint32_t devices_n;
    uint32_t class;
    uint64_t piece_from;
    bool is_partial; // it lacks entries that others may see
    bool is_full;    // it ends where one for others would end
    size_t fresh;    // bytes packed in this slice
    int64_t now;
};

// Begins the pieces of an answer at a position, or goes on with them, as far as a slice reaches.
enum err hub_begin_pieces(struct pulling *p, uint64_t from) must_check;
enum err hub_go_on_with_pieces(struct pulling *p) must_check;
// Of struct chain_point, for a vector's order.
int hub_by_device(const void *a, const void *b);
