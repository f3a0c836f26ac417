#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t n;
    size_t cap;
    alignas(max_align_t) uint8_t bytes[];
};

enum { BLOCK_MIN = 4096 };

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

void arena_init_lent(struct arena *arena, void *memory, size_t n)
{
    struct arena_block *block = memory;
    assert(n > sizeof *block);
    *block = (struct arena_block){.cap = n - sizeof *block};
    *arena = (struct arena){.blocks = block, .max = block->cap, .is_lent = true};
}

void arena_done(struct arena *arena)
{
    struct arena_block *block = arena->is_lent ? NULL : arena->blocks;
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
    arena->blocks = NULL;
    arena->used = 0;
    arena->err = OK;
}

static struct arena_block *block_new(struct arena *arena, size_t n)
{
    size_t cap = arena->blocks ? arena->blocks->cap * 2 : BLOCK_MIN;
    if (cap > (1 << 20))
        cap = 1 << 20;
    if (cap < n)
        cap = n;
    struct arena_block *block = malloc(sizeof *block + cap);
    if (!block)
        return NULL;
    block->next = arena->blocks;
    block->n = 0;
    block->cap = cap;
    arena->blocks = block;
    return block;
}

static void *refuse(struct arena *arena, enum err err)
{
    if (!arena->err)
        arena->err = err;
    return NULL;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n) || n > arena->max - arena->used)
        return refuse(arena, ERR_LIMIT);
    if (n > PTRDIFF_MAX - sizeof(struct arena_block))
        return refuse(arena, ERR_LIMIT);
    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct arena_block *block = arena->blocks;
    if (!block || block->cap - block->n < n)
        block = arena->is_lent ? NULL : block_new(arena, n);
    if (!block)
        return refuse(arena, arena->is_lent ? ERR_LIMIT : ERR_NOMEM);
    void *p = block->bytes + block->n;
    block->n += n;
    arena->used += n < arena->max - arena->used ? n : arena->max - arena->used;
    return memset(p, 0, n);
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    uint8_t *p = arena_alloc(arena, 1, bytes.n ? bytes.n : 1);
    if (p && bytes.n)
        memcpy(p, bytes.p, bytes.n);
    return bytes_of(p, p ? bytes.n : 0);
}
