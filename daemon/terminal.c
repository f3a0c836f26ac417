#include "daemon/terminal.h"

#include <qrencode.h>
#include <time.h>

enum { QUIET = 2 }; // modules around the code; four by the book, two are enough for phones

void terminal_text(FILE *file, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        // C1 controls are two bytes in UTF-8.
        bool is_c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;
        if (*p < ' ' || *p == 0x7f || is_c1) {
            (void)fputc('?', file);
            p += is_c1;
        } else {
            (void)fputc(*p, file);
        }
    }
}

static bool is_dark(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return false;
    return code->data[y * code->width + x] & 1;
}

// Light modules are drawn, so that it is right on a dark terminal without colours.
static void draw_line(FILE *file, const QRcode *code, int y, bool colours)
{
    static const char *const blocks[] = {"\u2588", "\u2584", "\u2580", " "};
    if (colours)
        (void)fputs("\033[40;37;1m", file);
    for (int x = -QUIET; x < code->width + QUIET; x++)
        (void)fputs(blocks[is_dark(code, x, y) | is_dark(code, x, y + 1) << 1], file);
    (void)fputs(colours ? "\033[0m\n" : "\n", file);
}

bool terminal_qr(FILE *file, const char *text, bool colours)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (!code)
        return false;
    for (int y = -QUIET; y < code->width + QUIET; y += 2)
        draw_line(file, code, y, colours);
    QRcode_free(code);
    return true;
}

void terminal_time(FILE *file, int64_t ms)
{
    char text[32];
    struct tm parts;
    time_t seconds = (time_t)(ms / 1000);
    if (ms == 0 || !localtime_r(&seconds, &parts) ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts) == 0)
        (void)fputs("never", file);
    else
        (void)fputs(text, file);
}
