#include "daemon/etag.h"

#include <string.h>

#include "base/hash.h"
#include "base/text.h"

enum { BASE64_SIZE = 22 };

static void skip_one(struct bytes *rest, size_t n)
{
    *rest = bytes_of(rest->p + n, rest->n - n);
}

// One tag in quotes, weak or not, which are the same for If-None-Match.
static void take_tag(struct bytes *rest, struct etags *etags)
{
    skip_one(rest, 1);
    const uint8_t *end = rest->n ? memchr(rest->p, '"', rest->n) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    if (end && n == BASE64_SIZE && etags->n < ETAGS_MAX &&
        text_unbase64url(bytes_of(rest->p, n), etags->tags[etags->n], ETAG_SIZE) == OK)
        etags->n++;
    skip_one(rest, end ? n + 1 : n);
}

void etags_read(struct bytes value, struct etags *etags)
{
    *etags = (struct etags){.n = 0};
    etags->is_any = value.n == 1 && value.p[0] == '*';
    while (value.n > 0) {
        if (value.p[0] == '"')
            take_tag(&value, etags);
        else
            skip_one(&value, 1);
    }
}

bool etags_name(const struct etags *etags, const uint8_t tag[ETAG_SIZE])
{
    bool found = etags->is_any;
    for (size_t i = 0; i < etags->n; i++)
        found |= memcmp(etags->tags[i], tag, ETAG_SIZE) == 0;
    return found;
}

void etag_make(struct bytes body, uint8_t tag[ETAG_SIZE])
{
    uint8_t whole[HASH_SIZE];
    struct hash hash;
    hash_begin_bare(&hash);
    hash_put(&hash, body);
    hash_end(&hash, whole);
    memcpy(tag, whole, ETAG_SIZE);
}

void etag_put(const uint8_t tag[ETAG_SIZE], struct buf *out)
{
    buf_put_u8(out, '"');
    text_base64url(out, bytes_of(tag, ETAG_SIZE));
    buf_put_u8(out, '"');
}
