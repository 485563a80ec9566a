"""Shapes in which repositories keep their environments, as files; each with what must be found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A root whose state is said in full.
WHOLE = """terraform {
  backend "s3" {
    bucket = "states"
    key    = "KEY"
  }
}
resource "terraform_data" "x" {}
"""
#: A root whose backend leaves the state's name to be said.
PARTIAL = 'terraform {\n  backend "s3" {\n    bucket = "states"\n  }\n}\nresource "terraform_data" "x" {}\n'
PLAIN = 'terraform {\n  backend "local" {}\n}\nresource "terraform_data" "x" {}\n'
_MAP = """locals {
  sizes = {
    dev  = { a = 1 }
    prod = { b = 2 }
  }
  size = local.sizes[terraform.workspace]
}
"""


@dataclass(frozen=True)
class Shape:
    """`files` by path; the rest by root: environments, and the files and workspaces that were found."""

    files: Mapping[str, str]
    environments: Mapping[str, tuple[str, ...]]
    var_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    backend_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    workspaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _one(*paths: str, root: str = "infra/core", text: str = PLAIN, names: tuple[str, ...] = ("dev", "prod")) -> Shape:
    """A single root with a var file for each environment."""
    found = dict(zip(names, paths, strict=True))
    return Shape({f"{root}/main.tf": text, **dict.fromkeys(paths, "")}, {root: names}, {root: found})


def _each(template: str, *roots: str) -> Shape:
    """Several roots, each with a file of its own for each environment: `{env}`, `{root}`."""
    files = {f"{root}/main.tf": PLAIN for root in roots}
    own = {root: {env: template.format(env=env, root=root.split("/")[-1]) for env in ("dev", "prod")} for root in roots}
    files |= {path: "" for paths in own.values() for path in paths.values()}
    return Shape(files, dict.fromkeys(roots, ("dev", "prod")), own)


SHAPES: dict[str, Shape] = {
    "beside the root": _one("infra/core/dev.tfvars", "infra/core/prod.tfvars"),
    "as JSON": _one("infra/core/dev.tfvars.json", "infra/core/prod.tfvars.json"),
    "above": _one("infra/vars/dev.tfvars", "infra/vars/prod.tfvars"),
    "two levels above": _one("etc/dev.tfvars", "etc/prod.tfvars"),
    "a directory by environment": _one("environments/dev/dev.tfvars", "environments/prod/terraform.tfvars"),
    "a directory by environment, any name": _one("config/dev/variables.tfvars", "config/prod/variables.tfvars"),
    "words around the environment": _one("infra/core/vars-dev.tfvars", "infra/core/vars-prod.tfvars"),
    "dots around the environment": _one("infra/core/dev.terraform.tfvars", "infra/core/prod.terraform.tfvars"),
    "numbers and regions": _one(
        "infra/core/dev1.tfvars", "infra/core/prod-eu-west-1.tfvars", names=("dev1", "prod-eu-west-1")
    ),
    "environment, then root": _each("environments/{env}/{root}.tfvars", "tf/core", "tf/net"),
    "environment, then root, at the top": _each("{env}/{root}.tfvars", "tf/core", "tf/net"),
    "root, then environment": _each("config/{root}/{env}.tfvars", "tf/core", "tf/net"),
    "environment, root, file": _each("config/{env}/{root}/terraform.tfvars", "tf/core", "tf/net"),
    "root and environment in one name": _each("vars/{root}-{env}.tfvars", "tf/core", "tf/net"),
    "environment and root in one name": _each("vars/{env}.{root}.tfvars", "tf/core", "tf/net"),
    "a directory by environment over modules": Shape(
        {
            **{
                f"envs/{name}/main.tf": PLAIN + 'module "a" {\n  source = "../../modules/a"\n}\n'
                for name in ("dev", "prod")
            },
            "modules/a/main.tf": 'resource "terraform_data" "x" {}\n',
            "envs/dev/terraform.tfvars": "",
        },
        {"envs/dev": ("dev",), "envs/prod": ("prod",)},
    ),
    "directories without a common parent": Shape(
        {"dev/main.tf": PLAIN, "stacks/prod/main.tf": PLAIN, "dns/main.tf": PLAIN},
        {"dev": ("dev",), "stacks/prod": ("prod",), "dns": ()},
    ),
    "directories that end in the environment": Shape(
        {"app-dev/main.tf": PLAIN, "app-prod/main.tf": PLAIN, "dns/main.tf": PLAIN},
        {"app-dev": ("dev",), "app-prod": ("prod",), "dns": ("dev", "prod")},
    ),
    "a root for the whole account": Shape(
        {"account/main.tf": PLAIN, "live/dev/app/main.tf": PLAIN, "live/prod/app/main.tf": PLAIN},
        {"account": ("dev", "prod"), "live/dev/app": ("dev",), "live/prod/app": ("prod",)},
    ),
    "regions as directories": Shape(
        {"us-east-1/main.tf": PLAIN, "eu-west-1/main.tf": PLAIN},
        {"us-east-1": ("us-east-1",), "eu-west-1": ("eu-west-1",)},
    ),
    "a directory for workspaces": _one(
        "infra/core/workspace-variables/dev.tfvars.json", "infra/core/workspace_variables/prod.tfvars"
    ),
    "directories by environment in one for variables": _one(
        "infra/variables/dev/core.tfvars", "infra/variables/prod/core.tfvars"
    ),
    "a directory that lacks the environment's name": Shape(
        {
            "iac/estate/net/main.tf": PLAIN,
            "iac/estate/dns/main.tf": PLAIN,
            "iac/estate-staging/net/main.tf": PLAIN,
            "iac/estate-staging/new/main.tf": PLAIN,
            "iac/other-staging/net/main.tf": PLAIN,
            "iac/shared/main.tf": PLAIN,
        },
        {
            "iac/estate/net": (),
            "iac/estate/dns": (),
            "iac/estate-staging/net": ("staging",),
            "iac/estate-staging/new": ("staging",),
            "iac/other-staging/net": ("staging",),
            "iac/shared": ("staging",),
        },
    ),
    "accounts as directories": Shape(
        {"accounts/111111111111/main.tf": PLAIN, "accounts/222222222222/main.tf": PLAIN},
        {f"accounts/{number}": (number,) for number in ("111111111111", "222222222222")},
    ),
    "regions as var files": _one(
        "infra/core/vars/eu-west-1.tfvars", "infra/core/vars/us-east-1.tfvars", names=("eu-west-1", "us-east-1")
    ),
    "a region beside environments is none": Shape(
        {"core/main.tf": PLAIN, "core/prod.tfvars": "", "core/eu-west-1.tfvars": ""},
        {"core": ("prod",)},
        {"core": {"prod": "core/prod.tfvars"}},
    ),
    "one directory of an environment, and a root elsewhere": Shape(
        {"accounts/stage/main.tf": PLAIN, "net/main.tf": PLAIN}, {"accounts/stage": ("stage",), "net": ()}
    ),
    "one workspace that is compared": Shape(
        {"main.tf": WHOLE + 'locals {\n  big = terraform.workspace == "prod"\n}\n'},
        {".": ("prod",)},
        workspaces={".": ("prod",)},
    ),
    "workspaces that a map knows": Shape(
        {"main.tf": WHOLE + _MAP}, {".": ("dev", "prod")}, workspaces={".": ("dev", "prod")}
    ),
    "workspaces that are compared": Shape(
        {"main.tf": WHOLE + 'locals {\n  big = terraform.workspace == "prod" || "dev" != terraform.workspace\n}\n'},
        {".": ("dev", "prod")},
        workspaces={".": ("dev", "prod")},
    ),
    "workspaces with var files": Shape(
        {
            "main.tf": WHOLE + "locals {\n  name = terraform.workspace\n}\n",
            "vars/dev.tfvars": "",
            "vars/prod.tfvars": "",
        },
        {".": ("dev", "prod")},
        {".": {"dev": "vars/dev.tfvars", "prod": "vars/prod.tfvars"}},
        workspaces={".": ("dev", "prod")},
    ),
    "backend files": Shape(
        {
            "core/main.tf": PARTIAL,
            "core/backends/dev.tfbackend": 'key = "d"',
            "core/backends/prod.tfbackend": 'key = "p"',
        },
        {"core": ("dev", "prod")},
        backend_files={"core": {"dev": "core/backends/dev.tfbackend", "prod": "core/backends/prod.tfbackend"}},
    ),
    "backend files with a word that they all have": Shape(
        {"core/main.tf": PARTIAL, "core/dev.blue.backend": 'key = "d"', "core/prod.blue.backend": 'key = "p"'},
        {"core": ("dev", "prod")},
        backend_files={"core": {"dev": "core/dev.blue.backend", "prod": "core/prod.blue.backend"}},
    ),
    "backend files with a word that some have": Shape(
        {f"core/{name}.tfbackend": f'key = "{name}"' for name in ("dev", "prod", "app-dev", "app-prod", "app-sales")}
        | {f"infra/{name}.tfbackend": f'key = "{name}"' for name in ("app-dev", "app-prod", "app-sales")}
        | {"core/main.tf": PARTIAL, "infra/main.tf": PARTIAL},
        {"core": ("dev", "prod"), "infra": ("dev", "prod")},
        backend_files={
            "core": {name: f"core/{name}.tfbackend" for name in ("dev", "prod")},
            "infra": {name: f"infra/app-{name}.tfbackend" for name in ("dev", "prod")},
        },
    ),
    "backend files with the number of the account": Shape(
        {f"core/{name}.tfbackend": f'key = "{name}"' for name in ("dev.111111111111", "prod.222222222222")}
        | {"core/main.tf": PARTIAL},
        {"core": ("dev", "prod")},
        backend_files={"core": {"dev": "core/dev.111111111111.tfbackend", "prod": "core/prod.222222222222.tfbackend"}},
    ),
    "backend files that say their type": Shape(
        {"core/main.tf": PARTIAL, "core/dev.s3.tfbackend": 'key = "d"', "backends/prod.s3.tfbackend": 'key = "p"'},
        {"core": ("dev", "prod")},
        backend_files={"core": {"dev": "core/dev.s3.tfbackend", "prod": "backends/prod.s3.tfbackend"}},
    ),
    "backend files among var files": Shape(
        {
            "core/main.tf": PARTIAL,
            "environments/dev/backend.hcl": 'key = "d"',
            "environments/dev/core.tfvars": "",
            "environments/prod/backend.hcl": 'key = "p"',
            "environments/prod/core.tfvars": "",
        },
        {"core": ("dev", "prod")},
        {"core": {"dev": "environments/dev/core.tfvars", "prod": "environments/prod/core.tfvars"}},
        {"core": {"dev": "environments/dev/backend.hcl", "prod": "environments/prod/backend.hcl"}},
    ),
    "a backend file that names one state for two roots is nobody's": Shape(
        {"a/main.tf": PARTIAL, "b/main.tf": PARTIAL, "backends/dev.tfbackend": 'key = "x"'},
        {"a": ("dev",), "b": ("dev",)},
    ),
    "a complete backend needs no file": Shape(
        {"core/main.tf": WHOLE, "core/dev.tfvars": "", "core/backends/dev.tfbackend": 'key = "x"'},
        {"core": ("dev",)},
        {"core": {"dev": "core/dev.tfvars"}},
    ),
    "mixed": Shape(
        {
            "global/main.tf": PLAIN,
            "envs/dev/main.tf": PLAIN,
            "envs/prod/main.tf": PLAIN,
            "core/main.tf": PLAIN,
            "core/dev.tfvars": "",
            "core/prod.tfvars": "",
            "jobs/main.tf": PARTIAL,
            "backends/jobs-prod.tfbackend": 'key = "j"',
        },
        {
            "global": ("dev", "prod"),
            "envs/dev": ("dev",),
            "envs/prod": ("prod",),
            "core": ("dev", "prod"),
            "jobs": ("prod",),
        },
        {"core": {"dev": "core/dev.tfvars", "prod": "core/prod.tfvars"}},
        {"jobs": {"prod": "backends/jobs-prod.tfbackend"}},
    ),
}
