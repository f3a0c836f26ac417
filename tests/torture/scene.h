#pragma once

// A hub and two phones in one process, and what can be asked of them again and again while this or
// that fails.

#include <stdio.h>
#include <unistd.h>

#include "client/folkmoot.h"
#include "client/link.h"
#include "tests/client/hub_double.h"
#include "tests/sync/dice.h"
#include "tests/torture/fail.h"

enum { PHONES = 2, HASH = 32 };

#define MUST(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "torture: %s:%d: ", __FILE__, __LINE__);                               \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fputc('\n', stderr);                                                                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

struct phone {
    struct folkmoot *fm;
    char path[200];
    struct dice dice;
    int64_t now;
};

struct scene {
    char folder[100];
    char hub_path[200];
    struct hub_double *hub;
    struct phone phones[PHONES];
    uint8_t need[16];
    uint8_t other[16];
    uint8_t remark[16];
    char link[LINK_MAX];
    uint8_t second[12]; // the second phone's handle
    unsigned said;
    bool on_hub; // whose calls fail while a session turns
    enum fail_what what;
    uint64_t place;
    uint64_t counted; // the most places of one request
};

struct task {
    const char *name;
    enum folkmoot_code (*run)(struct scene *scene);
    enum folkmoot_code (*before)(struct scene *scene); // without failures
    bool is_session;                                   // its failures are the hub's, too
    bool reads;                                        // changes nothing
    bool is_hubs;                                      // its failures are the hub's alone
};

extern const struct task tasks[];
extern const size_t tasks_n;

enum folkmoot_code scene_start(struct phone *phone);
// Turns a session to its end. One side alone fails: the hub while it serves, or the device all the
// rest of the time.
enum folkmoot_code scene_turn(struct scene *scene, struct folkmoot_session *session);
enum folkmoot_code scene_sync(struct scene *scene, struct phone *phone);

// --- hub.c: tasks of the hub's ---

enum folkmoot_code hub_changes_roles(struct scene *scene);
enum folkmoot_code hub_revokes(struct scene *scene);
enum folkmoot_code hub_erases(struct scene *scene);
enum folkmoot_code hub_erases_due(struct scene *scene);
enum folkmoot_code hub_begins_anew(struct scene *scene);
enum folkmoot_code hub_reads(struct scene *scene);
enum folkmoot_code hub_reads_masked(struct scene *scene);
enum folkmoot_code hub_proves(struct scene *scene);
