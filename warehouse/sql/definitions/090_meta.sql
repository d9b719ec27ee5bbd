-- What the served views are, and how fresh. Installed after all other rooms, whose views it describes: whatever
-- stands in onefold_v1 appears here by itself, and the notes below only say what the catalogue cannot know.

-- Counting a view of millions takes seconds, asking the planner for it a millisecond. The cost limit is about 0.1 s of
-- reading. The reader calls it with rights of its own, so that it names views of onefold_v1 only.
CREATE OR REPLACE FUNCTION core.served_rows(dataset text, OUT rows bigint, OUT is_estimated boolean)
LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
    fields numeric;
BEGIN
    EXECUTE pg_catalog.format('EXPLAIN (FORMAT JSON) SELECT FROM onefold_v1.%I', dataset) INTO plan;
    is_estimated := (plan #>> '{0,Plan,Total Cost}')::numeric > 10000;
    IF is_estimated THEN
        rows := (plan #>> '{0,Plan,Plan Rows}')::numeric;
    END IF;
    IF is_estimated AND dataset = 'client_field_lineage' THEN
        -- The planner takes every document for 100 fields of 100 values. A few clients tell how many there are.
        EXECUTE 'SELECT count(*)::numeric / greatest(count(DISTINCT f.client_id), 1)'
            ' FROM (SELECT l.client_id FROM onefold_v1.client_field_lineage AS l LIMIT 5000) AS f' INTO fields;
        EXECUTE 'EXPLAIN (FORMAT JSON) SELECT FROM onefold_v1.dim_party' INTO plan;
        rows := pg_catalog.round((plan #>> '{0,Plan,Plan Rows}')::numeric * fields);
        is_estimated := rows > 50000;
    END IF;
    IF NOT is_estimated THEN
        EXECUTE pg_catalog.format('SELECT count(*) FROM onefold_v1.%I', dataset) INTO rows;
    END IF;
END
$$;
COMMENT ON FUNCTION core.served_rows(text) IS 'Rows of a served view: counted where that is quick, else estimated';

CREATE OR REPLACE VIEW onefold_v1.meta_column AS
WITH note (datasets, column_name, label_ru, personal_data, refers_to, allowed_values) AS (
    -- By name, since a column of one name means the same everywhere; where a view differs, its own note comes first.
    VALUES
        ('%', 'client_id', 'Клиент', 'none', 'dim_party.client_id', NULL),
        ('%', 'client_valid_from', 'Версия клиента на день события', 'none', NULL, NULL),
        ('%', 'current_client_id', 'Клиент сейчас', 'none', 'dim_party.client_id', NULL),
        ('%', 'old_client_id', 'Прежний идентификатор клиента', 'none', 'dim_party.client_id', NULL),
        ('%', 'redirected_at', 'Когда объединён', 'none', NULL, NULL),
        ('dim%', 'kind', 'Вид: физлицо или организация', 'none', NULL, '{person,organisation}'::text[]),
        ('xref%', 'kind', 'Вид: физлицо или организация', 'none', NULL, '{person,organisation}'::text[]),
        ('fct\_promise', 'kind', 'Что обещано', 'none', NULL, NULL),
        ('dim%', 'role', 'Роль', 'none', NULL, '{client,prospect,supplier,staff,authority}'::text[]),
        ('xref%', 'role', 'Роль', 'none', NULL, '{client,prospect,supplier,staff,authority}'::text[]),
        ('%', 'display_name', 'Наименование', 'name', NULL, NULL),
        ('%', 'given_name', 'Имя', 'name', NULL, NULL),
        ('%', 'middle_name', 'Отчество', 'name', NULL, NULL),
        ('%', 'family_name', 'Фамилия', 'name', NULL, NULL),
        ('%', 'birth_date', 'Дата рождения', 'identity', NULL, NULL),
        ('%', 'gender', 'Пол', 'identity', NULL, NULL),
        ('%', 'legal_name', 'Юридическое наименование', 'name', NULL, NULL),
        ('%', 'inn', 'ИНН', 'identity', NULL, NULL),
        ('%', 'kpp', 'КПП', 'none', NULL, NULL),
        ('%', 'ogrn', 'ОГРН', 'identity', NULL, NULL),
        ('%', 'vat', 'Номер НДС', 'identity', NULL, NULL),
        ('%', 'email', 'Электронная почта', 'contact', NULL, NULL),
        ('%', 'emails', 'Все адреса электронной почты', 'contact', NULL, NULL),
        ('%', 'phone', 'Телефон', 'contact', NULL, NULL),
        ('%', 'phones', 'Все телефоны', 'contact', NULL, NULL),
        ('%', 'domain', 'Домен', 'none', NULL, NULL),
        ('%', 'country', 'Страна', 'contact', NULL, NULL),
        ('%', 'region', 'Регион', 'contact', NULL, NULL),
        ('%', 'city', 'Город', 'contact', NULL, NULL),
        ('%', 'street', 'Улица', 'contact', NULL, NULL),
        ('%', 'house', 'Дом', 'contact', NULL, NULL),
        ('%', 'postcode', 'Индекс', 'contact', NULL, NULL),
        ('%', 'record_count', 'Число записей', 'none', NULL, NULL),
        ('%', 'attributes', 'Все значения (JSON)', 'mixed', NULL, NULL),
        ('%', 'valid_from', 'Действует с', 'none', NULL, NULL),
        ('%', 'valid_to', 'Действует по', 'none', NULL, NULL),
        ('%', 'valid_from_on', 'Действует с (день)', 'none', NULL, NULL),
        ('%', 'valid_to_on', 'Действует по (день)', 'none', NULL, NULL),
        ('%', 'changed_seq', 'Номер изменения', 'none', NULL, NULL),
        ('%', 'is_deleted', 'Больше не действует', 'none', NULL, NULL),
        ('%', 'record_id', 'Запись источника', 'none', NULL, NULL),
        ('%', 'source', 'Источник', 'none', NULL, NULL),
        ('%', 'stream', 'Поток', 'none', NULL, NULL),
        ('%', 'source_key', 'Ключ в источнике', 'identity', NULL, NULL),
        ('%', 'url', 'Ссылка на карточку', 'identity', NULL, NULL),
        ('fct%', 'type', 'Тип взаимодействия', 'none', 'dim_interaction_type.type', NULL),
        ('dim\_interaction\_type', 'type', 'Тип взаимодействия', 'none', NULL, NULL),
        ('bridge%', 'type', 'Вид связи', 'none', NULL, NULL),
        ('%', 'occurred_at', 'Когда произошло', 'none', NULL, NULL),
        ('%', 'occurred_on', 'День события', 'none', NULL, NULL),
        ('%', 'time_zone', 'Часовой пояс', 'none', NULL, NULL),
        ('%', 'precision', 'Точность времени', 'none', NULL, '{day,minute,second}'::text[]),
        ('%', 'channel', 'Канал', 'none', NULL, NULL),
        ('%', 'direction', 'Направление', 'none', NULL, '{inbound,outbound,internal}'::text[]),
        ('%', 'document_number', 'Номер документа', 'identity', NULL, NULL),
        ('%', 'summary', 'Кратко', 'mixed', NULL, NULL),
        ('%', 'amount', 'Сумма', 'financial', NULL, NULL),
        ('%', 'currency', 'Валюта', 'none', NULL, NULL),
        ('fct\_revenue', 'event_id', 'Деловое событие', 'none', NULL, NULL),
        ('%', 'event_id', 'Деловое событие', 'none', 'fct_revenue.event_id', NULL),
        ('%', 'is_counted', 'Учитывается в итогах', 'none', NULL, NULL),
        ('%', 'counted_by', 'Учтено документом', 'none', 'fct_interaction.record_id', NULL),
        ('%', 'measure', 'Показатель', 'none', NULL, '{quoted,ordered,invoiced}'::text[]),
        ('%', 'paid_amount', 'Оплачено', 'financial', NULL, NULL),
        ('%', 'credited_amount', 'Возвращено', 'financial', NULL, NULL),
        ('%', 'sources', 'Регистры', 'none', NULL, NULL),
        ('%', 'documents', 'Документов', 'none', NULL, NULL),
        ('%', 'measure_a', 'Показатель первого', 'none', NULL, NULL),
        ('%', 'measure_b', 'Показатель второго', 'none', NULL, NULL),
        ('%', 'month', 'Месяц', 'none', NULL, NULL),
        ('%', 'events_only_a', 'Только в первом', 'none', NULL, NULL),
        ('%', 'events_only_b', 'Только во втором', 'none', NULL, NULL),
        ('%', 'events_in_both', 'В обоих', 'none', NULL, NULL),
        ('%', 'events_in_conflict', 'Расходятся', 'none', NULL, NULL),
        ('%', 'amount_only_a', 'Сумма только в первом', 'financial', NULL, NULL),
        ('%', 'amount_only_b', 'Сумма только во втором', 'financial', NULL, NULL),
        ('%', 'amount_in_both', 'Сумма в обоих', 'financial', NULL, NULL),
        ('%', 'amount_in_conflict', 'Сумма расхождений', 'financial', NULL, NULL),
        ('%', 'detail', 'Подробности (JSON)', 'mixed', NULL, NULL),
        ('fct%', 'party_record_id', 'Запись клиента в источнике', 'none', 'xref_client_record.record_id', NULL),
        ('fct%', 'parent_record_id', 'Входит в', 'none', 'fct_interaction.record_id', NULL),
        ('fct%', 'reverses_record_id', 'Сторнирует', 'none', 'fct_interaction.record_id', NULL),
        ('%', 'position', 'Позиция', 'none', NULL, NULL),
        ('%', 'item_code', 'Код товара', 'none', NULL, NULL),
        ('%', 'item_name', 'Товар', 'none', NULL, NULL),
        ('%', 'quantity', 'Количество', 'none', NULL, NULL),
        ('%', 'unit', 'Единица', 'none', NULL, NULL),
        ('%', 'unit_price', 'Цена', 'financial', NULL, NULL),
        ('%', 'promise_key', 'Ключ обещания', 'none', NULL, NULL),
        ('%', 'counted_key', 'Учтено обещанием', 'none', 'fct_promise.promise_key', NULL),
        ('fct\_promise%', 'record_id', 'Взаимодействие', 'none', 'fct_interaction.record_id', NULL),
        ('fct\_%\_line', 'record_id', 'Взаимодействие', 'none', 'fct_interaction.record_id', NULL),
        ('%', 'due_on', 'Обещанный день', 'none', NULL, NULL),
        ('%', 'actual_on', 'День исполнения', 'none', NULL, NULL),
        ('%', 'due_value', 'Обещанное значение', 'none', NULL, NULL),
        ('%', 'actual_value', 'Фактическое значение', 'none', NULL, NULL),
        ('%', 'is_kept', 'Обещание исполнено', 'none', NULL, NULL),
        ('%', 'days_late', 'Дней опоздания', 'none', NULL, NULL),
        ('%', 'value_missed', 'Недостаёт до обещанного', 'none', NULL, NULL),
        ('%', 'relationship_key', 'Ключ связи', 'none', NULL, NULL),
        ('%', 'from_client_id', 'Кто (работник, филиал, владелец)', 'none', 'dim_party.client_id', NULL),
        ('%', 'to_client_id', 'Кому (работодатель, головная организация)', 'none', 'dim_party.client_id', NULL),
        ('%', 'role_in_words', 'Роль словами', 'identity', NULL, NULL),
        ('%', 'from_record_id', 'Запись первого', 'none', 'xref_client_record.record_id', NULL),
        ('%', 'to_record_id', 'Запись второго', 'none', 'xref_client_record.record_id', NULL),
        ('%', 'attribute', 'Атрибут', 'none', NULL, NULL),
        ('%', 'value', 'Значение', 'mixed', NULL, NULL),
        ('%', 'rule', 'Правило выбора', 'none', NULL, NULL),
        ('%', 'losers', 'Уступившие значения', 'mixed', NULL, NULL),
        ('%', 'lineage', 'Происхождение', 'mixed', NULL, NULL),
        ('%', 'department', 'Подразделение', 'none', NULL, NULL),
        ('%', 'label_en', 'Название (англ.)', 'none', NULL, NULL),
        ('%', 'label_ru', 'Название', 'none', NULL, NULL),
        ('%', 'money', 'Смысл суммы', 'none', NULL, '{quoted,ordered,invoiced,paid,credited,none}'::text[]),
        ('%', 'tax', 'Без налога или с налогом', 'none', NULL, '{net,gross}'::text[]),
        ('%', 'detail_schema', 'Схема подробностей', 'none', NULL, NULL),
        ('fct%', 'chain_id', 'Цепочка', 'none', NULL, NULL),
        ('%', 'reporting_amount', 'Сумма в валюте отчётности', 'financial', NULL, NULL),
        ('%', 'reporting_currency', 'Валюта отчётности', 'none', NULL, NULL),
        ('%', 'rate', 'Курс', 'none', NULL, NULL),
        ('%', 'rate_on', 'Дата курса', 'none', NULL, NULL),
        ('%', 'is_reversed', 'Сторнировано', 'none', NULL, NULL),
        ('%', 'reversed_by', 'Чем сторнировано', 'none', NULL, NULL),
        ('%', 'net_amount', 'Сумма за вычетом сторно', 'financial', NULL, NULL),
        ('%', 'net_reporting_amount', 'То же в валюте отчётности', 'financial', NULL, NULL),
        ('%', 'from_type', 'Что было раньше', 'none', NULL, NULL),
        ('%', 'to_type', 'Что последовало', 'none', NULL, NULL),
        ('%', 'from_on', 'День предыдущего', 'none', NULL, NULL),
        ('%', 'to_on', 'День последующего', 'none', NULL, NULL),
        ('%', 'days_elapsed', 'Дней между ними', 'none', NULL, NULL),
        ('%', 'hours_elapsed', 'Часов между ними', 'none', NULL, NULL),
        ('%', 'days_since_start', 'Дней от начала цепочки', 'none', NULL, NULL),
        ('%', 'from_source', 'Источник предыдущего', 'none', NULL, NULL),
        ('%', 'to_source', 'Источник последующего', 'none', NULL, NULL),
        ('%', 'from_currency', 'Валюта', 'none', NULL, NULL),
        ('%', 'to_currency', 'Валюта цены', 'none', NULL, NULL),
        ('%', 'nominal', 'Номинал', 'none', NULL, NULL),
        ('%', 'outcome', 'Исход обещания', 'none', NULL, '{kept,missed,open,overdue}'::text[]),
        ('%', 'days_overdue', 'Дней просрочки', 'none', NULL, NULL),
        ('%', 'share', 'Доля', 'none', NULL, NULL),
        ('%', 'first_on', 'Первый раз', 'none', NULL, NULL),
        ('%', 'last_on', 'Последний раз', 'none', NULL, NULL),
        ('%', 'days_silent', 'Дней молчания', 'none', NULL, NULL),
        ('%', 'departments', 'Подразделений', 'none', NULL, NULL),
        ('%', 'interactions', 'Взаимодействий', 'none', NULL, NULL),
        ('%', 'share_outside_sales', 'Доля вне продаж', 'none', NULL, NULL),
        ('%', 'types', 'Типов', 'none', NULL, NULL),
        ('%', 'is_silent', 'Молчит', 'none', NULL, NULL),
        ('%', 'item_key', 'Ключ товара', 'none', NULL, NULL),
        ('%', 'lines', 'Строк документов', 'none', NULL, NULL),
        ('%', 'view_name', 'Представление типа', 'none', NULL, NULL),
        ('%', 'line_view_name', 'Представление строк', 'none', NULL, NULL),
        ('%', 'changed_at', 'Когда изменилось', 'none', NULL, NULL),
        ('change\_feed', 'change', 'Изменение', 'none', NULL, NULL),
        ('%', 'payload', 'Что изменилось', 'mixed', NULL, NULL),
        ('%', 'dataset', 'Представление', 'none', NULL, NULL),
        ('%', 'rows', 'Строк', 'none', NULL, NULL),
        ('%', 'last_changed_at', 'Последнее изменение', 'none', NULL, NULL),
        ('%', 'published_at', 'Последняя публикация', 'none', NULL, NULL),
        ('%', 'synced_at', 'Последняя загрузка', 'none', NULL, NULL),
        ('%', 'first_seq', 'С какого номера есть изменения', 'none', NULL, NULL),
        ('%', 'is_estimated', 'Оценка числа строк', 'none', NULL, NULL),
        ('%', 'last_run_at', 'Последний запуск', 'none', NULL, NULL),
        ('%', 'last_run_status', 'Итог последнего запуска', 'none', NULL, NULL),
        ('%', 'checks_failed', 'Нарушено проверок', 'none', NULL, NULL),
        ('%', 'failed_checks', 'Нарушенные проверки', 'none', NULL, NULL),
        ('%', 'meaning_en', 'Смысл (англ.)', 'none', NULL, NULL),
        ('%', 'key_columns', 'Ключ', 'none', NULL, NULL),
        ('%', 'replace_by', 'Заменять целиком по', 'none', NULL, NULL),
        ('%', 'is_incremental', 'Читается по изменениям', 'none', NULL, NULL),
        ('%', 'ordinal', 'Порядок столбца', 'none', NULL, NULL),
        ('%', 'column_name', 'Столбец', 'none', NULL, NULL),
        ('%', 'data_type', 'Тип данных', 'none', NULL, NULL),
        ('%', 'personal_data', 'Класс персональных данных', 'none', NULL, NULL),
        ('%', 'refers_to', 'Ссылается на', 'none', NULL, NULL),
        ('%', 'allowed_values', 'Допустимые значения', 'none', NULL, NULL),
        ('report%', 'week_on', 'Неделя (понедельник)', 'none', NULL, NULL),
        ('report%', 'register_a', 'Регистр А', 'none', NULL, NULL),
        ('report%', 'register_b', 'Регистр Б', 'none', NULL, NULL),
        ('report%', 'only_a', 'Только в А', 'none', NULL, NULL),
        ('report%', 'only_b', 'Только в Б', 'none', NULL, NULL),
        ('report%', 'in_both', 'В обоих', 'none', NULL, NULL),
        ('report%', 'in_conflict', 'С расхождением', 'none', NULL, NULL),
        ('report%', 'is_latest', 'Последний подсчёт', 'none', NULL, NULL),
        ('report%', 'taken_at', 'Когда подсчитано', 'none', NULL, NULL),
        ('report%', 'registers', 'Регистры', 'none', NULL, NULL),
        ('report%', 'clients', 'Клиентов', 'none', NULL, NULL),
        ('report%', 'state', 'Где есть', 'none', NULL, NULL),
        ('report%', 'is_conflict', 'Есть расхождение', 'none', NULL, NULL),
        ('report%', 'conflicting', 'Расходятся атрибуты', 'none', NULL, NULL),
        ('report%', 'run_id', 'Запуск', 'none', NULL, NULL),
        ('report%', 'sync_run_id', 'Запуск загрузки', 'none', NULL, NULL),
        ('report%', 'not_landed', 'Не принято', 'none', NULL, NULL),
        ('report%', 'suppressed', 'Из них о стёртых лицах', 'none', NULL, NULL),
        ('report%', 'raw_rows', 'Записей источника', 'none', NULL, NULL),
        ('report%', 'tombstones', 'Удалено в источнике', 'none', NULL, NULL),
        ('report%', 'left_out', 'Вне отображения', 'none', NULL, NULL),
        ('report%', 'rejected', 'Отклонено', 'none', NULL, NULL),
        ('report%', 'waiting', 'Ожидает', 'none', NULL, NULL),
        ('report%', 'leaving', 'Ожидает удаления', 'none', NULL, NULL),
        ('report%', 'made', 'Образовано', 'none', NULL, NULL),
        ('report%', 'standard_rows', 'Стандартных записей', 'none', NULL, NULL),
        ('report%', 'difference_rows', 'Разница, строк', 'none', NULL, NULL),
        ('report%', 'unexplained', 'Необъяснено', 'none', NULL, NULL),
        ('report%', 'linked_rows', 'Связано с клиентом', 'none', NULL, NULL),
        ('report%', 'open_references', 'Клиент ещё не пришёл', 'none', NULL, NULL),
        ('report%', 'without_party', 'Без клиента', 'none', NULL, NULL),
        ('report%', 'unlinked', 'Ожидает связи', 'none', NULL, NULL),
        ('report%', 'served_rows', 'Показано', 'none', NULL, NULL),
        ('report%', 'unserved', 'Не показано', 'none', NULL, NULL),
        ('report%', 'raw_amount', 'Сумма источника', 'financial', NULL, NULL),
        ('report%', 'waiting_amount', 'Ожидающая сумма', 'financial', NULL, NULL),
        ('report%', 'standard_amount', 'Стандартная сумма', 'financial', NULL, NULL),
        ('report%', 'linked_amount', 'Связанная сумма', 'financial', NULL, NULL),
        ('report%', 'served_amount', 'Показанная сумма', 'financial', NULL, NULL),
        ('report%', 'difference_amount', 'Разница, сумма', 'financial', NULL, NULL),
        ('report%', 'reason', 'Причина', 'none', NULL, NULL),
        ('%', 'need', 'Потребность', 'none', NULL, NULL),
        ('%', 'job_en', 'Задача клиента (англ.)', 'none', NULL, NULL),
        ('%', 'job_ru', 'Задача клиента', 'none', NULL, NULL),
        ('%', 'dimension', 'Измерение', 'none', NULL, NULL),
        ('%', 'origin', 'Откуда известно', 'none', NULL, '{declared,observed,inferred}'::text[]),
        ('%', 'is_held', 'Потребность есть', 'mixed', NULL, NULL),
        ('%', 'sightings_for', 'Признаков за', 'none', NULL, NULL),
        ('%', 'sightings_against', 'Признаков против', 'none', NULL, NULL),
        ('%', 'weight_for', 'Вес признаков за', 'none', NULL, NULL),
        ('%', 'weight_against', 'Вес признаков против', 'none', NULL, NULL),
        ('%', 'expected_for', 'Ожидалось за', 'none', NULL, NULL),
        ('%', 'expected_against', 'Ожидалось против', 'none', NULL, NULL),
        ('%', 'lift', 'Во сколько раз чаще ожидаемого', 'none', NULL, NULL),
        ('%', 'dealings', 'Взаимодействий', 'none', NULL, NULL),
        ('%', 'is_disputed', 'Слова и дела расходятся', 'mixed', NULL, NULL),
        ('%', 'signal', 'Признак', 'none', NULL, NULL),
        ('%', 'speaks_for', 'Говорит за', 'none', NULL, NULL),
        ('%', 'weight', 'Вес', 'none', NULL, NULL),
        ('%', 'scheme', 'Схема сегментов', 'none', NULL, NULL),
        ('%', 'segment', 'Сегмент', 'none', NULL, NULL),
        ('%', 'basis', 'Основа деления', 'none', NULL, '{needs,lifecycle,value}'::text[]),
        ('%', 'scheme_label_en', 'Название схемы (англ.)', 'none', NULL, NULL),
        ('%', 'scheme_label_ru', 'Название схемы', 'none', NULL, NULL),
        ('%', 'needs', 'Потребности', 'none', NULL, NULL),
        ('%', 'policy', 'Что делается', 'none', NULL, NULL),
        ('%', 'owner', 'Ответственный', 'none', NULL, NULL),
        ('%', 'checked_at', 'Когда проверено', 'none', NULL, NULL),
        ('%', 'stability', 'Устойчивость', 'none', NULL, NULL),
        ('%', 'entered_at', 'С какого времени', 'none', NULL, NULL),
        ('%', 'entered_reason', 'Почему в нём', 'none', NULL, '{composition,declared,rule,few,none,close}'::text[]),
        ('%', 'left_at', 'До какого времени', 'none', NULL, NULL),
        ('%', 'left_reason', 'Почему вышел', 'none', NULL, '{composition,declared,rule,few,none,close,gone,rules}'::text[]),
        ('%', 'is_current', 'Сейчас', 'none', NULL, NULL),
        ('%', 'probability', 'Вероятность', 'none', NULL, NULL),
        ('%', 'runner_up', 'Следующий по вероятности', 'none', NULL, NULL),
        ('%', 'runner_up_probability', 'Вероятность следующего', 'none', NULL, NULL),
        ('%', 'policy_field', 'Что измеряется', 'none', NULL, NULL),
        ('%', 'policy_test', 'Как сравнивается', 'none', NULL, '{is,at_least,at_most}'::text[]),
        ('%', 'policy_value', 'Ожидаемое значение', 'none', NULL, NULL),
        ('%', 'policy_from', 'С какого дня обещано', 'none', NULL, NULL),
        ('%', 'review_on', 'Когда пересмотреть', 'none', NULL, NULL),
        ('%', 'concern', 'Опасение', 'none', NULL, NULL),
        ('%', 'question_en', 'Вопрос (англ.)', 'none', NULL, NULL),
        ('%', 'question_ru', 'Вопрос', 'none', NULL, NULL),
        ('%', 'template', 'Шаблон', 'none', NULL, '{none_of,more_than,drifts_from,missed_and_silent,contact_pressure,sql}'::text[]),
        ('%', 'threshold', 'Порог', 'none', NULL, NULL),
        ('%', 'is_shipped', 'Поставляется с Onefold', 'none', NULL, NULL),
        ('%', 'standing', 'Состояние', 'none', NULL, '{calm,raised,not_available,failed}'::text[]),
        ('%', 'why', 'Почему не спрошено', 'none', NULL, NULL),
        ('%', 'client_count', 'Клиентов', 'none', NULL, NULL),
        ('%', 'row_count', 'Строк', 'none', NULL, NULL),
        ('%', 'is_cut', 'Показано не всё', 'none', NULL, NULL),
        ('%', 'raised_at', 'Когда поднято', 'none', NULL, NULL),
        ('%', 'acknowledged_at', 'Когда принято к сведению', 'none', NULL, NULL),
        ('concern\_raise', 'closed_at', 'Когда закончилось', 'none', NULL, NULL),
        ('%', 'over_as', 'Чем закончилось', 'none', NULL, '{calm,rules,gone,not_available}'::text[]),
        ('%', 'row_key', 'Ключ строки', 'none', NULL, NULL),
        ('concern\_row', 'record_id', 'Взаимодействие', 'none', 'fct_interaction.record_id', NULL),
        ('%', 'note', 'Пояснение', 'mixed', NULL, NULL),
        ('%', 'since', 'С какого времени', 'none', NULL, NULL),
        ('segment\_mirror', 'outcome', 'Что получает клиент', 'none', NULL, NULL),
        ('segment\_mirror', 'measure', 'Мера', 'none', NULL, '{days,share,rate}'::text[]),
        ('segment\_mirror', 'clients', 'Клиентов', 'none', NULL, NULL),
        ('segment\_mirror', 'segment_label_en', 'Название сегмента (англ.)', 'none', NULL, NULL),
        ('segment\_mirror', 'segment_label_ru', 'Название сегмента', 'none', NULL, NULL),
        ('segment\_mirror', 'is_less_better', 'Чем меньше, тем лучше', 'none', NULL, NULL),
        ('segment\_mirror', 'is_promised', 'Обещано', 'none', NULL, NULL),
        ('segment\_mirror', 'verdict', 'Вывод', 'none', NULL, '{as_promised,decorative,opposite,without_policy,like_everyone,cannot_tell}'::text[]),
        ('segment\_mirror', 'compared', 'С кем сравнили', 'none', NULL, NULL),
        ('segment\_mirror', 'typical', 'В среднем здесь', 'none', NULL, NULL),
        ('segment\_mirror', 'typical_elsewhere', 'В среднем у других', 'none', NULL, NULL),
        ('segment\_mirror', 'difference', 'Разница', 'none', NULL, NULL),
        ('segment\_mirror', 'difference_low', 'Разница, от', 'none', NULL, NULL),
        ('segment\_mirror', 'difference_high', 'Разница, до', 'none', NULL, NULL),
        ('segment\_mirror', 'p_value', 'Вероятность случайности', 'none', NULL, NULL),
        ('segment\_mirror', 'meets_promise', 'Обещание выполняется', 'none', NULL, NULL),
        ('segment\_mirror', 'effect', 'Что это меняет', 'none', NULL, '{more,less,no_effect,cannot_tell}'::text[]),
        ('segment\_mirror', 'effect_difference', 'На сколько меняет', 'none', NULL, NULL),
        ('segment\_mirror', 'effect_low', 'Меняет, от', 'none', NULL, NULL),
        ('segment\_mirror', 'effect_high', 'Меняет, до', 'none', NULL, NULL),
        ('segment\_mirror', 'since_on', 'С какого дня', 'none', NULL, NULL),
        ('segment\_mirror', 'looked_at', 'Когда смотрели', 'none', NULL, NULL),
        ('%', 'metric', 'Метрика', 'none', NULL, NULL),
        ('%', 'version', 'Версия определения', 'none', NULL, NULL),
        ('%', 'perspective', 'С чьей стороны', 'none', NULL, '{client,enterprise}'::text[]),
        ('%', 'good_is', 'Что лучше', 'none', NULL, '{up,down,none}'::text[]),
        ('%', 'aggregation', 'Как считается', 'none', NULL, '{share,mean,ratio,total}'::text[]),
        ('%', 'interaction_types', 'О каких типах', 'none', NULL, NULL),
        ('%', 'minimum', 'Наименьшее число наблюдений', 'none', NULL, NULL),
        ('%', 'minimum_per_client', 'То же для одного клиента', 'none', NULL, NULL),
        ('%', 'definition', 'Определение (SQL)', 'none', NULL, NULL),
        ('%', 'is_available', 'Есть наблюдения', 'none', NULL, NULL),
        ('%', 'why_en', 'Почему нет (англ.)', 'none', NULL, NULL),
        ('%', 'why_ru', 'Почему нет', 'none', NULL, NULL),
        ('%', 'place', 'О чём значение', 'none', NULL, NULL),
        ('%', 'scope', 'Уровень', 'none', NULL, '{hub,month,segment}'::text[]),
        ('%', 'observations', 'Наблюдений', 'none', NULL, NULL),
        ('%', 'low', 'Нижняя граница', 'none', NULL, NULL),
        ('%', 'high', 'Верхняя граница', 'none', NULL, NULL),
        ('%', 'first_month', 'Первый месяц', 'none', NULL, NULL),
        ('%', 'last_month', 'Последний месяц', 'none', NULL, NULL),
        ('%', 'ground', 'Основание', 'none', NULL, NULL),
        ('%', 'loyalty', 'Как возвращаются', 'none', NULL, '{retained,repeated}'::text[]),
        ('%', 'split_on', 'Граница периодов', 'none', NULL, NULL),
        ('%', 'gain', 'Разность долей', 'none', NULL, NULL),
        ('%', 'trend_p', 'Вероятность случайного тренда', 'none', NULL, NULL),
        ('%', 'finding', 'Вывод', 'none', NULL, '{effect,"no effect","cannot tell","not available"}'::text[]),
        ('%', 'band', 'Полоса', 'none', NULL, NULL),
        ('%', 'came_back', 'Вернулись', 'none', NULL, NULL),
        ('metric\_value', 'clients', 'Клиентов', 'none', NULL, NULL),
        ('loyalty%', 'clients', 'Клиентов', 'none', NULL, NULL),
        ('metric\_value', 'value', 'Значение', 'none', NULL, NULL),
        ('client\_metric', 'value', 'Значение', 'none', NULL, NULL),
        ('report\_fix\_at\_source', 'fix_id', 'Номер', 'none', NULL, NULL),
        ('report\_fix\_at\_source', 'kind', 'Что не так', 'none', NULL, '{duplicate,invalid,outvoted,contradicts,emptied}'::text[]),
        ('report\_fix\_at\_source', 'other_record_id', 'Другая запись', 'none', NULL, NULL),
        ('report\_fix\_at\_source', 'better', 'Лучшее значение', 'mixed', NULL, NULL),
        ('report\_fix\_at\_source', 'opened_at', 'Замечено', 'none', NULL, NULL),
        ('report\_fix\_at\_source', 'closed_at', 'Закрыто', 'none', NULL, NULL),
        ('report\_fix\_at\_source', 'closed_as', 'Чем закрыто', 'none', NULL, '{fixed,gone,apart,judged,settled}'::text[])
)
SELECT
    v.relname::text AS dataset,
    a.attnum::integer AS ordinal,
    a.attname::text AS column_name,
    format_type(a.atttypid, a.atttypmod) AS data_type,
    col_description(v.oid, a.attnum) AS meaning_en,
    coalesce(o.label_ru, d.field #>> '{labels,ru}', n.label_ru) AS label_ru,
    -- Nobody has said what a new column holds: whoever masks or exports takes it for the worst.
    coalesce(o.personal_data, n.personal_data, CASE WHEN o.name IS NULL THEN 'unclassified' ELSE 'none' END)
        AS personal_data,
    -- A field of a type's own detail may bear the name of a served column and mean something else.
    CASE WHEN d.field IS NULL AND n.refers_to <> v.relname || '.' || a.attname THEN n.refers_to END AS refers_to,
    CASE WHEN d.field IS NULL THEN n.allowed_values END AS allowed_values,
    clock.changed_seq,
    false AS is_deleted
FROM pg_class AS v
JOIN pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN core.attribute AS o ON o.name = a.attname AND v.relname IN ('dim_client', 'dim_party', 'dim_client_history')
LEFT JOIN LATERAL (
    SELECT t.detail_schema -> a.attname::text AS field
    FROM core.interaction_type AS t
    WHERE v.relname = 'fct_' || t.code
) AS d ON true
LEFT JOIN LATERAL (
    SELECT note.* FROM note
    WHERE note.column_name = a.attname AND v.relname LIKE note.datasets
    ORDER BY length(note.datasets) DESC
    LIMIT 1
) AS n ON true
CROSS JOIN (SELECT coalesce(max(last_event_id), 0) AS changed_seq FROM ops.hub_clock) AS clock
WHERE v.relnamespace = to_regnamespace('onefold_v1') AND v.relkind = 'v';
COMMENT ON VIEW onefold_v1.meta_column IS 'Columns of the served views: type, meaning, label, class of personal data';

CREATE OR REPLACE VIEW onefold_v1.meta_dataset AS
WITH last_run AS (
    SELECT max(finished_at) FILTER (WHERE command = 'publish' AND status = 'done') AS published_at,
        max(finished_at) FILTER (WHERE command = 'sync' AND status = 'done') AS synced_at
    FROM ops.run
), ended AS (
    SELECT DISTINCT ON (command, source) command, status, coalesce(finished_at, started_at) AS at
    FROM ops.run
    ORDER BY command, source, run_id DESC
), latest AS (
    SELECT at, status FROM ended ORDER BY at DESC LIMIT 1
), clock AS (
    -- The first resolve numbers its links before the first publish shows them: until then nothing has changed.
    SELECT CASE WHEN EXISTS (SELECT FROM core.client) THEN coalesce(max(last_event_id), 0) ELSE 0 END AS changed_seq FROM ops.hub_clock
), moved AS (
    -- The number of the newest client leads to its moment, of which the last event stays when the feed is cleared.
    SELECT 'clients' AS group_of_events, (
        SELECT c.at FROM ops.change_event AS c WHERE c.id >= (SELECT max(changed_seq) FROM core.client) ORDER BY c.id LIMIT 1
    ) AS at
    UNION ALL
    -- From the newest event backwards: the first that fits is near.
    SELECT e.group_of_events, (
        SELECT c.at FROM ops.change_event AS c WHERE c.kind = ANY (e.kinds) ORDER BY c.id DESC LIMIT 1
    ) AS at
    FROM (VALUES
        ('links', ARRAY['links', 'facts']),
        ('facts', ARRAY['facts', 'links']),
        ('all', ARRAY['created', 'changed', 'redirected', 'retired', 'revived', 'links', 'facts'])
    ) AS e (group_of_events, kinds)
), checks AS (
    -- Each looks at an index or at a table that is nearly empty: a hub of millions answers at once.
    SELECT 'last_run_failed' AS name, '%' AS datasets, EXISTS (SELECT FROM ended WHERE status = 'failed') AS is_failed
    UNION ALL
    SELECT 'changes_wait', '%', EXISTS (SELECT FROM ops.pending)
    UNION ALL
    SELECT 'records_rejected', '%', EXISTS (SELECT FROM ops.reject WHERE is_open)
    UNION ALL
    SELECT 'rate_missing', 'fct\_%', EXISTS (
        SELECT FROM core.interaction
        WHERE amount IS NOT NULL AND reporting_amount IS NULL AND changed_seq IS NOT NULL AND NOT is_deleted
            AND reporting_currency IS NOT NULL
    )
    UNION ALL
    SELECT 'parents_in_a_ring', 'fct\_%', EXISTS (
        SELECT FROM core.interaction WHERE chain_id = record_id AND parent_record_id IS NOT NULL
    )
    UNION ALL
    SELECT 'client_not_come', 'fct\_%', EXISTS (
        SELECT FROM core.interaction
        WHERE client_id IS NULL AND party_record_id IS NOT NULL AND changed_seq IS NOT NULL AND NOT is_deleted
    )
), view_note (dataset, key_columns, replace_by, group_of_events, is_incremental) AS (
    -- The first pattern that fits. replace_by: what an incremental reader replaces as a whole; rows of one parent
    -- change together, and one that is gone leaves no mark of its own.
    VALUES
        ('dim_interaction_type', ARRAY['type'], ARRAY['type'], 'none', false),
        ('dim_client_history', ARRAY['client_id', 'valid_from'], ARRAY['client_id', 'valid_from'], 'clients', true),
        ('dim_client', ARRAY['client_id'], ARRAY['client_id'], 'clients', true),
        ('dim_party', ARRAY['client_id'], ARRAY['client_id'], 'clients', true),
        ('xref_client_record', ARRAY['record_id'], ARRAY['record_id'], 'links', true),
        ('xref_client_redirect', ARRAY['old_client_id'], ARRAY['old_client_id'], 'clients', true),
        ('fct\_interaction\_as\_of', ARRAY['record_id'], ARRAY['record_id'], 'all', true),
        ('client_field_lineage', NULL, ARRAY['client_id'], 'clients', true),
        ('fct\_promise\_outcome', ARRAY['promise_key'], ARRAY['client_id'], 'all', false),
        ('fct_promise', ARRAY['promise_key'], ARRAY['record_id'], 'facts', true),
        ('bridge_relationship', ARRAY['relationship_key'], ARRAY['relationship_key'], 'facts', true),
        ('change_feed', ARRAY['changed_seq'], ARRAY['changed_seq'], 'all', true),
        ('meta_column', ARRAY['dataset', 'column_name'], ARRAY['dataset', 'column_name'], 'none', false),
        ('meta_dataset', ARRAY['dataset'], ARRAY['dataset'], 'all', false),
        ('report\_register\_overlap', ARRAY['week_on', 'register_a', 'register_b'], ARRAY['week_on'], 'none', false),
        ('report\_register\_combination', ARRAY['week_on', 'registers'], ARRAY['week_on'], 'none', false),
        ('report\_register\_overlap\_client', ARRAY['register_a', 'register_b', 'client_id'], NULL, 'none', false),
        ('report\_reconciliation', ARRAY['run_id', 'source', 'stream'], ARRAY['run_id'], 'none', false),
        ('report\_reconciliation\_row', ARRAY['record_id', 'reason'], NULL, 'none', false),
        ('report\_fix\_at\_source', ARRAY['fix_id'], NULL, 'none', false),
        ('client\_need', ARRAY['client_id', 'need', 'origin'], ARRAY['client_id'], 'all', false),
        ('client\_need\_evidence', ARRAY['client_id', 'need', 'signal', 'record_id'], ARRAY['client_id'], 'all', false),
        ('dim\_segment', ARRAY['scheme', 'segment'], ARRAY['scheme'], 'none', false),
        ('segment\_mirror', ARRAY['scheme', 'segment', 'outcome'], ARRAY['scheme'], 'none', false),
        ('bridge\_client\_segment', ARRAY['client_id', 'scheme', 'entered_at'], ARRAY['client_id'], 'all', false),
        ('concern', ARRAY['concern'], ARRAY['concern'], 'none', false),
        ('concern\_raise', ARRAY['concern', 'raised_at'], ARRAY['concern'], 'none', false),
        ('concern\_row', ARRAY['concern', 'row_key'], ARRAY['concern'], 'all', false),
        ('metric', ARRAY['metric'], ARRAY['metric'], 'all', false),
        ('metric\_value', ARRAY['metric', 'place'], ARRAY['metric'], 'all', false),
        ('client\_metric', ARRAY['client_id', 'metric'], ARRAY['client_id'], 'all', false),
        ('loyalty', ARRAY['ground', 'loyalty'], ARRAY['ground'], 'all', false),
        ('loyalty\_band', ARRAY['ground', 'loyalty', 'band'], ARRAY['ground'], 'all', false),
        ('fct\_%\_line', ARRAY['record_id', 'position'], ARRAY['record_id'], 'facts', true),
        ('bridge\_client\_department', ARRAY['client_id', 'department'], ARRAY['client_id', 'department'], 'facts', false),
        ('report\_client\_coverage', ARRAY['client_id'], ARRAY['client_id'], 'facts', false),
        ('report\_department\_coverage', ARRAY['department'], ARRAY['department'], 'facts', false),
        ('dim\_item', ARRAY['source', 'item_key'], ARRAY['source', 'item_key'], 'facts', false),
        ('fct\_chain\_step', ARRAY['record_id'], ARRAY['record_id'], 'facts', true),
        ('dim\_exchange\_rate', ARRAY['record_id'], ARRAY['record_id'], 'facts', true),
        ('fct\_interaction', ARRAY['record_id'], ARRAY['record_id'], 'facts', true)
), typed (dataset) AS (
    SELECT 'fct_' || code FROM core.interaction_type
)
SELECT
    -- A name sorts as "C", and a column keeps the collation that it had.
    v.relname::text COLLATE "default" AS dataset,
    n.rows,
    m.at AS last_changed_at,
    last_run.published_at,
    last_run.synced_at,
    clock.changed_seq,
    false AS is_deleted,
    n.is_estimated,
    latest.at AS last_run_at,
    latest.status AS last_run_status,
    cardinality(f.failed_checks) AS checks_failed,
    f.failed_checks,
    obj_description(v.oid, 'pg_class') AS meaning_en,
    coalesce(k.key_columns, CASE WHEN t.dataset IS NOT NULL THEN ARRAY['record_id'] END) AS key_columns,
    coalesce(k.replace_by, CASE WHEN t.dataset IS NOT NULL THEN ARRAY['record_id'] END) AS replace_by,
    coalesce(k.is_incremental, t.dataset IS NOT NULL) AS is_incremental,
    CASE WHEN v.relname = 'change_feed' THEN floor.first_seq END AS first_seq
FROM pg_class AS v
CROSS JOIN LATERAL core.served_rows(CASE v.relname WHEN 'meta_dataset' THEN 'meta_column' ELSE v.relname END) AS n
LEFT JOIN LATERAL (
    SELECT note.* FROM view_note AS note
    WHERE v.relname LIKE note.dataset
    ORDER BY v.relname = note.dataset DESC, length(note.dataset) DESC
    LIMIT 1
) AS k ON true
LEFT JOIN typed AS t ON t.dataset = v.relname
LEFT JOIN moved AS m ON m.group_of_events = coalesce(
    k.group_of_events, CASE WHEN v.relname LIKE 'fct\_%' THEN 'facts' ELSE 'all' END
)
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(c.name ORDER BY c.name), '{}') AS failed_checks
    FROM checks AS c
    WHERE c.is_failed AND v.relname LIKE c.datasets
) AS f
CROSS JOIN last_run
CROSS JOIN clock
CROSS JOIN (SELECT coalesce(max(c.feed_floor), 0) + 1 AS first_seq FROM ops.hub_clock AS c) AS floor
LEFT JOIN latest ON true
WHERE v.relnamespace = to_regnamespace('onefold_v1') AND v.relkind = 'v';
COMMENT ON VIEW onefold_v1.meta_dataset IS 'The served views: rows, freshness, last run, failed checks, keys';
