#include "tests/e2e/stage.h"

#include <stdlib.h>
#include <string.h>

#include "tests/e2e/check.h"

void stage_remember(struct stage *stage)
{
    free(stage->before);
    stage->before = hub_communities(&stage->hub);
}

void stage_open(struct stage *stage)
{
    stage_open_with(stage, "connections = 16\nhandshake_seconds = 2\nprogress_seconds = 2\n"
                           "idle_seconds = 4\n");
}

void stage_open_with(struct stage *stage, const char *limits)
{
    char link[HUB_LINK_BYTES];
    *stage = (struct stage){.before = NULL};
    // In [limits], where the hub's other lines end.
    hub_open(&stage->hub, limits);
    device_open(&stage->good, stage->hub.dir, "good");
    hub_invite(&stage->hub, "volunteer", link);
    device_must_join(&stage->good, link);
    hub_invite(&stage->hub, "volunteer", link);
    peer_enrol(&stage->peer, stage->hub.port, link);
    device_must_sync(&stage->good);
    stage_remember(stage);
}

void stage_close(struct stage *stage)
{
    device_close(&stage->good);
    free(stage->before);
    hub_close(&stage->hub);
}

void stage_check_unharmed(struct stage *stage, const char *what)
{
    char *now = hub_communities(&stage->hub);
    CHECK(strcmp(now, stage->before) == 0, "after \"%s\" the hub has %s, before %s", what, now,
          stage->before);
    free(now);
    struct folkmoot_error error = {0};
    device_route(&stage->good, 0);
    CHECK(device_sync(&stage->good, NULL, &error) == FOLKMOOT_OK,
          "after \"%s\" a good device is not served: %s", what, error.text);
}
