"""Times of day as minutes after midnight. Before midnight is negative: dough is mixed the evening before."""


def minutes(text: str) -> int:
    """`06:30` is 390. Raises ValueError for what is no time of day."""
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"{text!r} is no time of day; write HH:MM")
    return int(hour) * 60 + int(minute)


def show(time: int) -> str:
    """390 is `06:30`, and -30 is `23:30 (-1)`: half past eleven on the day before."""
    day, rest = divmod(time, 24 * 60)
    shown = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{shown} ({day:+d})" if day else shown
