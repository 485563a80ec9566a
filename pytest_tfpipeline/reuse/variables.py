"""Environment variables that change what a static check answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

#: Of a provider by the last part of its name: what it takes defaults of its own configuration from.
_OF_PROVIDERS = {
    "azapi": ("ARM_*", "AZURE_*"),
    "azuread": ("ARM_*", "AZURE_*"),
    "azurerm": ("ARM_*", "AZURE_*"),
    "github": ("GITHUB_TOKEN", "GITHUB_OWNER", "GITHUB_ORGANIZATION", "GITHUB_BASE_URL", "GITHUB_APP_*"),
    "gitlab": ("GITLAB_TOKEN", "GITLAB_BASE_URL"),
    "google": ("GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*"),
    "google-beta": ("GOOGLE_*", "GCLOUD_*", "CLOUDSDK_*"),
    "helm": ("HELM_*", "KUBE*"),
    "kubectl": ("KUBE*",),
    "kubernetes": ("KUBE*",),
}
#: Of a credential it counts whether it is there: its value is another one in every job, and nobody is asked with it.
_CREDENTIAL = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|KEY|CREDENTIAL|SESSION|EXPIR")
_THERE = "(set)"


def matching(environ: Mapping[str, str], patterns: Iterable[str], without: Iterable[str] = ()) -> dict[str, str]:
    """The variables that one of the patterns means, with their values."""
    wanted, unwanted = tuple(patterns), frozenset(without)
    return {
        name: value
        for name, value in environ.items()
        if name not in unwanted and any(fnmatchcase(name, pattern) for pattern in wanted)
    }


def of_providers(environ: Mapping[str, str], sources: Iterable[str]) -> dict[str, str]:
    """Those of these providers (`registry.terraform.io/hashicorp/aws`)."""
    names = [source.rpartition("/")[2] for source in sources]
    patterns = [each for name in names for each in _OF_PROVIDERS.get(name, (f"{name.upper().replace('-', '_')}_*",))]
    found = matching(environ, patterns)
    return {name: _THERE if _CREDENTIAL.search(name) else value for name, value in found.items()}
