"""What wrappers pass to terraform, read from their text."""

from __future__ import annotations

from pytest_tfpipeline.discover.wrappers import Call, Hint, calls_of, hints, is_wrapper, var_files_of_tests
from pytest_tfpipeline.model import Root

CORE, NET = (Root(f"tf/{name}", name, f"tf/{name}/main.tf") for name in ("core", "net"))
FILES = (
    "tf/core/main.tf",
    "vars/dev/core.tfvars",
    "vars/prod/core.tfvars",
    "vars/dev/net.tfvars",
    "vars/common.tfvars",
)


def _calls(text: str, file: str = "run.sh") -> list[Call]:
    return list(calls_of(file, text))


def _hints(**texts: str) -> dict[str, Hint]:
    named = {name.replace("_", "/", 1) if name.startswith("tf") else name: text for name, text in texts.items()}
    return hints((*FILES, *named), (CORE, NET), named.__getitem__)


def test_make_task_just_and_shell_write_their_variables_differently() -> None:
    for word in ("$(ENV)", "${ENV}", "$ENV", "$$ENV", "{{.ENV}}", "{{ env }}", "$1", "${ENV:-dev}"):
        (call,) = _calls(f"terraform plan -var-file=../vars/{word}.tfvars\n")
        assert call.var_files == ("../vars/{env}.tfvars",), word


def test_every_way_to_write_an_option() -> None:
    text = 'tofu plan -var-file "a b.tfvars" --var-file=c.tfvars -backend-config=key=x \\\n  -backend-config "d.hcl"'
    (call,) = _calls(text)
    assert (call.var_files, call.backend, call.line) == (("a b.tfvars", "c.tfvars"), ("key=x", "d.hcl"), 1)


def test_what_is_not_a_command_line_of_terraform() -> None:
    assert _calls("# terraform plan -var-file=x.tfvars\necho -var-file=y\nterraform version\n") == []
    assert _calls("terraform plan -var-file=$(shell find . -name x)\n") == []
    assert _calls("terraform plan -var-file=$SECRET_PLACE.tfvars\n") == []


def test_what_native_tests_are_given_is_not_what_a_plan_is_given() -> None:
    for command in ("terraform test", "tofu test", "$(TERRAFORM) test", "terraform -chdir=tf/core test"):
        assert _calls(f"{command} -var-file=./tests/globals.tfvars\n") == [], command
    (call,) = _calls("terraform plan -var-file=test.tfvars\n")
    assert call.var_files == ("test.tfvars",)


def test_var_files_of_native_tests_are_those_of_the_wrapper_beside_them() -> None:
    texts = {
        "m/Makefile": "test:\n\tterraform plan -var-file=x.tfvars\n\tterraform test -var-file=./tests/all.tfvars\n",
        "n/run.sh": "tofu test -var-file=../m/tests/all.tfvars\n",
        "o/run.sh": "cd x && terraform test -var-file=tests/all.tfvars\n",
    }
    files = (*texts, "m/x.tfvars", "m/tests/all.tfvars", "n/main.tf", "o/tests/all.tfvars")
    found = var_files_of_tests(files, ("m", "n", "o", "p"), texts.__getitem__)
    assert found == {"m": ("m/Makefile:3", ("m/tests/all.tfvars",))}


def test_variables_that_cannot_all_be_the_roots_name() -> None:
    text = 'terraform init -backend-config="account=${APP_ACCOUNT}" -backend-config="key=${APP_KEY}/x"\n'
    assert _hints(**{"run.sh": text})["tf/core"].backend == ("account={name}", "key={name}/x")
    text = 'terraform init -backend-config="group=${APP_GROUP}" -backend-config="account=${APP_ACCOUNT}"\n'
    assert "tf/core" not in _hints(**{"run.sh": text})


_INIT = 'terraform init -backend-config=region=eu-west-2 -backend-config="key=${PREFIX}/x" -backend-config="bucket=b"\n'


def test_what_a_backend_is_passed_and_cannot_be_written_down_is_named() -> None:
    found = _hints(**{"run.sh": _INIT})["tf/core"]
    assert found.backend == ("region=eu-west-2", "bucket=b")
    assert found.computed == ("key",)
    assert found.pairs == ("region=eu-west-2", "bucket=b", "key=...")


def test_a_backend_with_a_file_that_nobody_can_name_is_no_hint() -> None:
    assert "tf/core" not in _hints(**{"run.sh": "terraform init -backend-config=key=a -backend-config=$CONFIG\n"})


def test_a_whole_backend_comes_before_half_of_one() -> None:
    found = _hints(**{"a.sh": _INIT, "b.sh": "terraform init -backend-config=key=a\n"})["tf/core"]
    assert (found.pairs, found.places) == (("key=a",), {"backend": "b.sh:1"})


def test_each_setting_is_told_with_its_own_line() -> None:
    found = _hints(**{"a.sh": "terraform workspace select $ENV\n", "b.sh": _INIT})["tf/core"]
    assert found.places == {"workspace": "a.sh:1", "backend": "b.sh:1"}


def test_where_it_changes_to() -> None:
    assert _calls("cd tf/core && terraform plan -var-file=x.tfvars")[0].directory == "tf/core"
    assert _calls("terraform -chdir=tf/$(STACK) plan -var-file=x.tfvars")[0].directory == "tf/{name}"
    assert _calls("terraform workspace select -or-create $ENV")[0].workspace == "{env}"


def test_a_wrapper_for_all_roots_gives_each_its_own_files() -> None:
    found = _hints(Makefile="\tterraform -chdir=tf/$(STACK) plan -var-file=../../vars/$(ENV)/$(STACK).tfvars\n")
    assert found["tf/core"] == Hint(
        {"var_files": "Makefile:1"}, ("vars/{env}/{name}.tfvars",), environments=("dev", "prod")
    )
    assert found["tf/net"].environments == ("dev",)


def test_a_wrapper_for_one_root_says_nothing_of_others() -> None:
    assert set(_hints(Makefile="\tcd tf/core && terraform plan -var-file=../../vars/common.tfvars\n")) == {"tf/core"}
    assert set(hints((*FILES, "tf/core/run.sh"), (CORE, NET), lambda _: "terraform workspace select $1")) == {"tf/core"}


def test_a_wrapper_somewhere_in_a_root_says_nothing_of_others() -> None:
    def said_by(file: str, *more: Root) -> set[str]:
        return set(hints((*FILES, file), (CORE, NET, *more), lambda _: "terraform workspace select core-$1"))

    assert said_by("tf/core/bin/import.sh") == {"tf/core"}
    assert said_by("bin/plan.sh", Root(".", "top", "main.tf")) == {".", "tf/core", "tf/net"}
    assert said_by("tf/core/bin/import.sh", Root("tf/core/bin", "bin", "tf/core/bin/main.tf")) == {"tf/core/bin"}


def test_a_wrapper_of_a_module_says_nothing_of_roots() -> None:
    files = (*FILES, "module/main.tf", "module/Makefile", "module/x.tfvars")
    assert hints(files, (CORE, NET), lambda _: "terraform plan -var-file=module/x.tfvars") == {}


def test_files_that_are_not_there_are_no_hint() -> None:
    assert _hints(Makefile="\tterraform plan -var-file=nowhere/$(ENV).tfvars\n") == {}


def test_names_of_wrappers() -> None:
    assert all(map(is_wrapper, ("Makefile", "a/build.mk", "Taskfile.yml", "x/deploy.sh", "justfile")))
    assert not any(map(is_wrapper, ("node_modules/x/run.sh", "main.tf", "make.py")))
