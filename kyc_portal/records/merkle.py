"""The hash tree over the sealed events (RFC 6962, section 2.1): grown at its right edge, proven by short paths.

The right edge of a tree of n leaves is the list of the roots of its full subtrees, one for each bit of n, largest
first; it is all that is needed to add leaves and to know the root.
"""

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256().digest()
WIDTH = 32


def leaf_hash(canonical: bytes) -> bytes:
    """SHA-256(00 || canonical bytes)."""
    return hashlib.sha256(b"\x00" + canonical).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(edge: Sequence[bytes], size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The right edge after these leaf hashes are added to a tree of `size` leaves with this edge."""
    grown = list(edge)
    if len(grown) != size.bit_count():
        raise ValueError("The right edge does not fit the size.")
    for number, leaf in enumerate(leaves, start=size):
        while number & 1:
            leaf = node_hash(grown.pop(), leaf)
            number >>= 1
        grown.append(leaf)
    return grown


def root_of(edge: Sequence[bytes]) -> bytes:
    """The root of the tree with this right edge."""
    if not edge:
        return EMPTY
    root = edge[-1]
    for subtree in reversed(edge[:-1]):
        root = node_hash(subtree, root)
    return root


def join_edge(edge: Sequence[bytes]) -> bytes:
    """The edge as one value to store."""
    return b"".join(edge)


def split_edge(stored: bytes) -> list[bytes]:
    """The edge as it was before it was stored."""
    return [stored[place : place + WIDTH] for place in range(0, len(stored), WIDTH)]


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    """The root of the tree over these leaf hashes."""
    return root_of(grow([], 0, leaves))


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (of 2 or more)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index`, from the leaf upwards; raises IndexError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError("There is no such leaf.")
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*inclusion_path(leaves[:middle], index), root_of_leaves(leaves[middle:])]
    return [*inclusion_path(leaves[middle:], index - middle), root_of_leaves(leaves[:middle])]


def is_included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that this leaf hash stands at `index` in the tree of `size` leaves with this root."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistency_path(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over the first `old` leaves begins this one; raises IndexError for a bad size."""
    if not 0 < old <= len(leaves):
        raise IndexError("There was no such tree.")
    return _consistency(leaves, old, is_whole=True)


def _consistency(leaves: Sequence[bytes], old: int, *, is_whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if is_whole else [root_of_leaves(leaves)]
    middle = _split(len(leaves))
    if old <= middle:
        return [*_consistency(leaves[:middle], old, is_whole=is_whole), root_of_leaves(leaves[middle:])]
    return [*_consistency(leaves[middle:], old - middle, is_whole=False), root_of_leaves(leaves[:middle])]


def is_consistent(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the path proves that the tree of `old` leaves is a beginning of the tree of `new` leaves."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)  # a full tree is its own first step
    if not steps:
        return False
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, step)
        place, last = place >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
