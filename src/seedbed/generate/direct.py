"""`direct`: one structured prompt, drawn again and again.

The baseline that every other method must beat on diversity: it knows no slots.
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.generate.prompting import OneQuestion


class Direct(OneQuestion):
    """Asks the library's prompt for the task, with the label and examples but without axes."""

    name: ClassVar[str] = "direct"
    version: ClassVar[int] = 1
    uses_axes: ClassVar[bool] = False
