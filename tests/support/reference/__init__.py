"""docs/reference: pages made from the code. `python -m tests.support.reference` writes them."""
