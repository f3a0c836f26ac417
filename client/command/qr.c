#include "client/command/qr.h"

#include <qrencode.h>

enum { MARGIN = 2 };

// Whether the module is drawn: the light ones are, and the margin is light.
static bool is_light(const QRcode *code, int row, int column)
{
    bool inside = row >= 0 && column >= 0 && row < code->width && column < code->width;
    return !inside || !(code->data[row * code->width + column] & 1);
}

// Two rows of modules make one line.
static void print_rows(FILE *file, const QRcode *code, int row)
{
    for (int column = -MARGIN; column < code->width + MARGIN; column++) {
        bool upper = is_light(code, row, column);
        bool lower = is_light(code, row + 1, column);
        const char *block = upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ";
        fputs(block, file);
    }
    fputc('\n', file);
}

bool qr_print(FILE *file, const char *text)
{
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    for (int row = -MARGIN; code && row < code->width + MARGIN; row += 2)
        print_rows(file, code, row);
    QRcode_free(code);
    return code != NULL;
}
