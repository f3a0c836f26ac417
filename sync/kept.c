#include "sync/kept.h"

#include <stdlib.h>
#include <string.h>

enum { PIECES = 1024, KEPT_MS = 5 * 60 * 1000, HEADS = 64 };

struct kept_piece {
    struct kept_key key; // community 0: none
    int64_t made;
    uint64_t position;
    uint8_t root[CUT_SIZE];
    uint32_t packing;
    uint32_t size;
    struct buf data;
    struct buf authors;
};

struct signed_head {
    struct kept_head head; // of size 0: none
    uint8_t signature[SIGN_SIZE];
};

// The oldest piece is the next to go.
struct kept {
    size_t max;
    size_t bytes;
    size_t next;
    struct kept_piece pieces[PIECES];
    struct signed_head heads[HEADS]; // by the first byte of the community's id
};

static void drop(struct kept *kept, struct kept_piece *piece)
{
    kept->bytes -= piece->data.n;
    if (piece->data.p)
        bytes_wipe(piece->data.p, piece->data.n);
    buf_done(&piece->data);
    buf_done(&piece->authors);
    *piece = (struct kept_piece){.made = 0};
}

struct kept *kept_new(size_t bytes)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept)
        kept->max = bytes;
    return kept;
}

void kept_free(struct kept **kept)
{
    if (!*kept)
        return;
    for (size_t i = 0; i < PIECES; i++)
        drop(*kept, &(*kept)->pieces[i]);
    free(*kept);
    *kept = NULL;
}

static bool is_of(const struct kept_key *a, const struct kept_key *b)
{
    return a->community == b->community && a->from == b->from && a->view == b->view &&
           a->packings == b->packings;
}

static struct kept_piece *find(struct kept *kept, const struct kept_key *key)
{
    for (size_t i = 0; i < PIECES; i++) {
        if (is_of(&kept->pieces[i].key, key))
            return &kept->pieces[i];
    }
    return NULL;
}

// Until there is room for so many bytes.
static struct kept_piece *make_room(struct kept *kept, size_t n)
{
    struct kept_piece *piece = &kept->pieces[kept->next];
    for (size_t i = kept->next; kept->bytes + n > kept->max && i < kept->next + PIECES; i++)
        drop(kept, &kept->pieces[i % PIECES]);
    drop(kept, piece);
    kept->next = (kept->next + 1) % PIECES;
    return piece;
}

void kept_put(struct kept *kept, const struct kept_key *key, const struct piece *piece,
              struct bytes authors, int64_t now)
{
    size_t n = piece->pack->data.n;
    struct kept_piece *old = find(kept, key);
    if (old)
        drop(kept, old);
    if (n > kept->max / 2 || piece->root.n != CUT_SIZE)
        return;
    struct kept_piece *made = make_room(kept, n);
    made->made = now;
    made->position = piece->position;
    memcpy(made->root, piece->root.p, CUT_SIZE);
    made->packing = piece->pack->packing;
    made->size = piece->pack->size;
    buf_put(&made->data, piece->pack->data);
    buf_put(&made->authors, authors);
    kept->bytes += made->data.n;
    if (made->data.err || made->authors.err)
        drop(kept, made);
    else
        made->key = *key;
}

static bool has_author(const struct kept_piece *piece, const uint8_t *author)
{
    for (size_t at = 0; author && at < piece->authors.n; at += HANDLE_SIZE) {
        if (memcmp(piece->authors.p + at, author, HANDLE_SIZE) == 0)
            return true;
    }
    return false;
}

static bool copy(const struct kept_piece *from, struct arena *arena, struct piece *piece)
{
    piece->position = from->position;
    piece->root = arena_copy(arena, BYTES(from->root));
    piece->pack = arena_alloc(arena, 1, sizeof *piece->pack);
    if (!piece->root.p || !piece->pack)
        return false;
    *piece->pack =
        (struct pack){from->packing, from->size, arena_copy(arena, buf_bytes(&from->data))};
    return piece->pack->data.p != NULL;
}

bool kept_get(struct kept *kept, const struct kept_key *key, const uint8_t *author, int64_t now,
              struct arena *arena, struct piece *piece)
{
    const struct kept_piece *found = find(kept, key);
    bool is_fresh = found && now >= found->made && now - found->made < KEPT_MS;
    return is_fresh && !has_author(found, author) && copy(found, arena, piece);
}

void kept_forget(struct kept *kept, uint32_t community)
{
    for (size_t i = 0; i < PIECES; i++) {
        if (kept->pieces[i].key.community == community)
            drop(kept, &kept->pieces[i]);
    }
}

static bool is_same_head(const struct kept_head *a, const struct kept_head *b)
{
    return a->size == b->size && memcmp(a->root, b->root, HASH_SIZE) == 0 &&
           memcmp(a->log, b->log, HANDLE_SIZE) == 0 &&
           memcmp(a->community, b->community, COMMUNITY_SIZE) == 0;
}

void kept_put_signature(struct kept *kept, const struct kept_head *head,
                        const uint8_t signature[SIGN_SIZE])
{
    struct signed_head *place = &kept->heads[head->community[0] % HEADS];
    place->head = *head;
    memcpy(place->signature, signature, SIGN_SIZE);
}

bool kept_get_signature(const struct kept *kept, const struct kept_head *head,
                        uint8_t signature[SIGN_SIZE])
{
    const struct signed_head *place = &kept->heads[head->community[0] % HEADS];
    if (head->size == 0 || !is_same_head(&place->head, head))
        return false;
    memcpy(signature, place->signature, SIGN_SIZE);
    return true;
}
