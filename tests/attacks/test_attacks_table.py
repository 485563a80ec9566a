"""The table says of every attack what its declaration says, and that nothing was applied."""

from __future__ import annotations

from collections import Counter

from attack_table import PAGE, page, written
from attacks_catalogue import MISTAKES, MISTAKES_BY_KIND


def test_the_table_is_what_the_attacks_say_and_nothing_was_applied() -> None:
    nothing = {attack.id: 0 for trial in MISTAKES for attack in trial.attacks}

    assert PAGE.read_text(encoding="utf-8") == page(MISTAKES_BY_KIND, nothing)


def test_every_attack_has_a_row_and_a_name_of_its_own() -> None:
    names = Counter(attack.id for trial in MISTAKES for attack in trial.attacks)

    assert [name for name, number in names.items() if number > 1] == []
    assert [name for name, _ in written(PAGE.read_text(encoding="utf-8"))] == list(names)
