#include "client/link.h"

#include "base/text.h"

static const char scheme[] = "folkmoot://";
static const char path[] = "/join?";

// --- parts of the text ---

static bool take_prefix(struct bytes *text, const char *prefix)
{
    size_t n = strlen(prefix);
    if (text->n < n || memcmp(text->p, prefix, n) != 0)
        return false;
    *text = bytes_of(text->p + n, text->n - n);
    return true;
}

// What stands before the first `c` (or all); text moves behind it.
static struct bytes take_until(struct bytes *text, char c)
{
    const uint8_t *at = text->n ? memchr(text->p, c, text->n) : NULL;
    size_t n = at ? (size_t)(at - text->p) : text->n;
    struct bytes part = bytes_of(text->p, n);
    *text = bytes_of(text->p + n + (at ? 1 : 0), text->n - n - (at ? 1 : 0));
    return part;
}

static struct bytes without_blanks(const char *text)
{
    size_t n = strnlen(text, LINK_MAX + 1);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    size_t from = 0;
    while (from < n && strchr(" \t\r\n", text[from]))
        from++;
    return bytes_of(text + from, n - from);
}

// --- the address ---

static bool port_is_sound(struct bytes port)
{
    uint32_t v = 0;
    for (size_t i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9' || v > 65535)
            return false;
        v = v * 10 + (uint32_t)(port.p[i] - '0');
    }
    return port.n > 0 && v >= 1 && v <= 65535;
}

// A name or an IPv4 address, or an IPv6 address in brackets.
static bool host_is_sound(struct bytes host)
{
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    struct bytes inner = bracketed ? bytes_of(host.p + 1, host.n - 2) : host;
    for (size_t i = 0; i < inner.n; i++) {
        uint8_t c = inner.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '.' && !(bracketed ? c == ':' : c == '-' || c == '_'))
            return false;
    }
    return inner.n > 0;
}

static bool address_is_sound(struct bytes address)
{
    const uint8_t *colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
    if (!colon || address.n > ADDRESS_MAX)
        return false;
    size_t n = (size_t)(colon - address.p);
    return host_is_sound(bytes_of(address.p, n)) &&
           port_is_sound(bytes_of(colon + 1, address.n - n - 1));
}

// --- the parameters ---

static enum err percent_decode(struct bytes text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        uint8_t byte = text.p[i];
        if (byte == '%') {
            if (text.n - i < 3 || text_unhex(bytes_of(text.p + i + 1, 2), &byte, 1))
                return ERR_MALFORMED;
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
        buf_put_u8(out, byte);
    }
    return out->err;
}

static enum err read_name(struct bytes text, struct link *link)
{
    struct buf name BUF_CLEANUP = {.max = NAME_MAX_BYTES};
    enum err err = percent_decode(text, &name);
    if (err || !text_is_utf8(buf_bytes(&name)))
        return err ? err : ERR_MALFORMED;
    if (name.n)
        memcpy(link->name, name.p, name.n);
    link->name[name.n] = 0;
    return OK;
}

enum { SEEN_COMMUNITY = 1, SEEN_HUB = 2, SEEN_CODE = 4, SEEN_NAME = 8, SEEN_NEEDED = 7 };

static enum err read_parameter(struct bytes key, struct bytes value, struct link *link,
                               unsigned *seen)
{
    unsigned bit = bytes_equal(key, bytes_of_text("community")) ? SEEN_COMMUNITY
                   : bytes_equal(key, bytes_of_text("hub"))     ? SEEN_HUB
                   : bytes_equal(key, bytes_of_text("code"))    ? SEEN_CODE
                   : bytes_equal(key, bytes_of_text("name"))    ? SEEN_NAME
                                                                : 0;
    if (bit & *seen)
        return ERR_MALFORMED;
    *seen |= bit;
    if (bit == SEEN_COMMUNITY)
        return text_unbase64url(value, link->community, COMMUNITY_SIZE);
    if (bit == SEEN_HUB)
        return text_unbase64url(value, link->hub_key, KEY_SIZE);
    if (bit == SEEN_CODE)
        return text_unbase64url(value, link->code, CODE_SIZE);
    return bit == SEEN_NAME ? read_name(value, link) : OK;
}

enum err link_parse(const char *text, struct link *link, struct fault *fault)
{
    struct link out = {{0}, {0}, {0}, {0}, {0}};
    struct bytes rest = without_blanks(text);
    if (rest.n > LINK_MAX)
        return fault_set(fault, ERR_LIMIT, "a join link has at most %d characters", LINK_MAX);
    bool sound = take_prefix(&rest, scheme);
    struct bytes address = rest;
    if (sound)
        address = take_until(&rest, '/');
    // The path begins with the "/" that was just passed.
    sound = sound && address_is_sound(address) && take_prefix(&rest, path + 1);
    if (sound)
        memcpy(out.address, address.p, address.n);
    unsigned seen = 0;
    enum err err = OK;
    while (sound && !err && rest.n) {
        struct bytes value = take_until(&rest, '&');
        struct bytes key = take_until(&value, '=');
        err = read_parameter(key, value, &out, &seen);
    }
    if (err == ERR_NOMEM)
        return err;
    if (!sound || err || (seen & SEEN_NEEDED) != SEEN_NEEDED)
        return fault_set(fault, ERR_MALFORMED,
                         "this is no whole join link: it reads folkmoot://HOST:PORT/join?…, as the "
                         "person who invites shows or sends it");
    *link = out;
    return OK;
}

// --- the other way ---

static void percent_encode(const char *text, struct buf *out)
{
    for (const char *p = text; *p; p++) {
        char c = *p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            buf_put_u8(out, (uint8_t)c);
        else
            buf_put_format(out, "%%%02X", (unsigned)(uint8_t)c);
    }
}

void link_format(const struct link *link, struct buf *out)
{
    buf_put_format(out, "%s%s%scommunity=", scheme, link->address, path);
    text_base64url(out, BYTES(link->community));
    buf_put_text(out, "&hub=");
    text_base64url(out, BYTES(link->hub_key));
    buf_put_text(out, "&code=");
    text_base64url(out, BYTES(link->code));
    if (link->name[0]) {
        buf_put_text(out, "&name=");
        percent_encode(link->name, out);
    }
}
