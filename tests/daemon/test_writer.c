// The writer's thread over a real store: what shares a commit, what fails alone, and what happens
// when the disk does not take a commit.

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/report.h"
#include "daemon/writer.h"
#include "tests/daemon/process.h"

enum { ITEMS = 12 };

static struct gate *gate;
static struct contacts *contacts;
static atomic_bool hanging;
static char directory[] = "/tmp/folkmoot-writer-XXXXXX";

// An item that puts a community whose id begins with `number`.
struct put {
    struct writer_item item;
    struct bench *bench;
    uint8_t number;
    enum err fails; // with this, after `writes` of it
    bool writes;
    bool cuts_off;
    bool hangs; // until the test lets it go
    unsigned takes_ms;
    int turn; // in which it was done, from 1
    int runs;
    bool ran_again;
};

struct bench {
    struct loop *loop;
    struct writer *writer;
    struct put puts[ITEMS];
    int expected;
    int done;
    int had_room;
    int alive;
    bool cut_off; // what is put from now on
    bool hang;    // so does that
};

static enum err run_put(struct writer_item *item, struct txn *txn, bool again, struct fault *fault)
{
    struct put *put = (struct put *)(void *)item;
    put->runs++;
    put->ran_again = again;
    for (atomic_store(&hanging, put->hangs); atomic_load(&hanging);)
        (void)usleep(1000);
    (void)usleep(1000 * put->takes_ms);
    struct community community = {.id = {put->number}, .name_n = 1, .name = "a"};
    if (put->writes)
        community_put(txn, &community);
    item->decides = put->cuts_off;
    return put->fails ? fault_set(fault, put->fails, "as the test wanted") : txn_error(txn);
}

static void on_done(struct writer_item *item)
{
    struct put *put = (struct put *)(void *)item;
    EXPECT(!put->cuts_off || writer_is_deciding(put->bench->writer));
    put->turn = ++put->bench->done;
    if (put->turn == put->bench->expected)
        loop_stop(put->bench->loop);
}

static void on_room(void *arg)
{
    struct bench *bench = arg;
    bench->had_room++;
}

static void bench_init(struct bench *bench, size_t items_max)
{
    struct fault fault = {0};
    memset(bench, 0, sizeof *bench);
    EXPECT(loop_new(&bench->loop) == OK);
    const struct writer_options options = {.gate = gate,
                                           .contacts = contacts,
                                           .loop = bench->loop,
                                           .items_max = items_max,
                                           .bytes_max = 1 << 20,
                                           .has_room = on_room,
                                           .arg = bench};
    EXPECT(writer_start(&options, &bench->writer, &fault) == OK);
}

static void bench_done(struct bench *bench)
{
    writer_stop(&bench->writer);
    loop_free(&bench->loop);
}

static void put_one(struct bench *bench, size_t i, uint8_t number, enum err fails)
{
    bench->puts[i] = (struct put){.item = {.run = run_put, .done = on_done, .bytes = 100},
                                  .bench = bench,
                                  .number = number,
                                  .cuts_off = bench->cut_off,
                                  .hangs = bench->hang,
                                  .fails = fails,
                                  .writes = fails == OK || fails == ERR_NOMEM};
    bench->expected++;
    writer_put(bench->writer, &bench->puts[i].item);
}

static bool is_stored(uint8_t number)
{
    struct community community;
    struct txn *txn = gate_begin_read(gate);
    EXPECT(txn);
    enum err err = community_get(txn, (const uint8_t[COMMUNITY_SIZE]){number}, &community);
    gate_end_read(gate, &txn);
    EXPECT(err == OK || err == ERR_NOT_FOUND);
    return err == OK;
}

static void a_peers_fault_does_not_touch_the_others(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    put_one(&bench, 0, 1, OK);
    put_one(&bench, 1, 2, ERR_FORBIDDEN);
    put_one(&bench, 2, 3, OK);
    loop_run(bench.loop);
    EXPECT(bench.puts[0].item.err == OK && is_stored(1));
    EXPECT(bench.puts[1].item.err == ERR_FORBIDDEN && !is_stored(2));
    EXPECT(strcmp(bench.puts[1].item.fault.text, "as the test wanted") == 0);
    EXPECT(bench.puts[2].item.err == OK && is_stored(3));
    EXPECT(bench.puts[0].runs == 1 && bench.puts[2].runs == 1);
    bench_done(&bench);
}

static void what_fails_by_the_environment_fails_alone_and_leaves_nothing(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    for (size_t i = 0; i < ITEMS; i++)
        put_one(&bench, i, (uint8_t)(20 + i), i == 5 ? ERR_NOMEM : OK);
    loop_run(bench.loop);
    for (size_t i = 0; i < ITEMS; i++) {
        EXPECT(bench.puts[i].item.err == (i == 5 ? ERR_NOMEM : OK));
        // It wrote before it failed, and that is gone.
        EXPECT(is_stored((uint8_t)(20 + i)) == (i != 5));
    }
    EXPECT(bench.puts[5].runs <= 2 && (bench.puts[5].runs == 1 || bench.puts[5].ran_again));
    bench_done(&bench);
}

// From its commit on until the loop has acted upon it nothing is sent, whoever runs first.
static void who_may_cut_somebody_off_holds_the_line_until_that_is_done(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    put_one(&bench, 0, 200, OK);
    loop_run(bench.loop);
    EXPECT(!writer_is_deciding(bench.writer));
    bench.cut_off = true;
    put_one(&bench, 1, 201, OK);
    while (!is_stored(201)) // committed by the thread; the loop has not run
        (void)usleep(1000);
    EXPECT(writer_is_deciding(bench.writer));
    loop_run(bench.loop);
    EXPECT(bench.puts[1].item.err == OK && !writer_is_deciding(bench.writer));
    put_one(&bench, 2, 202, OK);
    put_one(&bench, 3, 203, ERR_FORBIDDEN);
    loop_run(bench.loop);
    EXPECT(bench.puts[3].item.err == ERR_FORBIDDEN && !writer_is_deciding(bench.writer));
    bench_done(&bench);
}

static void a_full_inbox_says_so_and_when_there_is_room(void)
{
    struct bench bench;
    bench_init(&bench, 4);
    for (size_t i = 0; i < 6; i++) {
        EXPECT(writer_is_full(bench.writer) == (i >= 4));
        put_one(&bench, i, (uint8_t)(40 + i), OK);
    }
    EXPECT(writer_waiting(bench.writer) == 6);
    loop_run(bench.loop);
    EXPECT(!writer_is_full(bench.writer) && bench.had_room == 1);
    bench_done(&bench);
}

static void limit_files(rlim_t size)
{
    struct rlimit limit;
    EXPECT(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
    EXPECT(setrlimit(RLIMIT_FSIZE, &limit) == 0);
}

static void a_commit_that_fails_is_answered_and_the_store_opened_anew(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    limit_files(4096);
    put_one(&bench, 0, 60, OK);
    put_one(&bench, 1, 61, OK);
    loop_run(bench.loop);
    limit_files(RLIM_INFINITY);
    EXPECT(bench.puts[0].item.err == ERR_BUSY && bench.puts[1].item.err == ERR_BUSY);
    bench_done(&bench);
    // What was committed before is there, and the store takes more.
    EXPECT(is_stored(1) && is_stored(3) && !is_stored(60));
    bench_init(&bench, 100);
    put_one(&bench, 0, 62, OK);
    loop_run(bench.loop);
    EXPECT(bench.puts[0].item.err == OK && is_stored(62));
    bench_done(&bench);
}

static void it_rests_after_a_failed_commit_and_then_goes_on(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    limit_files(4096);
    put_one(&bench, 0, 70, OK);
    loop_run(bench.loop);
    limit_files(RLIM_INFINITY);
    EXPECT(bench.puts[0].item.err == ERR_BUSY && bench.puts[0].runs > 0);
    put_one(&bench, 1, 71, OK);
    loop_run(bench.loop);
    EXPECT(bench.puts[1].item.err == ERR_BUSY && bench.puts[1].runs == 0);
    process_sleep_ms(2100);
    put_one(&bench, 2, 72, OK);
    loop_run(bench.loop);
    EXPECT(bench.puts[2].item.err == OK && is_stored(72) && !is_stored(71));
    bench_done(&bench);
}

static void on_alive(void *arg)
{
    struct bench *bench = arg;
    bench->alive++;
    loop_stop(bench->loop);
}

static void on_patience_over(void *arg)
{
    loop_stop(arg);
}

static void run_for(struct bench *bench, int64_t ms)
{
    struct loop_timer *timer = loop_timer_new(bench->loop, on_patience_over, bench->loop);
    EXPECT(timer);
    loop_timer_set(timer, ms);
    loop_run(bench->loop);
    loop_timer_free(&timer);
}

static void a_thread_that_is_idle_says_that_it_lives_and_one_that_hangs_does_not(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    writer_ask(bench.writer, on_alive, &bench);
    loop_run(bench.loop);
    EXPECT(bench.alive == 1);
    bench.hang = true;
    put_one(&bench, 0, 90, OK);
    while (!atomic_load(&hanging))
        (void)usleep(1000);
    writer_ask(bench.writer, on_alive, &bench);
    run_for(&bench, 200);
    EXPECT(bench.alive == 1 && bench.done == 0);
    atomic_store(&hanging, false);
    while (bench.alive == 1)
        loop_run(bench.loop);
    EXPECT(bench.alive == 2 && bench.done == 1 && is_stored(90));
    bench_done(&bench);
}

static void put_slow(struct bench *bench, size_t i, uint8_t number)
{
    bench->puts[i] = (struct put){.item = {.run = run_put, .done = on_done, .bytes = 500 << 10},
                                  .bench = bench,
                                  .number = number,
                                  .takes_ms = 30,
                                  .writes = true};
    bench->expected++;
    writer_put(bench->writer, &bench->puts[i].item);
}

static void small_items_do_not_wait_for_all_the_large_ones(void)
{
    struct bench bench;
    struct writer_counts counts;
    bench_init(&bench, 100);
    bench.hang = true;
    put_one(&bench, 0, 100, OK);
    while (!atomic_load(&hanging))
        (void)usleep(1000);
    bench.hang = false;
    for (size_t i = 1; i <= 3; i++)
        put_slow(&bench, i, (uint8_t)(100 + i));
    for (size_t i = 4; i <= 6; i++)
        put_one(&bench, i, (uint8_t)(100 + i), OK);
    atomic_store(&hanging, false);
    loop_run(bench.loop);
    EXPECT(bench.puts[3].turn == 7); // with each batch goes one
    EXPECT(bench.puts[1].turn < bench.puts[2].turn && bench.puts[4].turn < bench.puts[1].turn);
    writer_counts(bench.writer, &counts);
    EXPECT(counts.commits >= 4); // one of which was not waited for longer than its time
    bench_done(&bench);
}

static void what_waits_at_the_end_is_still_written(void)
{
    struct bench bench;
    bench_init(&bench, 100);
    for (size_t i = 0; i < ITEMS; i++)
        put_one(&bench, i, (uint8_t)(80 + i), OK);
    writer_stop(&bench.writer);
    EXPECT(bench.done == ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        EXPECT(bench.puts[i].item.err == OK && is_stored((uint8_t)(80 + i)));
    bench_done(&bench);
}

int main(void)
{
    char path[64];
    struct fault fault = {0};
    (void)signal(SIGXFSZ, SIG_IGN);
    report_set_level(REPORT_ERROR);
    EXPECT(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/db", directory);
    contacts = contacts_new();
    EXPECT(contacts && gate_open(path, 0, &gate, &fault) == OK);
    a_peers_fault_does_not_touch_the_others();
    what_fails_by_the_environment_fails_alone_and_leaves_nothing();
    who_may_cut_somebody_off_holds_the_line_until_that_is_done();
    a_full_inbox_says_so_and_when_there_is_room();
    a_commit_that_fails_is_answered_and_the_store_opened_anew();
    it_rests_after_a_failed_commit_and_then_goes_on();
    a_thread_that_is_idle_says_that_it_lives_and_one_that_hangs_does_not();
    small_items_do_not_wait_for_all_the_large_ones();
    what_waits_at_the_end_is_still_written();
    gate_close(&gate);
    contacts_free(&contacts);
    return process_remove(directory) == 0 ? 0 : 1;
}
