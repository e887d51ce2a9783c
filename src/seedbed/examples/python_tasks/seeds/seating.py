"""Who sits where at the long tables of a village feast."""

from itertools import combinations


def seat(groups, table):
    """Put groups on tables of so many seats, the largest first, each where the least room is left.

    A group is never split; one that is larger than a table is refused.
    """
    tables = []
    for name, size in sorted(groups.items(), key=lambda item: (-item[1], item[0])):
        if size > table:
            raise ValueError(f"{name} needs {size} seats, and a table has {table}")
        fitting = [t for t in tables if table - t["taken"] >= size]
        if fitting:
            best = min(fitting, key=lambda t: table - t["taken"])
        else:
            best = {"taken": 0, "groups": []}
            tables.append(best)
        best["taken"] += size
        best["groups"].append(name)
    return [t["groups"] for t in tables]


def quarrels(tables, apart):
    """Pairs that must not share a table and do."""
    wrong = set()
    for groups in tables:
        for pair in combinations(sorted(groups), 2):
            if pair in apart or pair[::-1] in apart:
                wrong.add(pair)
    return sorted(wrong)
