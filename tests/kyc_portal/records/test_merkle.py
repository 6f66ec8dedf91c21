"""The tree against a plain reading of RFC 6962: proofs hold, and nothing else passes for one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyc_portal.records import merkle

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def naive_root(leaves: list[bytes]) -> bytes:
    """Section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    left, right = naive_root(leaves[:middle]), naive_root(leaves[middle:])
    return hashlib.sha256(b"\x01" + left + right).digest()


class TestRoot:
    def test_the_published_test_vectors(self):
        inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        leaves = [merkle.leaf_hash(bytes.fromhex(each)) for each in inputs]

        assert merkle.EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        assert merkle.root_of_leaves(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

    @given(LEAVES)
    def test_it_is_the_root_of_the_plain_tree(self, leaves):
        assert merkle.root_of_leaves(leaves) == naive_root(leaves)

    @given(LEAVES, st.integers(0, 70))
    def test_a_tree_grown_in_two_steps_is_the_same(self, leaves, middle):
        first = merkle.grow([], 0, leaves[:middle])

        grown = merkle.grow(first, len(leaves[:middle]), leaves[middle:])

        assert grown == merkle.grow([], 0, leaves)
        assert merkle.split_edge(merkle.join_edge(grown)) == grown

    def test_an_edge_of_another_size_is_refused(self):
        with pytest.raises(ValueError, match="does not fit"):
            merkle.grow([bytes(32)], 3, [])


class TestInclusion:
    @given(LEAVES, st.data())
    def test_each_leaf_is_proven(self, leaves, data):
        index = data.draw(st.integers(0, len(leaves) - 1))
        path, root = merkle.inclusion_path(leaves, index), naive_root(leaves)

        assert merkle.is_included(leaves[index], index, len(leaves), path, root)
        assert len(path) <= len(leaves).bit_length()

    @given(LEAVES, st.data())
    def test_nothing_else_is(self, leaves, data):
        index = data.draw(st.integers(0, len(leaves) - 1))
        path, root, size = merkle.inclusion_path(leaves, index), naive_root(leaves), len(leaves)

        assert not merkle.is_included(merkle.leaf_hash(b"x"), index, size, path, root)
        assert not merkle.is_included(leaves[index], index, size, path, merkle.leaf_hash(b"x"))
        assert not merkle.is_included(leaves[index], index, size, [*path, bytes(32)], root)
        assert not merkle.is_included(leaves[index], size, size, path, root)
        assert not path or not merkle.is_included(leaves[index], index, size, path[:-1], root)

    def test_there_is_no_proof_of_a_leaf_that_is_not_there(self):
        with pytest.raises(IndexError):
            merkle.inclusion_path([bytes(32)], 1)


class TestConsistency:
    @given(LEAVES, st.data())
    def test_a_tree_is_proven_to_begin_another(self, leaves, data):
        old = data.draw(st.integers(1, len(leaves)))
        path = merkle.consistency_path(leaves, old)

        assert merkle.is_consistent(old, len(leaves), path, naive_root(leaves[:old]), naive_root(leaves))

    @given(LEAVES, st.data())
    def test_a_tree_with_another_past_is_not(self, leaves, data):
        old = data.draw(st.integers(1, len(leaves)))
        place = data.draw(st.integers(0, old - 1))
        forged = [*leaves[:place], merkle.leaf_hash(b"forged"), *leaves[place + 1 :]]

        path = merkle.consistency_path(forged, old)

        assert not merkle.is_consistent(old, len(leaves), path, naive_root(leaves[:old]), naive_root(forged))

    @given(LEAVES, st.data())
    def test_a_path_that_is_too_long_or_too_short_proves_nothing(self, leaves, data):
        old, new = data.draw(st.integers(1, len(leaves))), len(leaves)
        path, roots = merkle.consistency_path(leaves, old), (naive_root(leaves[:old]), naive_root(leaves))

        assert not merkle.is_consistent(old, new, [*path, bytes(32)], *roots)
        assert not path or not merkle.is_consistent(old, new, path[:-1], *roots)

    def test_no_tree_begins_a_smaller_one(self):
        assert not merkle.is_consistent(2, 1, [], bytes(32), bytes(32))
        assert not merkle.is_consistent(0, 1, [], merkle.EMPTY, bytes(32))
        with pytest.raises(IndexError):
            merkle.consistency_path([bytes(32)], 2)
