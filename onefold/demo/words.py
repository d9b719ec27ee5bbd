"""Word lists of the fictional world, compiled for this demo; every list runs from frequent to rare.

They are separate from every table that the matcher reads, so that the demo does not grade its own tables.
"""

from __future__ import annotations

import itertools
from functools import cache
from random import Random
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(phrase.split()) for phrase in text.split(";"))


RU_MALE: Final = _words(
    """
    Александр Сергей Дмитрий Алексей Андрей Владимир Михаил Иван Николай Евгений Максим Юрий Павел Виктор
    Игорь Олег Константин Роман Артём Денис Антон Илья Василий Анатолий Вячеслав Пётр Никита Кирилл Борис
    Валерий Григорий Леонид Станислав Тимур Георгий Руслан Вадим Фёдор Степан Семён Глеб Эдуард Ярослав
    Матвей Лев Ильдар
    """
)
RU_FEMALE: Final = _words(
    """
    Елена Ольга Наталья Татьяна Анна Ирина Светлана Мария Юлия Екатерина Людмила Марина Анастасия Галина
    Надежда Виктория Оксана Евгения Валентина Дарья Ксения Алла Вера Любовь Полина Лариса Алина Нина
    Кристина София Алёна Лидия Тамара Инна Зинаида Раиса Жанна Софья Эльвира Гульнара
    """
)
RU_FAMILY: Final = _words(
    """
    Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев
    Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров Зайцев
    Соловьёв Борисов Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев Королёв
    Гусев Киселёв Ильин Максимов Поляков Сорокин Виноградов Ковалёв Белов Медведев Антонов Тарасов Жуков
    Баранов Филиппов Комаров Давыдов Беляев Герасимов Богданов Осипов Сидоров Матвеев Титов Марков Миронов
    Крылов Куликов Карпов Власов Мельников Денисов Гаврилов Тихонов Казаков Афанасьев Данилов Савельев
    Тимофеев Фомин Чернов Абрамов Мартынов Ефимов Щербаков Назаров Калинин Исаев Чернышёв Быков Маслов
    Родионов Коновалов Лазарев Воронин Климов Филатов Пономарёв Голубев Кудрявцев Прохоров Наумов Потапов
    Журавлёв Овчинников Трофимов Леонов Соболев Ермаков Колесников Гончаров Шевченко Коваленко Бондаренко
    Ткаченко Лысенко Савченко Заславский Островский Чайковский Покровский Каминский Хабибуллин Сафин Галиев
    Гарипов Мухаметов Саркисян Петросян Арутюнян Мамедов Гасанов Цой Ким Юшков Пермяков Вологдин Двинин
    Поморцев Холмогоров Корельский Шубин Рябинин Ладыгин Щукин Ёлкин Шаповалов Юдин Чижов
    """
)
DE_MALE: Final = _words(
    """
    Thomas Michael Andreas Peter Stefan Christian Hans Martin Jürgen Klaus Wolfgang Frank Jan Markus
    Matthias Jörg Uwe Bernd Ralf Dieter Sebastian Tobias Florian Felix Lukas Jonas Björn Günther Heiko Sönke
    Torsten Götz
    """
)
DE_FEMALE: Final = _words(
    """
    Sabine Anna Petra Susanne Monika Claudia Julia Katharina Andrea Birgit Karin Ursula Stefanie Nicole
    Heike Anja Martina Silke Franziska Johanna Bärbel Käthe Antje Wiebke Friederike
    """
)
DE_FAMILY: Final = _words(
    """
    Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter
    Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause
    Meier Lehmann Köhler Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Vogel Keller Günther
    Frank Berger Winkler Roth Beck Lorenz Baumann Albrecht Böhm Petersen Hansen Jansen Lüders Thomsen
    Brüggemann Claasen Kühn Groß Straßer Ahlers Feddersen Behrens
    """
)
EN_MALE: Final = _words(
    """
    James John Robert Michael William David Richard Thomas Christopher Daniel Matthew Andrew Stephen Edward
    George Peter Simon Jonathan Nicholas Benjamin Samuel Alexander Anthony Oliver Harry Gareth
    """
)
EN_FEMALE: Final = _words(
    """
    Mary Elizabeth Sarah Margaret Susan Jennifer Catherine Rebecca Emma Victoria Charlotte Alexandra Deborah
    Patricia Helen Julie Rachel Samantha Katherine Abigail Philippa
    """
)
EN_FAMILY: Final = _words(
    """
    Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White
    Roberts Green Hall Wood Jackson Clarke Harris Cooper King Lewis Martin Turner Hill Ward Morris Moore
    Clark Baker Harrison Carter Mitchell Scott Phillips Adams Campbell Anderson Cook Bailey Parker Bennett
    Price Griffiths Young Hughes Macdonald O'Brien Fitzgerald Whitaker Pemberton
    """
)

SHORT_NAMES: Final = {
    "Александр": "Саша", "Сергей": "Серёжа", "Дмитрий": "Дима", "Алексей": "Лёша", "Владимир": "Володя",
    "Михаил": "Миша", "Иван": "Ваня", "Николай": "Коля", "Евгений": "Женя", "Максим": "Макс", "Юрий": "Юра",
    "Павел": "Паша", "Константин": "Костя", "Пётр": "Петя", "Анатолий": "Толя", "Вячеслав": "Слава",
    "Елена": "Лена", "Ольга": "Оля", "Наталья": "Наташа", "Татьяна": "Таня", "Анна": "Аня", "Ирина": "Ира",
    "Светлана": "Света", "Мария": "Маша", "Юлия": "Юля", "Екатерина": "Катя", "Людмила": "Люда",
    "Анастасия": "Настя", "Надежда": "Надя", "Евгения": "Женя", "Дарья": "Даша",
    "Michael": "Mike", "Robert": "Bob", "William": "Bill", "David": "Dave", "Richard": "Dick",
    "Thomas": "Tom", "Christopher": "Chris", "Daniel": "Dan", "Matthew": "Matt", "Andrew": "Andy",
    "Stephen": "Steve",
    "Nicholas": "Nick", "Benjamin": "Ben", "Samuel": "Sam", "Elizabeth": "Liz", "Margaret": "Maggie",
    "Susan": "Sue", "Jennifer": "Jenny", "Catherine": "Cathy", "Rebecca": "Becky", "Katherine": "Kate",
    "Matthias": "Matze", "Sebastian": "Basti", "Katharina": "Käthe", "Susanne": "Susi", "Wolfgang": "Wolf",
}  # fmt: skip
"""What people are called at work and on the telephone."""


class City(NamedTuple):
    """A place: name at home and abroad, region code of tax numbers, telephone code, postcode prefix."""

    name: str
    latin: str
    country: str
    region: str
    dial: str
    postcode: str


RU_CITIES: Final = (
    City("Москва", "Moscow", "RU", "77", "495", "1"),
    City("Санкт-Петербург", "Saint Petersburg", "RU", "78", "812", "19"),
    City("Екатеринбург", "Ekaterinburg", "RU", "66", "343", "620"),
    City("Новосибирск", "Novosibirsk", "RU", "54", "383", "630"),
    City("Казань", "Kazan", "RU", "16", "843", "420"),
    City("Уфа", "Ufa", "RU", "02", "347", "450"),
    City("Калининград", "Kaliningrad", "RU", "39", "4012", "236"),
    City("Архангельск", "Arkhangelsk", "RU", "29", "8182", "163"),
    City("Мурманск", "Murmansk", "RU", "51", "8152", "183"),
    City("Нижний Новгород", "Nizhny Novgorod", "RU", "52", "831", "603"),
    City("Пермь", "Perm", "RU", "59", "342", "614"),
    City("Петрозаводск", "Petrozavodsk", "RU", "10", "8142", "185"),
    City("Майкоп", "Maykop", "RU", "01", "8772", "385"),
)
DE_CITIES: Final = (
    City("Hamburg", "Hamburg", "DE", "", "40", "20"),
    City("Berlin", "Berlin", "DE", "", "30", "10"),
    City("Bremen", "Bremen", "DE", "", "421", "28"),
    City("Lübeck", "Luebeck", "DE", "", "451", "23"),
    City("München", "Munich", "DE", "", "89", "80"),
    City("Rostock", "Rostock", "DE", "", "381", "18"),
    City("Köln", "Cologne", "DE", "", "221", "50"),
)
GB_CITIES: Final = (
    City("London", "London", "GB", "", "20", "E1"),
    City("Manchester", "Manchester", "GB", "", "161", "M1"),
    City("Hull", "Hull", "GB", "", "1482", "HU1"),
    City("Aberdeen", "Aberdeen", "GB", "", "1224", "AB1"),
    City("Leeds", "Leeds", "GB", "", "113", "LS1"),
)
CITIES: Final = {"RU": RU_CITIES, "DE": DE_CITIES, "GB": GB_CITIES}

STREETS: Final = {
    "RU": _phrases(
        """
        Ленина; Советская; Мира; Гагарина; Центральная; Набережная; Садовая; Лесная; Заводская; Портовая;
        Портовый проезд; Ломоносова; Кирова; Пушкина; Северная; Промышленная; Московский проспект; Речная;
        Полярная; Строителей; Новая; Адмирала Макарова; Канатная; Корабельная; Вокзальная; Индустриальная; 8
        Марта; Чапаева; Космонавтов
        """
    ),
    "DE": _phrases(
        """
        Hauptstraße; Bahnhofstraße; Gartenweg; Schulstraße; Hafenstraße; Am Kanal; Industriestraße;
        Lindenallee; Speicherstraße; Kaiweg; Mühlenweg; Werftstraße; Nordring; Bergstraße; Fischmarkt
        """
    ),
    "GB": _phrases(
        """
        High Street; Station Road; Church Lane; Harbour Road; Mill Lane; Dock Street; Victoria Road; Quay
        Street; Park Avenue; King Street; Foundry Lane; Wharf Road
        """
    ),
}

RU_FIRM_WORDS: Final = _words(
    """
    Балтика Ромашка Вектор Альфа Прогресс Меридиан Горизонт Атлант Импульс Стандарт Гарант Орион Полюс Якорь
    Маяк Волна Причал Штурвал Бриз Каскад Родник Исток Водолей Кристалл Гранит Монолит Север Арктика
    Беломорье Поморье Двина Ладога Онега Нева Кама Волга Урал Сибирь Заря Восход Спектр Контур Аспект
    Магистраль Эверест Титан Сокол Беркут Лидер Союз Партнёр Феникс Резерв Компас Азимут Зенит Квант Радиус
    Формула Ресурс
    """
)
RU_FIRM_TAILS: Final = _words(
    """
    строй сервис торг снаб комплект пром тех монтаж трейд проект насос гидро энерго маш агро транс порт флот
    рыба лес
    """
)
RU_FIRM_KINDS: Final = _phrases(
    """
    Торговый дом; Завод; Управляющая компания; Агрофирма; Судоремонтный завод; Научно-производственное
    объединение; Рыбокомбинат; Водоканал; Тепличный комбинат; Фирма
    """
)
DE_FIRM_WORDS: Final = _words(
    """
    Nordlicht Hansa Elbe Alster Weser Ostsee Anker Leuchtturm Möwe Deich Kranich Falke Brücke Hafen Speicher
    Adler Rhein Isar Eiche Linde Kompass Polar Sturm Welle Küste Düne
    """
)
DE_FIRM_TAILS: Final = _phrases(
    """
    Pumpen; Wassertechnik; Maschinenbau; Handel; Logistik; Anlagenbau; Armaturen; Schiffstechnik;
    Gebäudetechnik; Industrie; Rohrleitungsbau; Brauerei; Molkerei; Gartenbau
    """
)
EN_FIRM_WORDS: Final = _words(
    """
    Northern Harbour Anchor Albion Pennine Severn Mersey Granite Castle Kestrel Falcon Oak Meridian Compass
    Beacon Tide Estuary Highland Thistle Crown Avon
    """
)
EN_FIRM_TAILS: Final = _phrases(
    """
    Pumps; Marine; Engineering; Trading; Water Services; Fluid Systems; Process Equipment; Brewing; Dairies;
    Logistics; Building Services; Farms; Shipping
    """
)
ITEMS: Final = (
    ("PMP-100", "Насос центробежный НЦ-100", 48_700_00),
    ("PMP-160", "Насос центробежный НЦ-160", 86_350_50),
    ("PMP-DRN", "Насос дренажный ДН-25", 17_490_00),
    ("PMP-SUB", "Насос погружной ПН-6", 39_999_90),
    ("VLV-050", "Задвижка DN50", 6_420_35),
    ("VLV-100", "Задвижка DN100", 11_875_00),
    ("VLV-CHK", "Клапан обратный DN80", 7_340_20),
    ("SEL-KIT", "Комплект торцевых уплотнений", 4_218_75),
    ("BRG-SET", "Комплект подшипников", 3_905_15),
    ("FLT-200", "Фильтр сетчатый DN200", 15_660_00),
    ("HSE-025", "Рукав напорный 25 м", 2_349_99),
    ("MTR-055", "Электродвигатель 5,5 кВт", 31_280_00),
    ("MTR-150", "Электродвигатель 15 кВт", 74_115_60),
    ("CTL-VFD", "Преобразователь частоты", 52_999_00),
    ("GAU-PRS", "Манометр показывающий", 1_149_90),
    ("PIP-110", "Труба напорная 110 мм", 1_873_45),
)
"""What the company sells: code, name, price in kopeks."""

TICKET_SUBJECTS: Final = (
    "Насос не запускается",
    "Протечка по торцевому уплотнению",
    "Не пришла накладная",
    "Pump vibration above limit",
    "Ersatzteil falsch geliefert",
    "Запрос паспорта на оборудование",
    "Нужен выезд инженера",
    "Invoice copy needed",
    "Шум подшипника",
    "Пересогласовать дату поставки",
)
COMPLAINT_SUBJECTS: Final = (
    "Срыв срока поставки",
    "Товар повреждён при доставке",
    "Счёт выставлен дважды",
    "Грубый ответ менеджера",
    "Late delivery, third time",
    "Falsche Menge geliefert",
)


@cache
def _skew(length: int) -> tuple[float, ...]:
    return tuple(itertools.accumulate(1.0 / (rank + 12) for rank in range(length)))


def pick(rng: Random, words: tuple[T, ...]) -> T:
    """One of the words; the first come far more often than the last (about 1 / rank)."""
    return rng.choices(words, cum_weights=_skew(len(words)))[0]
