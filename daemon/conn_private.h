#pragma once

// What conn.c (one connection) and conns.c (all of them, their beginning and their time) share. For
// these two files alone.

#include "daemon/conns.h"
#include "daemon/http2.h"

enum { CONN_READ_SIZE = 16 << 10, CONN_FRAMES_SIZE = 32 << 10 };

enum state {
    STATE_OPEN,
    STATE_FINISHING, // sends what is left, reads nothing
    STATE_LINGERING, // has shut its end, waits for the peer to shut its own
};

struct conn {
    struct conns *conns;
    struct conn *next;
    struct conn *previous;
    struct loop_release release;
    enum state state;
    int fd;
    struct loop_watch *watch;
    struct loop_timer *again; // a turn without anything to read
    struct channel channel;
    bool was_open; // the channel
    struct http2 *http2;
    struct buf out;
    size_t out_at;
    struct call_carried carried;
    bool has_address;
    uint8_t address[ATTEMPTS_ADDRESS_SIZE];
    int64_t state_since;
    int64_t idle_since;
    bool is_resting;
    int64_t window_since; // 0: not waiting for the peer
    uint64_t window_moved;
    uint64_t written;
    bool is_cut;       // more could be written, but it is others' turn
    uint64_t answered; // of what is written or will be: up to here it holds answers' bodies
};

struct conns {
    struct conn_options options;
    struct loop *loop;
    struct conn *first;
    size_t count;
    struct conns_counts counts;
    int64_t refusal_reported;
    int64_t cut_reported;
    bool paused;
    bool stopping;
    void (*gone)(void *arg);
    void *gone_arg;
    struct loop_timer *sweep;
    uint8_t wire[CONN_READ_SIZE];
    struct buf text;   // of one feed
    struct buf frames; // of one filling
};

// Watches the socket and makes channel and session. False: out of memory.
bool conn_open(struct conn *conn, enum channel_kind kind,
               const struct tls_context *context) must_check;
// Gives out a request, sends what there is, and sees whether the end has come.
void conn_turn(struct conn *conn);
// Reads and writes as the connection's state allows.
void conn_set_watch(struct conn *conn);
// At once. The memory stays until the loop's turn ends.
void conn_close(struct conn *conn);
void conn_set_state(struct conn *conn, enum state state);
// Bytes that the socket has not taken yet.
size_t conn_unsent(const struct conn *conn);
