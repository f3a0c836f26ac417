#pragma once

// A push between its check (hub_check.c) and its taking (hub_push.c). It lives in the request's
// arena.

#include "proto/change.h"
#include "storage/log.h"
#include "sync/hub.h"

struct planned_change {
    struct log_entry entry;
    struct log_body body;
    struct envelope envelope;
    uint8_t head[HASH_SIZE]; // of the chain after this change
};

struct planned_run {
    uint32_t first;
    uint32_t last;
    uint8_t start[HASH_SIZE]; // head before the first
    struct planned_change *changes;
    uint8_t signature[SIGN_SIZE];
    struct log_head *seen;
    size_t bytes; // of envelopes and fields
};

struct hub_push_plan {
    struct planned_run *runs;
    size_t n;
    enum standing standing;
    bool own_differs; // the caller's idea of its chain is not the hub's: it gets a receipt
};

// What the device has pushed on the day of `now`.
struct quota hub_quota_of(struct txn *txn, const struct hub_caller *caller, int64_t now);
