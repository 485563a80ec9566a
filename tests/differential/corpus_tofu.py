"""What OpenTofu reads otherwise than terraform, and what it says of the same."""

from __future__ import annotations

from case import Case

_VERSIONS = """
terraform {
  backend "local" {}
  required_providers {
    time = {
      source = "hashicorp/time"
    }
  }
}
"""
_STATIC = """
resource "time_static" "it" {
  rfc3339 = "2024-01-01T00:00:00Z"
}
"""

TOFU = (
    Case("tofu with a resource", _VERSIONS + _STATIC, None, tofu=True),
    Case(
        "tofu with an early variable",
        'variable "at" {\n  default = "here.tfstate"\n}\n\n'
        'terraform {\n  backend "local" {\n    path = var.at\n  }\n}\n' + _STATIC,
        None,
        tofu=True,
    ),
    Case(
        "tofu with providers for each",
        _VERSIONS
        + """
provider "time" {
  alias    = "each"
  for_each = toset(["a", "b"])
}

resource "time_static" "each" {
  for_each = toset(["a"])
  provider = time.each[each.key]
  rfc3339  = "2024-01-01T00:00:00Z"
}
""",
        None,
        tofu=True,
    ),
    Case(
        "tofu with a function of a provider",
        _VERSIONS + 'output "a" {\n  value = provider::time::duration_parse("1h").hours\n}\n',
        None,
        tofu=True,
    ),
    Case("tofu with an unknown type with a near name", _VERSIONS + 'resource "time_statik" "it" {}\n', None, tofu=True),
    Case(
        "tofu with an unknown argument",
        _VERSIONS + 'resource "time_static" "it" {\n  rfc3338 = 1\n}\n',
        None,
        tofu=True,
    ),
    Case("tofu with a file that hides another", _VERSIONS + _STATIC, None, {"main.tf": "nonsense\n"}, tofu=True),
)
