#include "tests/e2e/post.h"

#include <cjson/cJSON.h>
#include <stdio.h>

#include "tests/e2e/check.h"

enum { URL_BYTES = 4096, SECONDS_MAX = 60 };

struct sending {
    const struct post *post;
    size_t at;
};

static size_t on_read(char *out, size_t size, size_t n, void *arg)
{
    struct sending *sending = arg;
    size_t end = sending->post->cut_at ? sending->post->cut_at : sending->post->body.n;
    size_t left = end - sending->at, part = size * n < left ? size * n : left;
    if (left == 0 && sending->post->cut_at)
        return CURL_READFUNC_ABORT;
    if (part > 0)
        memcpy(out, sending->post->body.p + sending->at, part);
    sending->at += part;
    return part;
}

static size_t on_body(char *part, size_t size, size_t n, void *arg)
{
    struct post_answer *answer = arg;
    buf_put(&answer->body, bytes_of(part, size * n));
    return size * n;
}

static void take_field(const char *line, size_t n, const char *name, char *out, size_t out_n)
{
    size_t name_n = strlen(name);
    if (n < name_n || strncmp(line, name, name_n) != 0)
        return;
    while (n > name_n && (line[n - 1] == '\r' || line[n - 1] == '\n'))
        n--;
    (void)snprintf(out, out_n, "%.*s", (int)(n - name_n), line + name_n);
}

// Trailers come this way, too.
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
    struct post_answer *answer = arg;
    take_field(line, size * n, "content-type: ", answer->type, sizeof answer->type);
    take_field(line, size * n, "retry-after: ", answer->retry_after, sizeof answer->retry_after);
    take_field(line, size * n, "x-request-id: ", answer->request_id, sizeof answer->request_id);
    take_field(line, size * n, "grpc-status: ", answer->code, sizeof answer->code);
    take_field(line, size * n, "grpc-message: ", answer->message, sizeof answer->message);
    return size * n;
}

static void read_error(struct post_answer *answer)
{
    if (strcmp(answer->type, "application/json") != 0)
        return;
    cJSON *json = cJSON_ParseWithLength((const char *)answer->body.p, answer->body.n);
    const char *code = cJSON_GetStringValue(cJSON_GetObjectItem(json, "code"));
    const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(json, "message"));
    CHECK(code && message, "an error without code and message: %.*s", (int)answer->body.n,
          (const char *)answer->body.p);
    (void)snprintf(answer->code, sizeof answer->code, "%s", code);
    (void)snprintf(answer->message, sizeof answer->message, "%s", message);
    cJSON_Delete(json);
}

static struct curl_slist *add(struct curl_slist *list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(list, line);
    CHECK(longer, "out of memory");
    return longer;
}

static struct curl_slist *headers_of(const struct post *post)
{
    char line[256];
    const char *type = post->type ? post->type : "application/proto";
    // Without a value the field is left out.
    (void)snprintf(line, sizeof line, "content-type:%s%s", type[0] ? " " : "", type);
    struct curl_slist *list = add(add(NULL, line), "expect:");
    if (post->token) {
        (void)snprintf(line, sizeof line, "authorization: Bearer %s", post->token);
        list = add(list, line);
    }
    for (size_t i = 0; post->headers && post->headers[i]; i++)
        list = add(list, post->headers[i]);
    return list;
}

static void set_body(CURL *curl, const struct post *post, struct sending *sending)
{
    bool length = !post->no_length;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, sending);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     length ? (curl_off_t)post->body.n : (curl_off_t)-1);
}

static void set_always(CURL *curl, const struct post *post, struct post_answer *answer)
{
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     post->version ? post->version : (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_INTERFACE, post->from);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT,
                     post->seconds_max ? post->seconds_max : (long)SECONDS_MAX);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
}

void post_send(uint16_t port, const struct post *post, struct post_answer *answer)
{
    char url[URL_BYTES];
    struct sending sending = {.post = post};
    *answer = (struct post_answer){0};
    CURL *curl = curl_easy_init();
    CHECK(curl, "libcurl could not be started");
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u%s", port, post->path);
    struct curl_slist *headers = headers_of(post);
    set_always(curl, post, answer);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    bool is_get = post->method && strcmp(post->method, "GET") == 0;
    if (!is_get)
        set_body(curl, post, &sending);
    if (post->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, post->method);
    answer->curl = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    read_error(answer);
}

void post_done(struct post_answer *answer)
{
    buf_done(&answer->body);
}
