#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rot/rot.h"

enum { SECTOR = 512, PAGE = 4096 };

const char *const harm_names[HARMS] = {
    [HARM_BIT] = "one bit",
    [HARM_ZEROS] = "a sector of zeros",
    [HARM_SWAP] = "two sectors swapped",
    [HARM_CUT] = "cut short",
    [HARM_OLD_PAGE] = "a page of before",
};

uint64_t dice_next(uint64_t *dice)
{
    // splitmix64
    uint64_t z = *dice += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

// --- files ---

static struct files *listing;
static size_t folder_n;

static int list_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type != FTW_F)
        return 0;
    assert(listing->n < ROT_FILES_MAX);
    snprintf(listing->names[listing->n++], sizeof listing->names[0], "%s", path + folder_n + 1);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void files_list(struct files *files, const char *folder)
{
    files->n = 0;
    listing = files;
    folder_n = strlen(folder);
    int failed = nftw(folder, list_one, 8, FTW_PHYS);
    assert(!failed);
    qsort(files->names, files->n, sizeof files->names[0], by_name);
}

static void path_of(char path[ROT_PATH_MAX], const char *folder, const char *file)
{
    snprintf(path, ROT_PATH_MAX, "%s/%s", folder, file);
}

static uint8_t *read_file(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *n = 0;
    if (fd < 0)
        return NULL;
    int failed = fstat(fd, &st);
    uint8_t *p = malloc((size_t)st.st_size + 1);
    assert(!failed && p);
    ssize_t got = read(fd, p, (size_t)st.st_size);
    assert(got == st.st_size);
    (void)close(fd);
    *n = (size_t)got;
    return p;
}

static void write_file(const char *path, const uint8_t *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    ssize_t put = write(fd, p, n);
    assert(put == (ssize_t)n);
    (void)close(fd);
}

uint8_t *file_read_all(const char *folder, const char *name, size_t *n)
{
    char path[ROT_PATH_MAX];
    path_of(path, folder, name);
    uint8_t *p = read_file(path, n);
    assert(p);
    return p;
}

void file_write_all(const char *folder, const char *name, const uint8_t *p, size_t n)
{
    char path[ROT_PATH_MAX];
    path_of(path, folder, name);
    write_file(path, p, n);
}

static void make_folders(char *path)
{
    for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
        *p = 0;
        (void)mkdir(path, 0700);
        *p = '/';
    }
}

void files_copy(const char *from, const char *to)
{
    struct files files;
    files_list(&files, from);
    for (size_t i = 0; i < files.n; i++) {
        char path[ROT_PATH_MAX];
        size_t n;
        path_of(path, from, files.names[i]);
        uint8_t *p = read_file(path, &n);
        path_of(path, to, files.names[i]);
        make_folders(path);
        write_file(path, p, n);
        free(p);
    }
}

// --- damage ---

struct harming {
    uint8_t *p;
    size_t n;
    const uint8_t *old;
    size_t old_n;
    uint64_t *dice; // goes on
    size_t at;
    size_t from;
};

static size_t below(const struct harming *h, size_t n)
{
    return n ? (size_t)(dice_next(h->dice) % n) : 0;
}

static size_t piece(size_t n, size_t at, size_t size)
{
    return at >= n ? 0 : n - at < size ? n - at : size;
}

static void flip_bit(struct harming *h)
{
    h->at = below(h, h->n);
    h->p[h->at] ^= (uint8_t)(1u << below(h, 8));
}

static void put_zeros(struct harming *h)
{
    h->at = below(h, (h->n + SECTOR - 1) / SECTOR) * SECTOR;
    memset(h->p + h->at, 0, piece(h->n, h->at, SECTOR));
}

static void swap_sectors(struct harming *h)
{
    uint8_t sector[SECTOR];
    h->at = below(h, h->n / SECTOR) * SECTOR;
    h->from = below(h, h->n / SECTOR) * SECTOR;
    if (h->n < SECTOR)
        return;
    memcpy(sector, h->p + h->at, SECTOR);
    memcpy(h->p + h->at, h->p + h->from, SECTOR);
    memcpy(h->p + h->from, sector, SECTOR);
}

static void cut(struct harming *h)
{
    h->at = below(h, h->n);
    h->n = h->at;
}

static void put_old_page(struct harming *h)
{
    size_t pages = (h->n < h->old_n ? h->n : h->old_n) / PAGE;
    h->at = below(h, pages) * PAGE;
    if (pages)
        memcpy(h->p + h->at, h->old + h->at, PAGE);
}

static void (*const doings[HARMS])(struct harming *) = {
    [HARM_BIT] = flip_bit, [HARM_ZEROS] = put_zeros,       [HARM_SWAP] = swap_sectors,
    [HARM_CUT] = cut,      [HARM_OLD_PAGE] = put_old_page,
};

bool harm_do(enum harm harm, const char *folder, const char *old, const char *file, uint64_t *dice,
             char *said, size_t size)
{
    char path[ROT_PATH_MAX];
    struct harming h = {.dice = dice};
    (void)dice_next(dice);
    size_t n;
    path_of(path, old, file);
    uint8_t *before = read_file(path, &h.old_n);
    path_of(path, folder, file);
    h.p = read_file(path, &n);
    h.n = n;
    h.old = before;
    uint8_t *sound = malloc(n + 1);
    assert(sound);
    memcpy(sound, h.p, n);
    if (n)
        doings[harm](&h);
    bool changed = h.n != n || memcmp(sound, h.p, n) != 0;
    write_file(path, h.p, h.n);
    snprintf(said, size, "%s, %s at %zu", file, harm_names[harm], h.at);
    free(sound);
    free(before);
    free(h.p);
    return changed;
}
