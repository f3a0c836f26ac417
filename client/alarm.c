#include "client/alarm.h"

#include <stdio.h>

#include "client/when.h"

void alarm_text(const struct checked *checked, char *out, size_t n)
{
    static const char *const texts[] = {
        [ALARM_NONE] = "",
        [ALARM_UNSIGNED] = "the hub showed a log that it did not sign",
        [ALARM_REPLACED] = "the hub showed another log than before",
        [ALARM_ROLLED_BACK] = "the hub's log went back: changes that were there are gone",
        [ALARM_REWRITTEN] = "the hub's log was rewritten: it does not go on from what was there",
        [ALARM_DROPPED] = "the hub gave its word for changes that are not in its log",
        [ALARM_ALTERED] = "the hub could not prove a change of somebody else: it was altered",
    };
    struct buf when BUF_CLEANUP = {0};
    out[0] = 0;
    if (checked->alarm == ALARM_NONE)
        return;
    when_put_time(&when, checked->alarm_time);
    buf_put_u8(&when, 0);
    (void)snprintf(out, n, "%s (%s; %llu entries seen before, %llu after this sync)",
                   texts[checked->alarm], when.err ? "" : (const char *)when.p,
                   (unsigned long long)checked->alarm_seen,
                   (unsigned long long)checked->alarm_size);
}
