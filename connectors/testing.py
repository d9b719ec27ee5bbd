"""The conformance suite: what every connector over HTTP holds, shown on a cassette of recorded exchanges.

    from connectors.testing import ConnectorSuite

    class TestAcme(ConnectorSuite):
        cassette_file = Path(__file__).with_name("acme.cassette.yaml")

Each test says in its name what would break. A third party's package runs it the same way with pytest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar

import httpx

from connectors.auth import NoAuth
from connectors.cassette import Cassette, Exchange, Expected, RecordedResponse, Replay, load_cassette, told
from connectors.errors import ComeBackLater, ConnectorError, CredentialsError, SourceDataError
from connectors.manifest import Manifest, Stream
from connectors.page import Page, State, StreamRequest
from connectors.paging import NoPaging
from connectors.registry import connector_class
from connectors.testing_parts import Ledger, headers_of, json_of, keys_of, names_needed, records_in
from connectors.testing_write import WritingChecks

Change = Callable[[int, httpx.Request, httpx.Response], httpx.Response]


_recorded = cache(load_cassette)
"""A recording is looked at by every test and changed by none: it is read once."""


class ConnectorSuite(WritingChecks):
    """Subclass it, name a cassette, and pytest runs what every connector holds."""

    cassette_file: ClassVar[Path]

    # -- what a subclass may change -------------------------------------------------------------------------------

    def open(self, transport: httpx.BaseTransport, now: datetime, pauses: list[float] | None = None) -> Any:
        """The connector over a transport; waits are noted in `pauses` and take no time."""
        made: Any = connector_class(self.cassette.connector)
        pause = (pauses if pauses is not None else []).append
        options = {name: expected.options for name, expected in self.cassette.expect.items() if expected.options}
        settings = {**self.cassette.settings, **({"streams": options} if options else {})}
        return made("it", settings, transport=transport, pause=pause, now=lambda: now)

    # -- helpers --------------------------------------------------------------------------------------------------

    @cached_property
    def cassette(self) -> Cassette:
        """The recorded system."""
        return _recorded(self.cassette_file)

    @cached_property
    def manifest(self) -> Manifest | None:
        """The connector's manifest, if it has one."""
        with self.open(Replay(()), self.cassette.now) as connector:
            return getattr(connector, "manifest", None)

    def stream(self, name: str) -> Stream | None:
        """A stream of the manifest, with the options that the cassette gives it."""
        if self.manifest is None:
            return None
        with self.open(Replay(()), self.cassette.now) as connector:
            found: Stream = connector._stream(self.request(name))
            return found

    def request(self, name: str, expected: Expected | None = None) -> StreamRequest:
        """What Onefold would ask for."""
        expected = expected or self.cassette.expect[name]
        return StreamRequest(
            name, expected.key, expected.updated_at, options=expected.options, timezone=self.cassette.timezone
        )

    def read(
        self,
        name: str,
        state: State | None = None,
        *,
        exchanges: Sequence[Exchange] | None = None,
        change: Change | None = None,
        now: datetime | None = None,
        pauses: list[float] | None = None,
        pages: list[Page] | None = None,
    ) -> list[Page]:
        """The pages of a pass; `state` goes through JSON as in the database. `pages` keeps them if it fails."""
        into = pages if pages is not None else []
        transport = Replay(self.cassette.exchanges if exchanges is None else exchanges, change)
        with self.open(transport, now or self.cassette.now, pauses) as connector:
            saved = json.loads(json.dumps(state)) if state is not None else None
            for page in connector.read(self.request(name), saved):
                into.append(page)
        return into

    def refuses(self, kind: type[ConnectorError], act: Callable[[], Any]) -> ConnectorError:
        """The error that `act` ends with; it shows no secret."""
        try:
            act()
        except kind as error:
            self.shows_no_secret(str(error))
            return error
        except ConnectorError as error:
            raise AssertionError(f"{kind.__name__} was expected, {type(error).__name__} came: {error}") from error
        raise AssertionError(f"{kind.__name__} was expected, nothing was raised")

    def shows_no_secret(self, *texts: str) -> None:
        """None of the cassette's secrets stands in the texts."""
        properties = connector_class(self.cassette.connector).settings_model.model_json_schema()["properties"]
        for name, value in self.cassette.settings.items():
            if properties.get(name, {}).get("writeOnly") or "password" in json.dumps(properties.get(name, {})):
                assert not any(str(value) in text for text in texts), f"the secret `{name}` is shown"

    def paged(self) -> list[tuple[str, list[Page]]]:
        """The streams that the cassette shows in several pages."""
        read = [(name, self.read(name)) for name in self.cassette.expect]
        return [(name, pages) for name, pages in read if len(pages) > 1]

    # -- what holds -----------------------------------------------------------------------------------------------

    def test_good_credentials_pass_the_check(self) -> None:
        with self.open(Replay(self.cassette.exchanges), self.cassette.now) as connector:
            found = connector.check()
        assert found.message
        self.shows_no_secret(found.message)

    def test_bad_credentials_are_told_as_such(self) -> None:
        if self.cassette.refused is None:
            if self.manifest is not None and all(type(way) is NoAuth for way in self.manifest.auth):
                return
            exchanges: Sequence[Exchange] = self.cassette.exchanges

            def change(_number: int, _request: httpx.Request, _answer: httpx.Response) -> httpx.Response:
                return httpx.Response(401, json={})
        else:
            exchanges = self.cassette.refused.exchanges
            change = None  # type: ignore[assignment]
        with self.open(Replay(exchanges, change), self.cassette.now) as connector:
            self.refuses(CredentialsError, connector.check)

    def test_discovery_shows_every_stream_with_its_fields(self) -> None:
        with self.open(Replay(self.cassette.exchanges), self.cassette.now) as connector:
            streams = {info.name: info for info in connector.discover()}
        for name, expected in self.cassette.expect.items():
            assert name in streams, f"discover does not show `{name}`"
            assert streams[name].fields or not expected.keys, f"discover shows no fields of `{name}`"

    def test_every_stream_is_recorded(self) -> None:
        streams = self.manifest.streams if self.manifest else {}
        missing = [name for name in streams if name not in self.cassette.expect]
        assert not missing, f"the cassette shows nothing of {', '.join(missing)}"

    def test_the_number_of_records_is_told(self) -> None:
        told_of = {name: one.rows for name, one in self.cassette.expect.items() if one.rows is not None}
        if told_of:
            with self.open(Replay(self.cassette.exchanges), self.cassette.now) as connector:
                assert connector.volumes(list(told_of)) == told_of

    def test_everything_is_read(self) -> None:
        for name, expected in self.cassette.expect.items():
            pages = self.read(name)
            assert keys_of(pages) == list(expected.keys), name
            assert sum(len(page.rejects) for page in pages) == expected.rejects, name
            assert [key for page in pages for key in page.tombstones] == list(expected.deleted), name

    def test_a_kill_in_mid_stream_loses_nothing_and_reads_nothing_twice(self) -> None:
        paged = self.paged()
        assert paged, "the cassette shows no stream in several pages: record one"
        for name, whole in paged:
            for count in range(1, len(whole)):
                rest = self.read(name, whole[count - 1].state)
                assert keys_of(whole[:count]) + keys_of(rest) == keys_of(whole), f"{name}, killed after page {count}"
                assert rest[-1].state == whole[-1].state, f"{name}, killed after page {count}"

    def test_reading_again_gives_the_same_bytes(self) -> None:
        for name in self.cassette.expect:
            first, second = self.read(name), self.read(name)
            assert [page.rows for page in first] == [page.rows for page in second], name

    def test_a_busy_or_failing_source_is_asked_again(self) -> None:
        for name in self.cassette.expect:
            undisturbed, pauses = self.read(name), list[float]()
            troubled: set[str] = set()

            def trouble(
                number: int, request: httpx.Request, answer: httpx.Response, troubled: set[str] = troubled
            ) -> httpx.Response:
                mark = f"{request.method} {request.url} {request.content!r}"
                if mark in troubled:
                    return answer
                troubled.add(mark)
                return httpx.Response(429, headers={"Retry-After": "3"}) if number % 2 else httpx.Response(503)

            # A request that is repeated takes its recorded answer twice, so each is given again.
            twice = [exchange for exchange in self.cassette.exchanges for _ in range(2)]
            pages = self.read(name, exchanges=twice, change=trouble, pauses=pauses)
            assert [page.rows for page in pages] == [page.rows for page in undisturbed], name
            assert 3.0 in pauses, f"{name}: Retry-After was not kept"

    def test_a_long_wait_checkpoints_and_comes_back(self) -> None:
        for name, whole in self.paged():
            data_requests = self._numbers_of_data(name)
            got: list[Page] = []

            def closed(
                number: int, _request: httpx.Request, answer: httpx.Response, last: int = data_requests[-1]
            ) -> httpx.Response:
                return httpx.Response(429, headers={"Retry-After": "86400"}) if number >= last else answer

            later = self.refuses(ComeBackLater, lambda: self.read(name, change=closed, pages=got))  # noqa: B023
            assert isinstance(later, ComeBackLater)
            rest = self.read(name, got[-1].state if got else None)
            assert keys_of(got) + keys_of(rest) == keys_of(whole), name

    def test_an_error_inside_an_answer_is_no_empty_page(self) -> None:
        for name in self.cassette.expect:
            stream, numbers = self.stream(name), self._numbers_of_data(name)
            if not numbers or (self.cassette.error_inside is None and stream is not None and stream.missing_is_empty):
                continue
            recorded = self.cassette.error_inside

            def error(
                number: int,
                _request: httpx.Request,
                answer: httpx.Response,
                first: int = numbers[0],
                inside: RecordedResponse | None = recorded,
            ) -> httpx.Response:
                if number < first:
                    return answer
                return inside.as_httpx() if inside else httpx.Response(200, json={"onefold_unknown": "error"})

            try:
                pages = self.read(name, change=error)
            except ConnectorError as failure:
                self.shows_no_secret(str(failure))
            else:
                raise AssertionError(f"{name}: an error inside an answer passed as {len(pages)} page(s)")

    def test_changed_and_vanished_fields_and_keys_of_another_type_are_kept(self) -> None:
        for name in self.cassette.expect:
            stream = self.stream(name)
            if stream is None or not keys_of(self.read(name)):
                continue

            def drift(
                _number: int, _request: httpx.Request, answer: httpx.Response, stream: Stream = stream
            ) -> httpx.Response:
                data = json_of(answer)
                for record in records_in(stream, data):
                    kept = names_needed(stream, self.manifest)
                    for field in [field for field in record if field not in kept][:1]:
                        del record[field]
                    record["onefold_new"] = {"a": [1, None]}
                    if isinstance(stream.key, str) and type(record.get(stream.key)) is int:
                        record[stream.key] = str(record[stream.key])
                return (
                    answer
                    if data is None
                    else httpx.Response(answer.status_code, json=data, headers=headers_of(answer))
                )

            pages = self.read(name, change=drift)
            assert keys_of(pages) == keys_of(self.read(name)), name
            assert all(b'"onefold_new":{"a":[1,null]}' in row.payload for page in pages for row in page.rows), name

    def test_deletions_are_seen_in_the_systems_own_way(self) -> None:
        later, told_of = self.cassette.later, 0
        for name, expected in (later.expect if later else {}).items():
            assert later is not None
            first = self.read(name)
            ledger = Ledger().land(first)
            before = set(ledger.alive)
            exchanges = [*later.exchanges, *self.cassette.exchanges]
            second = self.read(name, first[-1].state, exchanges=exchanges, now=later.now)
            assert keys_of(second) == list(expected.keys), name
            ledger.land(second)
            assert (before | set(expected.keys)) - ledger.alive == set(expected.deleted), name
            told_of += len(expected.deleted)
        streams = self.manifest.streams if self.manifest else {}
        wanted = [name for name in self.cassette.expect if name in streams and streams[name].deletes]
        assert told_of or not wanted, f"the cassette's `later` shows no deletion, though {', '.join(wanted)} can tell"
        own = [name for name in wanted if any(one.kind != "sweep" for one in streams[name].deletes)]
        assert not own or self._is_told_of_deletions(own), f"no deletion is told by the source: {', '.join(own)}"

    def _is_told_of_deletions(self, names: Sequence[str]) -> bool:
        """In the first or the later pass of one of these streams the source itself says that a record is deleted."""
        later = self.cassette.later
        for name in names:
            pages = list(first := self.read(name))
            if later is not None and name in later.expect:
                exchanges = [*later.exchanges, *self.cassette.exchanges]
                pages += self.read(name, first[-1].state, exchanges=exchanges, now=later.now)
            if any(page.tombstones for page in pages):
                return True
        return False

    def test_a_source_that_repeats_its_page_ends_in_an_error(self) -> None:
        for name, _ in self.paged():
            stream, numbers = self.stream(name), self._numbers_of_data(name)
            if stream is None or type(stream.paging) is NoPaging or len(numbers) < 2:
                continue
            kept: list[httpx.Response] = []

            def stuck(
                number: int,
                _request: httpx.Request,
                answer: httpx.Response,
                first: int = numbers[0],
                kept: list[httpx.Response] = kept,
            ) -> httpx.Response:
                if number == first:
                    kept.append(answer)
                if not kept:
                    return answer
                return httpx.Response(kept[0].status_code, content=kept[0].content, headers=headers_of(kept[0]))

            anything = [
                exchange.model_copy(
                    update={"request": exchange.request.model_copy(update={"params": "any", "body": None})}
                )
                for exchange in self.cassette.exchanges
            ]
            anything = [*self.cassette.exchanges, *anything]
            failure = self.refuses(SourceDataError, lambda: self.read(name, exchanges=anything, change=stuck))  # noqa: B023
            assert "second time" in str(failure), f"{name}: {failure}"

    def test_a_clock_that_is_off_moves_no_mark_beyond_it(self) -> None:
        for name in self.cassette.expect:
            stream = self.stream(name)
            if stream is None or stream.filter is None:
                continue
            for hours in (-1, 1):
                theirs = self.cassette.now + timedelta(hours=hours)

                def skewed(
                    _number: int, _request: httpx.Request, answer: httpx.Response, theirs: datetime = theirs
                ) -> httpx.Response:
                    answer.headers["Date"] = format_datetime(theirs, usegmt=True)
                    return answer

                pages = self.read(name, change=skewed)
                since = pages[-1].state.get("since") if pages else None
                if since is not None:
                    moment = datetime.fromisoformat(since)
                    assert moment <= min(theirs, self.cassette.now), f"{name}: the mark lies beyond a clock"

    def test_secrets_are_never_shown(self) -> None:
        with told() as lines:
            states = [json.dumps(page.state) for name in self.cassette.expect for page in self.read(name)]
            with self.open(Replay(()), self.cassette.now) as connector:
                shown = [
                    repr(connector),
                    repr(getattr(connector, "settings", "")),
                    str(vars(connector).get("settings")),
                ]
        self.shows_no_secret(*lines, *states, *shown)

    def _numbers_of_data(self, name: str) -> list[int]:
        """Which of a pass's requests were answered with records of the stream."""
        stream, numbers = self.stream(name), list[int]()

        def note(number: int, _request: httpx.Request, answer: httpx.Response) -> httpx.Response:
            if stream is not None and records_in(stream, json_of(answer)):
                numbers.append(number)
            return answer

        self.read(name, change=note)
        return numbers
