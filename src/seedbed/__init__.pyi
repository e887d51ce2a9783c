from seedbed.core.cell import Cell as Cell
from seedbed.core.chat import ChatReply as ChatReply
from seedbed.core.chat import ChatRequest as ChatRequest
from seedbed.core.chat import Choice as Choice
from seedbed.core.errors import (
    BudgetReached as BudgetReached,
)
from seedbed.core.errors import (
    EndpointError as EndpointError,
)
from seedbed.core.errors import (
    InputError as InputError,
)
from seedbed.core.errors import (
    RecipeError as RecipeError,
)
from seedbed.core.errors import (
    SeedbedError as SeedbedError,
)
from seedbed.core.protocols import (
    Asking as Asking,
)
from seedbed.core.protocols import (
    ChatModel as ChatModel,
)
from seedbed.core.protocols import (
    CorpusFilter as CorpusFilter,
)
from seedbed.core.protocols import (
    Draft as Draft,
)
from seedbed.core.protocols import (
    FilterContext as FilterContext,
)
from seedbed.core.protocols import (
    Method as Method,
)
from seedbed.core.protocols import (
    ModelFilter as ModelFilter,
)
from seedbed.core.protocols import (
    RecordFilter as RecordFilter,
)
from seedbed.core.protocols import (
    Task as Task,
)
from seedbed.core.record import Provenance as Provenance
from seedbed.core.record import Record as Record
from seedbed.core.verdict import Verdict as Verdict
from seedbed.run.audit import Audit as Audit
from seedbed.run.notebook import Recipe as Recipe
from seedbed.run.notebook import Run as Run
from seedbed.run.notebook import audit as audit
from seedbed.run.notebook import preview as preview
from seedbed.run.notebook import run as run
from seedbed.run.preview import Preview as Preview
from seedbed.run.progress import Progress as Progress

__version__: str
__all__: list[str]
