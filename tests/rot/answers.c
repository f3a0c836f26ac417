#include <assert.h>
#include <stdio.h>

#include "tests/rot/rot.h"

static struct answer *next(struct answers *answers, const char *name)
{
    assert(answers->n < ANSWERS_MAX);
    struct answer *answer = &answers->all[answers->n++];
    *answer = (struct answer){.is_named = false};
    snprintf(answer->name, sizeof answer->name, "%s %s", answers->of ? answers->of : "", name);
    return answer;
}

void answers_add(struct answers *answers, const char *name, struct bytes given, bool is_named)
{
    struct answer *answer = next(answers, name);
    struct hash hash;
    answer->is_named = is_named;
    hash_begin(&hash, "answer");
    hash_put(&hash, given);
    hash_end(&hash, answer->hash);
}

void answers_sync_was_last(struct answers *answers)
{
    answers->sync = answers->n - 1;
}

static void add_number(struct answers *answers, const char *name, int number, bool is_named)
{
    uint8_t bytes[4];
    be32_put(bytes, (uint32_t)number);
    answers_add(answers, name, BYTES(bytes), is_named);
}

void answers_add_err(struct answers *answers, const char *name, enum err err)
{
    // Whose token is damaged is told to log in, which makes a new one.
    add_number(answers, name, (int)err,
               err == ERR_DAMAGED || err == ERR_IO || err == ERR_UNAUTHENTICATED);
}

void answers_add_code(struct answers *answers, const char *name, enum folkmoot_code code)
{
    add_number(answers, name, (int)code, code == FOLKMOOT_STORE);
}
