#pragma once

// The real folkmootd as a child process, in a directory of its own (in memory where there is such a
// place), on a loopback port that it keeps over its restarts. The main thread.

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hub {
    char dir[64];
    char config[96];
    char socket[96];
    char community[33]; // the id in hexadecimal
    uint16_t port;
    int holder; // a socket that keeps the port ours while the hub is down
    pid_t pid;  // 0: not running
    unsigned starts;
    unsigned files_max; // from the next start on it may not have more descriptors; 0: as we may
};

enum { HUB_LINK_BYTES = 512, HUB_PATH_BYTES = 160 };

// Makes the directory and a configuration (more: further lines of it, may be ""), starts the hub
// and founds a community.
void hub_open(struct hub *hub, const char *more);
// The same in another place than memory, which is what a disk costs.
void hub_open_in(struct hub *hub, const char *root, const char *more);
// A hub that goes on from a copy of another's state, whose community this is. root: NULL: memory.
void hub_open_copy(struct hub *hub, const char *root, const char *state_dir, const char *community,
                   const char *more);
// Stops it, checks that no start of it left a sanitizer's report, and removes the directory.
void hub_close(struct hub *hub);

// Starts it and waits until it accepts connections.
void hub_start(struct hub *hub);
// SIGTERM, and checks that it ends with 0.
void hub_stop(struct hub *hub);
// SIGKILL.
void hub_kill(struct hub *hub);

// Makes an invitation ("volunteer", "coordinator").
void hub_invite(struct hub *hub, const char *role, char link[HUB_LINK_BYTES]);
// What folkmootctl says with --json and these words; a failure fails the test. The caller's.
cJSON *hub_control(struct hub *hub, const char *const *words);
// Changes in the community's log, as folkmootctl's status says.
uint64_t hub_log_size(struct hub *hub);
// All that the status says of communities, as text. The caller's (free).
char *hub_communities(struct hub *hub);
// Founds the community of a hub that has none.
void hub_found(struct hub *hub);
// Starts it and kills it after so many microseconds. Whether nobody could connect yet.
bool hub_start_and_kill(struct hub *hub, uint64_t after_us);
// Removes all that it has made, keys and certificate too. Stopped.
void hub_lose_everything(struct hub *hub);
// Makes the database anew, as a hub that lost it: the identity and the TLS key stay. Stopped.
void hub_lose_database(struct hub *hub);
// A copy of all that it has, and back to that. Stopped.
void hub_keep_state(struct hub *hub);
void hub_restore_state(struct hub *hub);
// What folkmootctl does with these words on its files, as hub_control; `may_fail`: what it says is
// looked at by the caller.
cJSON *hub_on_files(struct hub *hub, const char *const *words, bool may_fail);
// Starts folkmootctl with these words and kills it after so many microseconds.
void hub_kill_command(struct hub *hub, const char *const *words, uint64_t after_us);
// The path of a file in the hub's directory; room for HUB_PATH_BYTES.
void hub_path_of(const struct hub *hub, const char *name, char *path);
// A second hub with the same keys that goes on from that copy, on another port.
void hub_open_twin(struct hub *twin, const struct hub *hub);
