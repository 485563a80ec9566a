"""Environments one after another: what `after` makes of them. Pure."""

from __future__ import annotations

from pytest_tfpipeline.config.keys import Config


def chain(config: Config, name: str) -> tuple[str, ...]:
    """The environments that come before that one, the nearest first. A circle ends where it would begin again."""
    found: list[str] = []
    before = config.environment_config(name).after
    while before is not None and before not in (*found, name):
        found.append(before)
        before = config.environment_config(before).after
    return tuple(found)


def circle(config: Config, name: str) -> tuple[str, ...]:
    """The environments of the circle that it is part of, beginning and ending with it; () where it is in none."""
    before = (name, *chain(config, name))
    return (*before, name) if config.environment_config(before[-1]).after == name else ()
