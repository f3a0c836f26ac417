// The little of HTTP/1.1 that monitoring speaks.

#include "daemon/http1.h"
#include "tests/leaks.h"

static unsigned read_text(const char *text, struct http1_request *request)
{
    *request = (struct http1_request){0};
    return http1_read(bytes_of_text(text), request);
}

static void expect_status(const char *text, unsigned status)
{
    struct http1_request request;
    unsigned said = read_text(text, &request);
    cr_assert_eq(said, status, "%u for \"%s\"", said, text);
}

Test(http1, takes_a_get_and_leaves_its_query_out)
{
    struct http1_request request;
    cr_assert_eq(read_text("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n", &request),
                 200);
    cr_assert(bytes_equal(request.path, bytes_of_text("/metrics")));
    cr_assert_not(request.is_head);
    cr_assert_eq(read_text("HEAD / HTTP/1.0\r\n\r\n", &request), 200);
    cr_assert(request.is_head && bytes_equal(request.path, bytes_of_text("/")));
}

Test(http1, waits_for_the_rest_of_a_head_wherever_it_is_cut)
{
    static const char whole[] = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
    struct http1_request request;
    for (size_t n = 0; n < sizeof whole - 1; n++)
        cr_assert_eq(http1_read(bytes_of(whole, n), &request), 0, "at %zu", n);
    cr_assert_eq(http1_read(bytes_of(whole, sizeof whole - 1), &request), 200);
}

Test(http1, refuses_what_is_malformed_as_soon_as_it_is_seen)
{
    expect_status("GET /a HTTP/1.1\n", 400);
    expect_status("\x16\x03\x01", 400);
    expect_status("GET /\xc3\xa9 HTTP/1.1\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost: x\r\rn", 400);
    expect_status("GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_status("GET /a\r\n\r\n", 400);
    expect_status("GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_status("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_status("\r\n\r\n", 400);
    expect_status("G@T /a HTTP/1.1\r\nHost: x\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nno colon\r\n\r\n", 400);
}

Test(http1, refuses_what_could_be_read_in_two_ways)
{
    expect_status("GET /a HTTP/1.1\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost: x\r\nhOST: y\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 400);
    expect_status("GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 400);
}

Test(http1, names_what_it_does_not_do)
{
    expect_status("POST /a HTTP/1.1\r\nHost: x\r\n\r\n", 405);
    expect_status("PRI * HTTP/2.0\r\n\r\n", 400);
    expect_status("GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505);
}

Test(http1, takes_no_more_than_its_limit)
{
    struct buf text = {0};
    struct http1_request request;
    buf_put_text(&text, "GET /a HTTP/1.1\r\nHost: x\r\nX: ");
    while (text.n < HTTP1_HEAD_MAX - 1)
        buf_put_u8(&text, 'a');
    cr_assert_eq(http1_read(buf_bytes(&text), &request), 0);
    buf_put_u8(&text, 'a');
    cr_assert_eq(http1_read(buf_bytes(&text), &request), 431);
    buf_put_text(&text, "\r\n\r\n");
    cr_assert_eq(http1_read(buf_bytes(&text), &request), 431);
    buf_done(&text);
    expect_no_leaks();
}

Test(http1, writes_a_head_with_the_length_and_a_body_unless_it_was_not_asked_for)
{
    const struct http1_answer answer = {200, "text/plain", bytes_of_text("ok\n")};
    static const char head[] = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                               "Content-Type: text/plain\r\nContent-Length: 3\r\n"
                               "Cache-Control: no-store\r\nConnection: close\r\n\r\n";
    struct buf out = {0};
    http1_write(&answer, true, 0, &out);
    cr_assert(bytes_equal(buf_bytes(&out), bytes_of_text(head)));
    http1_write(&answer, false, 0, &out);
    cr_assert_eq(out.n, 2 * (sizeof head - 1) + 3);
    buf_done(&out);
    expect_no_leaks();
}
