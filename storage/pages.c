#include "storage/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

// Where LMDB 0.9 keeps things in a meta page, whose numbers are the machine's: behind a page header
// of a page number and 8 bytes stand magic and version (u32), an address and the map's size, two
// tables, the last page and the transaction; a table is 8 bytes, of which the first 4 are the
// page's size in the first table, and five numbers.
enum {
    WORD = sizeof(size_t),
    HEADER = WORD + 8,
    TABLES_AT = HEADER + 8 + 2 * WORD,
    LAST_PAGE_AT = TABLES_AT + 2 * (8 + 5 * WORD),
    COMMIT_AT = LAST_PAGE_AT + WORD,
    META_SIZE = COMMIT_AT + WORD,
    PAGE_MAX_SIZE = 0x10000,
    // In the header: the flags, and of pages that belong together their number.
    FLAGS_AT = WORD + 2,
    PAGES_AT = WORD + 4,
    OVERFLOW = 4,
};

struct meta {
    uint32_t page_size;
    size_t last_page;
    size_t commit;
};

static enum err read_meta(int fd, off_t at, struct meta *meta)
{
    uint8_t page[META_SIZE];
    ssize_t n = pread(fd, page, sizeof page, at);
    if (n != META_SIZE)
        return n < 0 ? ERR_IO : ERR_DAMAGED;
    memcpy(&meta->page_size, page + TABLES_AT, sizeof meta->page_size);
    memcpy(&meta->last_page, page + LAST_PAGE_AT, sizeof meta->last_page);
    memcpy(&meta->commit, page + COMMIT_AT, sizeof meta->commit);
    return meta->page_size == 0 || meta->page_size > PAGE_MAX_SIZE ? ERR_DAMAGED : OK;
}

static bool fits(const struct meta *meta, off_t size)
{
    return meta->last_page < (uint64_t)size / meta->page_size;
}

// Commits go to the two in turn, the even ones to the first.
static enum err check(int fd)
{
    struct stat st;
    struct meta even;
    struct meta odd;
    enum err err = fstat(fd, &st) == 0 ? OK : ERR_IO;
    if (!err)
        err = read_meta(fd, 0, &even);
    if (!err)
        err = read_meta(fd, (off_t)even.page_size, &odd);
    if (err)
        return err;
    bool in_turn = even.commit % 2 == 0 && odd.commit % 2 == 1 &&
                   (even.commit + 1 == odd.commit || odd.commit + 1 == even.commit);
    bool sound = odd.page_size == even.page_size && in_turn &&
                 fits(even.commit > odd.commit ? &even : &odd, st.st_size);
    return sound ? OK : ERR_DAMAGED;
}

// What is over half a page long stands in pages of its own, behind a header.
bool pages_hold(const void *p, size_t n, size_t page_size, bool is_mapped)
{
    uint16_t flags;
    uint32_t pages;
    if (n <= page_size / 2)
        return !is_mapped || ((uintptr_t)p & (page_size - 1)) + n <= page_size;
    if (is_mapped && ((uintptr_t)p & (page_size - 1)) != HEADER)
        return false;
    const uint8_t *page = (const uint8_t *)p - HEADER;
    memcpy(&flags, page + FLAGS_AT, sizeof flags);
    memcpy(&pages, page + PAGES_AT, sizeof pages);
    return (flags & OVERFLOW) && pages && n <= (uint64_t)pages * page_size - HEADER;
}

enum err pages_check(const char *path, struct fault *fault)
{
    BUF_CLEANUP struct buf file = {0};
    buf_put_format(&file, "%s/data.mdb", path);
    buf_put_u8(&file, 0);
    if (file.err)
        return fault_set(fault, file.err, "out of memory");
    int fd = open((const char *)file.p, O_RDONLY | O_CLOEXEC);
    enum err err = fd < 0 ? ERR_IO : check(fd);
    int cause = errno;
    if (fd >= 0)
        (void)close(fd);
    if (err == ERR_IO)
        return fault_set(fault, err, "cannot read %s: %s", (const char *)file.p, strerror(cause));
    return !err ? OK
                : fault_set(fault, err,
                            "%s is not a database of Folkmoot, or is cut short or damaged at its "
                            "beginning: restore a backup, or choose another place",
                            (const char *)file.p);
}
