"""Phase C of a round: model filters over what its corpus filters left, while the next round generates.

Where a model filter rejects a record that twins had fallen to, those twins go through the corpus
filters once more without it, and who of them stays is judged in turn. This happens once: what is
rejected then has no successor. Nothing here depends on the order in which answers come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from seedbed.core.errors import BudgetReached, EndpointError
from seedbed.core.fate import fate_of
from seedbed.core.protocols import ModelFilter
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.closing import CellResult
from seedbed.run.content_asking import ContentSpace, RecordAsking
from seedbed.run.corpus import Member
from seedbed.run.replaying import NotLogged
from seedbed.store.asked import AskedContents
from seedbed.store.replies import ReplyLog

# The corpus filters over members in rank order, in the thread that closes rounds: verdicts by record.
KinPass = Callable[[Sequence[Member]], Awaitable[Mapping[str, Sequence[Verdict]]]]
Stop = Callable[[BudgetReached | EndpointError], None]


@dataclass(frozen=True, slots=True)
class _Draft:
    """A draft of the round with its corpus keys and the verdicts of its record and corpus filters."""

    record: Record
    keys: Mapping[str, Sequence[int]]
    verdicts: Sequence[Verdict]

    @property
    def member(self) -> Member:
        return Member(self.record, self.keys)


@dataclass
class _Judged:
    """`later`: verdicts that follow those of the corpus filters, by record. `awaiting`: records that
    a stop left without an answer; their fate is open."""

    later: dict[str, list[Verdict]] = field(default_factory=dict)
    awaiting: set[str] = field(default_factory=set)

    def rejected(self) -> set[str]:
        return {record for record, verdicts in self.later.items() if not fate_of(verdicts).accepted}


class Judging:
    """The model filters of a run. `width` records are under way at a time."""

    def __init__(
        self,
        filters: Sequence[ModelFilter],
        space: ContentSpace,
        log: ReplyLog,
        asked: AskedContents,
        width: int,
    ) -> None:
        self._filters = filters
        self._space = space
        self._log = log
        self._asked = asked
        self._width = width

    async def judge_round(
        self,
        results: Mapping[int, CellResult],
        look_for_kin: KinPass,
        stopping: Callable[[], bool],
        stop: Stop,
    ) -> tuple[dict[int, CellResult], dict[str, list[Verdict]]]:
        """Phases B and C: verdicts of the corpus and model filters by record, and the results they are on.

        While `stopping()` no question is sent and the log alone answers. A cell with a draft that so
        stays unjudged is left out of the results, to be pending. An error that ends the run goes to
        `stop`, which must make it so.
        """
        checked = [draft for at in sorted(results) for draft in results[at].drafts]
        kin = await look_for_kin([Member(record, found.keys) for record, found in checked if found.kept])
        passed = {record: list(verdicts) for record, verdicts in kin.items()}
        drafts = [
            _Draft(record, found.keys, [*found.verdicts, *passed.get(record.id, ())])
            for record, found in checked
        ]
        judged = await self._judge(drafts, look_for_kin, stopping, stop)
        for record, later in judged.later.items():
            passed.setdefault(record, []).extend(later)
        whole = {
            at: result
            for at, result in results.items()
            if judged.awaiting.isdisjoint(record.id for record, _ in result.drafts)
        }
        return whole, passed

    async def _judge(
        self, drafts: Sequence[_Draft], look_again: KinPass, stopping: Callable[[], bool], stop: Stop
    ) -> _Judged:
        found = _Judged()
        survivors = [draft for draft in drafts if fate_of(draft.verdicts).accepted]
        await self._ask_about([draft.record for draft in survivors], found, stopping, stop)
        rejected = found.rejected()
        candidates = self._candidates(drafts, rejected)
        if not candidates:
            return found
        # Listed first, so that whoever stays outranks whoever comes back.
        staying = [draft for draft in survivors if draft.record.id not in rejected]
        verdicts = await look_again([draft.member for draft in (*staying, *candidates)])
        promoted: list[Record] = []
        for draft in candidates:
            standing = {verdict.filter_name: verdict for verdict in draft.verdicts}
            changed = [v for v in verdicts[draft.record.id] if v != standing.get(v.filter_name)]
            found.later[draft.record.id] = changed
            if fate_of([*draft.verdicts, *changed]).accepted:
                promoted.append(draft.record)
        await self._ask_about(promoted, found, stopping, stop)
        return found

    def _candidates(self, drafts: Sequence[_Draft], gone: Set[str]) -> list[_Draft]:
        """Drafts that fell as twins of a record that is gone now, but for those of the very same
        content: what the judge would say of them is known."""
        known = {scope for draft in drafts if draft.record.id in gone for scope in self.scopes(draft.record)}
        return [
            draft
            for draft in drafts
            if any(not v.keep and v.survivor in gone for v in draft.verdicts)
            and known.isdisjoint(self.scopes(draft.record))
        ]

    def scopes(self, record: Record) -> list[bytes]:
        """Under which its questions about a record stand in the log."""
        return [self._space.scope(filter_, record) for filter_ in self._filters]

    async def _ask_about(
        self, records: Sequence[Record], found: _Judged, stopping: Callable[[], bool], stop: Stop
    ) -> None:
        if not stopping():
            await asyncio.to_thread(self._note_asked, records)
        waiting = iter(records)

        async def work() -> None:
            for record in waiting:
                verdicts = await self._verdicts(record, stopping, stop)
                if verdicts is None:
                    found.awaiting.add(record.id)
                else:
                    found.later.setdefault(record.id, []).extend(verdicts)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._width, len(records))):
                group.create_task(work())

    async def _verdicts(
        self, record: Record, stopping: Callable[[], bool], stop: Stop
    ) -> list[Verdict] | None:
        """Those of each filter in order up to the first that rejects; None where one found no answer."""
        verdicts: list[Verdict] = []
        for filter_ in self._filters:
            asking = RecordAsking(self._space, filter_, record, self._log if stopping() else None)
            try:
                verdicts.append(await filter_.check(record, asking))
            except (BudgetReached, EndpointError) as error:
                stop(error)
                return None
            except NotLogged:
                return None
            if not verdicts[-1].keep:
                break
        return verdicts

    def _note_asked(self, records: Iterable[Record]) -> None:
        """Put on record, before the first question, which contents this run asks about.

        What is answered already was asked by an earlier sitting, which noted it, or by another run.
        """
        scopes = [scope for record in records for scope in self.scopes(record)]
        answered = self._log.answered_scopes(scopes)
        self._asked.note(scope for scope in scopes if scope not in answered)
