"""The five registers: each renders the clients it knows and its documents in its own form and dirt."""
