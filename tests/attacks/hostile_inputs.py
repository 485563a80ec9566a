"""Providers, tools and caches that are not what they say; names that are more than names; links that move."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from hostile_claims import passing
from hostile_rules import created, operator
from raid import Field, Raid, Threat, stolen

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools.install import Installer
from pytest_tfpipeline.tools.mirrors import package_hash
from pytest_tfpipeline.tools.programs import program

ALLOWED = operator('providers = ["registry.terraform.io/hashicorp/*"]\n')
REQUIRES = """terraform {{
  required_providers {{
    fake = {{
      source  = "{source}"
      version = "1.0.0"
    }}
  }}
}}
"""


def package(scene: Field, mirror: Path, source: str) -> None:
    """A provider whose program takes what it finds."""
    told = subprocess.run(["terraform", "version", "-json"], check=True, capture_output=True).stdout
    place = mirror / source / "1.0.0" / json.loads(told)["platform"] / "terraform-provider-fake_v1.0.0"
    place.parent.mkdir(parents=True)
    place.write_text(f"#!/bin/sh\n{scene.steals('provider')}\nexit 1\n")
    place.chmod(0o755)


def mirrored(scene: Field) -> dict[str, str]:
    """A mirror that has it."""
    return {"TFPIPELINE_PROVIDER_MIRROR": str(scene.path / "mirror")}


def in_mirror(scene: Field) -> None:
    """The provider is in the mirror of everybody."""
    package(scene, scene.path / "mirror", "example.org/scratch/fake")


def required(scene: Field) -> None:
    """The configuration asks for it."""
    in_mirror(scene)
    scene.scratch.write("infra/a/versions.tf", REQUIRES.format(source="example.org/scratch/fake"))


def in_state(scene: Field) -> None:
    """A resource of the state is said to be that provider's; the configuration does not know of it."""
    in_mirror(scene)
    scene.put()
    path = scene.scratch.states / "a.tfstate"
    state = json.loads(path.read_bytes())
    state["resources"].append(
        {
            "mode": "managed",
            "type": "fake_thing",
            "name": "odd",
            "provider": 'provider["example.org/scratch/fake"]',
            "instances": [{"schema_version": 0, "attributes": {"id": "1"}, "sensitive_attributes": []}],
        }
    )
    path.write_text(json.dumps(state))


def in_tree(scene: Field) -> None:
    """The branch brings a provider under a name that is allowed."""
    source = "registry.terraform.io/hashicorp/fake"
    package(scene, scene.scratch.path / "terraform.d/plugins", source)
    scene.scratch.write("infra/a/versions.tf", REQUIRES.format(source="hashicorp/fake"))


LOCK = """provider "example.org/scratch/fake" {{
  version = "1.0.0"
  hashes = [
    "{hash}",
  ]
}}
"""


def swapped(scene: Field) -> None:
    """The lock file has the checksum of a sound package; then another one takes its place in the mirror."""
    in_mirror(scene)
    (place,) = (scene.path / "mirror/example.org/scratch/fake/1.0.0").iterdir()
    (thief,) = place.iterdir()
    text = thief.read_text()
    thief.write_text("#!/bin/sh\nexit 1\n")
    scene.scratch.write("infra/a/versions.tf", REQUIRES.format(source="example.org/scratch/fake"))
    scene.scratch.write("infra/a/.terraform.lock.hcl", LOCK.format(hash=package_hash(place)))
    thief.write_text(text)


PROVIDERS = (
    Raid(
        (Threat("a provider swapped in a mirror", "is not what the lock file says", stolen("provider"), alone=0),),
        exit=1,
        says="Failed to install provider",
        setup=swapped,
        forge=passing,
        ambient=mirrored,
        answer="`check-failed`: init refuses it",
    ),
    Raid(
        (Threat("a provider that nobody allowed", "is asked for by the configuration", stolen("provider")),),
        exit=4,
        says="is not among the `providers`",
        setup=required,
        ambient=mirrored,
        job=ALLOWED,
        answer="refused before init: `provider-refused`",
    ),
    Raid(
        (Threat("a state that names another provider", "is read by init", stolen("provider")),),
        exit=1,
        setup=in_state,
        forge=passing,
        ambient=mirrored,
        job=ALLOWED,
        answer="`check-failed`: it is not installed",
    ),
    Raid(
        (
            Threat(
                "a provider in `terraform.d/plugins`", "has an allowed name, and the branch's code", stolen("provider")
            ),
        ),
        exit=1,
        setup=in_tree,
        forge=passing,
        job=ALLOWED,
        answer="`check-failed`: no mirror of the tree counts",
    ),
)

CHECKOV = """from pathlib import Path
import os
Path({loot!r}).write_text(os.environ.get("APPLY_TOKEN", "") or "ran")
"""
TFLINT = """config {
  plugin_dir = "../../rules"
}

plugin "evil" {
  enabled = true
}
"""


def extended(scene: Field) -> None:
    """Checks of checkov's and rules of tflint's that the branch brings."""
    del scene.scratch.env["TFPIPELINE_CHECKOV"]
    scene.scratch.write(".checkov.yaml", "external-checks-dir:\n  - checks\n")
    scene.scratch.write("checks/__init__.py", "")
    scene.scratch.write("checks/evil.py", CHECKOV.format(loot=str(scene.loot / "checkov")))
    scene.scratch.write(
        ".tflint.hcl", 'config {\n  plugin_dir = "../../rules"\n}\n\nplugin "evil" {\n  enabled = true\n}\n'
    )
    rules = scene.scratch.write("rules/tflint-ruleset-evil", f"#!/bin/sh\n{scene.steals('tflint')}\nexit 1\n")
    rules.chmod(0o755)


EXTENDED = Raid(
    (
        Threat("checkov's external checks", "are Python of the branch's", lambda scene: int(scene.ran("checkov"))),
        Threat("tflint's plugins", "are programs of the branch's", lambda scene: int(scene.ran("tflint"))),
    ),
    exit=0,
    setup=extended,
    forge=passing,
    answer="neither is run; what is right is applied",
)


def two_roots(scene: Field) -> None:
    """A second root."""
    scene.root("b")


def poisoned_cache(scene: Field) -> None:
    """The check job leaves a cache in which the second root is none."""
    (kept,) = (scene.path / "cache").glob("pytest-tfpipeline/hcl-*.json")
    facts = json.loads(kept.read_bytes())
    text = (scene.scratch.path / "infra/b/main.tf").read_bytes()
    facts[hashlib.sha256(text).hexdigest()] = {"kinds": ["variable"]}
    kept.write_text(json.dumps(facts))


def suite(scene: Field) -> None:
    """A suite of Python tests."""
    scene.scratch.write("lambdas/x/requirements.txt", "")
    scene.scratch.write("lambdas/x/tests/test_x.py", "def test_x():\n    pass\n")


def poisoned_suite(scene: Field) -> None:
    """The check job leaves an environment whose Python takes what it finds, whenever it starts."""
    found = [*(scene.scratch.output / "cache/suites").glob("*/lib/python*/site-packages")]
    assert found, "no environment of a suite was kept"
    for place in found:
        (place / "sitecustomize.py").write_text(f"{scene.steals_in_python('suite')}\n")


def tools(scene: Field) -> None:
    """A tool directory with a terraform of the check job's."""
    place, real = installed(scene), shutil.which("terraform")
    place.parent.mkdir(parents=True)
    place.write_text(f'#!/bin/sh\n{scene.steals("tool")}\nexec {real} "$@"\n')
    place.chmod(0o755)


def installed(scene: Field) -> Path:
    """Where the plugin would have installed it."""
    directory = {"TFPIPELINE_TOOLS_DIR": str(scene.path / "tools")}
    (scene.path / "tools").mkdir(exist_ok=True)
    return Installer(Runner(), directory, lambda line: None).place("terraform", program("terraform").default)


def without_terraform(scene: Field) -> dict[str, str]:
    """The carried tool directory, and a PATH on which there is git and nothing else that is looked for."""
    bare = scene.path / "bare"
    bare.mkdir(exist_ok=True)
    for name in ("git", "sh", "sed", "cat"):
        if not (bare / name).exists():
            (bare / name).symlink_to(str(shutil.which(name)))
    return {"TFPIPELINE_TOOLS_DIR": str(scene.path / "tools"), "PATH": str(bare)}


LEFT_BEHIND = (
    Raid(
        (
            Threat(
                "a poisoned cache of parsed files",
                "hides a root, where `XDG_CACHE_HOME` is carried over",
                lambda scene: int(not scene.scratch.applied("b")),
            ),
        ),
        exit=0,
        setup=two_roots,
        ambient=lambda scene: {"XDG_CACHE_HOME": str(scene.path / "cache")},
        between=poisoned_cache,
        answer="not believed; what is right is applied",
    ),
    Raid(
        (
            Threat(
                "a poisoned environment of a suite",
                "runs code when its Python starts; the output directory is carried over",
                stolen("suite"),
                alone=0,
            ),
        ),
        exit=0,
        setup=suite,
        between=poisoned_suite,
        job=lambda scene: (f"--tf-output={scene.scratch.output}",),
        answer="no suite is run; what is right is applied",
    ),
    Raid(
        (Threat("a poisoned tool directory", "is carried over; terraform is on `PATH`", stolen("tool"), alone=0),),
        exit=0,
        between=tools,
        carried=lambda scene: {"TFPIPELINE_TOOLS_DIR": str(scene.path / "tools")},
        answer="not used; what is right is applied",
    ),
    Raid(
        (
            Threat(
                "a committed output directory",
                "holds evidence of applies that never were",
                created,
                alone=None,
            ),
        ),
        exit=4,
        says="is part of the commit",
        setup=lambda scene: scene.scratch.write(".tfpipeline/evidence/20990101T000000-made-up.json", "{}"),
        answer="refused before anything is run",
    ),
)

ODD = r"""
resource "terraform_data" "odd" {
  for_each = toset(["\u001b[31mred", "\u202eevil", "x\n::add-mask::y"])
}
"""


def raw(scene: Field) -> int:
    """Whether anything that was printed or written has a sequence as it is."""
    output = scene.output_of_last / ".tfpipeline"
    texts = [scene.said, *((output / name).read_text("utf-8") for name in ("summary.md", "evidence.json"))]
    signs = ("\x1b[31m", "\u202e", "\n::add-mask::")
    return int(any(sign in text for sign in signs for text in texts))


NAMED = Raid(
    (
        Threat(
            "terminal, bidirectional and workflow-command sequences",
            "are the keys of a `for_each`, shown before an approval",
            raw,
            alone=0,
        ),
    ),
    exit=10,
    says="add-mask",
    setup=lambda scene: (
        scene.root("a", ODD),
        scene.scratch.configure('[environment.staging]\napproval = "manual"\n'),
    ),
    answer="shown escaped",
)

READS = """
resource "terraform_data" "reads" {{
  provisioner "local-exec" {{
    command = "cat payload.txt >> '{read}'"
  }}
}}
"""
SWAPS = """
def test_swaps(tf_plan):
    for place in [TOP, *newest("tree/staging")]:
        link = place / "infra/a/payload.txt"
        link.unlink()
        link.symlink_to("../../data/evil.txt")
"""


def linked(scene: Field) -> None:
    """A script that reads through a link, and a test that turns the link."""
    scene.root("a", READS.format(read=scene.path / "read.txt"))
    for name in ("good", "evil"):
        scene.scratch.write(f"data/{name}.txt", name)
    (scene.scratch.path / "infra/a/payload.txt").symlink_to("../../data/good.txt")
    scene.test(SWAPS)


def read_evil(scene: Field) -> int:
    """What was read through it."""
    found = scene.path / "read.txt"
    return int(found.exists() and "evil" in found.read_text())


SWAPPED = Raid(
    (Threat("a symlink swapped between check and apply", "leads to another file", read_evil, alone=0),),
    exit=0,
    setup=linked,
    forge=passing,
    answer="the apply job has the commit's; what is right is applied",
)

RAIDS = (*PROVIDERS, EXTENDED, *LEFT_BEHIND, NAMED, SWAPPED)

WEAKENED = "def test_small(tf_plan):\n    pass\n\n\ndef test_plain():\n    pass\n"
STEALS = """
resource "terraform_data" "steals" {{
  provisioner "local-exec" {{
    command = <<-EOT
      {steals}
    EOT
  }}
}}
"""


def merged(scene: Field) -> None:
    """A policy that says yes to everything, and a provisioner."""
    scene.scratch.write("tests/test_rules.py", WEAKENED)
    scene.root("a", STEALS.format(steals=scene.steals("provisioner")))


NOT_STOPPED = (
    Raid(
        (
            Threat("a policy test rewritten to pass", "says yes to everything", created, jobs=1),
            Threat("a provisioner", "is a command in terraform's own configuration", stolen("provisioner"), jobs=1),
        ),
        exit=0,
        setup=merged,
        answer="applied: the digest and the review are of exactly this",
    ),
    Raid(
        (
            Threat(
                "plan-time code",
                "is a provider (or an external data source) of the branch's choice, without an operator file",
                stolen("provider"),
                jobs=1,
            ),
        ),
        exit=1,
        setup=required,
        forge=passing,
        ambient=mirrored,
        answer="runs before anybody can look; `providers` of an operator file refuses it",
    ),
    Raid(
        (
            Threat(
                "a poisoned tool directory, and no terraform on `PATH`",
                "is carried over from the check job",
                stolen("tool"),
                jobs=1,
                alone=None,
            ),
        ),
        exit=0,
        between=tools,
        carried=without_terraform,
        answer="run: carry nothing over but the evidence",
    ),
)
