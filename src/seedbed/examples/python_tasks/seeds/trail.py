"""A hiking trail on a grid of heights."""

import heapq
from itertools import pairwise


def climb(heights, path):
    """(up, down) in metres along a path of (row, column)."""
    up = down = 0
    for (r, c), (nr, nc) in pairwise(path):
        step = heights[nr][nc] - heights[r][c]
        if step > 0:
            up += step
        else:
            down -= step
    return up, down


def easiest(heights, start, goal):
    """The least sum of climbing from start to goal, moving up, down, left and right."""
    rows, columns = len(heights), len(heights[0])
    best = {start: 0}
    queue = [(0, start)]
    while queue:
        cost, (r, c) = heapq.heappop(queue)
        if (r, c) == goal:
            return cost
        if cost > best[r, c]:
            continue
        for nr, nc in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if 0 <= nr < rows and 0 <= nc < columns:
                more = cost + max(0, heights[nr][nc] - heights[r][c])
                if more < best.get((nr, nc), float("inf")):
                    best[nr, nc] = more
                    heapq.heappush(queue, (more, (nr, nc)))
    raise ValueError("the goal is not on the map")
