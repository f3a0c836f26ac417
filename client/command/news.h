#pragma once

// What a row that changed says anew of its record. A value that an earlier import of this row put
// there, and that the row does not say any more, goes; a new one comes. What people said since
// stays: beside it the new value makes a tension, which somebody who sees both settles. What the
// import said before and others went over is not said again.

#include "client/command/values.h"

enum { NEWS_MAX = 2 * PUTS_MAX };

struct news {
    struct folkmoot_record record; // in which the texts that go live
    struct folkmoot_correction list[NEWS_MAX];
    size_t n;
};

// All zero at first. The texts that come are those of `values`, which must live as long. again:
// what was said before is said again, because it was taken back.
enum folkmoot_code news_find(struct news *news, struct folkmoot *fm, const char *name,
                             const char *kind, const uint8_t *id, const struct values *values,
                             bool again, struct folkmoot_error *error);
// Once it is written: remembers what the import put and what it took back.
enum folkmoot_code news_note(const struct news *news, struct folkmoot *fm, const char *name,
                             const char *kind, const uint8_t *id, struct folkmoot_error *error);
// Remembers that the import put all these values.
enum folkmoot_code news_said(struct folkmoot *fm, const char *name, const char *kind,
                             const uint8_t *id, const struct values *values,
                             struct folkmoot_error *error);
void news_done(struct news *news);

#define NEWS_CLEANUP __attribute__((cleanup(news_done)))
