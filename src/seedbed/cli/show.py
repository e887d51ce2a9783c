"""`seedbed show`: a run's drafts, or one record's whole way."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seedbed.cli.output import json_option, print_json
from seedbed.core.errors import InputError, Problem
from seedbed.core.field_text import as_json, as_string
from seedbed.core.record import record_named
from seedbed.publish.text_layout import printable

if TYPE_CHECKING:
    from seedbed.core.record import Record
    from seedbed.run.view import RunView
    from seedbed.store.replies import Logged


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.argument("record", required=False)
@click.option("--reason", help="Only drafts rejected or flagged for this reason.")
@click.option("-n", "most", default=20, show_default=True, type=click.IntRange(min=1), help="Drafts to list.")
@json_option
def command(run: Path, record: str | None, reason: str | None, most: int, as_json: bool) -> None:
    """List RUN's drafts with their fate; with RECORD (an id or its beginning) tell all about one."""
    from seedbed.run.view import RunView

    view = RunView.open(run)
    if record is None:
        _list(view, most, reason, as_json)
        return
    value = _whole_way(view, record_named(record))
    if as_json:
        print_json(value)
    else:
        _print(value)


def _list(view: RunView, most: int, reason: str | None, as_json: bool) -> None:
    ledger = view.ledger()
    wanted = ledger.with_fates()
    if reason is not None:
        rejected, flagged = sorted(ledger.reasons()[1]), sorted({flag.reason for flag in ledger.flags()})
        if reason not in (*rejected, *flagged):
            there = ", ".join(rejected) or "none"
            flags = f"; flags are: {', '.join(flagged)}" if flagged else ""
            raise InputError(
                [
                    Problem(
                        f"no draft was rejected for {reason!r}; reasons are: {there}{flags}", key="--reason"
                    )
                ]
            )
        kept = ((record, fate) for record, fate, flag in ledger.flagged() if flag == reason)
        # What was flagged and rejected for the same reason stands once, among the rejected.
        turned_away = (found for found in ledger.with_fates() if found[1].reason == reason)
        wanted = chain(turned_away, kept)
    drafts = list(islice(wanted, most))
    if as_json:
        print_json(
            [
                {"id": r.id, "accepted": fate.accepted, "reason": fate.reason, "fields": dict(r.fields)}
                for r, fate in drafts
            ]
        )
        return
    for record, fate in drafts:
        text = (
            record.unreadable.text
            if record.unreadable
            else " | ".join(map(as_string, record.fields.values()))
        )
        outcome = "accepted" if fate.accepted else fate.reason
        click.echo(f"{record.id}  {outcome:16}  {printable(text)[:100]}")


def _whole_way(view: RunView, prefix: str) -> dict[str, Any]:
    from seedbed.core.chat import ReplyKey
    from seedbed.core.fate import fate_of

    ledger = view.ledger()
    found = ledger.find(prefix)
    if len(found) != 1:
        many = "; ".join(r.id for r in found) or "list ids with `seedbed show RUN`"
        what = "several records begin so" if found else "no draft has this id"
        raise InputError([Problem(f"{what}: {many}", str(view.folder.path), key=prefix)])
    record = found[0]
    verdicts = ledger.verdicts(record.id)
    cell = ledger.cell(record.provenance.cell or "")
    fate = fate_of(verdicts)
    keys = [ReplyKey.parse(key) for key in record.provenance.reply_keys]
    # A model filter's verdict names the replies that it rests on.
    asked = {
        verdict.filter: [ReplyKey.parse(key) for key in verdict.evidence.get("replies", ())]
        for verdict in verdicts
    }
    replies: list[Logged | None] = [None] * len(keys)
    said: dict[str, list[tuple[ReplyKey, Logged | None]]] = {}
    if view.log_path.is_file():
        with view.log() as log:
            replies = [log.get(key) or log.get_forgotten(key) for key in keys]
            said = {
                name: [(key, log.get(key) or log.get_forgotten(key)) for key in of]
                for name, of in asked.items()
                if of
            }
    return {
        "id": record.id,
        "fate": "accepted" if fate.accepted else "rejected",
        "reason": fate.reason,
        "fields": dict(record.fields),
        "unreadable": asdict(record.unreadable) if record.unreadable else None,
        "slots": dict(record.slots),
        "notes": dict(record.notes),
        "verdicts": [_verdict(verdict._asdict()) for verdict in verdicts],
        "provenance": _provenance(record),
        "draw": cell.draw if cell else None,
        "replies": [_reply(reply) for reply in replies],
        "judged": [
            {"filter": name, "key": str(key), "reply": _reply(reply)}
            for name, found in said.items()
            for key, reply in found
        ],
    }


def _reply(reply: Logged | None) -> dict[str, Any] | None:
    from seedbed.core.chat import LoggedReply

    if not isinstance(reply, LoggedReply):
        return None
    return {**reply.choice._asdict(), "model": reply.model, "endpoint": reply.endpoint}


def _verdict(value: dict[str, Any]) -> dict[str, Any]:
    del value["record"]
    return value


def _provenance(record: Record) -> dict[str, Any]:
    made = record.provenance
    models = {role: model._asdict() for role, model in made.models.items()}
    return {**made._asdict(), "models": models, "parents": list(made.parents)}


def _shown(note: object) -> str:
    """A note as text: what is not text already as JSON."""
    return note if isinstance(note, str) else as_json(note)


def _lines(text: object) -> str:
    """Text over several lines in which nothing steers the terminal."""
    return "\n  ".join(printable(line) for line in str(text).splitlines())


def _print(value: dict[str, Any]) -> None:
    click.echo(f"record     {value['id']}")
    click.echo(f"fate       {value['fate']}" + (f": {value['reason']}" if value["reason"] else ""))
    for name, field in value["fields"].items():
        click.echo(f"{name:10} {_lines(as_string(field))}")
    if value["unreadable"]:
        why = value["unreadable"]
        click.echo(f"unreadable {why['cause']}: {printable(why['detail'])}")
    for name, note in value["notes"].items():
        click.echo(f"note       {name}: {_lines(_shown(note))}")
    click.echo("verdicts")
    for verdict in value["verdicts"]:
        flagged = f"flag {verdict['reason']}" if verdict["reason"] else "keep"
        outcome = flagged if verdict["keep"] else verdict["reason"]
        extra = f" {printable(verdict['evidence'])}" if verdict["evidence"] else ""
        twin = f" twin of {verdict['survivor']}" if verdict["survivor"] else ""
        score = f" {verdict['score']:.3f}" if verdict["score"] is not None else ""
        click.echo(f"  {verdict['filter']:20} {outcome}{score}{twin}{extra}")
    click.echo("provenance")
    provenance = value["provenance"]
    for name in ("method", "template", "template_hash", "cell", "depth"):
        click.echo(f"  {name:14} {provenance[name]}")
    slots = ", ".join(f"{k}={v}" for k, v in value["slots"].items())
    click.echo(f"  slots          {slots}")
    click.echo(f"  parents        {', '.join(provenance['parents']) or 'none'}")
    click.echo(f"  sampling       {provenance['sampling']}")
    for role, model in provenance["models"].items():
        click.echo(f"  {role:14} {model['model']} at {model['endpoint']}")
    steps = provenance["steps"] or [""] * len(value["replies"])
    for key, step, reply in zip(provenance["reply_keys"], steps, value["replies"], strict=True):
        _print_reply(f"reply {key}" + (f" to {step}" if step else ""), reply)
    for each in value["judged"]:
        _print_reply(f"reply to {each['filter']} {each['key']}", each["reply"])


def _print_reply(title: str, reply: dict[str, Any] | None) -> None:
    click.echo(title)
    if reply is None:
        click.echo("  not in the reply log of this workspace")
    else:
        click.echo(f"  {reply['model']} at {reply['endpoint']}, finish_reason {reply['finish_reason']}")
        click.echo("  " + _lines(reply["text"]))
