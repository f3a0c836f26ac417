#include "daemon/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

// proc(5): total size and resident size, in pages.
static uint64_t resident_bytes(void)
{
    char line[200] = "";
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    bool is_read = fgets(line, sizeof line, file) != NULL;
    (void)fclose(file);
    const char *second = is_read ? strchr(line, ' ') : NULL;
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_files(void)
{
    uint64_t n = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return 0;
    for (const struct dirent *entry; (entry = readdir(directory));)
        n += entry->d_name[0] != '.';
    (void)closedir(directory);
    return n - 1; // the directory's own
}

static uint64_t files_max(void)
{
    struct rlimit limit;
    bool is_known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return is_known ? limit.rlim_cur : 0;
}

struct usage usage_of_process(void)
{
    return (struct usage){resident_bytes(), open_files(), files_max()};
}

bool usage_of_disk(const char *path, uint64_t *free_bytes, bool *only_reads)
{
    struct statvfs about;
    if (statvfs(path, &about))
        return false;
    *free_bytes = (uint64_t)about.f_bavail * about.f_frsize;
    *only_reads = (about.f_flag & ST_RDONLY) != 0;
    return true;
}
