"""The recipe as a whole: what a user declares for one run, every default filled in."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from seedbed.core.cell import asker_of
from seedbed.recipe.budget import Budget
from seedbed.recipe.filters import FilterEntry
from seedbed.recipe.generate import Generate
from seedbed.recipe.mix import Mix
from seedbed.recipe.roles import RehearsalRole, Role, Roles
from seedbed.recipe.section import Section, Text
from seedbed.recipe.sources import Source
from seedbed.recipe.student import StudentEntry
from seedbed.recipe.task import TaskSection

NAME_OF_A_RUN = r"[a-z0-9][a-z0-9-]{0,63}"


def _run_name(name: str) -> str:
    if not re.fullmatch(NAME_OF_A_RUN, name):
        raise ValueError(
            "a recipe's name has up to 64 small letters, digits and -, and begins with a letter or digit: "
            "it names the run's folder"
        )
    return name


RunName = Annotated[Text, AfterValidator(_run_name)]


class Header(Section):
    """What stands beside the sections."""

    name: RunName = Field(description="small letters, digits and -; it names the run's folder")
    use: Literal["research", "commercial", "competing"] = Field(
        "commercial",
        description="what models trained on the data are for: `research`, `commercial` or `competing`",
    )
    licence: Text | None = Field(
        None, description="licence that the data will be published under; it goes on the data card"
    )


class Recipe(Header):
    """One declared run."""

    task: TaskSection = Field(description="the kind of data and its fields")
    sources: dict[str, Source] = Field(default_factory=dict, description="real data by name; none is fine")
    roles: Roles = Field(description="which model answers (default: the rehearsal teacher)")
    generate: Generate = Field(description="how much is wanted, of what, and how it is asked for")
    filters: tuple[FilterEntry, ...] = Field(
        description="`default`, or a list of names, `-name` and `{name: {options}}`; `[]` is none"
    )
    mix: Mix | None = Field(None, description="how generated and real rows are mixed for training")
    student: StudentEntry | None = Field(
        None, description="the model trained to prove the data: a name, or `{name: {options}}`"
    )
    budget: Budget = Field(default_factory=Budget, description="what the run may spend")
    export: tuple[str, ...] = Field((), description="formats that the finished data is written in")

    @property
    def teacher(self) -> Role:
        return self.roles.teacher

    @property
    def is_rehearsal(self) -> bool:
        """Whether the data proves the pipeline alone and is no training data."""
        return isinstance(self.teacher, RehearsalRole)

    @property
    def asker(self) -> str:
        """Under which name the reply log keeps what is asked: see `asker_of`."""
        return asker_of(self.name, rehearsal=self.is_rehearsal)
