#include "bench/counted.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "bench/asking.h"
#include "bench/texts.h"
#include "tests/e2e/check.h"
#include "tests/e2e/child.h"
#include "tests/e2e/mass.h"

enum { NEWS_MAX = 100, ARENA_MAX = 8 << 20, ANSWER_WANTED = 1 << 20 };

static const char valgrind[] = "/usr/bin/valgrind";

// A push of new needs with the cursor of a request that asks for what is behind it.
static void join(struct bytes push, struct bytes ask, struct buf *request)
{
    struct sync_request pushing = {0}, asking = {0};
    struct fault fault = {0};
    struct arena arena ARENA_CLEANUP;
    arena_init(&arena, ARENA_MAX);
    CHECK(message_decode(&sync_request_message, push, &arena, &pushing, &fault) == OK &&
              message_decode(&sync_request_message, ask, &arena, &asking, &fault) == OK,
          "%s", fault.text);
    asking.push = pushing.push;
    message_encode(&sync_request_message, &asking, request);
    CHECK(!request->err, "out of memory");
}

static void say_needs(struct town *town, struct peer *peer, size_t n, struct buf *request)
{
    static char texts[NEWS_MAX][TEXT_BYTES];
    const char *each[NEWS_MAX];
    for (size_t i = 0; i < n; i++) {
        texts_get(town->next++, texts[i]);
        each[i] = texts[i];
    }
    mass_texts(peer, each, n, request, peer);
}

static void write_file(const char *path, struct bytes bytes)
{
    FILE *file = fopen(path, "we");
    CHECK(file && fwrite(bytes.p, 1, bytes.n, file) == bytes.n && fclose(file) == 0, "%s: %s", path,
          strerror(errno));
}

// What callgrind wrote at "summary:".
static double read_summary(const char *path)
{
    static const char name[] = "summary:";
    char line[1024];
    double n = 0;
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, sizeof name - 1) == 0)
            n = strtod(line + sizeof name - 1, NULL);
    fclose(file);
    CHECK(n > 0, "callgrind counted nothing");
    return n;
}

static void serve(struct town *town, const struct peer *peer, struct bytes request,
                  struct counted *counted)
{
    char db[HUB_PATH_BYTES], asked[HUB_PATH_BYTES], out[HUB_PATH_BYTES], log[HUB_PATH_BYTES];
    char out_option[HUB_PATH_BYTES + 32];
    char handle[2 * HANDLE_SIZE + 1];
    int code;
    hub_path_of(&town->hub, "state/db", db);
    hub_path_of(&town->hub, "request", asked);
    hub_path_of(&town->hub, "callgrind", out);
    hub_path_of(&town->hub, "callgrind.log", log);
    (void)snprintf(out_option, sizeof out_option, "--callgrind-out-file=%s", out);
    text_hex(BYTES(peer->handle), handle);
    write_file(asked, request);
    const char *const argv[] = {valgrind,
                                "--tool=callgrind",
                                "--toggle-collect=serve",
                                out_option,
                                SERVE_ONCE_PATH,
                                db,
                                handle,
                                asked,
                                NULL};
    char *said = child_output(argv, log, &code);
    CHECK(code == 0, "callgrind ended with %d: %s says why", code, log);
    counted->instructions = read_summary(out);
    counted->bytes_up = (double)request.n;
    counted->bytes_down = strtod(said, NULL);
    free(said);
}

bool counted_sync(struct town *town, size_t news, struct counted *counted)
{
    struct peer reader;
    struct asking asking;
    struct buf push = {0}, request = {0};
    if (access(valgrind, X_OK))
        return false;
    town_add_peers(town, &reader, 1);
    asking_pull(&asking, &reader, ANSWER_WANTED);
    buf_put(&request, asking_nothing(&asking));
    town->next = 0; // the same words whatever the town holds
    if (news > 0) {
        town_peer_says(town, news);
        say_needs(town, &reader, news, &push);
        buf_reset(&request);
        join(buf_bytes(&push), asking_nothing(&asking), &request);
    }
    hub_stop(&town->hub);
    serve(town, &reader, buf_bytes(&request), counted);
    asking_done(&asking);
    buf_done(&push);
    buf_done(&request);
    return true;
}
