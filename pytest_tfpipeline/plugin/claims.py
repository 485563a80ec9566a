"""What was typed to get through the gate, and the gatekeeper that holds it against what is needed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from pytest_tfpipeline.pipeline.admission import Admission, read_priors
from pytest_tfpipeline.pipeline.agreement import Agreement
from pytest_tfpipeline.pipeline.claims import Claims, require_key
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.plugin.gatekeeper import Gatekeeper
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.plugin.wishes import typed_path
from pytest_tfpipeline.terraform.bound import digest_key


def open_gate(session: pytest.Session, state: State, ledger: Ledger) -> Gatekeeper:
    """The gatekeeper of a run that can apply; raises UsageError where what was typed cannot count."""
    claims, run = claims_of(session.config), state.run
    key, lasting = digest_key(os.environ)
    require_key(claims, run.environments, lasting=lasting)
    signers = state.top / run.signers if run.signers else None
    admission = Admission(
        ctx=state.context,
        top=state.top,
        source=read_source(state.context.runner, state.top),
        claims=claims,
        key=key,
        lasting=lasting,
        proofs=read_priors(state.context, claims, signers),
    )
    agreement = Agreement(state.context, admission.source, claims, signers)
    return Gatekeeper(session, state, ledger, admission, agreement)


def claims_of(config: pytest.Config) -> Claims:
    """The words of the command line, with paths from where pytest was started."""
    option = config.option
    return Claims(
        tuple(option.approve or ()),
        _paths(config, "--approval", option.approval),
        _paths(config, "--tf-prior", option.tf_prior),
        bool(option.tf_rollback),
    )


def _paths(config: pytest.Config, flag: str, values: Iterable[str] | None) -> tuple[Path, ...]:
    return tuple(typed_path(config, flag, value) for value in values or ())
