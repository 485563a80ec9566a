"""Settings that a root's backend lacks, said before terraform is asked."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_tfpipeline.config.entries import UNKNOWN, Home, literal, root_entry
from pytest_tfpipeline.discover.asking import backend_pairs
from pytest_tfpipeline.model import Finding, Root, Severity


def incomplete_backend(root: Root, missing: Sequence[str], home: Home) -> Finding:
    """The settings that its backend cannot do without, with the lines that give them: those of a wrapper, since
    another name would be another state."""
    pairs = root.backend_hint or backend_pairs(missing, "{name}/{env}.tfstate")
    lines = root_entry(home, literal(root.dir), {"backend": pairs})
    local = '`backend = "local"`, for plans without the remote state'
    mend = f"-> Write into {home.file} (or {local}):"
    if root.backend_hint:
        computed = any(each.endswith(f"={UNKNOWN}") for each in root.backend_hint)
        fill = f", with what it computes for {UNKNOWN}" if computed else ""
        mend = f"-> {root.backend_hint_from} seems to say it. If it is run like that, write into {home.file}{fill} "
        mend += f"(or {local}):"
    text = [
        f"The {root.backend} backend lacks {' and '.join(missing)}: neither its block nor a file says it.",
        mend,
        *(f"     {line}" for line in lines),
    ]
    return Finding("incomplete-backend", Severity.ERROR, "\n".join(text), file=root.anchor)
