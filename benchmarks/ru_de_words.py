"""Words of the generator ru_de.py: own compilation, read by nothing else; the matcher has tables of its own."""

# ruff: noqa: SIM905, E501 - word lists are easier to read and to edit as text
from __future__ import annotations

from typing import Final

RU_FIRM_WORDS: Final = """Вектор Прогресс Гарант Альянс Восход Меридиан Орион Горизонт Импульс Стандарт
Родник Надежда Победа Юпитер Спектр Радуга Ромашка Василёк Берёзка Рассвет Заря Маяк Титан Атлант Феникс
Сокол Кристалл Алмаз Янтарь Малахит Контакт Партнёр Престиж Эталон Кедр Тополь Ландыш Каскад Фортуна
Виктория Олимп Парус Якорь Магнит Сигма Гамма Омега Квант Ресурс Лидер Купец Витязь Богатырь Черёмуха
Журавль Ласточка Пионер Факел Ударник Искра Ветеран Перспектива Стимул Диалог Формула Аксиома Пирамида
Созвездие""".split()
RU_FIRM_STARTS: Final = """Строй Тех Пром Агро Транс Энерго Мед Метал Лес Нефте Авто Электро Гидро Спец Урал
Сиб Волга Нева Дон Юг Север Восток Запад Кубань Байкал Амур Термо Газ Дорож Аква Эко Био Хим Стекло Тепло
Вент Мото Теле Инфо Фарм""".split()
RU_FIRM_ENDS: Final = """сервис торг монтаж снаб инвест комплект групп проект ресурс маш прибор логистик
строй пром продукт холдинг альянс союз центр мастер контроль техника трейд деталь сбыт экспорт материалы
системы упаковка тара""".split()
RU_FIRM_TAILS: Final = (
    "",
    "",
    "",
    "",
    "",
    "",
    " Плюс",
    " М",
    "-2000",
    " НН",
    "-Сервис",
    " Трейд",
    " и Ко",
    "-Регион",
    " Юг",
    " 21 век",
)
RU_TRADES: Final = """Торговый дом|Строительная компания|Производственное объединение|Научно-производственная фирма|Транспортная компания|Завод
|Агрофирма|Медицинский центр|Управляющая компания|Юридическое бюро""".replace("\n", "").split("|")

RU_FAMILY: Final = """Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов
Волков Алексеев Лебедев Семёнов Егоров Павлов Козлов Степанов Николаев Орлов Андреев Макаров Никитин Захаров
Зайцев Соловьёв Борисов Яковлев Григорьев Романов Воробьёв Сергеев Кузьмин Фролов Александров Дмитриев
Королёв Гусев Киселёв Ильин Максимов Поляков Сорокин Виноградов Ковалёв Белов Медведев Антонов Тарасов Жуков
Баранов Филиппов Комаров Давыдов Беляев Герасимов Богданов Осипов Сидоров Матвеев Титов Марков Миронов
Крылов Куликов Карпов Власов Мельников Денисов Гаврилов Тихонов Казаков Афанасьев Данилов Савельев Тимофеев
Фомин Чернов Абрамов Мартынов Ефимов Федотов Щербаков Назаров Калинин Исаев Чернышёв Быков Маслов Родионов
Коновалов Лазарев Воронин Климов Филатов Пономарёв Голубев Кудрявцев Прохоров Наумов Потапов Журавлёв
Овчинников Трофимов Леонов Соболев Ермаков Колесников Гончаров Емельянов Никифоров Грачёв Котов Гришин
Ефремов Архипов Громов Кириллов Малышев Панов Моисеев Румянцев Акимов Кондратьев Бирюков Горбунов Анисимов
Ерёмин Тихомиров Галкин Лукьянов Михеев Скворцов Юдин Белоусов Нестеров Симонов Прокофьев Харитонов Князев
Цветков Левин Митрофанов Воронов Аксёнов Софронов Мальцев Логинов Горшков Савин Краснов Майоров Демидов
Елисеев Рыбаков Сафонов Плотников Демин Хохлов Фадеев Молчанов Игнатов Литвинов Ершов Ушаков Дементьев Рябов
Мухин Калашников Леонтьев Лобанов Кузин Корнеев Евдокимов Бородин Платонов Некрасов Балашов Бобров Жданов
Блинов Игнатьев Коротков Муравьёв Крюков Беляков Богомолов Дроздов Лавров Зуев Петухов Ларин Никулин Серов
Терентьев Зотов Устинов Фокин Самойлов Константинов Сахаров Шишкин Самсонов Черкасов Чистяков Носов
Спиридонов Карасёв Авдеев Воронцов Зверев Владимиров Селезнёв Нечаев Кудряшов Седов Фирсов Андрианов
Панфилов Головин Терехов Ульянов Шестаков Агеев Никонов Селиванов Баженов Гордеев Кожевников Пахомов Зимин
Костин Широков Филимонов Ларионов Овсянников Сазонов Суворов Нефёдов Корнилов Любимов Львов Горбачёв Копылов
Лукин Токарев Кулешов Шилов""".split()
RU_MALE: Final = """Александр Сергей Дмитрий Андрей Алексей Владимир Николай Михаил Евгений Иван Игорь
Виктор Юрий Олег Павел Анатолий Роман Василий Максим Денис Константин Антон Валерий Пётр Вадим Геннадий
Борис Артём Григорий Леонид Фёдор Виталий Илья Кирилл Никита Станислав Вячеслав Степан Семён Лев Егор Матвей
Тимофей Глеб Руслан""".split()
RU_FEMALE: Final = """Елена Ольга Татьяна Наталья Ирина Светлана Анна Марина Екатерина Людмила Галина Мария
Юлия Надежда Валентина Нина Анастасия Любовь Оксана Вера Лариса Тамара Алла Евгения Дарья Ксения Виктория
Алина Полина Софья Лидия Зинаида Раиса Кристина Александра Маргарита Алёна Вероника Яна Жанна""".split()
RU_SHORT: Final = {
    "Александр": "Саша", "Сергей": "Серёжа", "Дмитрий": "Дима", "Алексей": "Лёша", "Владимир": "Володя", "Николай": "Коля",
    "Михаил": "Миша", "Евгений": "Женя", "Иван": "Ваня", "Юрий": "Юра", "Павел": "Паша", "Роман": "Рома", "Василий": "Вася",
    "Константин": "Костя", "Пётр": "Петя", "Борис": "Боря", "Григорий": "Гриша", "Елена": "Лена", "Ольга": "Оля",
    "Татьяна": "Таня", "Наталья": "Наташа", "Ирина": "Ира", "Светлана": "Света", "Анна": "Аня", "Екатерина": "Катя",
    "Людмила": "Люда", "Галина": "Галя", "Мария": "Маша", "Юлия": "Юля", "Надежда": "Надя", "Анастасия": "Настя",
    "Любовь": "Люба", "Дарья": "Даша", "Виктория": "Вика", "Софья": "Соня", "Маргарита": "Рита",
}  # fmt: skip
RU_CITIES: Final = (
    # name, region code of the tax office, dialling code, first digits of the postcode
    ("Москва", "77", "495", "101"), ("Санкт-Петербург", "78", "812", "190"), ("Новосибирск", "54", "383", "630"),
    ("Екатеринбург", "66", "343", "620"), ("Казань", "16", "843", "420"), ("Нижний Новгород", "52", "831", "603"),
    ("Челябинск", "74", "351", "454"), ("Самара", "63", "846", "443"), ("Омск", "55", "3812", "644"),
    ("Ростов-на-Дону", "61", "863", "344"), ("Уфа", "02", "347", "450"), ("Красноярск", "24", "391", "660"),
    ("Пермь", "59", "342", "614"), ("Воронеж", "36", "473", "394"), ("Волгоград", "34", "8442", "400"),
    ("Краснодар", "23", "861", "350"), ("Саратов", "64", "8452", "410"), ("Тюмень", "72", "3452", "625"),
    ("Ижевск", "18", "3412", "426"), ("Ярославль", "76", "4852", "150"), ("Барнаул", "22", "3852", "656"),
    ("Иркутск", "38", "3952", "664"), ("Хабаровск", "27", "4212", "680"), ("Владивосток", "25", "423", "690"),
    ("Оренбург", "56", "3532", "460"), ("Томск", "70", "3822", "634"), ("Кемерово", "42", "3842", "650"),
    ("Рязань", "62", "4912", "390"), ("Пенза", "58", "8412", "440"), ("Тула", "71", "4872", "300"),
)  # fmt: skip
RU_STREETS: Final = """Ленина Советская Мира Гагарина Садовая Лесная Школьная Молодёжная Центральная Новая
Пушкина Кирова Октябрьская Комсомольская Заводская Зелёная Набережная Первомайская Победы Полевая Луговая
Чапаева Горького Калинина Лермонтова Северная Солнечная Строителей Труда Чехова Энергетиков Юбилейная Южная
Транспортная Промышленная Вокзальная""".split()

DE_FAMILY: Final = """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer
Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange
Schmitt Werner Krause Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser
Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler
Roth Beck Lorenz Baumann Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer
Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn
Kühn Pohl Engel Horn Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer Förster Götz Häßler Röder
Strauß Grünwald Bäcker Jürgens Löffler Küster Büchner Höfer""".split()
DE_MALE: Final = """Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner
Horst Frank Dieter Manfred Gerhard Hans Bernd Thorsten Matthias Helmut Walter Heinz Martin Jörg Rolf Jens
Sven Alexander Rainer Jan Holger Karl Markus Ralf Björn""".split()
DE_FEMALE: Final = """Ursula Karin Helga Sabine Ingrid Renate Monika Susanne Gisela Petra Birgit Andrea Anna
Brigitte Claudia Erika Christa Elke Stefanie Gertrud Elisabeth Maria Angelika Heike Gabriele Kathrin Ilse
Nicole Anja Barbara Hildegard Martina Käthe Bärbel""".split()
DE_TRADES: Final = """Maschinenbau|Bau|Elektrotechnik|Logistik|Spedition|Metallbau|Holzbau|Consulting|Immobilien|Gartenbau|Autohaus
|Medizintechnik|Druckerei|Bäckerei|Möbel|Textil|Kunststofftechnik|Werkzeugbau|Anlagenbau|Haustechnik|Software|Energie|Verpackung|Optik
|Feinkost|Getränke|Fördertechnik|Gebäudereinigung|Küchen|Brennstoffe""".replace("\n", "").split("|")
DE_FIRM_STARTS: Final = """Nord Süd West Ost Rhein Main Alpen Hanse Elbe Weser Isar Neckar Ruhr Saar Harz
Eifel Bavaria Teuto Euro Inter Pro Trans Bio Öko Thermo Hydro Electro Medi Agri Aero""".split()
DE_FIRM_ENDS: Final = """tech werk bau log plan chem print soft med food glas stahl form team trans data
plast pack electronic solar""".split()
DE_CITIES: Final = (
    ("Berlin", "030", "10"), ("Hamburg", "040", "20"), ("München", "089", "80"), ("Köln", "0221", "50"),
    ("Frankfurt am Main", "069", "60"), ("Stuttgart", "0711", "70"), ("Düsseldorf", "0211", "40"), ("Leipzig", "0341", "04"),
    ("Dortmund", "0231", "44"), ("Essen", "0201", "45"), ("Bremen", "0421", "28"), ("Dresden", "0351", "01"),
    ("Hannover", "0511", "30"), ("Nürnberg", "0911", "90"), ("Duisburg", "0203", "47"), ("Bochum", "0234", "44"),
    ("Wuppertal", "0202", "42"), ("Bielefeld", "0521", "33"), ("Bonn", "0228", "53"), ("Münster", "0251", "48"),
    ("Karlsruhe", "0721", "76"), ("Mannheim", "0621", "68"), ("Augsburg", "0821", "86"), ("Wiesbaden", "0611", "65"),
    ("Lübeck", "0451", "23"), ("Göttingen", "0551", "37"), ("Würzburg", "0931", "97"), ("Saarbrücken", "0681", "66"),
)  # fmt: skip
DE_STREETS: Final = """Hauptstraße Schulstraße Gartenstraße Bahnhofstraße Dorfstraße Bergstraße Birkenweg
Lindenstraße Kirchstraße Waldstraße Ringstraße Amselweg Jahnstraße Goethestraße Wiesenweg Schillerstraße
Feldstraße Mühlenweg Industriestraße Talstraße Rosenweg Friedhofstraße Ahornweg Uferstraße Mittelstraße
Poststraße Marktplatz Mozartstraße Bachstraße Hafenstraße""".split()

# Latin spellings of Russian letters: a passport's, a business card's, a careless clerk's.
TO_LATIN: Final = tuple(
    {
        letter: latin.replace("_", "")
        for letter, latin in zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", spelling.split(), strict=True)
    }
    for spelling in (
        "a b v g d e e zh z i i k l m n o p r s t u f kh ts ch sh shch ie y _ e iu ia",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh sch _ y _ e yu ya",
        "a b v g d e e j z i y k l m n o p r s t u f h c ch sh sh _ y _ e u ya",
    )
)
# Russian spellings of German, longest first.
TO_CYRILLIC: Final = (
    ("tsch", "ч"), ("sch", "ш"), ("chs", "кс"), ("ch", "х"), ("ck", "к"), ("ei", "ай"), ("ai", "ай"), ("ay", "ай"), ("ey", "ай"),
    ("eu", "ой"), ("äu", "ой"), ("ie", "и"), ("ph", "ф"), ("th", "т"), ("tz", "ц"), ("qu", "кв"), ("ss", "сс"), ("ß", "сс"),
    ("ja", "я"), ("jä", "е"), ("jü", "ю"), ("jo", "йо"), ("ä", "е"), ("ö", "ё"), ("ü", "ю"), ("a", "а"), ("b", "б"), ("c", "к"),
    ("d", "д"), ("e", "е"), ("f", "ф"), ("g", "г"), ("h", "х"), ("i", "и"), ("j", "й"), ("k", "к"), ("l", "л"), ("m", "м"),
    ("n", "н"), ("o", "о"), ("p", "п"), ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у"), ("v", "ф"), ("w", "в"), ("x", "кс"),
    ("y", "и"), ("z", "ц"),
)  # fmt: skip
