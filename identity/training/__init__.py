"""Training: weights from the data, with and without judgements, and what other weights would change."""
