"""Model objects as JSON text and back: what crosses from the controller to the workers and into the run's store."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def dumps(value: object) -> str:
    """JSON text of a dataclass of `pytest_tfpipeline.model`."""
    text: bytes = _adapter(cast("Any", type(value))).dump_json(value)
    return text.decode()


def loads(kind: type[T], text: str | bytes) -> T:
    """The object back; raises pydantic's ValidationError where the text is not one."""
    value: T = _adapter(cast("Any", kind)).validate_json(text)
    return value
