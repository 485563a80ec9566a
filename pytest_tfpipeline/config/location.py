"""Where something stands in the configuration."""

from __future__ import annotations

#: Stands for any key of a table in the path of a key, and in the documentation.
ANY = "NAME"

#: The keys and indices that lead to a value: `("root", 0, "match")`.
Location = tuple[str | int, ...]
