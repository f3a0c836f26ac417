#include "client/command/file.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"
#include "client/command/app.h"

enum { READ_BYTES = 65536 };

static const char usual[] = "windows-1252";

static enum command_exit too_large(const char *path, const struct buf *out)
{
    return app_say(COMMAND_FAILED, "%s is larger than %zu MiB: cut it in pieces", path,
                   out->max >> 20);
}

static enum command_exit read_all(FILE *file, const char *path, struct buf *out)
{
    size_t n = 1;
    while (n > 0) {
        uint8_t *room = buf_room(out, READ_BYTES);
        if (!room)
            return too_large(path, out);
        n = fread(room, 1, READ_BYTES, file);
        out->n += n;
    }
    if (ferror(file))
        return app_say(COMMAND_FAILED, "%s cannot be read: %s", path, strerror(errno));
    return COMMAND_OK;
}

enum command_exit file_read_bytes(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return app_say(COMMAND_FAILED, "%s cannot be opened: %s", path, strerror(errno));
    enum command_exit done = read_all(file, path, out);
    fclose(file);
    return done;
}

static bool write_all(int fd, struct bytes bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = bytes_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return fsync(fd) == 0;
}

enum command_exit file_write_new(const char *path, struct bytes bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return app_say(COMMAND_FAILED, "%s is there already, and is left as it is", path);
    if (fd < 0)
        return app_say(COMMAND_FAILED, "%s cannot be made: %s", path, strerror(errno));
    bool is_written = write_all(fd, bytes);
    int code = errno;
    is_written = close(fd) == 0 && is_written;
    if (is_written)
        return COMMAND_OK;
    (void)unlink(path);
    return app_say(COMMAND_FAILED, "%s cannot be written: %s", path, strerror(code));
}

// --- charsets ---

static unsigned line_of(struct bytes text, size_t at)
{
    unsigned line = 1;
    for (size_t i = 0; i < at && i < text.n; i++)
        line += text.p[i] == '\n';
    return line;
}

static enum command_exit convert(iconv_t to_utf8, const char *path, const char *charset,
                                 struct bytes text, struct buf *out)
{
    char *in = (char *)text.p;
    size_t left = text.n;
    while (left) {
        char *room = (char *)buf_room(out, READ_BYTES);
        size_t space = READ_BYTES;
        if (!room)
            return too_large(path, out);
        size_t got = iconv(to_utf8, &in, &left, &room, &space);
        out->n += READ_BYTES - space;
        if (got == (size_t)-1 && errno != E2BIG)
            return app_say(
                COMMAND_FAILED,
                "%s:%u: a character here is none in %s: save the table as UTF-8, or name "
                "its charset in a mapping",
                path, line_of(text, text.n - left), charset);
    }
    return COMMAND_OK;
}

static enum command_exit to_utf8(const char *path, const char *charset, struct bytes text,
                                 struct buf *out)
{
    iconv_t handle = iconv_open("UTF-8", charset);
    if (handle == (iconv_t)-1)
        return app_say(COMMAND_USAGE, "there is no charset \"%.40s\"", charset);
    enum command_exit done = convert(handle, path, charset, text, out);
    iconv_close(handle);
    return done;
}

// --- the whole ---

static bool drop_zeros(struct buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++) {
        if (text->p[i])
            text->p[n++] = text->p[i];
    }
    bool any = n < text->n;
    text->n = n;
    return any;
}

static bool is_utf8_name(const char *charset)
{
    return strcmp(charset, "utf-8") == 0 || strcmp(charset, "UTF-8") == 0;
}

static enum command_exit decode(const char *path, const char *charset, struct buf *raw,
                                struct buf *out, const char **told)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    // Of other charsets a zero byte may be half a character.
    bool zeros = (!charset || is_utf8_name(charset)) && drop_zeros(raw);
    if (raw->n >= sizeof(mark) && memcmp(raw->p, mark, sizeof(mark)) == 0)
        buf_drop(raw, sizeof(mark));
    bool valid = text_is_utf8(buf_bytes(raw));
    *told = zeros ? "zero bytes in it were left out" : NULL;
    if (charset && is_utf8_name(charset) && !valid)
        return app_say(COMMAND_FAILED, "%s is not UTF-8, as the mapping says", path);
    if (valid && (!charset || is_utf8_name(charset))) {
        buf_put(out, buf_bytes(raw));
        return COMMAND_OK;
    }
    if (!charset)
        *told = "it is not UTF-8, and was read as windows-1252";
    enum command_exit done = to_utf8(path, charset ? charset : usual, buf_bytes(raw), out);
    if (done == COMMAND_OK)
        (void)drop_zeros(out);
    return done;
}

enum command_exit file_read(const char *path, const char *charset, struct buf *out,
                            const char **note)
{
    struct buf raw BUF_CLEANUP = {.max = out->max};
    const char *told = NULL;
    enum command_exit done = file_read_bytes(path, &raw);
    if (done == COMMAND_OK)
        done = decode(path, charset, &raw, out, &told);
    if (done == COMMAND_OK)
        buf_put_u8(out, 0);
    if (done == COMMAND_OK && out->err)
        done = too_large(path, out);
    if (note)
        *note = told;
    return done;
}
