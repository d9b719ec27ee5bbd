"""docs/pictures: drawn by these modules. `python -m tests.support.pictures` writes them."""
