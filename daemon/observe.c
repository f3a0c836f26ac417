#include "daemon/observe.h"

#include <stdlib.h>

#include "daemon/metrics.h"
#include "daemon/scrape.h"

struct observe {
    struct metrics_sources sources;
    struct ready *ready;
    struct scrape *scrape;
};

static unsigned write_metrics(void *arg, struct buf *body)
{
    const struct observe *observe = arg;
    metrics_write(&observe->sources, body);
    return 200;
}

static unsigned write_health(void *arg, struct buf *body)
{
    (void)arg;
    buf_put_text(body, "ok\n");
    return 200;
}

static unsigned write_readiness(void *arg, struct buf *body)
{
    const struct observe *observe = arg;
    const char *why_not = ready_why_not(observe->ready);
    buf_put_format(body, "%s\n", why_not ? why_not : "ok");
    return why_not ? 503 : 200;
}

static const struct scrape_page pages[] = {
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", write_metrics},
    {"/healthz", "text/plain; charset=utf-8", write_health},
    {"/readyz", "text/plain; charset=utf-8", write_readiness},
};

static struct metrics_sources sources_of(const struct observe_options *options, struct ready *ready)
{
    return (struct metrics_sources){
        .conns = options->conns,
        .calls = options->calls,
        .room = options->room,
        .tls = options->tls,
        .ready = ready,
        .state_dir = options->config->state_dir,
        .waiting_max = options->config->inbox,
        .started = loop_clock(options->calls->loop),
    };
}

enum err observe_open(const struct observe_options *options, struct observe **out,
                      struct fault *fault)
{
    struct observe *observe = calloc(1, sizeof *observe);
    const struct ready_options asked = {
        .gate = options->calls->gate,
        .writer = options->calls->writer,
        .state_dir = options->config->state_dir,
        .is_stopping = options->is_stopping,
    };
    if (observe)
        observe->ready = ready_new(&asked);
    if (!observe || !observe->ready) {
        free(observe);
        return fault_set(fault, ERR_NOMEM, "out of memory");
    }
    observe->sources = sources_of(options, observe->ready);
    const struct scrape_options served = {
        .loop = options->calls->loop,
        .addresses = options->config->metrics,
        .pages = pages,
        .pages_n = sizeof pages / sizeof *pages,
        .arg = observe,
    };
    enum err err = scrape_open(&served, &observe->scrape, fault);
    if (err)
        observe_close(&observe);
    else
        *out = observe;
    return err;
}

void observe_close(struct observe **observe)
{
    if (!*observe)
        return;
    scrape_close(&(*observe)->scrape);
    ready_free(&(*observe)->ready);
    free(*observe);
    *observe = NULL;
}
