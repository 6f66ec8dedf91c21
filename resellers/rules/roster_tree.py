"""Who sublets from whom, and how deep (R24): each customer's depth under the reseller, and whose parent is wrong."""

from collections.abc import Callable, Mapping

UNKNOWN = "Column parent_number names no customer of this roster. Add that customer, or correct the number."
NOT_USABLE = "Column parent_number names a customer whose own row cannot be used. Correct that row first."
CYCLE = "Column parent_number leads back to this customer. Correct one of the numbers of the circle."


def too_deep(most_depth: int) -> str:
    """Why a customer stands too deep."""
    return f"More than {most_depth} customers stand between this one and you. Ask us how to state it."


def resolve(
    parents: Mapping[str, str], *, is_known: Callable[[str], bool], most_depth: int
) -> tuple[dict[str, int], dict[str, str]]:
    """The depth of each customer that has a parent, and for each that cannot stand where it does, why.

    `parents` gives the parent's number of each customer that has one. `is_known` tells of any other number whether it
    is a customer who stands directly under the reseller. Depth counts how many stand between the two.
    """
    depths: dict[str, int] = {}
    faults: dict[str, str] = {}
    for start in parents:
        path, on_path, number = [], set(), start
        while number in parents and number not in depths and number not in faults and number not in on_path:
            path.append(number)
            on_path.add(number)
            number = parents[number]
        if number in on_path:
            circle = path[path.index(number) :]
            faults.update(dict.fromkeys(circle, CYCLE))
            path = path[: -len(circle)]
        elif number not in parents and not is_known(number):
            faults[path.pop()] = UNKNOWN
        _place(path, parents, depths, faults, most_depth)
    return depths, faults


def _place(path: list[str], parents: Mapping[str, str], depths: dict, faults: dict, most_depth: int) -> None:
    """Give each customer of a path its depth, from the top down."""
    for number in reversed(path):
        above = parents[number]
        if above in faults:
            is_deep = faults[above] == too_deep(most_depth)
            faults[number] = faults[above] if is_deep else NOT_USABLE
            continue
        depth = depths.get(above, 0) + 1
        if depth > most_depth:
            faults[number] = too_deep(most_depth)
        else:
            depths[number] = depth
