"""A text file that is streamed into, and is there only once it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seedbed.core.errors import StoreError
from seedbed.store.atomic import sync_folder


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file beside `path`; at the end fsync it and rename it to `path`.

    Where the body raises, `path` stays as it was and the unfinished file is removed. Missing
    folders are made. Raises StoreError naming the path where the disk refuses.
    """
    unfinished = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # newline="": the formats decide on their own line ends.
            with unfinished.open("w", encoding="utf-8", newline="") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}; free space, fix permissions, or name another file"
        ) from error
