#pragma once

// Requests of a peer's that are large on purpose: runs of very many changes, packs that are bombs.
// Any thread.

#include "tests/e2e/peer.h"

// Encodes a SyncRequest with one signed run of n changes after the chain's end, each a need with
// so many edits of two bytes, in packs. after: out, the chain behind them. The caller's (buf_done).
void mass_edits(const struct peer *peer, size_t n, size_t edits, struct buf *request,
                struct peer *after);
// One pack that claims so many bytes and unpacks to `holds` of fields that nobody
// knows, n times in a run.
void mass_bomb(const struct peer *peer, uint32_t claims, size_t holds, size_t n,
               struct buf *request);
// A run of n needs with these words, said about a minute apart. after may be the peer itself.
void mass_texts(const struct peer *peer, const char *const *texts, size_t n, struct buf *request,
                struct peer *after);

struct mass_voice {
    uint8_t need[ID_SIZE];
    uint8_t person[ID_SIZE];
    uint32_t stance;
};

// A run of n voices on needs, said a moment apart. after may be the peer itself.
void mass_voices(const struct peer *peer, const struct mass_voice *voices, size_t n,
                 struct buf *request, struct peer *after);
