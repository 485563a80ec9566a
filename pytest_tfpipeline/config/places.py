"""Where an environment's var files are found without any configuration (spec, "Discovery")."""

from __future__ import annotations

#: Directories, relative to a root or to one of its ancestors, that hold one var file per environment.
VAR_FILE_DIRECTORIES = (
    *(".", "etc", "vars", "env", "tfvars", "config", "environments"),
    *("variables", "workspace-variables", "workspace_variables"),
)

#: How many levels above the root the same directories are looked at.
LEVELS_UP = 2

#: The endings of a var file.
VAR_FILE_ENDINGS = (".tfvars", ".tfvars.json")

#: Directories that hold one file for `-backend-config` per environment, beside those for var files.
BACKEND_DIRECTORIES = ("backend", "backends", "backend-config", "backend_config")

#: The endings of such a file; but for the first two, its name or its directory must say `backend`.
BACKEND_ENDINGS = (".tfbackend", ".backend", ".hcl", ".tfvars", ".conf", ".config")

#: Names that count as an environment wherever they are seen.
USUAL_ENVIRONMENTS = (
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "qa",
    "uat",
    "int",
    "integration",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "preprod",
    "pre-prod",
    "pre-production",
    "prod",
    "production",
    "live",
)
