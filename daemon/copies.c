#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/copies_private.h"
#include "daemon/named.h"
#include "daemon/place.h"

// --- places ---

enum err copies_find(const struct config *config, struct places *places, struct fault *fault)
{
    const struct {
        const char *name;
        char *path;
    } all[] = {{"db", places->database},
               {"db.restoring", places->restoring},
               {"db/orders", places->orders},
               {"db.restoring/orders", places->new_orders},
               {"db.verifying", places->verifying},
               {"db.verifying/folded", places->folded},
               {"db.unfinished", places->unfinished},
               {"db.restoring.new", places->making}};
    enum err err = OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && !err; i++)
        err = place_in_state(config, all[i].name, all[i].path, fault);
    return err;
}

enum err copies_open_store(const struct config *config, const char *path, bool read_only,
                           struct store **store, struct fault *fault)
{
    const struct store_options options = {.map_size = config->database_bytes,
                                          .read_only = read_only};
    return store_open(path, &options, store, fault);
}

// --- streams ---

// A file that has no name, so that nothing of it stays.
static enum err open_unnamed(const char *folder, int *fd, struct fault *fault)
{
    *fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd >= 0 ? OK : whole_fail(fault, "write in", folder);
}

// The number of the community that is named; 0 where none is.
static enum err find_community(struct store *store, const char *wanted, uint32_t *number,
                               struct fault *fault)
{
    struct community community = {.number = 0};
    struct txn *txn TXN_CLEANUP = wanted ? txn_begin_read(store) : NULL;
    enum err err = wanted ? named_community(txn, wanted, &community, fault) : OK;
    *number = community.number;
    return err;
}

static enum err dump_to(const struct config *config, const char *database, const char *community,
                        int fd, const struct scrub *scrub, struct dump *dump, struct fault *fault)
{
    struct store *store = NULL;
    uint32_t number = 0;
    enum err err = copies_open_store(config, database, true, &store, fault);
    if (!err)
        err = find_community(store, community, &number, fault);
    if (!err)
        err = dump_write(store, fd, number, scrub, dump, fault);
    store_close(&store);
    return err;
}

enum err copies_load(const struct config *config, int fd, const char *path, enum dump_use use,
                     struct dump *dump, struct fault *fault)
{
    struct store *store = NULL;
    enum err err = lseek(fd, 0, SEEK_SET) == 0 ? OK : whole_fail(fault, "read", "the copy");
    if (!err)
        err = copies_open_store(config, path, false, &store, fault);
    if (!err)
        err = dump_read(store, fd, use, dump, fault);
    store_close(&store);
    return err;
}

// A backup, or a directory with a database: its stream.
enum err copies_open(const struct config *config, const char *file, const struct scrub *scrub,
                     int *fd, struct fault *fault)
{
    struct stat st;
    struct dump dump;
    if (stat(file, &st) != 0)
        return whole_fail(fault, "read", file);
    if (!S_ISDIR(st.st_mode)) {
        *fd = open(file, O_RDONLY | O_CLOEXEC);
        return *fd >= 0 ? OK : whole_fail(fault, "read", file);
    }
    enum err err = open_unnamed(config->state_dir, fd, fault);
    return err ? err : dump_to(config, file, NULL, *fd, scrub, &dump, fault);
}

// --- backing up ---

static enum err pour(int from, int to, struct fault *fault)
{
    off_t at = 0;
    struct stat st;
    if (fstat(from, &st) != 0)
        return whole_fail(fault, "read", "the copy");
    while (at < st.st_size) {
        ssize_t n = sendfile(to, from, &at, (size_t)(st.st_size - at));
        if (n == 0 || (n < 0 && errno != EINTR))
            return whole_fail(fault, "write to", "standard output");
    }
    return OK;
}

static void note_bytes(int fd, struct copied *copied)
{
    struct stat st;
    copied->bytes = fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static enum err backup_to_output(const struct config *config, const struct places *places,
                                 const char *community, const struct scrub *scrub,
                                 struct copied *copied, struct fault *fault)
{
    int fd = -1;
    enum err err = open_unnamed(config->state_dir, &fd, fault);
    if (!err)
        err = dump_to(config, places->database, community, fd, scrub, &copied->dump, fault);
    if (!err)
        err = pour(fd, STDOUT_FILENO, fault);
    note_bytes(fd, copied);
    if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum err backup_to_file(const struct config *config, const struct places *places,
                               const char *community, const char *file, const struct scrub *scrub,
                               struct copied *copied, struct fault *fault)
{
    struct whole whole;
    enum err err = whole_begin(&whole, file, fault);
    if (err)
        return err;
    err = dump_to(config, places->database, community, whole.fd, scrub, &copied->dump, fault);
    note_bytes(whole.fd, copied);
    return whole_end(&whole, err, fault);
}

enum err copies_backup(const struct config *config, const char *community, const char *file,
                       const struct scrub *scrub, struct copied *copied, struct fault *fault)
{
    struct places places;
    *copied = (struct copied){.bytes = 0};
    enum err err = copies_find(config, &places, fault);
    if (err)
        return err;
    return strcmp(file, "-") == 0
               ? backup_to_output(config, &places, community, scrub, copied, fault)
               : backup_to_file(config, &places, community, file, scrub, copied, fault);
}
