"""Native tests as items of a whole run: they stand before an apply, and an interrupted one destroys what it made."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from scratch import Scratch
from test_plugin_interrupts import WAITING, gone, started

MODULE = 'variable "name" {\n  type = string\n}\n\noutput "name" {\n  value = upper(var.name)\n}\n'
GOOD = """variables {
  name = "a"
}

run "good" {
  assert {
    condition     = output.name == "A"
    error_message = "not upper"
  }
}
"""


def test_a_native_test_stands_before_an_apply(scratch: Scratch) -> None:
    scratch.without_checkov()
    scratch.root("a")
    scratch.write("modules/m/main.tf", MODULE)
    scratch.write("modules/m/tests/good.tftest.hcl", GOOD)
    scratch.write("modules/m/tests/cloud.tftest.hcl", GOOD.replace("upper", "lower"))
    scratch.write("infra/a/bad.tftest.hcl", 'run "bad" {\n  command = plan\n  variables {\n    a = run.b.c\n  }\n}\n')
    scratch.configure('[[test]]\nmatch = "**/cloud.tftest.hcl"\nrun = false\n')
    scratch.commit()
    closed = scratch.run("--apply-env", "staging", "-n", "2")

    assert closed.code == 1, closed.text
    assert not scratch.applied("a")
    assert "infra/a/bad.tftest.hcl:1" in closed.text or "infra/a/bad.tftest.hcl:4" in closed.text
    assert "native tests that are not run here (`run = false`): modules/m/tests/cloud.tftest.hcl" in closed.text
    assert "modules/m/tests/good.tftest.hcl::good" not in scratch.outcomes(), "a run block is no check of its own"
    found = {name: outcome for name, outcome in scratch.outcomes().items() if "::test[" in name}
    assert found == {
        "infra/a/main.tf::test[bad.tftest.hcl]": "failed",
        "modules/m/main.tf::test[tests/good.tftest.hcl]": "passed",
    }
    assert {check["check"] for check in scratch.evidence()["checks"] if "::test[" in check["id"]} == {"tftest"}

    (scratch.path / "infra/a/bad.tftest.hcl").unlink()
    scratch.commit()
    opened = scratch.run("--apply-env", "staging", "-n", "2", "-v")
    assert opened.code == 0, opened.text
    assert scratch.applied("a")
    assert "modules/m/tests/good.tftest.hcl::good PASSED" in opened.text
    assert scratch.clean()

    named = scratch.run("modules/m/tests/good.tftest.hcl::good", "modules/m/tests/good.tftest.hcl::none", "-v")
    assert "modules/m/tests/good.tftest.hcl::good PASSED" in named.text, "as it is printed, it can be pasted"
    assert 'there is no run "none" in it: good' in named.text
    assert named.code == 1


def test_var_files_come_from_the_wrapper_beside_the_tests(scratch: Scratch) -> None:
    scratch.without_checkov()
    scratch.write("modules/m/main.tf", MODULE)
    scratch.write("modules/m/tests/it.tftest.hcl", GOOD.replace('variables {\n  name = "a"\n}\n', ""))
    scratch.commit()
    without = scratch.run("-m", "tf_test")
    assert without.code == 1, without.text
    assert "No value for required variable" in without.text
    assert "`var_files` of a [[tool.tfpipeline.test]] names" in without.text
    assert "Use a -var" not in without.text

    scratch.write("modules/m/tests/all.tfvars", 'name = "a"\n')
    scratch.write(
        "modules/m/Makefile", "test:\n\tterraform init &&\\\n\tterraform test --var-file=./tests/all.tfvars\n"
    )
    scratch.commit()
    given = scratch.run("-m", "tf_test")
    assert given.code == 0, given.text
    assert "native tests get the var files that modules/m/Makefile:2 passes" in given.text


def test_an_interrupted_test_destroys_what_it_has_made(scratch: Scratch, tmp_path: Path) -> None:
    pipe, destroyed = tmp_path / "pipe", tmp_path / "destroyed"
    os.mkfifo(pipe)
    waiting = WAITING.format(pipe=pipe).replace('"', '\\"')
    scratch.write(
        "modules/m/main.tf",
        f"""resource "terraform_data" "made" {{
  provisioner "local-exec" {{
    when    = destroy
    command = "touch '{destroyed}'"
  }}
}}

resource "terraform_data" "waits" {{
  input = terraform_data.made.id

  provisioner "local-exec" {{
    command = "{waiting}"
  }}
}}
""",
    )
    scratch.write("modules/m/tests/it.tftest.hcl", 'run "it" {}\n')
    scratch.configure(roots='match = "**"\n')
    scratch.root("a")
    scratch.commit()
    with scratch.start("-m", "tf_test", "-p", "no:xdist") as process:
        busy = started(pipe)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert gone(busy), output
    assert destroyed.exists(), output
    assert "Traceback" not in output
    assert scratch.clean()


def test_what_is_generated_is_there_for_native_tests_and_validate(scratch: Scratch) -> None:
    scratch.root("a", 'output "made" {\n  value = file("${path.module}/made.txt")\n}\n')
    scratch.write(
        "infra/a/its.tftest.hcl",
        'run "made" {\n  command = plan\n  assert {\n    condition     = output.made == "by a\\n" && local.more == 1\n'
        '    error_message = "not made"\n  }\n}\n',
    )
    command = "echo by {name} > infra/{name}/made.txt; echo 'locals {{more=1}}' > infra/{name}/more.tf"
    scratch.configure(
        roots=f'match = "infra/*"\nprepare = [["sh", "-c", "{command}"], ["false", "{{env}}"]]\n',
    )
    scratch.commit()
    run = scratch.run("-m", "tf_test or tf_validate or tf_fmt", "-n", "0", "-v")
    assert run.code == 0, run.text
    assert "infra/a/its.tftest.hcl::made PASSED" in run.text
    assert scratch.clean()

    scratch.configure(roots='match = "infra/*"\nprepare = [["false"]]\n')
    scratch.commit()
    broken = scratch.run("-m", "tf_test", "-n", "0")
    assert broken.code == 1, broken.text
    assert "prepare command 'false' failed with exit code 1" in broken.text
