"""What a source tells of a page's records only when it is asked further: one request a page, laid into the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.manifest import Beside, Stream
from connectors.paths import as_text, compile_path
from connectors.rest.asking import Asking


def lay_beside(asking: Asking, records: Sequence[Any], place: str) -> None:
    """Ask the stream's further questions for these records and lay what is found into them, in place.

    A record of which nothing is told gets an empty list, so that an association that is gone changes it. Raises what
    any request raises; nothing has landed then, and the page is asked for anew.
    """
    for rule in asking.stream.beside:
        _lay(asking, rule, records, place)


def _lay(asking: Asking, rule: Beside, records: Sequence[Any], place: str) -> None:
    read = compile_path(rule.of).get
    owners = {text: record for record in records if isinstance(record, dict) and (text := as_text(read(record)))}
    if not owners:
        return
    question = Stream(path=rule.path, method=rule.method, params=rule.params, body=rule.body, records=rule.records)
    further = replace(asking, stream=question)
    call, answer = further.fetch({}, {"keys": list(owners)}, 1)
    found: dict[str, list[Any]] = {text: [] for text in owners}
    whose, pick = compile_path(rule.key).get, compile_path(rule.pick).all
    for one in further.records(answer, f"{call.place}, beside {place}"):
        text = as_text(whose(one))
        if text in found:
            found[text] += [value for value in pick(one) if value is not None]
    for text, record in owners.items():
        *above, last = rule.into.split(".")
        place_in = record
        for name in above:
            place_in = place_in.setdefault(name, {})
        place_in[last] = found[text]
