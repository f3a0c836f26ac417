#include "daemon/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

#include "daemon/report.h"

void random_fill(void *p, size_t n)
{
    unsigned char *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            report_put(REPORT_ERROR, "the kernel gives no random bytes");
            abort();
        }
        at += got;
        n -= (size_t)got;
    }
}
