#pragma once

// A real device: libfolkmoot over its own store, carried by the command's HTTP/2. It may be told to
// reach its hub by another port. One thread at a time.

#include <stdbool.h>

#include "base/hash.h"
#include "client/folkmoot.h"

struct http;

struct device_host {
    struct folkmoot *fm;
    struct http *http; // lives as long as the route
    uint16_t port;     // of the hub or of the proxy before it; 0: as the join link says
    char path[256];
    unsigned sessions;
    double carried_seconds; // between requests and the ends of their answers, in all
};

// Opens the store DIR/NAME, new or old.
void device_open(struct device_host *device, const char *dir, const char *name);
// The same with a clock and randomness of the caller's; NULL: the system's.
void device_open_with(struct device_host *device, const char *dir, const char *name,
                      const struct folkmoot_host *host);
void device_close(struct device_host *device);
// From now on over this loopback port (0: the link's), with a new connection.
void device_route(struct device_host *device, uint16_t port);

// One session to its end. Both out-parameters may be NULL.
enum folkmoot_code device_join(struct device_host *device, const char *link,
                               struct folkmoot_error *error);
enum folkmoot_code device_sync(struct device_host *device, struct folkmoot_progress *progress,
                               struct folkmoot_error *error);
// A sync over a connection of its own to this port; the device's other one stays for later.
enum folkmoot_code device_sync_by(struct device_host *device, uint16_t port,
                                  struct folkmoot_progress *progress, struct folkmoot_error *error);
// The same as device_join and device_sync, and a failure fails the test.
void device_must_join(struct device_host *device, const char *link);
struct folkmoot_progress device_must_sync(struct device_host *device);

struct folkmoot_community device_community(struct device_host *device);

// Creates a record with one field; id: out, 16 bytes, may be NULL.
void device_add(struct device_host *device, const char *kind, const char *field, const char *value,
                uint8_t *id);
void device_edit(struct device_host *device, const char *kind, const uint8_t *id, const char *field,
                 const char *value);
size_t device_count(struct device_host *device, const char *kind);
// The hash of every record with its kind, its id, its bytes and its tally, voices too.
void device_fingerprint(struct device_host *device, uint8_t out[HASH_SIZE]);
// Checks that two devices hold the same, byte for byte.
void device_check_equal(struct device_host *a, struct device_host *b);
