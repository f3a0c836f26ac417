#pragma once

// The file of orders beside a hub's database: every erasure and closing, noted before it is
// committed, so that a restored backup can be made to forget again. It says which change or record,
// never what it said. Private to storage/, but for reading (store_orders_each in store.h).

#include "storage/store.h"

// What is appended; the bytes of `orders` are records as orders_put makes them.
void orders_put(struct buf *orders, const struct store_order *order);
// Appends them and syncs. What a crash left of a record before is overwritten. n: how many are
// there now.
enum err orders_append(const char *store, struct bytes orders, uint64_t *n) must_check;
// How many there are.
enum err orders_count(const char *store, uint64_t *n) must_check;
// The check of the n-th, from 1 (0: zero). ERR_NOT_FOUND: there are fewer.
enum err orders_check(const char *store, uint64_t n, uint32_t *check) must_check;
// Gives every sound record; ERR_DAMAGED at the end when one was not, or there are fewer than n.
enum err orders_each(const char *store, uint64_t n,
                     bool (*each)(const struct store_order *, void *), void *arg) must_check;
