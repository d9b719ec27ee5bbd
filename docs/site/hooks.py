"""What the site's builder does to the pages, which are written for a reader of the repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+(?!CHANGELOG\.md)[^)]*\)")
"""A link that leaves docs/; only asked of pages that lie directly in it."""
LANGUAGE = re.compile(r"\.([a-z]{2})\.md$")
"""Of a page that is not in English: `tutorial.ru.md`."""
LIST_OR_TABLE = re.compile(r"[-*] |\d+\. |\|")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The changelog stands beside docs/, and is a page of the site all the same."""
    from mkdocs.structure.files import File

    beside = Path(config.docs_dir).parent / "CHANGELOG.md"
    files.append(File.generated(config, "CHANGELOG.md", content=beside.read_text("utf-8").replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Links to what is no page become words, and lists and tables get the empty line that GitHub does not ask for."""
    if "/" not in page.file.src_uri:
        markdown = OUTSIDE.sub(r"\1", markdown).replace("](../CHANGELOG.md)", "](CHANGELOG.md)")
    return "\n".join(_spaced(markdown.splitlines()))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001
    """Pages in another language than the site's say so, for screen readers, hyphenation and translators."""
    spoken = LANGUAGE.search(page.file.src_uri)
    return output if spoken is None else re.sub(r'<html lang="[a-z]+"', f'<html lang="{spoken[1]}"', output, count=1)


def _spaced(lines: list[str]) -> Iterator[str]:
    before, in_code = "", False
    for line in lines:
        if line.startswith("```"):
            in_code = not in_code
        begins = LIST_OR_TABLE.match(line)
        if begins and not in_code and before and not LIST_OR_TABLE.match(before) and not before.startswith(" "):
            yield ""
        yield line
        before = line
