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

static bool read_meta(int fd, off_t at, struct meta *meta)
{
    uint8_t page[META_SIZE];
    if (pread(fd, page, sizeof page, at) != META_SIZE)
        return false;
    memcpy(&meta->page_size, page + TABLES_AT, sizeof meta->page_size);
    memcpy(&meta->last_page, page + LAST_PAGE_AT, sizeof meta->last_page);
    memcpy(&meta->commit, page + COMMIT_AT, sizeof meta->commit);
    return true;
}

static bool fits(const struct meta *meta, off_t size)
{
    return meta->last_page < (uint64_t)size / meta->page_size;
}

// Commits go to the two in turn, the even ones to the first.
static bool are_sound(int fd, off_t size)
{
    struct meta even;
    struct meta odd;
    if (!read_meta(fd, 0, &even) || even.page_size == 0 || even.page_size > PAGE_MAX_SIZE ||
        !read_meta(fd, (off_t)even.page_size, &odd) || odd.page_size != even.page_size)
        return false;
    bool in_turn = even.commit % 2 == 0 && odd.commit % 2 == 1 &&
                   (even.commit + 1 == odd.commit || odd.commit + 1 == even.commit);
    return in_turn && fits(even.commit > odd.commit ? &even : &odd, size);
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
    return (flags & OVERFLOW) && n <= (uint64_t)pages * page_size - HEADER;
}

enum err pages_check(const char *path, struct fault *fault)
{
    BUF_CLEANUP struct buf file = {0};
    struct stat st;
    buf_put_format(&file, "%s/data.mdb", path);
    buf_put_u8(&file, 0);
    if (file.err)
        return fault_set(fault, file.err, "out of memory");
    int fd = open((const char *)file.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int cause = errno;
        if (fd >= 0)
            (void)close(fd);
        return fault_set(fault, ERR_IO, "cannot open %s: %s", (const char *)file.p,
                         strerror(cause));
    }
    bool sound = are_sound(fd, st.st_size);
    (void)close(fd);
    return sound ? OK
                 : fault_set(fault, ERR_DAMAGED,
                             "%s is not a database of Folkmoot, or is cut short or damaged at its "
                             "beginning: restore a backup, or choose another place",
                             (const char *)file.p);
}
