-- The served contract as it describes itself (contract.py).

-- name: datasets
SELECT dataset, meaning_en, rows, is_estimated, key_columns, replace_by, is_incremental
FROM onefold_v1.meta_dataset
ORDER BY dataset COLLATE "C"

-- name: columns
SELECT dataset, column_name, data_type, meaning_en, label_ru, personal_data, refers_to, allowed_values
FROM onefold_v1.meta_column
ORDER BY dataset COLLATE "C", ordinal

-- name: types
SELECT t.type, t.department, t.label_en, t.label_ru, t.money, t.tax, t.view_name
FROM onefold_v1.dim_interaction_type AS t
ORDER BY t.department COLLATE "C", t.type COLLATE "C"
