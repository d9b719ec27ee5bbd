"""What one file says about another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onefold.configuration import Problem

Problems = Callable[..., list[Problem]]

CRM = """\
source: crm
connector: files
streams:
  people:
    as: person
    key: id
    fields: {full_name: name}
    works_at: {stream: firms, key: firm_id}
  firms:
    as: organisation
    key: id
    fields: {legal_name: name}
  deals:
    as: interaction
    key: id
    type: sales_deal
    party: {stream: firms, key: firm_id}
"""


def changed(old: str, new: str) -> str:
    assert old in CRM
    return CRM.replace(old, new)


CASES = {
    "unknown stream": (changed("{stream: firms, key: firm_id}\n  firms", "{stream: firm, key: f}\n  firms"), 8, 24, "Did you mean `firms`?"),
    "unknown source": (
        changed("party: {stream: firms,", "party: {source: cmr, stream: firms,"), 17, 21, "`cmr` is no configured source. Did you mean `crm`?",
    ),
    "reference to the wrong kind": (changed("party: {stream: firms,", "party: {stream: deals,"), 17, 21, "not mapped as persons"),
    "unknown interaction type": (changed("type: sales_deal", "type: sales_deel"), 16, 11, "Did you mean `sales_deal`?"),
    "unknown attribute": (changed("{full_name: name}", "{ful_name: name}"), 7, 14, "Did you mean `full_name`?"),
    "attribute of nobody": (changed("{full_name: name}", "{zzz: name}"), 7, 14, "Declare `zzz` in attributes.yaml"),
    "role that is none": (changed("fields: {legal_name: name}", "role: custumer\n    fields: {legal_name: name}"), 12, 11, "a role is one of"),
    "role in a choice": (
        changed("fields: {legal_name: name}", "role: {when: t, a: suplier}\n    fields: {legal_name: name}"), 12, 24, "Did you mean `supplier`?",
    ),
    "key of another kind": (changed("type: sales_deal", "type: sales_deal\n    fields: {email: e}"), 17, 5, "`fields` has no meaning"),
    "kind that is missing": (changed("    as: organisation\n", ""), 11, 5, "`fields` has no meaning without `as`"),
    "party without fields": (changed("    fields: {legal_name: name}\n", ""), 9, 3, "needs `fields`"),
    "interaction without type": (changed("    type: sales_deal\n", ""), 13, 3, "needs `type`"),
    "unknown connector": (changed("connector: files", "connector: fils"), 2, 12, "Did you mean `files`?"),
    "unknown setting": (changed("connector: files", "connector: files\nsettings: {pth: x}"), 3, 12, "Did you mean `path`?"),
    "reference to the environment that is not closed": (
        changed("connector: files", "connector: files\nsettings: {path: '${HOME'}"), 3, 18, "not well formed",
    ),
    "child of an unknown stream": (
        changed("{full_name: name}", "{inn: {stream: reqs, where: {ID: $key}, path: INN}}"), 7, 28, "crm has no stream `reqs`",
    ),
    "lines of an unknown stream": (
        changed("type: sales_deal", "type: sales_deal\n    lines: {stream: deal, where: {id: $key}}"), 17, 21, "Did you mean `deals`?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "words"), CASES.values(), ids=CASES)
def test_what_refers_to_nothing_is_told(problems: Problems, text: str, line: int, column: int, words: str) -> None:
    found = problems(source_crm=text)
    said = "\n".join(map(str, found))
    assert any((p.line, p.column) == (line, column) and words in str(p) for p in found), said


def test_one_name_for_two_sources_names_the_first_place(problems: Problems) -> None:
    (found,) = problems(source_a=CRM, source_b=CRM)
    assert str(found).startswith("config/sources/b.yaml:1:9: The source `crm` is configured twice")
    assert "config/sources/a.yaml:1" in found.message


def test_a_stream_with_a_mistake_does_not_make_references_to_it_wrong(problems: Problems) -> None:
    found = problems(source_crm=changed("as: organisation", "as: organization"))
    assert [(p.line, p.column) for p in found] == [(10, 9)], "\n".join(map(str, found))


def test_authority_and_expectations_name_known_things(problems: Problems) -> None:
    found = problems(
        source_crm=CRM,
        authority="authority:\n  - {attribute: legal_nam, register: crm}\n  - {document: invoice, register: erp}\n",
        expectations="same_client:\n  - {records: ['crm:peple:1', 'crm:firms:2']}\n"
        "values:\n  - {record: 'x:y:1', attribute: emal, value: 1}\n",
    )
    said = "\n".join(map(str, found))
    assert "config/authority.yaml:2:17: `legal_nam` is no known attribute. Did you mean `legal_name`?" in said
    assert "config/authority.yaml:3:35: `erp` is no known source." in said
    assert "config/expectations.yaml:2:16: crm has no stream `peple`. Did you mean `people`?" in said
    assert "config/expectations.yaml:4:14: `x` is no configured source." in said
    assert "`emal` is no known attribute. Did you mean `email`?" in said


def test_open_attributes_and_own_types_are_known(folder: Callable[..., object]) -> None:
    from onefold.configuration import load_configuration

    found = load_configuration(
        folder(  # type: ignore[arg-type]
            source_crm=CRM.replace("{full_name: name}", "{full_name: name, loyalty: level}").replace(
                "sales_deal", "claim"
            ),
            attributes="attributes: {loyalty: {kind: person, labels: {en: Loyalty}}}\n",
            interactions="interactions: {claim: {department: service, labels: Claim, detail: {serial: text}}}\n",
        )
    )
    assert found.attributes["loyalty"].is_open
    rows = {row["code"]: row for row in found.interaction_rows()}
    assert rows["claim"]["label_en"] == "Claim"
    assert rows["claim"]["detail_schema"] == {"serial": {"type": "text"}}
    assert rows["invoice"]["money"] == "invoiced"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("promise", "which is a served view of another meaning"),
        ("sales_order_line", "which holds the lines of sales_order"),
        ("a" * 60, "its view's name would not fit"),
    ],
)
def test_a_type_whose_view_would_take_anothers_name_is_refused(problems: Problems, code: str, words: str) -> None:
    (said,) = map(str, problems(interactions=f"interactions:\n  {code}: {{department: sales, labels: Mine}}\n"))
    assert said.startswith(f"config/interactions.yaml:2:3: `{code}` cannot be a type: ")
    assert words in said


def test_the_shipped_company_has_no_problem() -> None:
    from onefold.configuration import load_configuration

    config = Path(__file__).parents[4] / "config"
    assert load_configuration(config).sources


def test_reading_the_configuration_loads_neither_arrow_nor_numpy(tmp_path: Path) -> None:
    import subprocess
    import sys

    from onefold.configuration.starter import write_starter

    config = write_starter(tmp_path)[0].parent
    code = (
        "import sys; from pathlib import Path; from onefold.configuration import load_configuration; "
        f"load_configuration(Path({str(config)!r})); "
        "print([m for m in ('pyarrow', 'numpy', 'sqlmodel', 'alembic', 'duckdb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


HUBSPOT = """\
source: crm
connector: hubspot
settings: {portal: "1", token: "${T}"}
streams:
  contacts:
    as: person
    key: id
    fields: {email: properties.email}
    write_back: {fields: {onefold_id: client_id}}
  deals:
    as: interaction
    key: id
    type: sales_deal
"""
WRITE_BACK = {
    "what is read": ("{onefold_id: client_id}", "{email: email}", "is read by the mapping (`properties.email`)"),
    "unknown attribute": ("onefold_id: client_id", "onefold_id: clientid", "Did you mean `client_id`?"),
    "no field": ("{onefold_id: client_id}", "{Onefold Id: client_id}", "`Onefold Id` cannot be written"),
    "no party": (
        "type: sales_deal",
        "type: sales_deal\n    write_back: {fields: {x: client_id}}",
        "only persons and organisations",
    ),
    "no field at all": ("{onefold_id: client_id}", "{}", "at least 1"),
    "a system that cannot": (
        "type: sales_deal",
        "type: sales_deal\n    write_back: {fields: {x: client_id}}",
        "cannot write this stream",
    ),
}


@pytest.mark.parametrize("case", WRITE_BACK)
def test_write_back_is_checked_against_mapping_and_manifest(problems: Problems, case: str) -> None:
    old, new, said = WRITE_BACK[case]
    assert old in HUBSPOT
    found = problems(source_crm=HUBSPOT.replace(old, new))
    assert any(said in str(problem) for problem in found), [str(problem) for problem in found]


def test_files_cannot_be_written_back(problems: Problems) -> None:
    text = CRM.replace(
        "    key: id\n    fields: {full_name: name}",
        "    key: id\n    write_back: {fields: {x: client_id}}\n    fields: {full_name: name}",
    )
    assert any("`files` cannot write this stream back" in str(problem) for problem in problems(source_crm=text))
