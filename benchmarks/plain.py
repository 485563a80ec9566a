"""The plain side: the commands that people put into a script, `xargs -P` over the roots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.measure import Command, processors
from benchmarks.places import Place

FMT = "$terraform fmt -check -diff"
LINT = "$tflint --format=compact"
INIT = "$terraform init -input=false -no-color"
BARE_INIT = f"{INIT} -backend=false"
VALIDATE = "$terraform validate -json"
PLAN = "$terraform plan -input=false -lock=false -no-color -out=the.plan"
SHOW = "$terraform show -json the.plan >plan.json"
#: Failed checks are an answer (1), anything else is not.
_SCAN = "$checkov --quiet --compact --skip-download -o json"
CODE = f"{{ {_SCAN} --framework terraform -d . || test $? -eq 1; }}"
PLANNED = f"{{ {_SCAN} --framework terraform_plan -f plan.json || test $? -eq 1; }}"

EVERYTHING = (FMT, LINT, INIT, VALIDATE, PLAN, SHOW, CODE, PLANNED)


def over_roots(place: Place, repository: Path, steps: Iterable[str], env: Mapping[str, str]) -> Command:
    """The steps in every root, as many roots at a time as there are processors."""
    script = place.path / "plain.sh"
    variables = "".join(f"{name}='{path}'\n" for name, path in place.programs.items())
    body = "\n".join(steps)
    script.write_text(f'set -eu\ncd "$1"\n{variables}{body}\n', encoding="utf-8")
    roots = place.path / "roots.txt"
    found = sorted(path.parent for path in repository.glob("**/main.tf") if ".tfpipeline" not in path.parts)
    roots.write_text("".join(f"{root}\n" for root in found), encoding="utf-8")
    argv = ("xargs", "-a", str(roots), "-n", "1", "-P", str(processors()), "sh", str(script))
    return Command(argv, repository, env)
