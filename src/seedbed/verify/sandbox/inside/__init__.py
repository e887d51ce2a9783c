"""What runs inside a sandbox: the standard library alone, since nothing else is there.

`zygote` is the first process; it starts one confined child for each program. A child is a `solution`,
which answers calls, or a `trial`, which makes them and says whether its tests held.
"""
