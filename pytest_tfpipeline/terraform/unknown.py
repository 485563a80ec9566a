"""`UNKNOWN`: a value that terraform will know only after apply."""

from __future__ import annotations

from typing import NoReturn, final

from pytest_tfpipeline.errors import UnknownValue


@final
class Unknown:
    """Neither compliant nor not: whoever compares it, tests its truth, or looks into it gets `UnknownValue`.

    Test for it with `value is UNKNOWN`.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def _refuse(self, *_: object) -> NoReturn:
        raise UnknownValue(
            "this value is known only after apply",
            mend="test for it with `value is UNKNOWN`, or say with tf_policy(unknown=...) what it means for the rule",
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __len__ = __iter__ = __contains__ = __getitem__ = __int__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse

    def __bool__(self) -> bool:
        self._refuse()

    def __hash__(self) -> int:
        return id(self)

    def __getattr__(self, name: str) -> object:
        # Python's own protocols probe for underscore names and want AttributeError.
        if name.startswith("_"):
            raise AttributeError(name)
        return self._refuse()

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, _: object) -> Unknown:
        return self

    def __reduce__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


def merge_unknown(value: object, unknown: object) -> object:
    """A plan's `after` with `UNKNOWN` wherever its `after_unknown` says true, in mappings and lists at any depth."""
    if unknown is True:
        return UNKNOWN
    if isinstance(unknown, dict):
        known = value if isinstance(value, dict) else {}
        keys = [*known, *(key for key in unknown if key not in known)]
        merged = {key: merge_unknown(known.get(key), unknown.get(key)) for key in keys}
        # `after_unknown` of a whole object may be {} where `after` is null: nothing to add.
        return merged if merged or isinstance(value, dict) else value
    if isinstance(unknown, list):
        items = value if isinstance(value, list) else []
        size = max(len(items), len(unknown))
        return [merge_unknown(_at(items, index), _at(unknown, index)) for index in range(size)]
    return value


def _at(items: list[object], index: int) -> object:
    return items[index] if index < len(items) else None
