// Makes the dictionary of columns packs from texts.txt, and from nothing else: its content is what
// these texts and their columns look like, its tables are what a packer of such columns needs. The
// same on every machine that has the same zstd.
//
//   folkmoot-dictionary TEXTS OUT
//   folkmoot-dictionary --version      of zstd

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>
#include <zstd.h>

#include "proto/columns.h"
#include "proto/messages.h"
#include "proto/schema.h"
#include "proto/wire.h"

enum {
    LINES_MAX = 256,
    LINE_BYTES = 1024,
    DICTIONARY_MAX = 32 << 10,
    ID = 16,
    HANDLE = 12,
    ROUNDS = 4
};

static char lines[LINES_MAX][LINE_BYTES];
static size_t lines_n;
static uint64_t state = 1;
static struct buf samples;
static size_t sizes[8 * LINES_MAX];
static unsigned sizes_n;

static _Noreturn void fail(const char *what)
{
    (void)fprintf(stderr, "folkmoot-dictionary: %s\n", what);
    exit(1);
}

// Not random: the same every time (a linear congruential generator's upper bits).
static uint32_t draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static struct bytes draw_bytes(uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)draw();
    return bytes_of(out, n);
}

static void read_lines(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        fail("the texts cannot be read");
    while (lines_n < LINES_MAX && fgets(lines[lines_n], LINE_BYTES, file)) {
        lines[lines_n][strcspn(lines[lines_n], "\n")] = '\0';
        lines_n += lines[lines_n][0] != '\0';
    }
    (void)fclose(file);
}

// --- changes as they come ---

static void put_need(struct buf *fields, const char *words)
{
    uint8_t id[ID];
    wire_put_bytes(fields, FIELD_SPEAKER, draw_bytes(id, sizeof id));
    wire_put_bytes(fields, FIELD_WORDS, bytes_of_text(words));
    wire_put_bytes(fields, FIELD_LANGUAGE, bytes_of_text("en"));
}

static int64_t now = 1750000000000;

static void put_envelope(struct buf *envelope, uint32_t kind)
{
    uint8_t subject[4 + ID] = {0, 0, 0, KIND_NEED};
    uint8_t person[ID];
    now += draw() % 900000;
    wire_put_uint(envelope, 1, kind);
    if (kind == KIND_VOICE) {
        (void)draw_bytes(subject + 4, ID);
        wire_put_bytes(envelope, 3, BYTES(subject));
        wire_put_bytes(envelope, 3, draw_bytes(person, sizeof person));
    }
    wire_put_uint(envelope, 4, (uint64_t)now);
}

static void put_change(struct buf *message, enum columns_of of, uint32_t seq, uint32_t kind,
                       const char *words)
{
    struct buf envelope = {0}, fields = {0};
    put_envelope(&envelope, kind);
    if (kind == KIND_VOICE)
        wire_put_uint(&fields, FIELD_VOICE_STANCE, 1 + draw() % 3);
    else
        put_need(&fields, words);
    size_t mark = wire_open(message, of == COLUMNS_OF_CHANGES ? 1 : 2);
    if (of == COLUMNS_OF_CHANGES) {
        wire_put_bytes(message, 1, buf_bytes(&envelope));
        wire_put_bytes(message, 2, buf_bytes(&fields));
    } else {
        wire_put_uint(message, 2, seq);
        wire_put_fixed32(message, 3, draw() * 2u + draw() % 2);
        wire_put_bytes(message, 4, buf_bytes(&envelope));
        wire_put_bytes(message, 5, buf_bytes(&fields));
    }
    wire_close(message, mark);
    buf_done(&envelope);
    buf_done(&fields);
}

static void put_columns(struct buf *out, enum columns_of of, uint32_t kind, size_t first, size_t n)
{
    struct buf message = {0};
    uint8_t handle[HANDLE];
    if (of == COLUMNS_OF_ENTRIES)
        wire_put_bytes(&message, 1, draw_bytes(handle, sizeof handle));
    for (size_t i = 0; i < n; i++)
        put_change(&message, of, (uint32_t)(first + i), kind, lines[(first + i) % lines_n]);
    if (message.err || columns_make(buf_bytes(&message), of, out))
        fail("the columns cannot be made");
    buf_done(&message);
}

static void sample(enum columns_of of, uint32_t kind, size_t first, size_t n)
{
    size_t before = samples.n;
    put_columns(&samples, of, kind, first, n);
    sizes[sizes_n++] = samples.n - before;
}

static void take_samples(void)
{
    for (size_t i = 0; i < lines_n; i++) {
        enum columns_of of = i % 2 ? COLUMNS_OF_CHANGES : COLUMNS_OF_ENTRIES;
        sample(of, KIND_NEED, i, 1);
        sample(of, KIND_NEED, i, 1 + i % 8);
        if (i % 8 == 0)
            sample(of, KIND_VOICE, i, 1 + i % 5);
    }
}

// What is likeliest stands last.
static void put_content(struct buf *content)
{
    put_columns(content, COLUMNS_OF_ENTRIES, KIND_VOICE, 1, 3);
    put_columns(content, COLUMNS_OF_CHANGES, KIND_VOICE, 1, 3);
    for (size_t i = lines_n; i-- > 0;) {
        buf_put_text(content, lines[i]);
        buf_put_u8(content, ' ');
    }
    put_columns(content, COLUMNS_OF_ENTRIES, KIND_NEED, 0, 1);
    put_columns(content, COLUMNS_OF_CHANGES, KIND_NEED, 0, 1);
}

int main(int argc, char **argv)
{
    static uint8_t dictionary[DICTIONARY_MAX];
    struct buf content = {0};
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts(ZSTD_versionString());
        return 0;
    }
    if (argc != 3)
        fail("usage: folkmoot-dictionary TEXTS OUT");
    read_lines(argv[1]);
    take_samples();
    put_content(&content);
    const ZDICT_params_t parameters = {.compressionLevel = 19, .dictID = 0x666f6c6b};
    size_t n = ZDICT_finalizeDictionary(dictionary, sizeof dictionary, content.p, content.n,
                                        samples.p, sizes, sizes_n, parameters);
    FILE *out = ZDICT_isError(n) ? NULL : fopen(argv[2], "we");
    if (!out || fwrite(dictionary, 1, n, out) != n || fclose(out) != 0)
        fail("the dictionary cannot be made");
    buf_done(&content);
    buf_done(&samples);
    return 0;
}
