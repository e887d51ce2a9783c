"""`template`: prompt templates times slots, one question a cell.

Conditioning on attributes, sampled uniformly, gives variety that temperature does not
(AttrPrompt, Yu et al. 2023, arXiv 2306.15895).
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.generate.prompting import OneQuestion


class Template(OneQuestion):
    """Asks the cell's template once, with every slot filled."""

    name: ClassVar[str] = "template"
    version: ClassVar[int] = 1
    uses_axes: ClassVar[bool] = True
