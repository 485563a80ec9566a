"""The repository's configuration: read, checked, and turned into a frozen `Config`."""

from __future__ import annotations

from pytest_tfpipeline.config.check import check_against
from pytest_tfpipeline.config.keys import Config, EnvironmentConfig, GroupConfig, RootConfig, SuiteConfig, ToolsConfig
from pytest_tfpipeline.config.load import load_config
from pytest_tfpipeline.config.match import root_config, suite_config

__all__ = [
    "Config",
    "EnvironmentConfig",
    "GroupConfig",
    "RootConfig",
    "SuiteConfig",
    "ToolsConfig",
    "check_against",
    "load_config",
    "root_config",
    "suite_config",
]
