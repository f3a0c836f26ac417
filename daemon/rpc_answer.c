// Answers, errors and streams, as both protocols write them.

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/rpc.h"

void rpc_answer_begin(enum rpc_protocol protocol, struct http2_answer *answer)
{
    static const uint8_t prefix[RPC_PREFIX] = {0};
    answer->status = 200;
    headers_put_text(&answer->headers, "content-type",
                     protocol == RPC_GRPC ? "application/grpc" : "application/proto");
    if (protocol == RPC_GRPC)
        buf_put(&answer->body, BYTES(prefix));
}

void rpc_answer_end(enum rpc_protocol protocol, struct http2_answer *answer)
{
    if (protocol != RPC_GRPC || answer->body.err)
        return;
    be32_put(answer->body.p + 1, (uint32_t)(answer->body.n - RPC_PREFIX));
    headers_put_text(&answer->trailers, "grpc-status", "0");
}

void rpc_answer_name(const struct rpc_head *head, struct http2_answer *answer)
{
    uint8_t tag[ETAG_SIZE];
    BUF_CLEANUP struct buf text = {0};
    if (head->protocol != RPC_CONNECT_GET || answer->body.err)
        return;
    etag_make(buf_bytes(&answer->body), tag);
    etag_put(tag, &text);
    headers_put(&answer->headers, bytes_of_text("etag"), buf_bytes(&text));
    // The same request of another caller has another answer.
    headers_put_text(&answer->headers, "cache-control", "private, no-cache");
    headers_put_text(&answer->headers, "vary", "authorization");
    if (etags_name(&head->known, tag)) {
        answer->status = 304;
        buf_done(&answer->body);
    }
}

static void put_escaped(struct headers *headers, const char *name, const char *text)
{
    struct buf escaped = {0};
    for (const char *p = text; *p; p++) {
        if (*p >= ' ' && *p <= '~' && *p != '%')
            buf_put_u8(&escaped, (uint8_t)*p);
        else
            buf_put_format(&escaped, "%%%02X", (unsigned char)*p);
    }
    if (!escaped.err)
        headers_put(headers, bytes_of_text(name), buf_bytes(&escaped));
    buf_done(&escaped);
}

// Without a body the status goes into the head ("trailers only").
static void answer_grpc_error(const struct rpc_error *error, struct http2_answer *answer)
{
    char number[8];
    (void)snprintf(number, sizeof number, "%d", (int)error->code);
    answer->status = 200;
    headers_put_text(&answer->headers, "content-type", "application/grpc");
    headers_put_text(&answer->headers, "grpc-status", number);
    put_escaped(&answer->headers, "grpc-message", error->text);
}

static void put_connect_error(struct buf *out, enum rpc_code code, const char *said)
{
    cJSON *json = cJSON_CreateObject();
    char *text = NULL;
    if (cJSON_AddStringToObject(json, "code", rpc_code_name(code)) &&
        cJSON_AddStringToObject(json, "message", said))
        text = cJSON_PrintUnformatted(json);
    buf_put_text(out, text ? text : "{\"code\":\"internal\"}");
    free(text);
    cJSON_Delete(json);
}

static void answer_connect_error(const struct rpc_error *error, struct http2_answer *answer)
{
    answer->status = error->status ? error->status : rpc_http_status(error->code);
    headers_put_text(&answer->headers, "content-type", "application/json");
    put_connect_error(&answer->body, error->code, error->text);
}

// --- streams ---

void rpc_stream_begin(enum rpc_protocol protocol, struct http2_answer *answer)
{
    answer->status = 200;
    headers_put_text(&answer->headers, "content-type",
                     protocol == RPC_GRPC ? "application/grpc" : "application/connect+proto");
}

size_t rpc_stream_message(struct buf *out)
{
    static const uint8_t prefix[RPC_PREFIX] = {0};
    size_t begin = out->n;
    buf_put(out, BYTES(prefix));
    return begin;
}

void rpc_stream_message_end(struct buf *out, size_t begin)
{
    if (!out->err)
        be32_put(out->p + begin + 1, (uint32_t)(out->n - begin - RPC_PREFIX));
}

static void end_connect_stream(enum rpc_code code, const char *text, struct buf *last)
{
    enum { END_OF_STREAM = 2 };
    size_t begin = rpc_stream_message(last);
    buf_put_text(last, text ? "{\"error\":" : "{");
    if (text)
        put_connect_error(last, code, text);
    buf_put_text(last, "}");
    rpc_stream_message_end(last, begin);
    if (!last->err)
        last->p[begin] = END_OF_STREAM;
}

void rpc_stream_end(enum rpc_protocol protocol, enum rpc_code code, const char *text,
                    struct buf *last, struct headers *trailers)
{
    char number[8];
    if (protocol != RPC_GRPC) {
        end_connect_stream(code, text, last);
        return;
    }
    (void)snprintf(number, sizeof number, "%d", (int)code);
    headers_put_text(trailers, "grpc-status", number);
    if (text)
        put_escaped(trailers, "grpc-message", text);
}

// The head of a stream of Connect is always good; its end says what was wrong.
static void answer_stream_error(const struct rpc_error *error, struct http2_answer *answer)
{
    rpc_stream_begin(RPC_CONNECT_STREAM, answer);
    end_connect_stream(error->code, error->text, &answer->body);
}

void rpc_answer_error(enum rpc_protocol protocol, const struct rpc_error *error,
                      struct http2_answer *answer)
{
    if (protocol == RPC_GRPC)
        answer_grpc_error(error, answer);
    else if (protocol == RPC_CONNECT_STREAM)
        answer_stream_error(error, answer);
    else
        answer_connect_error(error, answer);
    if (error->header)
        headers_put_text(&answer->headers, error->header, error->value);
}
