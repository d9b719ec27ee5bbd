from __future__ import annotations

import pytest

from identity.standard.latin import latin_key
from identity.standard.nicknames import nickname_class
from identity.standard.persons import full_name, name_part, parse_full_name, split_given
from identity.standard.text import comparable


@pytest.mark.parametrize(
    ("written", "given", "middle", "family"),
    [
        ("Иванов Иван Иванович", "иван", "иванович", "иванов"),
        ("Иван Иванович Иванов", "иван", "иванович", "иванов"),
        ("Иван Иванов", "иван", None, "иванов"),
        ("Иванов Иван", "иван", None, "иванов"),
        ("ИВАНОВ ИВАН ИВАНОВИЧ", "иван", "иванович", "иванов"),
        ("Абрамович Роман Аркадьевич", "роман", "аркадьевич", "абрамович"),
        ("Роман Аркадьевич Абрамович", "роман", "аркадьевич", "абрамович"),
        ("Соловьёва Алёна Ильинична", "алена", "ильинична", "соловьева"),
        ("Алиев Вагиф Самед оглы", "вагиф", "самед оглы", "алиев"),
        ("Иванов И.И.", "и", "и", "иванов"),
        ("И.И. Иванов", "и", "и", "иванов"),
        ("И. И. Иванов", "и", "и", "иванов"),
        ("Мария Петровна", "мария", "петровна", None),
        ("г-н Петров Пётр", "петр", None, "петров"),
        ("ИП Сидоров Сидор Сидорович", "сидор", "сидорович", "сидоров"),
        ("Ivanov Ivan Ivanovich", "ivan", "ivanovich", "ivanov"),
        ("Smith, John", "john", None, "smith"),
        ("Smith, John, Jr.", "john", None, "smith"),
        ("John Q. Smith Jr.", "john", "q", "smith"),
        ("john smith", "john", None, "smith"),
        ("smith john", "john", None, "smith"),
        ("SMITH John", "john", None, "smith"),
        ("Robert (Bob) Smith", "robert", None, "smith"),
        ("J. R. R. Tolkien", "j", "r r", "tolkien"),
        ("O'Brien, Mary", "mary", None, "obrien"),
        ("Dr. Hans-Peter Müller", "hans peter", None, "müller"),
        ("Prof. Dr. med. Anna Schmidt", "anna", None, "schmidt"),
        ("Dipl.-Ing. Karl Schmidt", "karl", None, "schmidt"),
        ("Ludwig van Beethoven", "ludwig", None, "van beethoven"),
        ("van der Berg, Jan", "jan", None, "van der berg"),
        ("García Márquez, Gabriel", "gabriel", None, "garcía márquez"),
        ("王伟", "伟", None, "王"),
    ],
)
def test_full_name_is_read_in_any_usual_order(
    written: str, given: str | None, middle: str | None, family: str | None
) -> None:
    name = parse_full_name(written)
    assert (name.given, name.middle, name.family) == (given, middle, family)
    assert name.full == " ".join(part for part in (given, middle, family) if part)


def test_what_a_person_was_called_stays_in_the_full_name_and_out_of_the_parts() -> None:
    name = parse_full_name("thomas clifford, 1st baron clifford of chudleigh")
    assert (name.given, name.middle, name.family) == ("thomas", None, "clifford")
    assert name.full == "thomas clifford 1st baron clifford of chudleigh"


@pytest.mark.parametrize("written", ["нет", "n/a", "-", "???", "не указано", "unknown", "keine Angabe"])
def test_words_for_nothing_are_no_name(written: str) -> None:
    assert full_name(written)[1:3] == (None, "placeholder")
    assert name_part(written)[1:3] == (None, "placeholder")


def test_a_name_without_letters_is_invalid() -> None:
    assert full_name("12345").invalid == "no letters"
    assert name_part("+7 1").invalid == "no letters"


def test_display_is_as_the_source_wrote_it() -> None:
    form = full_name("  Иванов   Иван ")
    assert (form.display, form.value) == ("Иванов Иван", "иван иванов")


def test_suffixes_are_no_part_of_a_family_name() -> None:
    assert name_part("Smith Sr").value == "smith"


def test_patronymic_in_the_given_name_field_is_told_apart() -> None:
    assert split_given("иван иванович") == ("иван", "иванович")
    assert split_given("robert j") == ("robert", "j")
    assert split_given("anna maria") == ("anna maria", None)


@pytest.mark.parametrize(
    "spellings",
    [
        "Чайковский Tchaikovsky Chaikovskii Tschaikowski",
        "Пётр Petr Pyotr Pjotr Пëтр",
        "Müller Mueller Muller Мюллер",
        "Юлия Yulia Julia Iuliia",
        "Щербаков Shcherbakov Sherbakov",
        "Шмидт Schmidt Shmidt",
        "Евгений Yevgeny Evgenii Jewgeni",
        "Наталья Natalia Natalya",
        "Царёв Tsarev Zarew",
        "Schröder Schroeder",
        "Алексей Aleksei Alexey",
        "O'Brien OBrien O’Brien",
    ],
)
def test_spellings_of_one_name_share_a_latin_key(spellings: str) -> None:
    assert len({latin_key(comparable(spelling)) for spelling in spellings.split()}) == 1


def test_different_names_keep_different_latin_keys() -> None:
    names = [
        "иванов",
        "петров",
        "сидоров",
        "smith",
        "schmidt",
        "muller",
        "meier",
        "john",
        "jane",
        "anna",
        "maria",
        "wang",
        "chen",
    ]
    assert len({latin_key(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("left", "right"),
    [("bob", "robert"), ("саша", "александр"), ("саша", "александра"), ("sasha", "александр"), ("петя",
    "peter"),
     ("mike", "михаил"), ("bill", "william"), ("katya", "екатерина"), ("hans", "иван")],
)  # fmt: skip
def test_forms_of_one_given_name_share_a_class(left: str, right: str) -> None:
    assert set(nickname_class(left)) & set(nickname_class(right))


@pytest.mark.parametrize(("left", "right"), [("bob", "william"), ("маша", "даша"), ("john", "peter"), ("иван", "петр")])
def test_different_given_names_share_no_class(left: str, right: str) -> None:
    assert not set(nickname_class(left)) & set(nickname_class(right))


def test_a_name_in_no_class_has_none() -> None:
    assert nickname_class("qwertz") == ()
