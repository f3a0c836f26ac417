#pragma once

// Where the rows of the benchmark play: a running hub that holds so many records of about 505
// bytes, and a peer that writes more. What was filled once is kept (bench/kept.h). The main thread.

#include "tests/e2e/device.h"
#include "tests/e2e/hub.h"
#include "tests/e2e/peer.h"

struct town {
    struct hub hub;
    struct peer peer;         // writes by hand, over the loopback interface
    struct device_host phone; // has pulled all, where the town has one
    bool has_phone;
    char phones[64]; // the folder of phones' stores, always in memory; "": none yet
    size_t next;     // the text that nobody has said yet
};

enum town_place {
    TOWN_MEMORY, // fsync costs nothing there
    TOWN_DISK,
};

// Lines of [limits] for very many connections, all from one address.
#define TOWN_CROWD "connections = 12000\nconnections_per_address = 12000\n"

// Rows name copies of what was made once: folders in this one. Set before all.
void town_keep_in(const char *folder);
// A hub with so many records and, where that is wanted, a phone that has them all. more: lines of
// [limits], may be "".
void town_open(struct town *town, size_t records, enum town_place place, bool with_phone,
               const char *more);
// An empty one, founded for this.
void town_found(struct town *town, enum town_place place);
void town_close(struct town *town);

// The peer says so many new needs.
void town_peer_says(struct town *town, size_t n);
// More of the kind: each enrolled, with nothing said.
void town_add_peers(struct town *town, struct peer *peers, size_t n);
// A phone writes so many new needs, in one commit.
void town_write(struct town *town, struct device_host *device, size_t n);
// A new phone. The caller closes it before the town.
void town_add_phone(struct town *town, const char *name, struct device_host *phone);
// Bytes of all files in the hub's state.
double town_disk_bytes(const struct town *town);
