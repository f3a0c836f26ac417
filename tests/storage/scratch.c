#include "tests/storage/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (good)
        return;
    perror(what);
    exit(1);
}

void scratch_init(struct scratch *scratch)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch->folder, sizeof scratch->folder, "%s/folkmoot-XXXXXX", base ? base : "/tmp");
    must(mkdtemp(scratch->folder) != NULL, scratch->folder);
    snprintf(scratch->path, sizeof scratch->path, "%s/store", scratch->folder);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void scratch_done(struct scratch *scratch)
{
    must(nftw(scratch->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, scratch->folder);
}

struct store *scratch_open(const struct scratch *scratch)
{
    struct store_options options = {.map_size = 16 << 20};
    struct store *store = NULL;
    struct fault fault = {0};
    enum err err = store_open(scratch->path, &options, &store, &fault);
    if (err)
        fprintf(stderr, "%s\n", fault.text);
    must(!err, scratch->path);
    return store;
}

static int flip_all(uint8_t *file, size_t n, struct bytes what, size_t at)
{
    int found = 0;
    uint8_t *p = file;
    while ((p = memmem(p, n - (size_t)(p - file), what.p, what.n))) {
        p[at] ^= 1;
        p += what.n;
        found++;
    }
    return found;
}

int scratch_flip(const struct scratch *scratch, struct bytes what, size_t at)
{
    char path[sizeof scratch->path + 16];
    snprintf(path, sizeof path, "%s/data.mdb", scratch->path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    must(fd >= 0, path);
    struct stat st;
    must(fstat(fd, &st) == 0, path);
    size_t n = (size_t)st.st_size;
    uint8_t *file = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(file != MAP_FAILED, path);
    int found = flip_all(file, n, what, at);
    munmap(file, n);
    close(fd);
    return found;
}

void scratch_write(const struct scratch *scratch, const char *directory, const char *name,
                   const char *text)
{
    char path[2 * SCRATCH_MAX];
    snprintf(path, sizeof path, "%s/%s", scratch->folder, directory);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", scratch->folder, directory, name);
    FILE *file = fopen(path, "we");
    must(file != NULL, path);
    must(fputs(text, file) >= 0, path);
    must(fclose(file) == 0, path);
}

bool scratch_has(const struct scratch *scratch, const char *name)
{
    char path[2 * SCRATCH_MAX];
    snprintf(path, sizeof path, "%s/%s", scratch->folder, name);
    return access(path, F_OK) == 0;
}
