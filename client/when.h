#pragma once

// Times, days and amounts as people type them (RFC 3339's date-time and full-date; money with at
// most two decimals). What lies outside the years 1 to 9999 is shown as a bare number with its
// unit, which is read back too. Any thread.

#include "base/buf.h"

// "2026-11-23", "2026-11-23T10:00Z", "…:00+01:00", "…:00.250Z" or "123ms": ms since 1970 UTC.
enum err when_read_time(struct bytes text, int64_t *ms) must_check;
void when_put_time(struct buf *out, int64_t ms);
// "2026-11-23" or "20780d": days since 1970-01-01.
enum err when_read_day(struct bytes text, int32_t *day) must_check;
void when_put_day(struct buf *out, int32_t day);
// "1200" or "1200.50": minor units. Not negative.
enum err when_read_amount(struct bytes text, int64_t *minor) must_check;
void when_put_amount(struct buf *out, int64_t minor);
// "51.5406" with at most seven decimals: 1e-7 degrees, at most `degrees_max` either way.
enum err when_read_degrees(struct bytes text, int32_t degrees_max, int32_t *e7) must_check;
void when_put_degrees(struct buf *out, int32_t e7);
