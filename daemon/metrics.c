#include "daemon/metrics.h"

#include <stdio.h>

#include "daemon/usage.h"
#include "storage/community.h"

// All that is shown as one number each, gathered before any of it is written.
struct numbers {
    struct writer_counts writer;
    struct conns_counts conns;
    struct usage usage;
    uint64_t started; // seconds
    uint64_t ready;
    uint64_t communities;
    uint64_t connections;
    uint64_t connections_max;
    uint64_t held_bytes;
    uint64_t held_bytes_max;
    uint64_t waiting;
    uint64_t waiting_max;
    uint64_t database_bytes;
    uint64_t database_bytes_max;
    uint64_t disk_free_bytes;
    uint64_t certificate_expiry; // seconds
    struct call_counts calls;
};

struct row {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;     // in struct numbers
    bool is_sometimes; // not shown while it is 0, which says that it is not known
};

#define GAUGE(name, field, help)                                                                   \
    {                                                                                              \
        "folkmoot_" name, "gauge", help, offsetof(struct numbers, field), false                    \
    }
#define SOMETIMES(name, field, help)                                                               \
    {                                                                                              \
        "folkmoot_" name, "gauge", help, offsetof(struct numbers, field), true                     \
    }
#define COUNTER(name, field, help)                                                                 \
    {                                                                                              \
        "folkmoot_" name "_total", "counter", help, offsetof(struct numbers, field), false         \
    }

static const struct row rows[] = {
    GAUGE("start_time_seconds", started, "When the hub started, in seconds since 1970 UTC."),
    GAUGE("ready", ready, "1 when /readyz says yes, else 0."),
    GAUGE("communities", communities, "Communities on this hub."),
    GAUGE("connections", connections, "Connections that are open."),
    GAUGE("connections_max", connections_max, "How many connections may be open."),
    COUNTER("connections_taken", conns.taken, "Connections taken."),
    COUNTER("connections_refused", conns.refused,
            "Connections turned away because there were too many."),
    COUNTER("received_bytes", conns.bytes_in, "Bytes read from connections."),
    COUNTER("sent_bytes", conns.bytes_out, "Bytes written to connections."),
    GAUGE("held_bytes", held_bytes, "Bodies and answers that connections hold in memory."),
    GAUGE("held_max_bytes", held_bytes_max, "How much they may hold ([limits] memory_bytes)."),
    COUNTER("enrolments", calls.enrolments, "Devices that were enrolled."),
    COUNTER("logins", calls.logins, "Logins of devices."),
    COUNTER("tokens_refused", calls.tokens_refused,
            "Calls refused for want of a token that holds."),
    COUNTER("attempts_refused", calls.attempts_refused,
            "Enrolments and logins refused because there were too many attempts."),
    COUNTER("pushes", calls.pushes, "Sync calls that brought changes, committed."),
    COUNTER("changes_taken", calls.changes_taken, "Changes of devices that were new, committed."),
    COUNTER("changes_set_apart", calls.changes_apart,
            "Changes among those taken that were set apart, because of what they say or who wrote "
            "them."),
    COUNTER("changes_erased", calls.changes_erased, "Changes whose words were erased."),
    COUNTER("writer_commits", writer.commits, "Commits of the database."),
    COUNTER("writer_commits_failed", writer.commits_failed, "Commits that failed."),
    COUNTER("writer_items_refused", writer.refused, "Writes refused because the store took none."),
    GAUGE("writer_waiting_items", waiting, "Writes that wait or are under way."),
    GAUGE("writer_waiting_max_items", waiting_max, "How many may wait ([limits] inbox)."),
    COUNTER("store_reopened", writer.reopened, "How often the store was opened anew."),
    GAUGE("database_bytes", database_bytes, "Bytes of the database in use."),
    GAUGE("database_max_bytes", database_bytes_max, "Bytes that the database may use."),
    SOMETIMES("disk_free_bytes", disk_free_bytes, "Bytes free on the disk of state_dir."),
    SOMETIMES("certificate_expiry_timestamp_seconds", certificate_expiry,
              "When the TLS certificate ends, in seconds since 1970 UTC."),
    SOMETIMES("process_resident_memory_bytes", usage.resident_bytes,
              "Memory of the process that is resident."),
    SOMETIMES("process_open_fds", usage.open_files, "Descriptors that are open."),
    SOMETIMES("process_max_fds", usage.files_max, "How many descriptors may be open."),
};

// --- gathering ---

static bool count_one(const struct community *community, void *arg)
{
    uint64_t *n = arg;
    *n += community->is_hub;
    return true;
}

static uint64_t count_communities(struct gate *gate)
{
    uint64_t n = 0;
    struct txn *txn = gate_begin_read(gate);
    if (!txn)
        return 0;
    community_each(txn, count_one, &n);
    gate_end_read(gate, &txn);
    return n;
}

static void gather(const struct metrics_sources *sources, struct numbers *numbers)
{
    bool only_reads;
    *numbers = (struct numbers){
        .conns = *conns_counts(sources->conns),
        .usage = usage_of_process(),
        .started = (uint64_t)sources->started / 1000,
        .ready = ready_why_not(sources->ready) == NULL,
        .communities = count_communities(sources->calls->gate),
        .connections = conns_count(sources->conns),
        .connections_max = conns_max(sources->conns),
        .held_bytes = sources->room->used,
        .held_bytes_max = sources->room->max,
        .waiting = writer_waiting(sources->calls->writer),
        .waiting_max = sources->waiting_max,
        .calls = sources->calls->counts,
    };
    writer_counts(sources->calls->writer, &numbers->writer);
    gate_size(sources->calls->gate, &numbers->database_bytes, &numbers->database_bytes_max);
    if (!usage_of_disk(sources->state_dir, &numbers->disk_free_bytes, &only_reads))
        numbers->disk_free_bytes = 0;
    if (*sources->tls)
        numbers->certificate_expiry = (uint64_t)tls_context_expiry(*sources->tls);
}

// --- writing ---

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_put_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_rows(struct buf *out, const struct numbers *numbers)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        uint64_t value;
        memcpy(&value, (const char *)numbers + row->offset, sizeof value);
        if (row->is_sometimes && value == 0)
            continue;
        put_head(out, row->name, row->type, row->help);
        buf_put_format(out, "%s %llu\n", row->name, (unsigned long long)value);
    }
}

// label: 'method="Sync"', or "".
static void put_measure(struct buf *out, const char *name, const char *label,
                        enum measure_scale scale, const struct measure *measure)
{
    uint64_t n = 0;
    const char *comma = label[0] ? "," : "";
    for (unsigned i = 0; i <= MEASURE_BOUNDS; i++) {
        n += measure->counts[i];
        buf_put_format(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, label, comma,
                       measure_bound_text(scale, i), (unsigned long long)n);
    }
    const char *open = label[0] ? "{" : "", *close = label[0] ? "}" : "";
    if (scale == MEASURE_TIME)
        buf_put_format(out, "%s_sum%s%s%s %llu.%06llu\n", name, open, label, close,
                       (unsigned long long)measure->sum / 1000000,
                       (unsigned long long)measure->sum % 1000000);
    else
        buf_put_format(out, "%s_sum%s%s%s %llu\n", name, open, label, close,
                       (unsigned long long)measure->sum);
    buf_put_format(out, "%s_count%s%s%s %llu\n", name, open, label, close, (unsigned long long)n);
}

static void put_writer(struct buf *out, const struct writer_counts *counts)
{
    put_head(out, "folkmoot_writer_commit_duration_seconds", "histogram", "How long commits took.");
    put_measure(out, "folkmoot_writer_commit_duration_seconds", "", MEASURE_TIME, &counts->commit);
    put_head(out, "folkmoot_writer_batch_items", "histogram", "Writes that shared a commit.");
    put_measure(out, "folkmoot_writer_batch_items", "", MEASURE_ITEMS, &counts->batch);
}

static void put_conns(struct buf *out, const struct conns_counts *counts)
{
    static const char *const reasons[CONNS_CUTS] = {
        [CONNS_CUT_HANDSHAKE] = "handshake", [CONNS_CUT_STALLED] = "stalled",
        [CONNS_CUT_ROOM] = "memory",         [CONNS_CUT_PLACE] = "place",
        [CONNS_CUT_OFF] = "revoked",
    };
    put_head(out, "folkmoot_connections_cut_total", "counter",
             "Connections that the hub ended: no handshake in time, no progress, memory or places "
             "short, or a device or words that are no more.");
    for (size_t i = 0; i < CONNS_CUTS; i++)
        buf_put_format(out, "folkmoot_connections_cut_total{reason=\"%s\"} %llu\n", reasons[i],
                       (unsigned long long)counts->cut[i]);
    put_head(out, "folkmoot_handshakes_total", "counter", "TLS handshakes.");
    buf_put_format(out,
                   "folkmoot_handshakes_total{outcome=\"ok\"} %llu\n"
                   "folkmoot_handshakes_total{outcome=\"failed\"} %llu\n",
                   (unsigned long long)counts->handshakes,
                   (unsigned long long)counts->handshakes_failed);
}

static void put_calls(struct buf *out, const struct call_counts *counts)
{
    put_head(out, "folkmoot_calls_total", "counter", "Calls by method and by outcome.");
    for (size_t i = 0; i <= SERVICE_METHODS; i++)
        for (int code = 0; code < RPC_CODE_COUNT; code++)
            buf_put_format(out, "folkmoot_calls_total{method=\"%s\",code=\"%s\"} %llu\n",
                           service_name(i), rpc_code_name((enum rpc_code)code),
                           (unsigned long long)counts->answers[i][code]);
    put_head(out, "folkmoot_call_duration_seconds", "histogram",
             "From a whole request to its answer.");
    for (size_t i = 0; i < SERVICE_METHODS; i++) {
        char label[40];
        (void)snprintf(label, sizeof label, "method=\"%s\"", service_name(i));
        put_measure(out, "folkmoot_call_duration_seconds", label, MEASURE_TIME,
                    &counts->seconds[i]);
    }
}

void metrics_write(const struct metrics_sources *sources, struct buf *out)
{
    struct numbers numbers;
    gather(sources, &numbers);
    put_head(out, "folkmoot_build_info", "gauge", "The version, as a label; always 1.");
    buf_put_text(out, "folkmoot_build_info{version=\"" FOLKMOOT_VERSION "\"} 1\n");
    put_rows(out, &numbers);
    put_conns(out, &numbers.conns);
    put_calls(out, &numbers.calls);
    put_writer(out, &numbers.writer);
}
