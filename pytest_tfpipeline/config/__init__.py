"""The repository's configuration: read, checked, and turned into a frozen `Config`."""

from __future__ import annotations

from pytest_tfpipeline.config.keys import Config, EnvironmentConfig, GroupConfig, RootConfig, SuiteConfig, ToolsConfig
from pytest_tfpipeline.config.match import root_config, suite_config

__all__ = [
    "Config",
    "EnvironmentConfig",
    "GroupConfig",
    "RootConfig",
    "SuiteConfig",
    "ToolsConfig",
    "root_config",
    "suite_config",
]
