"""The base of connectors that run somebody else's package: its command, its settings, its process."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from connectors.adapters.environment import clean_environ, executable
from connectors.adapters.masking import masker
from connectors.adapters.process import LongLine, Process
from connectors.adapters.reading import Cutter
from connectors.adapters.settings import PackageOptions, PackageSettings
from connectors.adapters.workplace import Workplace, workplace
from connectors.errors import ConnectorError, SourceConfigurationError
from connectors.page import CheckResult, Page
from connectors.settings import validated
from connectors.tokens import MemoryTokens, TokenStore

CONFIG = "config.json"

T = TypeVar("T")
AnyOptions = TypeVar("AnyOptions", bound=PackageOptions)


class PackageConnector:
    """A package that speaks a protocol on its standard output; `of` binds the class to one package."""

    settings_model: ClassVar[type[PackageSettings]] = PackageSettings
    family: ClassVar[str]
    example: ClassVar[str]
    noun: ClassVar[str]
    """What messages call the package."""
    prefix: ClassVar[str] = ""
    """What the package is called on PyPI in front of the connector's name."""
    name: ClassVar[str] = ""

    @classmethod
    def of(cls, name: str) -> type[Self]:
        """The class for one package, e.g. `tap-x` of `singer:tap-x`. Raises SourceConfigurationError."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise SourceConfigurationError(
                f"{name!r} is no package's name", hint=f"Write it as in connector: {cls.family}:{cls.example}"
            )
        return type(cls.__name__, (cls,), {"name": name, "__doc__": cls.__doc__})

    def __init__(
        self,
        source: str,
        settings: PackageSettings | dict[str, Any],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = source
        self.settings = validated(self.settings_model, settings, source=source)
        self._clock = clock
        self._tokens: TokenStore = MemoryTokens()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop whatever still runs, and remove its files."""
        self._open.close()

    def keep_tokens(self, store: TokenStore) -> None:
        """Keep here what the package writes back into its settings: refresh tokens that rotate."""
        self._tokens = store

    def options(self, model: type[AnyOptions], stream: str, options: Mapping[str, Any]) -> AnyOptions:
        """A stream's options. Raises SourceConfigurationError."""
        return validated(model, dict(options), source=self.source, stream=stream)

    # -- what it offers -----------------------------------------------------------------------------------------------

    def offers(self, names: Sequence[str]) -> CheckResult:
        """What `check` says of a package that answers."""
        return CheckResult(f"{self.name or self.command[0]} offers {len(names)} stream(s)", names)

    def chosen(self, known: Mapping[str, T], stream: str) -> T:
        """What is known of a stream. Raises SourceConfigurationError with the nearest name."""
        if stream not in known:
            near = difflib.get_close_matches(stream, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(sorted(known)[:20]) or 'none'}"
            message = f"the {self.noun} has no such stream"
            raise SourceConfigurationError(message, source=self.source, stream=stream, hint=hint)
        return known[stream]

    def pages(
        self, process: Process, cutter: Cutter, hear: Callable[[bytes], None], finish: Callable[[], bool]
    ) -> Iterator[Page]:
        """A package's lines as pages. When it fails, what it sent is landed before the error is raised.

        `finish` waits for the process's end and says whether the stream is complete; it raises what went wrong.
        """
        try:
            with closing(process.lines()) as lines:
                for line in lines:
                    if isinstance(line, LongLine) and line.lstrip().startswith(b"{"):
                        cutter.broken(line, "line-too-long", f"the {self.noun} wrote a line longer than 65 MiB")
                    else:
                        hear(line)
                    if cutter.ready:
                        yield from cutter.drain()
            is_complete = finish()
        except ConnectorError:
            yield from cutter.rest()
            raise
        yield from cutter.finish(is_complete=is_complete)

    # -- the command ----------------------------------------------------------------------------------------------

    @cached_property
    def _cache(self) -> Path:
        if self.settings.cache_dir is not None:
            return self.settings.cache_dir
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onefold"

    @cached_property
    def command(self) -> tuple[str, ...]:
        """How the package is called; its environment is made on the first use. Raises SourceConfigurationError."""
        if self.settings.command:
            return self.settings.command
        if not self.name:
            raise SourceConfigurationError(
                f"the connector {self.family} names no package",
                source=self.source,
                hint=f"Write it as in connector: {self.family}:{self.example}",
            )
        package = self._local(self.settings.package) or self.prefix + self.name
        requirements = [package, *self.settings.pins]
        name = self.settings.executable or self.name
        return (str(executable(self._cache, requirements, name, self.settings.python, self.source)),)

    def _local(self, package: str | None) -> str | None:
        base = self.settings.base_dir
        return str(base / package) if package and base and package.startswith(".") else package

    @cached_property
    def mask(self) -> Callable[[str], str]:
        """Takes the source's secrets out of a text."""
        return masker(self.settings.config, self.settings.env)

    # -- the package's own settings ----------------------------------------------------------------------------------

    @cached_property
    def _given(self) -> str:
        return blake2b(_as_json(self.settings.config).encode(), digest_size=8).hexdigest()

    def config(self) -> dict[str, Any]:
        """The package's settings as configured, or as it wrote them back since."""
        with self._tokens.locked(self.source) as slot:
            saved = slot.load() or {}
        return dict(saved["config"]) if saved.get("of") == self._given else dict(self.settings.config)

    def keep_config(self, config: Mapping[str, Any]) -> None:
        """Use from now on what the package wrote back; settings that are edited in the source's file win again."""
        with self._tokens.locked(self.source) as slot:
            slot.save({"of": self._given, "config": dict(config)})

    # -- the process -------------------------------------------------------------------------------------------------

    @contextmanager
    def files(self) -> Iterator[tuple[Workplace, str]]:
        """A place for one run, and the path of the settings in it; both gone afterwards, also when this is closed."""
        with ExitStack() as stack:
            place = stack.enter_context(workplace(self._cache))
            config = self.config()
            path = place.write(CONFIG, config)
            self._open.callback(stack.close)
            try:
                yield place, path
            finally:
                # A refresh token that was rotated is worth keeping also when the run failed afterwards.
                after = place.read(CONFIG)
                if isinstance(after, dict) and _as_json(after) != _as_json(config):
                    self.keep_config(after)

    @contextmanager
    def process(self, place: Workplace, arguments: Sequence[str], stream: str | None = None) -> Iterator[Process]:
        """The package with these arguments; stopped at the end of the block."""
        with ExitStack() as stack:
            running = stack.enter_context(
                Process(
                    [*self.command, *arguments],
                    cwd=place.folder,
                    environ=clean_environ(self.settings.env),
                    silence=self.settings.silence.total_seconds(),
                    mask=self.mask,
                    source=self.source,
                    stream=stream,
                )
            )
            self._open.callback(stack.close)
            yield running


def _as_json(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True, default=str)
