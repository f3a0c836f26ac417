// A request of a monitor: what is taken is plain and lies within what came, what is refused has a
// reason, and bytes behind the head change nothing.

#include "daemon/http1.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_MAX = 2 * HTTP1_HEAD_MAX };

static void check_taken(struct bytes text, const struct http1_request *request)
{
    struct bytes path = request->path;
    assert(path.n > 0 && path.p[0] == '/');
    assert(path.p > text.p && path.p + path.n < text.p + text.n);
    for (size_t i = 0; i < path.n; i++)
        assert(path.p[i] > ' ' && path.p[i] < 0x7f && path.p[i] != '?');
}

static void check_answer(unsigned status, bool is_head)
{
    struct buf out = {0};
    const struct http1_answer answer = {status, "text/plain", bytes_of_text("?")};
    http1_write(&answer, is_head, 0, &out);
    assert(!out.err && http1_reason(status)[0] != '\0');
    buf_done(&out);
}

// What decides first when it comes in parts, as a socket may bring it.
static unsigned read_slowly(struct bytes text, struct http1_request *request)
{
    unsigned status = 0;
    for (size_t n = 0; n < text.n && !status; n += 1 + text.n / 64)
        status = http1_read(bytes_of(text.p, n), request);
    return status ? status : http1_read(text, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = bytes_of(data, size < TEXT_MAX ? size : TEXT_MAX);
    struct http1_request request = {0}, slowly = {0};
    unsigned status = http1_read(text, &request);
    unsigned slow_status = read_slowly(text, &slowly);
    assert((status == 0) == (slow_status == 0) && (status == 200) == (slow_status == 200));
    if (status == 200)
        check_taken(text, &request);
    if (slow_status == 200)
        assert(slowly.is_head == request.is_head && bytes_equal(slowly.path, request.path));
    if (status)
        check_answer(status, request.is_head);
    return 0;
}
