#include "bench/texts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/e2e/check.h"

enum { LINES_MAX = 8192, LEAST = 100 };

static struct {
    char lines[LINES_MAX][TEXT_BYTES];
    size_t n;
} texts;

void texts_open(const char *path)
{
    FILE *file = fopen(path, "re");
    CHECK(file, "%s: %s (bench/texts.py makes it)", path, strerror(errno));
    while (texts.n < LINES_MAX && fgets(texts.lines[texts.n], TEXT_BYTES, file)) {
        texts.lines[texts.n][strcspn(texts.lines[texts.n], "\n")] = '\0';
        texts.n++;
    }
    fclose(file);
    CHECK(texts.n >= LEAST, "%s has %zu lines", path, texts.n);
}

// The place nearest the middle, from there on, at which a word begins.
static size_t middle(const char *line)
{
    size_t half = strlen(line) / 2;
    return half + strcspn(line + half, " ");
}

void texts_get(size_t i, char text[TEXT_BYTES])
{
    const char *first = texts.lines[i % texts.n];
    size_t round = i / texts.n;
    if (round == 0) {
        (void)snprintf(text, TEXT_BYTES, "%s", first);
        return;
    }
    const char *second = texts.lines[(i + round) % texts.n];
    (void)snprintf(text, TEXT_BYTES, "%.*s%s", (int)middle(first), first, second + middle(second));
}
