"""Models of embeddings in a folder of this machine, loaded where they are first used and never downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Library = Literal["sentence_transformers", "model2vec"]
Vectors = NDArray[np.float32]

_HASHED_AT_A_TIME = 1 << 20


class LocalModel(BaseModel):
    """A folder with a sentence-transformers or model2vec model; `content` tells it from another there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    written: str
    library: Library
    content: str
    folder: str = Field(exclude=True)  # where it stands decides nothing

    @classmethod
    def at(cls, written: str, base: Path) -> LocalModel:
        """The model in a folder, relative to `base`. Raises ValueError with the way out."""
        folder = (base / written).absolute()
        if not folder.is_dir():
            raise ValueError(
                f"there is no folder {folder}, and Seedbed downloads no model; save one there, with "
                "`save` (sentence-transformers) or `save_pretrained` (model2vec), or write lexical or role"
            )
        library = _library_of(folder)
        if library is None:
            raise ValueError(
                f"{folder} holds no model of sentence-transformers or model2vec: its modules.json lists no "
                "modules, and its config.json is not that of a model2vec model"
            )
        return cls(written=written, library=library, content=_content(folder), folder=str(folder))

    @property
    def lacks(self) -> str:
        """What is to be installed for it; "" where nothing is."""
        if find_spec(self.library) is not None:
            return ""
        return f"needs {self.library}: pip install 'seedbed[{self.library.replace('_', '-')}]'"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32 of shape (texts, dimensions).

        One text at a time: in a batch the others' lengths would show in the last bits of its vector.
        """
        encode = _load(self.folder, self.library, self.content)
        return np.stack([encode(text) for text in texts]).astype(np.float32, copy=False)


def _library_of(folder: Path) -> Library | None:
    """model2vec saves what sentence-transformers reads too, and takes the smaller library to load."""
    modules, config = _json(folder / "modules.json"), _json(folder / "config.json")
    if isinstance(modules, list) and modules:
        static = "StaticEmbedding" in str(modules[0])
        return "model2vec" if static else "sentence_transformers"
    if isinstance(config, dict) and config.get("model_type") == "model2vec":
        return "model2vec"
    return None


def _json(file: Path) -> Any:
    """None where there is no such file, or no JSON in it."""
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _content(folder: Path) -> str:
    """Hash of the names and bytes of all files."""
    whole = blake2b(digest_size=16)
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as opened:
            while part := opened.read(_HASHED_AT_A_TIME):
                whole.update(part)
    return whole.hexdigest()


@lru_cache(maxsize=1)
def _load(folder: str, library: Library, content: str) -> Callable[[str], Vectors]:
    """From one text, with a UTF-8 form or without, to its vector."""
    if library == "model2vec":
        from model2vec import StaticModel

        static = StaticModel.from_pretrained(folder)
        return lambda text: static.encode([_encodable(text)], max_length=None)[0]
    from sentence_transformers import SentenceTransformer

    import_module("transformers.utils.logging").disable_progress_bar()
    model = SentenceTransformer(folder, device="cpu", local_files_only=True)
    return lambda text: model.encode([_encodable(text)], show_progress_bar=False)[0]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
