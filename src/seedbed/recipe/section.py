"""What all sections of a recipe share: frozen models that refuse unknown keys and do not guess types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializeAsAny,
    StringConstraints,
)
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from seedbed.core.registry import Registry
from seedbed.recipe.findings import Findings


class Section(BaseModel):
    """Base of the recipe's models. A description of a field stands word for word in docs/recipe.md."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class _OneOrMore:
    """A single value is a list of one, for the model and in its JSON Schema."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        listed = handler(schema)
        return {"anyOf": [listed["items"], listed]}

    @staticmethod
    def _as_list(value: Any) -> Any:
        return value if isinstance(value, list | tuple) else [value]


# YAML has types of its own, so "5" is never taken for 5 nor 5 for true.
Int = Annotated[int, Field(strict=True)]
Float = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Bool = Annotated[bool, Field(strict=True)]
Text = Annotated[str, StringConstraints(strict=True, min_length=1)]

OneOrMore = _OneOrMore()

Options = SerializeAsAny[BaseModel]


@dataclass(frozen=True)
class Reading:
    """What the readers of the sections have in hand."""

    findings: Findings
    registry: Registry
    folder: Path
    env: Mapping[str, str]
    default_filters: Sequence[str]
