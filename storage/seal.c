#include "storage/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE = SEAL_BLOCK * SEAL_KEY_SIZE, NAME_MAX_LENGTH = 64 };

// A file of keys, mapped: what one thread destroys, all see destroyed.
struct block {
    uint32_t community;
    uint64_t number;
    const uint8_t *keys;
};

struct seal {
    char *store; // the directory of the database
    char *path;  // that of the keys, in it
    void (*random)(void *arg, void *out, size_t n);
    void *arg;
    pthread_mutex_t lock;
    bool is_synced;       // the names of all files of keys are on disk
    struct block *blocks; // by community and number
    size_t n;
    size_t cap;
};

// Without randomness nothing may be sealed.
static enum err draw(struct seal *seal, void *out, size_t n)
{
    if (!seal->random)
        return cipher_random(out, n);
    seal->random(seal->arg, out, n);
    return OK;
}

struct seal *seal_new(const char *path, void (*random)(void *arg, void *out, size_t n), void *arg)
{
    struct seal *seal = calloc(1, sizeof *seal);
    size_t n = strlen(path) + sizeof "/keys";
    if (!seal)
        return NULL;
    seal->random = random;
    seal->arg = arg;
    seal->store = strdup(path);
    seal->path = malloc(n);
    if (!seal->store || !seal->path) {
        free(seal->store);
        free(seal->path);
        free(seal);
        return NULL;
    }
    (void)snprintf(seal->path, n, "%s/keys", path);
    (void)pthread_mutex_init(&seal->lock, NULL);
    return seal;
}

void seal_free(struct seal **seal)
{
    if (!*seal)
        return;
    for (size_t i = 0; i < (*seal)->n; i++)
        (void)munmap((void *)(*seal)->blocks[i].keys, FILE_SIZE);
    free((*seal)->blocks);
    free((*seal)->path);
    free((*seal)->store);
    (void)pthread_mutex_destroy(&(*seal)->lock);
    free(*seal);
    *seal = NULL;
}

// --- files ---

static enum err err_of_errno(void)
{
    return errno == ENOMEM ? ERR_NOMEM : errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
}

static char *path_of(const struct seal *seal, const struct block *block, const char *ending)
{
    size_t n = strlen(seal->path) + NAME_MAX_LENGTH;
    char *path = malloc(n);
    if (path)
        (void)snprintf(path, n, "%s/%08x-%016llx%s", seal->path, (unsigned)block->community,
                       (unsigned long long)block->number, ending);
    return path;
}

static enum err sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno();
    enum err err = fsync(fd) == 0 ? OK : err_of_errno();
    (void)close(fd);
    return err;
}

static enum err write_all(int fd, struct bytes bytes, off_t at)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_of_errno();
        bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
        at += n;
    }
    return OK;
}

static enum err write_fresh(struct seal *seal, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_of_errno();
    uint8_t *keys = malloc(FILE_SIZE);
    enum err err = keys ? OK : ERR_NOMEM;
    if (!err)
        err = draw(seal, keys, FILE_SIZE);
    if (!err)
        err = write_all(fd, bytes_of(keys, FILE_SIZE), 0);
    if (keys)
        bytes_wipe(keys, FILE_SIZE);
    if (!err && fsync(fd) != 0)
        err = err_of_errno();
    if (close(fd) != 0 && !err)
        err = err_of_errno();
    free(keys);
    return err;
}

// Also one that is there may be of a start that was cut off before it was on disk.
static enum err make_directory(const struct seal *seal)
{
    if (mkdir(seal->path, 0700) != 0 && errno != EEXIST)
        return err_of_errno();
    return sync_directory(seal->store);
}

// The file is whole and on disk before it has its name; the name is so before a key is given away.
static enum err make_file(struct seal *seal, const struct block *block)
{
    char *path = path_of(seal, block, "");
    char *fresh = path_of(seal, block, ".new");
    enum err err = path && fresh ? OK : ERR_NOMEM;
    if (!err)
        err = make_directory(seal);
    if (!err)
        err = write_fresh(seal, fresh);
    seal->is_synced = false;
    if (!err && rename(fresh, path) != 0)
        err = err_of_errno();
    free(path);
    free(fresh);
    return err;
}

// --- blocks ---

static int compare(const void *a, const void *b)
{
    const struct block *x = a;
    const struct block *y = b;
    if (x->community != y->community)
        return x->community < y->community ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static enum err map_file(struct seal *seal, struct block *block)
{
    struct stat st;
    char *path = path_of(seal, block, "");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    enum err err = path ? OK : ERR_NOMEM;
    if (path && fd < 0)
        err = errno == ENOENT ? ERR_NOT_FOUND : err_of_errno();
    free(path);
    if (err)
        return err;
    if (fstat(fd, &st) != 0)
        err = err_of_errno();
    else if (st.st_size != FILE_SIZE)
        err = ERR_DAMAGED;
    void *keys = err ? NULL : mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    if (keys == MAP_FAILED)
        err = err_of_errno();
    (void)close(fd);
    if (!err)
        block->keys = keys;
    return err;
}

static enum err remember(struct seal *seal, const struct block *block)
{
    if (seal->n == seal->cap) {
        size_t cap = seal->cap ? 2 * seal->cap : 16;
        struct block *grown = realloc(seal->blocks, cap * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        seal->blocks = grown;
        seal->cap = cap;
    }
    seal->blocks[seal->n++] = *block;
    qsort(seal->blocks, seal->n, sizeof *seal->blocks, compare);
    return OK;
}

// Under the lock. make: a file that is not there is made.
static enum err find_block(struct seal *seal, struct block *block, bool make)
{
    const struct block *known =
        seal->n ? bsearch(block, seal->blocks, seal->n, sizeof *block, compare) : NULL;
    if (known) {
        *block = *known;
        return OK;
    }
    enum err err = map_file(seal, block);
    if (err == ERR_NOT_FOUND && make) {
        err = make_file(seal, block);
        if (!err)
            err = map_file(seal, block);
    }
    if (!err)
        err = remember(seal, block);
    if (err && block->keys)
        (void)munmap((void *)block->keys, FILE_SIZE);
    return err;
}

static enum err get(struct seal *seal, uint32_t community, uint64_t position, bool make,
                    uint8_t key[SEAL_KEY_SIZE])
{
    struct block block = {.community = community, .number = position / SEAL_BLOCK};
    (void)pthread_mutex_lock(&seal->lock);
    enum err err = find_block(seal, &block, make);
    // The first time also for what a start made that was cut off.
    if (!err && make && !seal->is_synced) {
        err = sync_directory(seal->path);
        seal->is_synced = !err;
    }
    (void)pthread_mutex_unlock(&seal->lock);
    if (!err)
        memcpy(key, block.keys + position % SEAL_BLOCK * SEAL_KEY_SIZE, SEAL_KEY_SIZE);
    return err;
}

static bool is_destroyed(const uint8_t key[SEAL_KEY_SIZE])
{
    uint8_t any = 0;
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++)
        any |= key[i];
    return any == 0;
}

// In place: 32 bytes lie within one sector.
static enum err put(struct seal *seal, uint32_t community, uint64_t position,
                    const uint8_t key[SEAL_KEY_SIZE])
{
    struct block block = {.community = community, .number = position / SEAL_BLOCK};
    char *path = path_of(seal, &block, "");
    int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    enum err err = fd >= 0 ? OK : path ? err_of_errno() : ERR_NOMEM;
    if (!err)
        err = write_all(fd, bytes_of(key, SEAL_KEY_SIZE),
                        (off_t)(position % SEAL_BLOCK * SEAL_KEY_SIZE));
    if (!err && fdatasync(fd) != 0)
        err = err_of_errno();
    if (fd >= 0)
        (void)close(fd);
    free(path);
    return err;
}

enum err seal_key_to_put(struct seal *seal, uint32_t community, uint64_t position,
                         uint8_t key[SEAL_KEY_SIZE])
{
    enum err err = get(seal, community, position, true, key);
    if (err || !is_destroyed(key))
        return err;
    err = draw(seal, key, SEAL_KEY_SIZE);
    return err ? err : put(seal, community, position, key);
}

enum err seal_key(struct seal *seal, uint32_t community, uint64_t position,
                  uint8_t key[SEAL_KEY_SIZE])
{
    enum err err = get(seal, community, position, false, key);
    if (err == ERR_NOT_FOUND)
        return ERR_DAMAGED;
    return !err && is_destroyed(key) ? ERR_DAMAGED : err;
}

enum err seal_destroy(struct seal *seal, uint32_t community, uint64_t position)
{
    static const uint8_t zeros[SEAL_KEY_SIZE];
    uint8_t key[SEAL_KEY_SIZE];
    enum err err = get(seal, community, position, false, key);
    if (err == ERR_NOT_FOUND)
        return OK;
    if (!err && !is_destroyed(key))
        err = put(seal, community, position, zeros);
    bytes_wipe(key, sizeof key);
    return err;
}
