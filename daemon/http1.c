#include "daemon/http1.h"

#include <time.h>

static const char token_characters[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

struct headers_seen {
    unsigned hosts;
    bool has_body;
};

// --- reading ---

// Whether nothing stands there that no head may hold: bytes beyond ASCII, controls, CR or LF alone.
static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        bool has_cr = i > 0 && text.p[i - 1] == '\r';
        if ((c == '\n') != has_cr)
            return false;
        if (c >= 0x7f || (c < ' ' && c != '\t' && c != '\r' && c != '\n'))
            return false;
    }
    return true;
}

// Cuts off what stands before the separator, and the separator. False: it is not there.
static bool cut(struct bytes *rest, const char *separator, struct bytes *before)
{
    size_t n = strlen(separator);
    const uint8_t *at = rest->n ? memmem(rest->p, rest->n, separator, n) : NULL;
    if (!at)
        return false;
    size_t before_n = (size_t)(at - rest->p);
    *before = bytes_of(rest->p, before_n);
    *rest = bytes_of(at + n, rest->n - before_n - n);
    return true;
}

static bool is_token(struct bytes text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!memchr(token_characters, text.p[i], sizeof token_characters - 1))
            return false;
    return text.n > 0;
}

static bool is_text(struct bytes bytes, const char *text)
{
    return bytes_equal(bytes, bytes_of_text(text));
}

static bool is_name(struct bytes name, const char *wanted)
{
    return name.n == strlen(wanted) && strncasecmp((const char *)name.p, wanted, name.n) == 0;
}

static bool read_fields(struct bytes rest, struct headers_seen *seen)
{
    struct bytes line, name;
    while (rest.n > 0) {
        if (!cut(&rest, "\r\n", &line) || !cut(&line, ":", &name) || !is_token(name))
            return false;
        seen->hosts += is_name(name, "host");
        seen->has_body |= is_name(name, "content-length") || is_name(name, "transfer-encoding");
    }
    return true;
}

static unsigned judge_line(struct bytes method, struct bytes target, struct bytes version)
{
    if (!is_token(method) || target.n == 0 || target.p[0] != '/' ||
        memchr(target.p, '\t', target.n) || version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0)
        return 400;
    if (!is_text(version, "HTTP/1.1") && !is_text(version, "HTTP/1.0"))
        return 505;
    return is_text(method, "GET") || is_text(method, "HEAD") ? 200 : 405;
}

static unsigned read_head(struct bytes head, struct http1_request *request)
{
    struct bytes line, method, target;
    struct headers_seen seen = {0};
    if (!cut(&head, "\r\n", &line) || !cut(&line, " ", &method) || !cut(&line, " ", &target) ||
        !read_fields(head, &seen))
        return 400;
    unsigned status = judge_line(method, target, line);
    if (status != 200)
        return status;
    // A body could hide a second request.
    if (seen.has_body || seen.hosts > 1 || (seen.hosts == 0 && is_text(line, "HTTP/1.1")))
        return 400;
    request->is_head = is_text(method, "HEAD");
    if (!cut(&target, "?", &request->path))
        request->path = target;
    return 200;
}

unsigned http1_read(struct bytes text, struct http1_request *request)
{
    struct bytes head, rest = text;
    if (cut(&rest, "\r\n\r\n", &head)) {
        if (head.n + 4 > HTTP1_HEAD_MAX)
            return 431;
        // With the end of its last line; what comes behind is nobody's.
        head.n += 2;
        return is_plain(head) ? read_head(head, request) : 400;
    }
    if (!is_plain(text))
        return 400;
    return text.n < HTTP1_HEAD_MAX ? 0 : 431;
}

// --- writing ---

const char *http1_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

void http1_write(const struct http1_answer *answer, bool is_head, int64_t clock, struct buf *out)
{
    char date[40] = "";
    time_t seconds = (time_t)clock;
    struct tm parts;
    if (gmtime_r(&seconds, &parts))
        (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    buf_put_format(out,
                   "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                   "Cache-Control: no-store\r\nConnection: close\r\n%s\r\n",
                   answer->status, http1_reason(answer->status), date, answer->type, answer->body.n,
                   answer->status == 405 ? "Allow: GET, HEAD\r\n" : "");
    if (!is_head)
        buf_put(out, answer->body);
}
