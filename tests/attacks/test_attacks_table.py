"""The table says of every attack what its declaration says, and that nothing was applied where that is promised."""

from __future__ import annotations

from collections import Counter

from attack_table import PAGE, page, written
from attacks_catalogue import MISTAKES, MISTAKES_BY_KIND, RAIDS, RAIDS_BY_KIND
from hostile_inputs import NOT_STOPPED

NAMES = [
    *(attack.id for trial in MISTAKES for attack in trial.attacks),
    *(threat.id for raid in RAIDS for threat in raid.threats),
]


def test_the_table_is_what_the_attacks_say_and_nothing_was_applied() -> None:
    nothing: dict[str, object] = {attack.id: 0 for trial in MISTAKES for attack in trial.attacks}
    expected = {threat.id: [threat.alone, threat.jobs] for raid in RAIDS for threat in raid.threats}

    assert PAGE.read_text(encoding="utf-8") == page(MISTAKES_BY_KIND, RAIDS_BY_KIND, {**nothing, **expected})


def test_two_jobs_promise_nothing_applied_but_where_the_page_says_that_they_do_not() -> None:
    through = {threat.id for raid in RAIDS for threat in raid.threats if threat.jobs}

    assert through == {threat.id for raid in NOT_STOPPED for threat in raid.threats}


def test_every_attack_has_a_row_and_a_name_of_its_own() -> None:
    assert [name for name, number in Counter(NAMES).items() if number > 1] == []
    assert [name for name, _ in written(PAGE.read_text(encoding="utf-8"))] == NAMES
