#include "daemon/daemon.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/belong.h"
#include "daemon/certificate.h"
#include "daemon/control.h"
#include "daemon/copies.h"
#include "daemon/cutoff.h"
#include "daemon/descriptors.h"
#include "daemon/file.h"
#include "daemon/journal.h"
#include "daemon/keeping.h"
#include "daemon/notify.h"
#include "daemon/observe.h"
#include "daemon/passed.h"
#include "daemon/place.h"
#include "daemon/population.h"
#include "daemon/ports.h"
#include "daemon/random.h"
#include "daemon/reload.h"
#include "daemon/report.h"
#include "daemon/shown.h"
#include "daemon/watchdog.h"

enum {
    MINUTE_MS = 60000,
    BODIES_A_CONNECTION = 4, // times body_bytes
    KEPT_BYTES = 16 << 20,
};

struct daemon {
    struct config *config;
    const char *file; // that it was read from; NULL: none
    struct passed passed;
    bool has_tls; // somebody is listened to with it
    int lock;     // a descriptor; -1: none
    struct loop *loop;
    struct gate *gate;
    struct contacts *contacts;
    struct attempts *attempts;
    struct writer *writer;
    struct http2_room room;
    struct service service;
    struct population_table population;
    struct call_context calls;
    struct conns *conns;
    struct keeping *keeping;
    struct admin_context admin;
    struct control *control;
    struct observe *observe;
    struct shown shown;
    struct ports ports;
    struct watchdog *watchdog;
    struct loop_timer *minute;
    struct loop_timer *stop_timer;
    bool stopping;
};

// --- files ---

static enum err open_identity(struct daemon *daemon, struct fault *fault)
{
    char path[PATH_MAX];
    bool made = false;
    enum err err = place_identity(daemon->config, path, fault);
    // Where there are communities, none is made: it would be of no use to their devices.
    if (!err && access(path, F_OK) != 0)
        err = belong_check(daemon->gate, NULL, fault);
    if (!err)
        err = identity_open(path, &daemon->service.identity, &made, fault);
    if (!err)
        err = belong_check(daemon->gate, daemon->service.identity.key, fault);
    if (!err && made)
        report_put(REPORT_INFO, "made the identity key %s: back it up, and apart from the data",
                   path);
    return err;
}

static enum err read_proxy_key(struct daemon *daemon, struct fault *fault)
{
    const char *path = daemon->config->proxy_certificate;
    if (!path[0])
        return OK;
    enum err err = certificate_key_hash(path, daemon->service.proxy_key, fault);
    daemon->service.has_proxy_key = daemon->service.has_proxy_key || !err;
    return err;
}

static enum err open_tls(struct daemon *daemon, struct fault *fault)
{
    enum err err = read_proxy_key(daemon, fault);
    daemon->has_tls = daemon->config->tls[0] || passed_has(&daemon->passed, "tls");
    return err || !daemon->has_tls ? err : shown_open(daemon->config, &daemon->shown, fault);
}

static enum err open_store(struct daemon *daemon, struct fault *fault)
{
    char path[PATH_MAX];
    enum err err = place_in_state(daemon->config, "db", path, fault);
    return err ? err : gate_open(path, daemon->config->database_bytes, &daemon->gate, fault);
}

// --- the parts ---

static void on_room(void *arg)
{
    struct daemon *daemon = arg;
    conns_resume(daemon->conns);
}

static void on_written(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->service.searching)
        searching_wake(daemon->service.searching);
}

static enum err start_writer(struct daemon *daemon, struct fault *fault)
{
    const struct config *config = daemon->config;
    daemon->contacts = contacts_new();
    daemon->attempts = attempts_new((uint32_t)config->enrol_attempts_per_minute_per_address,
                                    (uint32_t)config->enrol_attempts_per_minute);
    if (!daemon->contacts || !daemon->attempts)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    const struct writer_options options = {
        .gate = daemon->gate,
        .contacts = daemon->contacts,
        .loop = daemon->loop,
        .items_max = config->inbox,
        .bytes_max = config->inbox_bytes,
        .has_room = on_room,
        .written = on_written,
        .arg = daemon,
    };
    return writer_start(&options, &daemon->writer, fault);
}

static void on_affected(void *arg, uint32_t community, const struct hub_effects *effects)
{
    struct daemon *daemon = arg;
    daemon->calls.counts.changes_erased += effects->words;
    journal_put(daemon->gate, community, effects);
    if (effects->last > 0)
        kept_forget(daemon->service.kept, community);
    if (effects->erased)
        call_begin_anew(&daemon->calls, community);
    if (daemon->conns)
        cutoff_run(daemon->conns, daemon->gate, community, effects);
}

static void set_up_calls(struct daemon *daemon)
{
    static const int64_t day_ms = (int64_t)24 * 60 * MINUTE_MS;
    daemon->service.policy = (struct hub_policy){
        .token_ms = (int64_t)daemon->config->token_days * day_ms,
        .changes_a_day = (uint32_t)daemon->config->device_changes_per_day,
        .bytes_a_day = daemon->config->device_bytes_per_day,
        .observer_least = (uint32_t)daemon->config->observer_least,
        .population = &daemon->population.population,
    };
    hub_observer_secret(daemon->service.identity.seed, daemon->service.policy.observer_secret);
    random_fill(daemon->service.challenge_secret, sizeof daemon->service.challenge_secret);
    daemon->service.kept = kept_new(KEPT_BYTES);
    daemon->service.request_max = (uint32_t)daemon->config->body_bytes;
    daemon->calls = (struct call_context){
        .loop = daemon->loop,
        .gate = daemon->gate,
        .writer = daemon->writer,
        .contacts = daemon->contacts,
        .attempts = daemon->attempts,
        .service = &daemon->service,
        .affected = on_affected,
        .arg = daemon,
        .body_max = daemon->config->body_bytes,
        .request_ms = (int64_t)daemon->config->request_seconds * 1000,
    };
    random_fill(&daemon->calls.secret, sizeof daemon->calls.secret);
}

static enum err set_up_conns(struct daemon *daemon, struct fault *fault)
{
    const struct config *config = daemon->config;
    daemon->room.max = config->memory_bytes;
    const struct conn_options options = {
        .calls = &daemon->calls,
        .http2 =
            {
                .streams = (uint32_t)config->streams,
                .header_bytes = config->header_bytes,
                .bodies_bytes = BODIES_A_CONNECTION * config->body_bytes,
                .queued_bytes = config->queued_bytes,
                .room = &daemon->room,
            },
        .connections = descriptors_allow(config->connections),
        .connections_per_address = config->connections_per_address,
        .queued_bytes = config->queued_bytes,
        .handshake_ms = (int64_t)config->handshake_seconds * 1000,
        .idle_ms = (int64_t)config->idle_seconds * 1000,
        .progress_ms = (int64_t)config->progress_seconds * 1000,
        .progress_bytes = config->progress_bytes,
    };
    enum err err = conns_new(&options, &daemon->conns);
    return err ? fault_set(fault, err, "out of memory") : OK;
}

static enum err rotate_tls(void *arg, struct fault *fault)
{
    struct daemon *daemon = arg;
    return shown_rotate(&daemon->shown, fault);
}

static enum err open_control(struct daemon *daemon, struct fault *fault)
{
    daemon->admin = (struct admin_context){
        .calls = &daemon->calls,
        .conns = daemon->conns,
        .address = daemon->config->address,
        .rotate_tls = rotate_tls,
        .arg = daemon,
        .started = loop_clock(daemon->loop),
    };
    return control_open(daemon->config->control, passed_next(&daemon->passed, "control"),
                        &daemon->admin, &daemon->control, fault);
}

static enum err open_observe(struct daemon *daemon, struct fault *fault)
{
    const struct observe_options options = {
        .config = daemon->config,
        .conns = daemon->conns,
        .calls = &daemon->calls,
        .room = &daemon->room,
        .tls = &daemon->shown.tls,
        .is_stopping = &daemon->stopping,
    };
    return observe_open(&options, &daemon->observe, fault);
}

// --- listening ---

static void on_tls(void *arg, int fd)
{
    struct daemon *daemon = arg;
    conns_take(daemon->conns, fd, CHANNEL_TLS, daemon->shown.tls);
}

static void on_plain(void *arg, int fd)
{
    struct daemon *daemon = arg;
    conns_take(daemon->conns, fd, CHANNEL_PLAIN, NULL);
}

static enum err listen_to_devices(struct daemon *daemon, struct fault *fault)
{
    const struct ports_options options = {
        .loop = daemon->loop,
        .config = daemon->config,
        .passed = &daemon->passed,
        .on_tls = on_tls,
        .on_plain = on_plain,
        .arg = daemon,
    };
    return ports_open(&options, &daemon->ports, fault);
}

// --- time and signals ---

static bool count_one(const struct community *community, void *arg)
{
    *(size_t *)arg += community->is_hub;
    return true;
}

static void tell_status(struct daemon *daemon)
{
    size_t communities = 0;
    struct txn *txn = gate_begin_read(daemon->gate);
    if (!txn) {
        notify_status("the database cannot be read");
        return;
    }
    community_each(txn, count_one, &communities);
    gate_end_read(daemon->gate, &txn);
    notify_status("%zu communities, %zu connections", communities, conns_count(daemon->conns));
}

static void on_minute(void *arg)
{
    struct daemon *daemon = arg;
    gate_check_readers(daemon->gate);
    keeping_look(daemon->keeping);
    writer_flush(daemon->writer);
    shown_turn(&daemon->shown);
    tell_status(daemon);
    loop_timer_set(daemon->minute, MINUTE_MS);
}

static void on_gone(void *arg)
{
    struct daemon *daemon = arg;
    loop_stop(daemon->loop);
}

static void on_stop_deadline(void *arg)
{
    struct daemon *daemon = arg;
    report_put(REPORT_WARNING, "%zu connections did not end in time", conns_count(daemon->conns));
    loop_stop(daemon->loop);
}

static void on_stop(void *arg)
{
    struct daemon *daemon = arg;
    if (daemon->stopping)
        _exit(1);
    daemon->stopping = true;
    report_put(REPORT_INFO, "stopping: answering what was received");
    notify_stopping();
    ports_close(&daemon->ports);
    loop_timer_set(daemon->stop_timer, (int64_t)daemon->config->stop_seconds * 1000);
    call_end_streams(&daemon->calls);
    conns_stop(daemon->conns, on_gone, daemon);
}

// A certificate that was renewed often has another key, which Info must sign for from then on.
static void reload_proxy_key(struct daemon *daemon)
{
    struct fault fault = {0};
    if (read_proxy_key(daemon, &fault))
        report_event(REPORT_ERROR, &(struct report_about){.event = "certificate_refused"},
                     "the old key of the proxy stays in use: %s", fault.text);
    else
        report_put(REPORT_INFO, "the proxy's certificate was read anew");
}

static void reload_population(struct daemon *daemon)
{
    struct fault fault = {0};
    if (population_table_read(daemon->config->population, &daemon->population, &fault))
        report_event(REPORT_ERROR, &(struct report_about){.event = "population_refused"},
                     "the old population table stays in use: %s", fault.text);
    else if (daemon->config->population[0])
        report_put(REPORT_INFO, "the population table was read anew: %zu places",
                   daemon->population.population.n);
}

static void on_reload(void *arg)
{
    struct daemon *daemon = arg;
    struct fault fault = {0};
    notify_reloading();
    if (reload_config(daemon->file, daemon->config, &fault))
        report_event(REPORT_ERROR, &(struct report_about){.event = "configuration_refused"},
                     "the old configuration stays in use: %s", fault.text);
    daemon->calls.request_ms = (int64_t)daemon->config->request_seconds * 1000;
    if (daemon->config->proxy_certificate[0])
        reload_proxy_key(daemon);
    reload_population(daemon);
    if (daemon->has_tls)
        shown_reload(&daemon->shown);
    notify_ready();
}

static enum err set_timers(struct daemon *daemon, struct fault *fault)
{
    daemon->minute = loop_timer_new(daemon->loop, on_minute, daemon);
    daemon->stop_timer = loop_timer_new(daemon->loop, on_stop_deadline, daemon);
    if (!daemon->minute || !daemon->stop_timer ||
        loop_signal(daemon->loop, SIGTERM, on_stop, daemon) ||
        loop_signal(daemon->loop, SIGINT, on_stop, daemon) ||
        loop_signal(daemon->loop, SIGHUP, on_reload, daemon))
        return fault_set(fault, ERR_NOMEM, "timers and signals could not be set up");
    loop_timer_set(daemon->minute, MINUTE_MS);
    return OK;
}

// --- all of it ---

static enum err open_files(struct daemon *daemon, struct fault *fault)
{
    enum err err = passed_open(&daemon->passed, fault);
    if (!err)
        err = file_make_directory(daemon->config->state_dir, fault);
    if (!err)
        err = copies_lock(daemon->config, &daemon->lock, fault);
    if (!err)
        err = open_store(daemon, fault);
    if (!err)
        err = open_identity(daemon, fault);
    if (!err)
        err = population_table_read(daemon->config->population, &daemon->population, fault);
    return err ? err : open_tls(daemon, fault);
}

static enum err start_parts(struct daemon *daemon, struct fault *fault)
{
    enum err err = loop_new(&daemon->loop);
    if (err)
        return fault_set(fault, err, "the loop could not be made");
    err = start_writer(daemon, fault);
    if (err)
        return err;
    set_up_calls(daemon);
    if (!daemon->service.kept)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    daemon->keeping = keeping_new(daemon->loop, daemon->writer, on_affected, daemon);
    if (!daemon->keeping)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    err = keeping_restore(daemon->gate, 0, loop_clock(daemon->loop), fault);
    if (!err)
        err = set_up_conns(daemon, fault);
    if (!err)
        err = set_timers(daemon, fault);
    if (!err)
        err = open_control(daemon, fault);
    if (!err)
        err = open_observe(daemon, fault);
    if (!err)
        err = listen_to_devices(daemon, fault);
    // Reading the whole log must not hold up whoever waits for the hub.
    if (!err)
        err = searching_start(daemon->gate, &daemon->service.searching, fault);
    return err ? err : watchdog_start(daemon->loop, daemon->writer, &daemon->watchdog, fault);
}

enum err daemon_start(struct config *config, const char *file, struct daemon **out,
                      struct fault *fault)
{
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (!daemon)
        return fault_set(fault, ERR_NOMEM, "out of memory");
    daemon->config = config;
    daemon->file = file;
    daemon->lock = -1;
    enum err err = open_files(daemon, fault);
    if (!err)
        err = start_parts(daemon, fault);
    if (err)
        daemon_free(&daemon);
    else
        *out = daemon;
    return err;
}

void daemon_run(struct daemon *daemon)
{
    // What fell due while the hub was away shall not wait for the minute's end.
    keeping_look(daemon->keeping);
    notify_ready();
    tell_status(daemon);
    loop_run(daemon->loop);
}

void daemon_free(struct daemon **out)
{
    struct daemon *daemon = *out;
    if (!daemon)
        return;
    ports_close(&daemon->ports);
    passed_close(&daemon->passed);
    conns_free(&daemon->conns);
    call_context_done(&daemon->calls);
    kept_free(&daemon->service.kept);
    writer_stop(&daemon->writer);
    searching_stop(&daemon->service.searching);
    watchdog_stop(&daemon->watchdog);
    keeping_free(&daemon->keeping);
    control_close(&daemon->control);
    observe_close(&daemon->observe);
    loop_timer_free(&daemon->minute);
    loop_timer_free(&daemon->stop_timer);
    attempts_free(&daemon->attempts);
    population_table_done(&daemon->population);
    contacts_free(&daemon->contacts);
    gate_close(&daemon->gate);
    if (daemon->lock >= 0)
        (void)close(daemon->lock);
    shown_close(&daemon->shown);
    loop_free(&daemon->loop);
    identity_done(&daemon->service.identity);
    bytes_wipe(&daemon->service, sizeof daemon->service);
    free(daemon);
    *out = NULL;
}
