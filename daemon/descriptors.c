#include "daemon/descriptors.h"

#include <sys/resource.h>

#include "daemon/report.h"

// Where there is hardly anything, connections get half of it.
static size_t share_of(rlim_t files)
{
    return files > (rlim_t)2 * DESCRIPTORS_RESERVE ? (size_t)files - DESCRIPTORS_RESERVE
                                                   : (size_t)files / 2;
}

size_t descriptors_allow(size_t connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + (rlim_t)2 * DESCRIPTORS_RESERVE;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return connections;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        struct rlimit more = {.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted,
                              .rlim_max = limit.rlim_max};
        if (!setrlimit(RLIMIT_NOFILE, &more))
            limit = more;
    }
    if (limit.rlim_cur == RLIM_INFINITY || share_of(limit.rlim_cur) >= connections)
        return connections;
    report_event(REPORT_WARNING, &(struct report_about){.event = "descriptors_few"},
                 "only %llu descriptors are permitted: at most %zu connections",
                 (unsigned long long)limit.rlim_cur, share_of(limit.rlim_cur));
    return share_of(limit.rlim_cur);
}
