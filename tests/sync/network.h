#pragma once

// What lies between devices and hub: requests and answers as bytes, whole or not at all, once or
// twice, in order or not.

#include "tests/sync/world.h"

// One step each, as an app, a hub and an app would do it. `request` and `answer` are appended to.
void network_ask(struct world *world, size_t index, const struct exchange_options *options,
                 struct buf *request);
// Serves the bytes of a request. Errors are those of the peer's fault; whatever the hub did is
// committed, or nothing is.
enum err network_serve(struct world *world, size_t device, struct bytes bytes, struct buf *answer,
                       struct fault *fault) must_check;
// Takes the answer in up to `pieces` pieces of it.
enum err network_hear(struct world *world, size_t device, struct bytes answer, size_t pieces,
                      struct exchange_report *report, struct fault *fault) must_check;

// The steps within network_serve, for requests made by hand. A push without a plan gives no
// receipt. Each begins and ends its own transaction.
enum err network_push(struct world *world, size_t device, const struct sync_request *request,
                      struct arena *arena, struct list *receipts, struct fault *fault) must_check;
enum err network_pull(struct world *world, size_t device, const struct sync_request *request,
                      struct list receipts, struct arena *arena, struct sync_response *response,
                      struct fault *fault) must_check;

// Gets another token from the hub: a revoked device's is void. Returns its role now.
enum role network_log_in(struct world *world, size_t device);

// One exchange in which nothing goes wrong.
struct exchange_report network_sync(struct world *world, size_t device);
// Exchanges until no device and not the hub has anything new for another.
void network_settle(struct world *world);

enum { NETWORK_MAX = 12 };

// Requests and answers under way.
struct network {
    struct message_under_way {
        bool is_answer;
        size_t device;
        struct proof_asked asked; // by the request
        struct buf bytes;
    } messages[NETWORK_MAX];
    size_t n;
};

// Lets the dice decide: a device asks, or something under way arrives, perhaps in part, perhaps to
// arrive again, perhaps never.
void network_stir(struct network *network, struct world *world);
// Forgets what is under way.
void network_done(struct network *network);
