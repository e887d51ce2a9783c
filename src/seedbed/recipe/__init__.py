"""What the user declares: read, judged as a whole, and answered with line and remedy."""

from seedbed.recipe.axes import DOCUMENT, AskedAxis, Axis, AxisFile
from seedbed.recipe.budget import Budget
from seedbed.recipe.cover import CoverEntry, quotas
from seedbed.recipe.extends import RECIPE_FILE, Extends
from seedbed.recipe.filters import FilterEntry
from seedbed.recipe.generate import ORDINARY, AskedTemplates, EdgeCase, Generate
from seedbed.recipe.judges import roles_of_filters
from seedbed.recipe.licence import LicenceTerms
from seedbed.recipe.load import LoadedRecipe, check_cover, load_recipe
from seedbed.recipe.lock import read_lock, role_values, to_lock_yaml
from seedbed.recipe.method_needs import ALL_REAL, roles_asked, source_of
from seedbed.recipe.methods import MethodEntry
from seedbed.recipe.mix import Mix, SliceEntry
from seedbed.recipe.price import InputPrice, PriceEntry
from seedbed.recipe.recipe import Recipe
from seedbed.recipe.roles import (
    EmbedderRole,
    Endpoint,
    EndpointEntry,
    RecordedRole,
    RehearsalRole,
    Role,
    Roles,
    WireRole,
    wire_role,
)
from seedbed.recipe.secret import Secret
from seedbed.recipe.sources import Chunk, Source, Split
from seedbed.recipe.student import StudentEntry, options_of_student, roles_of_student
from seedbed.recipe.task import TaskSection
from seedbed.recipe.words import meant

__all__ = [
    "ALL_REAL",
    "DOCUMENT",
    "ORDINARY",
    "RECIPE_FILE",
    "AskedAxis",
    "AskedTemplates",
    "Axis",
    "AxisFile",
    "Budget",
    "Chunk",
    "CoverEntry",
    "EdgeCase",
    "EmbedderRole",
    "Endpoint",
    "EndpointEntry",
    "Extends",
    "FilterEntry",
    "Generate",
    "InputPrice",
    "LicenceTerms",
    "LoadedRecipe",
    "MethodEntry",
    "Mix",
    "PriceEntry",
    "Recipe",
    "RecordedRole",
    "RehearsalRole",
    "Role",
    "Roles",
    "Secret",
    "SliceEntry",
    "Source",
    "Split",
    "StudentEntry",
    "TaskSection",
    "WireRole",
    "check_cover",
    "load_recipe",
    "meant",
    "options_of_student",
    "quotas",
    "read_lock",
    "role_values",
    "roles_asked",
    "roles_of_filters",
    "roles_of_student",
    "source_of",
    "to_lock_yaml",
    "wire_role",
]
