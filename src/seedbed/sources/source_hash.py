"""One SHA-256 for a source: of its file, or of every file in its folder or of its glob.

The eval lock keeps it (`EvalInfo.sha256`), and whoever opens the eval again holds the file to it.
"""

from __future__ import annotations

import hashlib

from seedbed.core.errors import SourceError
from seedbed.sources.spec import SourceSpec
from seedbed.sources.text_folder import text_files
from seedbed.store.atomic import file_hash


def source_hash(spec: SourceSpec) -> str:
    """Hexadecimal SHA-256. For several files: of their paths and hashes, in the order of paths.

    So a glob that matches one file more, or one less, has another hash.
    """
    try:
        found = spec.matches()
        if found is None and not spec.path.is_dir():
            return file_hash(spec.path)
        base, files = (found.base, found.files) if found else (spec.path, text_files(spec.path))
        state = hashlib.sha256()
        for file in files:
            inside = file.relative_to(base).as_posix()
            state.update(f"{file_hash(file)} {inside}\n".encode("utf-8", "surrogateescape"))
        return state.hexdigest()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SourceError(
            f"{spec.path}: cannot be read: {reason}; check the source's path and rights"
        ) from None
