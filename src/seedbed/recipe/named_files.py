"""Files that an option names: read whole, with errors that say what to do."""

from __future__ import annotations

from pathlib import Path


def read_named_file(path: Path) -> str:
    """The text of a file of the user's, a byte order mark apart. Raises ValueError with the way out."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ValueError(f"no such file: {path}; paths are relative to the recipe's folder") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
