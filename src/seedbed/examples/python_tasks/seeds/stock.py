"""Stock of a nursery: lots of plants that come in, and go out again first in, first out."""

from collections import defaultdict, deque


class Stock:
    def __init__(self):
        self._lots = defaultdict(deque)

    def put(self, plant, count, week):
        if count <= 0:
            raise ValueError("a lot has at least one plant")
        self._lots[plant].append([week, count])

    def take(self, plant, count):
        """Take plants from the oldest lots. Returns (week, count) of each lot touched."""
        lots = self._lots[plant]
        if sum(left for _, left in lots) < count:
            raise LookupError(f"not enough {plant}")
        taken = []
        while count:
            week, left = lots[0]
            used = min(left, count)
            taken.append((week, used))
            count -= used
            if used == left:
                lots.popleft()
            else:
                lots[0][1] = left - used
        return taken

    def older_than(self, week):
        return {
            plant: sum(left for since, left in lots if since < week)
            for plant, lots in self._lots.items()
            if any(since < week for since, _ in lots)
        }
