"""A JSON Schema of docs/schemas as a page: a table of keys for the file and for each form that occurs in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
HEAD = ("| key | is | default | meaning |", "|---|---|---|---|")


def schema_page(file: str, schema: Schema) -> str:
    """The keys of the file itself, then those of its parts in the order in which they are met."""
    forms: dict[str, Schema] = dict(schema.get("$defs", {}))
    schema = {key: _lifted(value, forms) for key, value in schema.items() if key != "$defs"}
    about = schema.get("title", file)
    lines = [
        f"# {_title(file, about)}",
        "",
        about,
        "",
        f"Made from [{file}](../schemas/{file}), by which editors complete and check the file. Keys in bold must be there.",
        "",
        *_table(schema),
    ]
    for name in _met(schema, forms):
        form = forms[name]
        lines += ["", f"## {_form(name)}", ""]
        if form.get("description"):
            lines += [_cell(form["description"]).replace("\\|", "|"), ""]
        lines += _table(form) if form.get("properties") else [f"Is {_type(form)}."]
    return "\n".join(lines) + "\n"


def _title(file: str, about: str) -> str:
    head, colon, _ = about.partition(":")
    return head if colon else file


def _lifted(part: Any, forms: dict[str, Schema]) -> Any:
    """`part` with the forms that are written out in it moved to `forms`, as those that occur twice are already."""
    if isinstance(part, list):
        return [_lifted(one, forms) for one in part]
    if not isinstance(part, dict):
        return part
    made = {key: _lifted(value, forms) for key, value in part.items()}
    if isinstance(made.get("title"), str) and isinstance(made.get("properties"), dict):
        forms[made["title"]] = made
        return {"$ref": f"#/$defs/{made['title']}"}
    return made


def _met(schema: Schema, forms: dict[str, Schema]) -> list[str]:
    found: list[str] = []
    waiting = [schema]
    while waiting:
        part = waiting.pop(0)
        text = json.dumps({key: value for key, value in part.items() if key != "$defs"})
        for name in re.findall(r'"#/\$defs/([^"]+)"', text):
            if name in forms and name not in found:
                found.append(name)
                waiting.append(forms[name])
    return found


def _table(schema: Schema) -> list[str]:
    rows = list(_rows(schema))
    if not rows and "if" in schema:
        return [f"Is {_type(schema['else'])}; of a system that is read by its files, {_type(schema['then'])}."]
    if not rows:
        return [f"Is {_type(schema)}."]
    return [*HEAD, *rows]


def _rows(schema: Schema) -> Iterator[str]:
    required = set(schema.get("required", ()))
    for name, one in sorted(schema.get("properties", {}).items(), key=lambda pair: pair[0] not in required):
        shown = f"**`{name}`**" if name in required else f"`{name}`"
        default = one.get("default")
        # The defaults of a part stand with the part.
        default = "" if default is None or isinstance(default, dict) else f"`{json.dumps(default, ensure_ascii=False)}`"
        yield f"| {shown} | {_type(one)} | {default} | {_cell(one.get('description', ''))} |"
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        yield f"| any other | {_type(others)} | | {_cell(others.get('description', ''))} |"


def _type(one: Schema) -> str:
    if "$ref" in one:
        name = _form(one["$ref"].rsplit("/", 1)[-1])
        return f"[{name}](#{_anchor(name)})"
    for key in ("anyOf", "oneOf"):
        if key in one:
            kinds = [_type(part) for part in one[key] if part.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    kind = one.get("type")
    if isinstance(kind, list):
        return " or ".join(word for word in kind if word != "null")
    if kind == "array":
        return f"list of {_type(one['items'])}" if one.get("items") else "list"
    if kind == "object":
        others = one.get("additionalProperties")
        return f"mapping to {_type(others)}" if isinstance(others, dict) and others else "mapping"
    return {"string": "text", "integer": "whole number", "boolean": "`true`, `false`"}.get(
        str(kind), str(kind or "anything")
    )


def _form(name: str) -> str:
    """A form's name without what pydantic adds: `When_Literal__person____organisation___` is `When`."""
    head, _, rest = name.partition("_")
    kind = re.findall(r"[a-z]+", rest.replace("Literal", "").lower())
    plain = " ".join(word for word in kind if word not in ("annotated", "str", "aftervalidator", "withjsonschema"))
    return (
        f"{head} ({plain})"
        if plain
        else head
        if not rest
        else f"{head} (text)"
        if "Annotated" not in rest
        else f"{head} (word)"
    )


def _anchor(name: str) -> str:
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
