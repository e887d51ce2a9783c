"""How fast each filter is beside a bare tool for it: `python -m benchmarks.filter_rates`.

`rows` makes the data, `bare` holds the tools and `ours` the filters; `__main__` runs them in turns.
"""
