#pragma once

// A long thin line, emulated: a TCP proxy on the loopback address, in a thread of its own. What it
// models:
//
// - Each direction has one rate, shared by all connections in the order in which bytes come, and
// one
//   latency. A connection costs one round trip before its first byte leaves.
// - Bytes go in segments of at most LINK_SEGMENT, each with LINK_HEADER more on the line (IPv4 and
//   TCP without options). What a sender writes while its last segment still waits for the line
//   fills that one up, as TCP does. Opening costs three segments without bytes.
// - Acknowledgements without bytes are not counted: they ride on what goes the other way, or fill
//   time in which that direction is idle. Nothing is lost. There is no slow start: at 100 kbit/s
//   and 600 ms of round trip a window of ten segments, with which TCP begins, is twice what fits
//   in.
// - A connection has up to LINK_QUEUE bytes under way each way; then its sender is not read.

#include <stdint.h>

enum { LINK_SEGMENT = 1448, LINK_HEADER = 40, LINK_QUEUE = 256 << 10 };

struct link;

struct link_line {
    unsigned latency_ms; // one way
    unsigned rate_bits;  // a second, each way; 0: without end
};

// The line of the table in docs/performance.md.
static const struct link_line link_bad = {.latency_ms = 300, .rate_bits = 100000};

// For a quick look whether all works.
static const struct link_line link_quick = {.latency_ms = 20, .rate_bits = 10000000};

struct link_count {
    uint64_t up; // bytes of TCP towards the hub
    uint64_t down;
    uint64_t wire_up; // with headers of segments
    uint64_t wire_down;
    uint64_t segments;
    unsigned turns; // changes of direction, the first included; bytes that cross others make none
    unsigned connections;
};

// Starts one before the hub on this loopback port. A failure ends the program.
struct link *link_new(uint16_t hub_port, const struct link_line *line);
uint16_t link_port(const struct link *link);
// Closes all its connections. Any thread.
void link_drop(struct link *link);
// What went over the line since link_reset, once nothing is under way any more.
struct link_count link_count(struct link *link);
void link_reset(struct link *link);
void link_free(struct link **link);
