"""The emulated cloud: AWS, on loopback, for Terraform that nobody had to touch.

One process for each emulated environment holds that environment's whole cloud (moto) and is reached as an HTTPS proxy.
The controller's side (`Emulator`, `reset`) imports neither moto nor anything else that costs; the process's side is
`pytest_tfpipeline.emulator.server` and what only it imports.
"""

from __future__ import annotations

from pytest_tfpipeline.emulator.environment import ACCOUNT_ID
from pytest_tfpipeline.emulator.keep import reset, state_path
from pytest_tfpipeline.emulator.protocol import StateStore
from pytest_tfpipeline.emulator.service import Emulator

__all__ = ["ACCOUNT_ID", "Emulator", "StateStore", "reset", "state_path"]
