// Paths and proofs of a hub that errs or lies: each is refused for what is wrong with it.

#include <criterion/criterion.h>

#include "sync/digest.h"
#include "sync/frontier.h"

// Three entries: ((0 1) 2).
static uint8_t leaves[3][HASH_SIZE] = {{1}, {2}, {3}};
static uint8_t pair[HASH_SIZE];
static uint8_t root[HASH_SIZE];

static void set_up(void)
{
    digest_log_node(leaves[0], leaves[1], pair);
    digest_log_node(pair, leaves[2], root);
}

TestSuite(frontier, .init = set_up);

static struct list list_of(struct bytes *nodes, size_t n)
{
    return (struct list){nodes, n};
}

Test(frontier, path_that_is_cut_or_goes_on_does_not_hold)
{
    struct bytes path[] = {BYTES(leaves[1]), BYTES(leaves[2]), BYTES(leaves[2])};
    cr_expect(frontier_path_holds(list_of(path, 2), 0, 3, leaves[0], root));
    cr_expect_not(frontier_path_holds(list_of(path, 1), 0, 3, leaves[0], pair));
    cr_expect_not(frontier_path_holds(list_of(path, 3), 0, 3, leaves[0], root));
    cr_expect_not(frontier_path_holds(list_of(path, 0), 0, 3, leaves[0], leaves[0]));
    cr_expect_not(frontier_path_holds(list_of(path, 2), 0, 3, leaves[0], pair));
    cr_expect_not(frontier_path_holds(list_of(path, 1), 0, 1, leaves[0], pair), "one entry");
}

Test(frontier, path_of_an_entry_behind_the_end_does_not_hold)
{
    struct bytes path[] = {BYTES(pair)};
    cr_expect(frontier_path_holds(list_of(path, 1), 2, 3, leaves[2], root));
    cr_expect_not(frontier_path_holds(list_of(path, 1), 3, 3, leaves[2], root));
    cr_expect_not(frontier_path_holds(list_of(path, 0), 0, 0, leaves[0], leaves[0]));
}

Test(frontier, node_that_is_no_hash_is_refused)
{
    struct bytes path[] = {BYTES(leaves[1]), bytes_of(leaves[2], HASH_SIZE - 1)};
    cr_expect_not(frontier_path_holds(list_of(path, 2), 0, 3, leaves[0], root));
    cr_expect_not(frontier_is_consistent(list_of(path, 2), 2, pair, 3, root));
}

Test(frontier, proof_says_how_a_log_has_grown_and_nothing_beside)
{
    struct bytes proof[] = {BYTES(leaves[2]), BYTES(leaves[2])};
    cr_expect(frontier_is_consistent(list_of(proof, 1), 2, pair, 3, root));
    cr_expect_not(frontier_is_consistent(list_of(proof, 2), 2, pair, 3, root), "too long");
    cr_expect_not(frontier_is_consistent(list_of(proof, 0), 2, pair, 3, root), "too short");
    cr_expect_not(frontier_is_consistent(list_of(proof, 1), 2, pair, 3, pair), "another log");
    cr_expect_not(frontier_is_consistent(list_of(proof, 1), 2, root, 3, root), "another before");
}

Test(frontier, log_that_did_not_grow_is_the_same_and_needs_no_proof)
{
    struct bytes proof[] = {BYTES(leaves[2])};
    cr_expect(frontier_is_consistent(list_of(proof, 0), 3, root, 3, root));
    cr_expect_not(frontier_is_consistent(list_of(proof, 0), 3, pair, 3, root));
    cr_expect_not(frontier_is_consistent(list_of(proof, 1), 3, root, 3, root));
}

Test(frontier, log_never_shrinks_and_from_nothing_grows_without_a_proof)
{
    struct bytes proof[] = {BYTES(leaves[2])};
    cr_expect_not(frontier_is_consistent(list_of(proof, 1), 3, root, 2, pair));
    cr_expect_not(frontier_is_consistent(list_of(proof, 0), 3, root, 2, pair));
    cr_expect(frontier_is_consistent(list_of(proof, 0), 0, root, 3, root));
    cr_expect_not(frontier_is_consistent(list_of(proof, 1), 0, root, 3, root));
    cr_expect_not(frontier_is_consistent(list_of(proof, 0), 3, root, 4, pair), "no power of two");
}

Test(frontier, greatest_subtree_is_bounded)
{
    cr_expect_eq(frontier_level(0, UINT64_MAX), 62);
    cr_expect_eq(frontier_level(0, 1), 0);
    cr_expect_eq(frontier_level(3, 100), 0);
    cr_expect_eq(frontier_level(4, 3), 1);
}
