#pragma once

// Numbers from a seed (splitmix64): what happens in a test is decided by one number.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
    uint64_t v = dice->state += 0x9e3779b97f4a7c15;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

// 0 to n - 1; 0 when n is 0.
static inline size_t dice_below(struct dice *dice, size_t n)
{
    return n ? (size_t)(dice_next(dice) % n) : 0;
}

static inline bool dice_percent(struct dice *dice, unsigned percent)
{
    return dice_below(dice, 100) < percent;
}

static inline void dice_bytes(struct dice *dice, void *out, size_t n)
{
    uint8_t *p = out;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)dice_next(dice);
}
