// Whatever happened before, the index finds what a walk over all records finds.

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>

#include "proto/schema.h"
#include "tests/sync/finding.h"

static const char *const vocabulary[] = {"water", "waterfall", "well",   "bus",
                                         "busy",  "school",    "roof",   "rooftop",
                                         "light", "lights",    "clinic", "wall"};
enum { VOCABULARY = sizeof vocabulary / sizeof *vocabulary, CHANGES = 64 };

// Of words without accents, by another way than the index's.
static bool text_has(struct bytes text, const char *word, bool is_prefix)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.n; i++) {
        bool begins = i == 0 || !isalnum(text.p[i - 1]);
        bool ends = i + n == text.n || !isalnum(text.p[i + n]);
        if (begins && (ends || is_prefix) && memcmp(text.p + i, word, n) == 0)
            return true;
    }
    return false;
}

static bool record_has(const struct record_view *view, const char *word, bool is_prefix)
{
    struct wire_reader reader = wire_reader(view->record);
    while (!wire_at_end(&reader)) {
        struct wire_field field;
        cr_assert_eq(wire_next(&reader, &field), OK);
        if ((field.number == FIELD_WORDS || field.number == FIELD_TITLE) &&
            text_has(field.bytes, word, is_prefix))
            return true;
    }
    return false;
}

static size_t walk(size_t device, const char *first, const char *last, struct record_key *hits)
{
    size_t n = 0;
    struct record_key record;
    struct hub_caller caller = world_caller(&world, device);
    struct txn *txn TXN_CLEANUP = txn_begin_read(world.hub);
    for (enum err err = live_next(txn, world.community, NULL, &record); !err;
         err = live_next(txn, world.community, &record, &record)) {
        struct get_request request = {record.kind, BYTES(record.id)};
        struct get_response response;
        struct record_key key = record;
        if (hub_get(txn, &caller, &request, &arena, &response, &fault) == OK &&
            response.record->class == CLASS_ORDINARY && record_has(response.record, first, false) &&
            record_has(response.record, last, true))
            hits[n++] = key;
    }
    return n;
}

static int by_key(const void *a, const void *b)
{
    const struct record_key *x = a;
    const struct record_key *y = b;
    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : memcmp(x->id, y->id, ID_SIZE);
}

static void compare_with_walk(uint64_t seed)
{
    static struct record_key walked[512];
    size_t found = 0;
    for (size_t i = 0; i < (size_t)VOCABULARY * VOCABULARY; i++) {
        char text[40];
        const char *first = vocabulary[i / VOCABULARY];
        const char *last = vocabulary[i % VOCABULARY];
        snprintf(text, sizeof text, "%s %s", first, last);
        size_t n = walk(COORDINATOR, first, last, walked);
        struct hits hits = find_paged(COORDINATOR, text, 0, 7);
        cr_assert_eq(hits.n, n, "seed %llu: \"%s\": %zu found, %zu are there",
                     (unsigned long long)seed, text, hits.n, n);
        qsort(hits.p, hits.n, sizeof *hits.p, by_key);
        qsort(walked, n, sizeof *walked, by_key);
        for (size_t k = 0; k < n; k++)
            cr_assert_eq(by_key(&hits.p[k], &walked[k]), 0, "seed %llu: \"%s\"",
                         (unsigned long long)seed, text);
        found += n;
    }
    // Else it says nothing.
    cr_assert(found > 0 || seed % 7 == 0);
}

struct play {
    struct world_change changes[CHANGES]; // that put a title
    size_t authors[CHANGES];
    size_t n;
};

static const char *some_words(char text[64])
{
    const char *a = vocabulary[dice_below(&world.dice, VOCABULARY)];
    const char *b = vocabulary[dice_below(&world.dice, VOCABULARY)];
    const char *c = vocabulary[dice_below(&world.dice, VOCABULARY)];
    snprintf(text, 64, "%s, %s %s", a, b, c);
    return text;
}

static void note_change(struct play *play, struct world_change change, size_t device)
{
    if (play->n == CHANGES)
        return;
    play->changes[play->n] = change;
    play->authors[play->n++] = device;
}

static void play_step(struct play *play)
{
    char text[64];
    size_t device = dice_below(&world.dice, DEVICES);
    size_t pick = play->n ? dice_below(&world.dice, (uint32_t)play->n) : 0;
    const struct world_change *change = &play->changes[pick];
    switch (dice_below(&world.dice, play->n ? 12 : 1)) {
    case 0:
    case 1:
    case 2:
        note_change(play, said_need(&world, device, some_words(text), NULL), device);
        break;
    case 3:
    case 4:
        said_about(&world, device, KIND_REMARK, some_words(text), &change->record, 1);
        break;
    case 5:
    case 6:
        note_change(play, said_again(&world, device, change, play->authors[pick], some_words(text)),
                    device);
        break;
    case 7:
        said_erase(&world, COORDINATOR, play->authors[pick], change);
        break;
    case 8:
        if (dice_below(&world.dice, 4) == 0)
            said_erase_record(&world, COORDINATOR, &change->record);
        break;
    case 9:
        said_membership(&world, COORDINATOR, OTHER, ROLE_NONE, (int)dice_below(&world.dice, 2));
        break;
    case 10:
        follow();
        break;
    default:
        if (world.devices[device].role != ROLE_NONE)
            (void)network_log_in(&world, device);
        (void)network_sync(&world, device);
        break;
    }
}

TestSuite(search_walk, .init = finding_open, .fini = finding_close);

Test(search_walk, finds_what_a_walk_over_all_records_finds)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct play play = {.n = 0};
        finding_begin(seed);
        for (int step = 0; step < 60; step++)
            play_step(&play);
        follow();
        compare_with_walk(seed);
        // And so does an index that is made at once.
        finding_anew(seed);
        follow();
        compare_with_walk(seed);
        arena_done(&arena);
        arena_init(&arena, (size_t)1 << 30);
    }
}
