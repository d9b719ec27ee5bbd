"""What the conformance suite shows of writing back: a part of `connectors.testing.ConnectorSuite`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx

from connectors.cassette import Cassette, Replay, Written
from connectors.errors import (
    ComeBackLater,
    ConnectorError,
    CredentialsError,
    RetriableError,
    SourceConfigurationError,
)
from connectors.page import Change, Receipt, StreamRequest

if TYPE_CHECKING:
    from connectors.manifest import Manifest


class WritingChecks:
    """The checks of writing, on the cassette's `write`."""

    open: Callable[..., Any]
    refuses: Callable[..., ConnectorError]
    shows_no_secret: Callable[..., None]

    if TYPE_CHECKING:

        @property
        def cassette(self) -> Cassette: ...

        @property
        def manifest(self) -> Manifest | None: ...

    # -- helpers --------------------------------------------------------------------------------------------------

    def writes(self) -> Iterator[tuple[StreamRequest, Written, list[Change]]]:
        """Each stream that the cassette shows to be written: how it is asked for, what comes, the changes."""
        for name, written in self.cassette.write.items():
            request = StreamRequest(name, owned=tuple({field for one in written.changes for field in one.fields}))
            changes = [
                Change(one.key, one.fields, f"{number:032x}") for number, one in enumerate(written.changes, start=1)
            ]
            yield request, written, changes

    def send(
        self,
        request: StreamRequest,
        written: Written,
        changes: Sequence[Change],
        *,
        change: Any = None,
        pauses: list[float] | None = None,
        times: int = 1,
    ) -> tuple[list[Receipt], Replay]:
        """The receipts of the changes in batches, and what was asked for; each exchange answers `times` times."""
        recorded = [one for one in [*written.exchanges, *self.cassette.exchanges] for _ in range(times)]
        replay = Replay(recorded, change)
        with self.open(replay, self.cassette.now, pauses) as connector:
            batch = connector.writing(request, request.owned).batch
            receipts = [
                receipt
                for first in range(0, len(changes), batch)
                for receipt in connector.write(request, changes[first : first + batch])
            ]
        return receipts, replay

    # -- what holds -----------------------------------------------------------------------------------------------

    def test_what_can_be_written_is_shown_with_a_row_that_is_refused(self) -> None:
        can = [name for name, stream in (self.manifest.streams if self.manifest else {}).items() if stream.write]
        assert self.cassette.write or not can, f"`write` of the cassette shows none of {', '.join(can)}"
        for name, written in self.cassette.write.items():
            assert {"accepted", "refused"} <= set(written.expect.values()), f"{name}: one taken, one refused"
            assert set(written.expect) == {one.key for one in written.changes}, name

    def test_every_change_has_its_receipt_and_a_refused_row_leaves_its_neighbours(self) -> None:
        for request, written, changes in self.writes():
            receipts, _ = self.send(request, written, changes)
            assert {one.key: one.status for one in receipts} == dict(written.expect), request.name
            assert [one.key for one in receipts] == [one.key for one in changes], request.name
            for one, change in zip(receipts, changes, strict=True):
                assert one.code, f"{request.name}: {one.key} has no code"
                values = [str(value) for value in change.fields.values() if len(str(value)) > 2]
                assert not any(value in (one.message or "") for value in values), f"{request.name}: shows a value"
                self.shows_no_secret(one.message or "")

    def test_sending_again_sends_the_same(self) -> None:
        for request, written, changes in self.writes():
            asked = [
                [(one.method, str(one.url), one.content) for one in self.send(request, written, changes)[1].requests]
                for _ in range(2)
            ]
            assert asked[0] == asked[1], request.name

    def test_what_is_given_is_sent_and_a_field_that_cannot_be_is_refused(self) -> None:
        for request, written, changes in self.writes():
            one = next(change for change in changes if written.expect[change.key] == "accepted")
            _, replay = self.send(request, written, changes)
            texts = [unquote(asked.content.decode()) for asked in replay.requests if _is_write(asked, written)]
            for value in one.fields.values():
                assert any(str(value) in text for text in texts), request.name
            with self.open(Replay(()), self.cassette.now) as connector:
                self.refuses(SourceConfigurationError, partial(connector.writing, request, ["no['such"]))

    def test_a_field_is_emptied_as_the_system_wants_it(self) -> None:
        for request, written, changes in self.writes():
            with self.open(Replay(()), self.cassette.now) as connector:
                if not connector.writing(request, request.owned).can_empty:
                    continue
            # The request differs from the recorded one in its values alone: any body is answered.
            exchanges = [
                one.model_copy(update={"request": one.request.model_copy(update={"body": None})})
                for one in written.exchanges
            ]
            # What is recorded otherwise comes first: a login may go to the same address.
            anything = written.model_copy(update={"exchanges": (*self.cassette.exchanges, *exchanges)})
            taken = [one for one in changes if written.expect[one.key] == "accepted"]
            emptied = [replace(one, fields=dict.fromkeys(one.fields)) for one in taken]
            _, replay = self.send(request, anything, emptied)
            for one in taken:
                texts = [unquote(asked.content.decode()) for asked in replay.requests if _is_write(asked, written)]
                for name, value in one.fields.items():
                    assert any(name in text for text in texts), f"{request.name}: {name} is not told to be empty"
                    assert not any(len(str(value)) > 2 and str(value) in text for text in texts), request.name

    def test_a_busy_source_is_written_to_after_a_wait(self) -> None:
        for request, written, changes in self.writes():
            pauses, busy = list[float](), _Once(written, httpx.Response(429, headers={"Retry-After": "3"}))
            receipts, _ = self.send(request, written, changes, change=busy, pauses=pauses, times=2)
            assert {one.key: one.status for one in receipts} == dict(written.expect), request.name
            assert 3.0 in pauses, f"{request.name}: Retry-After was not kept"

    def test_a_long_wait_ends_the_writing(self) -> None:
        for request, written, changes in self.writes():
            closed = _Always(written, httpx.Response(429, headers={"Retry-After": "86400"}))
            self.refuses(ComeBackLater, partial(self.send, request, written, changes, change=closed))

    def test_refused_credentials_end_the_writing_and_are_no_refusal_of_a_row(self) -> None:
        for request, written, changes in self.writes():
            refused = _Always(written, httpx.Response(401, json={}))
            self.refuses(CredentialsError, partial(self.send, request, written, changes, change=refused, times=2))

    def test_a_lost_answer_says_that_nothing_is_known(self) -> None:
        for request, written, changes in self.writes():
            cut = _Always(written, httpx.ReadError("cut"))
            failure = self.refuses(RetriableError, partial(self.send, request, written, changes, change=cut, times=30))
            assert "cut off" in str(failure), f"{request.name}: {failure}"

    def test_after_a_lost_answer_a_look_shows_what_arrived(self) -> None:
        for request, written, changes in self.writes():
            with self.open(Replay([*written.looked, *self.cassette.exchanges]), self.cassette.now) as connector:
                assert connector.writing(request, request.owned).can_look == bool(written.looked), (
                    f"{request.name}: record what a look shows (`looked`)"
                )
                there = connector.look(request, [one.key for one in changes], list(request.owned))
            for one in changes if written.looked else ():
                if written.expect[one.key] == "accepted":
                    shown = {name: str(there[one.key][name]) for name in one.fields}
                    assert shown == {name: str(value) for name, value in one.fields.items()}, request.name


def _is_write(request: httpx.Request, written: Written) -> bool:
    """The request is one that the cassette records as a write, no login."""
    return (request.method, request.url.path) in [(one.request.method, one.request.path) for one in written.exchanges]


class _Always:
    """Answers every write with the same, or with an error of the connection."""

    def __init__(self, written: Written, answer: httpx.Response | httpx.TransportError) -> None:
        self.written, self.answer = written, answer

    def __call__(self, _number: int, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if not self.applies(request):
            return answer
        if isinstance(self.answer, httpx.TransportError):
            raise self.answer
        return httpx.Response(self.answer.status_code, headers=self.answer.headers, content=self.answer.content)

    def applies(self, request: httpx.Request) -> bool:
        """This request is answered so."""
        return _is_write(request, self.written)


class _Once(_Always):
    """Answers each write so when it comes first."""

    def __init__(self, written: Written, answer: httpx.Response) -> None:
        super().__init__(written, answer)
        self._seen: set[tuple[str, str, bytes]] = set()

    def applies(self, request: httpx.Request) -> bool:
        """This request comes for the first time."""
        mark = (request.method, str(request.url), request.content)
        is_first = super().applies(request) and mark not in self._seen
        self._seen.add(mark)
        return is_first
