#!/usr/bin/env bash
# Plants known faults in a copy of the tree, one at a time, and shows which harness catches each. A
# harness that finds nothing is worth something only when it finds these.
#
#   tests/plant.sh [NAME…]     all of them, or the named
#   tests/plant.sh --dry       only says whether each still finds its place in the code
#
# Prints one line a fault. Exit status: 0 all were caught, 1 one was not, or could not be planted.
set -euo pipefail
cd "$(dirname "$0")/.."

tree=build/plant

worlds() {
    "$tree/build/release/tests/sim/sim_fast" --seed 1 --syncs 20000
}

town() {
    "$tree/build/release/tests/rot/rot" --flips 4000
}

cuts() {
    "$tree/build/release/tests/power/power" --states 20000
}

pains() {
    "$tree/build/release/tests/torture/torture" --most 100 --only "sync of a voice"
}

network() {
    tests/netns.sh "$tree/build/release/tests/$1"
}

suite() {
    "$tree/build/release/tests/$1" --jobs 1
}

# name ~ file ~ what is replaced, as a perl substitution over the whole file ~ target ~ harness
faults() {
    cat <<'FAULTS'
one commit in 97 never was, and is acknowledged~storage/txn.c~s/int result = mdb_txn_commit\(ended->mdb\);/static unsigned n; int result = 0; if (++n % 97) result = mdb_txn_commit(ended->mdb); else mdb_txn_abort(ended->mdb);/~sim_fast~worlds
a cover counts whatever its tag~sync/merge.c~s/target\.tag == cover->tag &&\s+//~test_sync_properties~suite sync/test_sync_properties
a cover that came first is forgotten~sync/merge.c~s/return question\.covered;/return question.covered \&\& false;/~sim_fast~worlds
a stance said later is gone over~sync/merge.c~s/return !is_stance \|\| cover->time >= time;/return !is_stance || cover->time >= time || true;/~test_sync_merge~suite sync/test_sync_merge
erased words are taken again when they come late~sync/chain.c~s/!erased_get\(([^;]*?NULL\))\)/!(erased_get(\1 \&\& community == 0))/s~test_sync_erase~suite sync/test_sync_erase
joined persons are counted apart~sync/tally.c~s/return joined_group\(hearing->persons, person\.p, &heard->person\);/heard->person = (uint32_t)hearing->n + (uint32_t)(person.n - person.n);\n    return OK;/~sim_fast~worlds
what is personal goes to everybody~sync/eye.c~s/case REACH_OWN:\n\s+return /case REACH_OWN:\n        return true || /~sim_fast~worlds
a change without live edits is not told of~sync/hub_pieces.c~s/p->class = envelope\.class;\n/p->class = envelope.class;\n    if (!err \&\& !fields.p)\n        return OK;\n/~sim_fast~worlds
a change that counts again is not in the tree~sync/hub_membership.c~s/tree_append\(decider->txn, community->number, position\);//~sim_fast~worlds
a receipt is one too high~sync/exchange_answer.c~s/progress\.receipt_seq = receipt->seq;/progress.receipt_seq = receipt->seq + (receipt->seq < own->seq);/~sim_fast~worlds
a request to erase reaches only what had a receipt~client/erase.c~s/if \(!ref->device\.n\)/if (!ref->device.n \&\& ref->seq == 0)/~sim_fast~worlds
a run's signature is not looked at~sync/hub_check.c~s/!signed_by\(([^;]*?run->signature)\)\)\n/!(signed_by(\1) || run->signature.n == SIGN_SIZE))\n/s~test_sync_forged~suite sync/test_sync_forged
what a role does not allow takes effect~sync/role.c~s/may \? REASON_NONE : REASON_NOT_PERMITTED/may ? REASON_NONE : REASON_NONE/~test_sync_trust_table~suite sync/test_sync_trust_table
the keys of erased words are kept~storage/txn.c~s/err = seal_destroy\(([^;]*?4\))\);/err = at == SIZE_MAX ? seal_destroy(\1) : OK;/s~test_storage_seal~suite storage/test_storage_seal
what is beside a missing row is not looked at~storage/table.c~s/return gap\.before_is_sound && gap\.behind_is_sound \? ERR_NOT_FOUND : txn_damaged\(txn\);/return gap.is_first ? ERR_NOT_FOUND : ERR_NOT_FOUND;/~rot~town
a voice that is damaged is left out in silence~sync/view.c~s/view->damaged = txn_damage\(txn\) != damage;/view->damaged = txn_damage(txn) < damage;/~rot~town
words that another key opens are words~storage/packed.c~s/, AS_THEY_ARE\)\)/, AS_THEY_ARE) || n > 0)/~rot~town
the directory of keys is not synced~storage/seal.c~s/return sync_directory\(seal->store\);/return seal->store ? OK : ERR_IO;/~power~cuts
a file is renamed before it is on disk~daemon/file.c~s/return fsync\(fd\) \? fail\(fault, "sync", path\) : OK;/return fd < 0 ? fail(fault, "sync", path) : OK;/~power~cuts
what memory refuses while a change is folded is left out~sync/fold.c~s/LOG_BARE \|\|\s+merge_envelope\(txn, entry->envelope, &arena, &envelope\)/LOG_BARE || envelope_decode(entry->envelope, \&arena, \&envelope, NULL)/~torture~pains
what a restored hub decided before counts on~sync/lineage.c~s/chain_at\(&chains, i\)->upto != chain_at\(&chains, i\)->hub\.upto/chain_at(\&chains, i)->upto > chain_at(\&chains, i)->hub.upto/~test_sync_anew~suite sync/test_sync_anew
a revoked key vouches for a new one~sync/hub_admit.c~s/role != ROLE_NONE &&\s+role != ROLE_HUB/role != ROLE_HUB/~test_sync_person~suite sync/test_sync_person
a failed commit is acknowledged~daemon/writer.c~s/if \(commit\(writer, &txn\) == OK\)\s+return;/(void)commit(writer, \&txn);\n    if (writer)\n        return;/~test_e2e_failing_disk folkmootd folkmootctl~network e2e/test_e2e_failing_disk
a hub on a full disk says that it is ready~daemon/writer.c~s/writer->counts\.failing = err;/writer->counts.failing = OK;/g~test_e2e_observe folkmootd folkmootctl~network e2e/test_e2e_observe
a monitor may drip for ever~daemon/scrape.c~s/visitor->deadline, SCRAPE_MS_MAX\)/visitor->deadline, 100 * SCRAPE_MS_MAX)/~test_e2e_observe folkmootd folkmootctl~network e2e/test_e2e_observe
a writer that hangs is said to live~daemon/writer.c~s/writer->asked = true;/writer->answered = true;\n    loop_bell_ring(writer->bell);/~test_daemon_writer~network daemon/test_daemon_writer
the same grant is decided again~sync/hub_membership.c~s/granted\.role == role\)/granted.role == ROLE_NONE)/~test_client_idempotent~suite client/test_client_idempotent
FAULTS
}

copy_tree() {
    mkdir -p "$tree"
    cp -r base proto storage sync client daemon tests CMakeLists.txt CMakePresets.json man docs samples \
        systemd "$tree/" 2>/dev/null || true
    rm -rf "$tree/tests/interop/node_modules"
    (cd "$tree" && cmake --preset release >/dev/null)
}

# plant NAME FILE CHANGE TARGETS HARNESS…
plant() {
    local name=$1 file=$2 change=$3 target=$4 verdict
    # shellcheck disable=SC2086
    shift 4
    cp "$file" "$tree/$file"
    perl -0pi -e "$change" "$tree/$file"
    if cmp -s "$file" "$tree/$file"; then
        verdict="NOT PLANTED"
    elif ! cmake --build "$tree/build/release" --target $target >"$tree/built" 2>&1; then
        verdict="NOT BUILT"
    elif "$@" >"$tree/said" 2>&1; then
        verdict="NOT CAUGHT"
    else
        verdict="caught"
    fi
    printf '%-56s %-12s %s\n' "$name" "$verdict" "$*"
    cp "$file" "$tree/$file"
    [ "$verdict" = caught ]
}

# Whoever changes a planted place hears of it at once.
dry() {
    local name file change rest lost=0
    while IFS='~' read -r name file change rest; do
        if perl -0pe "$change" "$file" | cmp -s - "$file"; then
            echo "plant: $file: \"$name\" finds its place no more"
            lost=1
        fi
    done < <(faults)
    [ "$lost" -eq 0 ]
}

main() {
    local name file change target harness all=0 caught=0
    if [ "${1:-}" = --dry ]; then
        dry
        return
    fi
    copy_tree
    while IFS='~' read -r name file change target harness; do
        if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
            continue
        fi
        all=$((all + 1))
        # shellcheck disable=SC2086
        if plant "$name" "$file" "$change" "$target" $harness; then
            caught=$((caught + 1))
        fi
    done < <(faults)
    echo "plant: $caught of $all caught"
    [ "$caught" -eq "$all" ]
}

main "$@"
