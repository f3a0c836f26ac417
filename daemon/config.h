#pragma once

// The configuration: an INI file, read by a table of keys with types, bounds and defaults. A key
// that is not in the table, given twice or out of bounds is an error with file and line.

#include <stdio.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
    CONFIG_TEXT_MAX = 192, // bytes of a value, with its end
    CONFIG_LISTEN_MAX = 8, // addresses in a list
};

struct config {
    char state_dir[CONFIG_TEXT_MAX];
    char identity[CONFIG_TEXT_MAX]; // empty: identity.key in state_dir
    char address[CONFIG_TEXT_MAX];  // HOST:PORT for links; empty: none
    uint64_t database_bytes;        // 0: the store's default
    char tls[CONFIG_TEXT_MAX];      // lists of addresses
    char plain[CONFIG_TEXT_MAX];
    char control[CONFIG_TEXT_MAX]; // a path
    char metrics[CONFIG_TEXT_MAX]; // a list of addresses
    char certificate[CONFIG_TEXT_MAX];
    char key[CONFIG_TEXT_MAX];
    char proxy_certificate[CONFIG_TEXT_MAX];
    uint64_t connections;
    uint64_t connections_per_address;
    uint64_t streams;
    uint64_t body_bytes;
    uint64_t header_bytes;
    uint64_t queued_bytes;
    uint64_t memory_bytes;
    uint64_t inbox;
    uint64_t inbox_bytes;
    uint64_t handshake_seconds;
    uint64_t request_seconds;
    uint64_t idle_seconds;
    uint64_t progress_seconds;
    uint64_t progress_bytes;
    uint64_t stop_seconds;
    uint64_t token_days;
    uint64_t device_changes_per_day;
    uint64_t device_bytes_per_day;
    uint64_t enrol_attempts_per_minute;
    uint64_t enrol_attempts_per_minute_per_address;
    uint64_t observer_least;          // of the picture's numbers
    char population[CONFIG_TEXT_MAX]; // a path; empty: none
    char level[CONFIG_TEXT_MAX];
};

void config_default(struct config *config);
// Sets what the file says, over what is there. Its faults name file and line.
enum err config_read(const char *path, struct config *config, struct fault *fault) must_check;
// Checks what no single key can.
enum err config_check(const struct config *config, struct fault *fault) must_check;
// Takes over into `config` the keys of `fresh` that may change while the hub runs, and calls
// `waiting` with each other key that differs.
void config_take(const struct config *fresh, struct config *config,
                 void (*waiting)(const char *section, const char *name));
// Writes every key with its value, in a form that config_read understands.
void config_print(const struct config *config, FILE *file);
// The items of a list "a, b": the next one from *rest, without spaces. False: no more.
bool config_next(struct bytes *rest, struct bytes *item) must_check;
