"""Phase C of a round: model filters over what its corpus filters left, while the next round generates.

Where a model filter rejects a record that twins had fallen to, the first of them goes through the corpus
filters without it, and is judged where it stays; the next has its turn only if that one is rejected
too. So a group of kin keeps one record at the most, as it does without a judge, and no twin is
asked about for nothing. Nothing here depends on the order in which answers come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from seedbed.core.errors import BudgetReached, EndpointError
from seedbed.core.fate import fate_of
from seedbed.core.protocols import ModelFilter
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.models.executor import Stats
from seedbed.run.closing import CellResult
from seedbed.run.content_asking import ContentSpace, RecordAsking
from seedbed.run.corpus import Member
from seedbed.run.filtering import Keys
from seedbed.run.replaying import LoggedOnly, NotLogged
from seedbed.store.asked import AskedContents
from seedbed.store.replies import ReplyLog

# The corpus filters over members in rank order, in the thread that closes rounds: verdicts by record.
KinPass = Callable[[Sequence[Member]], Awaitable[Mapping[str, Sequence[Verdict]]]]
Stop = Callable[[BudgetReached | EndpointError], None]

# Twins of one group that are tried one after another: a judge that rejected so many rejects the group.
MOST_SUCCESSORS = 8


@dataclass(frozen=True, slots=True)
class _Draft:
    """A draft of the round with its corpus keys and the verdicts of its record and corpus filters."""

    record: Record
    keys: Mapping[str, Keys]
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

    def rejects(self, record: str) -> bool:
        return not fate_of(self.later.get(record, ())).accepted


class _Kin:
    """Who fell to whom: the groups of a round's kin, each led by the one that stays, the rest by rank."""

    def __init__(self, drafts: Sequence[_Draft]) -> None:
        self._place = {draft.record.id: at for at, draft in enumerate(drafts)}
        self._groups: dict[str, list[_Draft]] = {}
        for draft in drafts:
            if (fallen := _fallen(draft.verdicts)) is not None:
                self.join(str(fallen.survivor), [draft])

    def join(self, leader: str, members: Iterable[_Draft]) -> None:
        group = self._groups.setdefault(leader, [])
        group += members
        group.sort(key=lambda draft: self._place[draft.record.id])

    def next_in_line(self, gone: Iterable[str], is_known: Callable[[Record], bool]) -> list[list[_Draft]]:
        """The groups that these led, by the rank of their first, without drafts that `is_known` to fail."""
        found = []
        for leader in gone:
            group = self._groups.pop(leader, [])
            while group and is_known(group[0].record):
                self.join(leader, [*group[1:], *self._groups.pop(group[0].record.id, ())])
                group = self._groups.pop(leader, [])
            if group:
                found.append(group)
        return sorted(found, key=lambda group: self._place[group[0].record.id])

    def led_anew(self, later: Mapping[str, Sequence[Verdict]]) -> dict[str, Verdict]:
        """The verdicts, by record, that name the twin that stays now, and `through` whom it is one.

        Of a group that was given up it is the last that was tried, which its own verdicts reject.
        """
        found = {}
        for leader, group in self._groups.items():
            for draft in group:
                fallen = _fallen([*draft.verdicts, *later.get(draft.record.id, ())])
                if fallen is not None and fallen.survivor != leader:
                    through = {**fallen.evidence, "through": fallen.survivor}
                    found[draft.record.id] = fallen._replace(survivor=leader, evidence=through)
        return found


def _fallen(verdicts: Sequence[Verdict]) -> Verdict | None:
    """The standing verdict by which a draft fell to a twin, if it did."""
    standing = {verdict.filter_name: verdict for verdict in verdicts}
    return next((v for v in standing.values() if not v.keep and v.survivor is not None), None)


class Judging:
    """The model filters of a run. `asked` is by filter, `stats` by role.

    `width` records are under way at a time.
    """

    def __init__(
        self,
        filters: Sequence[ModelFilter],
        space: ContentSpace,
        log: ReplyLog,
        asked: Mapping[str, AskedContents],
        width: int,
        stats: Mapping[str, Stats],
    ) -> None:
        self._filters = filters
        self._space = space
        self._log = log
        self._asked = asked
        self._width = width
        self._stats = stats
        self._from_log: dict[str, Stats] = {}

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
        self._from_log = {}
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

    async def judge(
        self, records: Sequence[Record], stopping: Callable[[], bool], stop: Stop
    ) -> dict[str, list[Verdict]]:
        """The verdicts on these records by id, whoever their kin; those that a stop left open are missing."""
        found = _Judged()
        await self._ask_about(records, found, stopping, stop)
        return {record: verdicts for record, verdicts in found.later.items() if record not in found.awaiting}

    def count_replayed(self) -> None:
        """Count what the log alone answered for the latest round, which nobody will go through again."""
        for role, taken in self._from_log.items():
            self._stats[role].add_replayed(taken)

    async def _judge(
        self, drafts: Sequence[_Draft], look_again: KinPass, stopping: Callable[[], bool], stop: Stop
    ) -> _Judged:
        found, kin = _Judged(), _Kin(drafts)
        staying = [draft for draft in drafts if fate_of(draft.verdicts).accepted]
        await self._ask_about([draft.record for draft in staying], found, stopping, stop)
        rejected = [draft.record for draft in staying if found.rejects(draft.record.id)]
        known: set[bytes] = set()

        def is_known(record: Record) -> bool:
            """Whether it is of the very same content as one that is gone: what would be said is known."""
            return not known.isdisjoint(self.scopes(record))

        for _ in range(MOST_SUCCESSORS):
            gone = {record.id for record in rejected}
            known.update(scope for record in rejected for scope in self.scopes(record))
            staying = [draft for draft in staying if draft.record.id not in gone]
            groups = kin.next_in_line((record.id for record in rejected), is_known)
            if not groups:
                break
            promoted = await self._promote(groups, staying, kin, found, look_again)
            await self._ask_about([draft.record for draft in promoted], found, stopping, stop)
            rejected = [draft.record for draft in promoted if found.rejects(draft.record.id)]
            staying += promoted
        for record, verdict in kin.led_anew(found.later).items():
            found.later.setdefault(record, []).append(verdict)
        return found

    async def _promote(
        self,
        groups: Sequence[Sequence[_Draft]],
        staying: Sequence[_Draft],
        kin: _Kin,
        found: _Judged,
        look_again: KinPass,
    ) -> list[_Draft]:
        """Those firsts of groups that the corpus filters keep; each group follows its first."""
        firsts = [group[0] for group in groups]
        # Listed first, so that whoever stays outranks whoever comes back.
        verdicts = await look_again([draft.member for draft in (*staying, *firsts)])
        promoted = []
        for first, *others in groups:
            record = first.record.id
            later = found.later.setdefault(record, [])
            standing = {v.filter_name: v for v in (*first.verdicts, *later)}
            later += [v for v in verdicts[record] if v != standing.get(v.filter_name)]
            fallen = _fallen([*first.verdicts, *later])
            if fallen is None:
                promoted.append(first)
                kin.join(record, others)
            else:
                kin.join(str(fallen.survivor), [first, *others])
        return promoted

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
            logged = None
            if stopping():
                logged = LoggedOnly(self._log, self._from_log.setdefault(filter_.role, Stats()))
            asking = RecordAsking(self._space, filter_, record, logged)
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

    def _note_asked(self, records: Sequence[Record]) -> None:
        """Put on record, before the first question, which contents this run asks about.

        What is answered already was asked by an earlier sitting, which noted it, or by another run.
        """
        for filter_ in self._filters:
            scopes = [self._space.scope(filter_, record) for record in records]
            answered = self._log.answered_scopes(scopes)
            self._asked[filter_.name].note(scope for scope in scopes if scope not in answered)
