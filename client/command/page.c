#include "client/command/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

enum { WIDTH_ELSEWHERE = 80, WIDTH_LEAST = 30, REPLACEMENT = 0xfffd };

static const char isolate[] = "\xe2\x81\xa8";     // U+2068
static const char isolate_end[] = "\xe2\x81\xa9"; // U+2069

static bool is_terminal(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

int page_width(void)
{
    struct winsize size;
    int width = WIDTH_ELSEWHERE;
    if (is_terminal() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    if (width < WIDTH_LEAST)
        width = WIDTH_LEAST;
    return width < PAGE_WIDTH_MOST ? width : PAGE_WIDTH_MOST;
}

// --- characters ---

// Embeddings, overrides and isolates of UAX 9. The marks (U+200E, U+200F, U+061C) only say how
// their neighbours are written and stay.
static bool turns_direction(utf8proc_int32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_break(utf8proc_int32_t c)
{
    return c == '\n' || c == 0x2028 || c == 0x2029 || c == 0x85;
}

// The next character of [p, end), cleaned, without the difference between line breaks; moves *p.
static utf8proc_int32_t next_char(const char **p, const char *end)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)*p, end - *p, &c);
    if (n <= 0) {
        ++*p;
        return REPLACEMENT;
    }
    *p += n;
    if (is_break(c))
        return '\n';
    if (c == '\t')
        return ' ';
    bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    return control || turns_direction(c) ? REPLACEMENT : c;
}

static void put_char(struct buf *out, utf8proc_int32_t c)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n = utf8proc_encode_char(c, bytes);
    buf_put(out, bytes_of(bytes, (size_t)n));
}

void page_put_clean(struct buf *out, const char *text)
{
    const char *end = text + strlen(text);
    while (text < end) {
        utf8proc_int32_t c = next_char(&text, end);
        put_char(out, c == '\n' ? ' ' : c);
    }
}

void page_put_value(struct buf *out, const char *text)
{
    buf_put_text(out, is_terminal() ? isolate : "");
    page_put_clean(out, text);
    buf_put_text(out, is_terminal() ? isolate_end : "");
}

static int columns_of(const char *text)
{
    const char *end = text + strlen(text);
    int columns = 0;
    while (text < end && columns < PAGE_WIDTH_MOST)
        columns += utf8proc_charwidth(next_char(&text, end));
    return columns;
}

// The most characters of `text` that fit into `width` columns.
static void put_fitting(struct buf *out, const char *text, int width, int *columns)
{
    const char *end = text + strlen(text);
    while (text < end) {
        utf8proc_int32_t c = next_char(&text, end);
        int n = utf8proc_charwidth(c);
        if (*columns + n > width)
            return;
        put_char(out, c == '\n' ? ' ' : c);
        *columns += n;
    }
}

void page_put_cut(struct buf *out, const char *text, int width, bool pad)
{
    int columns = 0;
    bool fits = columns_of(text) <= width;
    buf_put_text(out, is_terminal() ? isolate : "");
    put_fitting(out, text, fits ? width : width - 1, &columns);
    if (!fits) {
        buf_put_text(out, "…");
        columns++;
    }
    buf_put_text(out, is_terminal() ? isolate_end : "");
    for (; pad && columns < width; columns++)
        buf_put_u8(out, ' ');
}

// --- lines ---

void page_line(int indent, struct buf *line)
{
    printf("%*s%.*s\n", indent, "", (int)line->n, line->p ? (const char *)line->p : "");
    buf_reset(line);
}

// The end of the line that begins at `text` and may have `width` columns. *next: where the line
// after it begins.
static const char *line_end(const char *text, const char *end, int width, const char **next)
{
    const char *space = NULL;
    const char *behind_space = NULL;
    int columns = 0;
    for (const char *at = text; at < end;) {
        const char *here = at;
        utf8proc_int32_t c = next_char(&at, end);
        if (c == '\n' || (c == ' ' && columns <= width)) {
            space = here;
            behind_space = at;
        }
        if (c == '\n')
            break;
        columns += utf8proc_charwidth(c);
        if (columns > width && c != ' ') {
            // A word that is wider than the line, or a script that needs no spaces.
            *next = space ? behind_space : here > text ? here : at;
            return space ? space : *next;
        }
        if (at == end) {
            space = NULL;
            break;
        }
    }
    *next = space ? behind_space : end;
    return space ? space : end;
}

static void print_line(int indent, const char *text, const char *end)
{
    struct buf BUF_CLEANUP line = {0};
    buf_put_text(&line, is_terminal() ? isolate : "");
    while (text < end)
        put_char(&line, next_char(&text, end));
    buf_put_text(&line, is_terminal() ? isolate_end : "");
    page_line(indent, &line);
}

void page_paragraph(int indent, const char *text)
{
    const char *end = text + strlen(text);
    int width = page_width() - indent;
    while (text < end) {
        const char *next;
        const char *stop = line_end(text, end, width, &next);
        print_line(indent, text, stop);
        text = next;
    }
}
