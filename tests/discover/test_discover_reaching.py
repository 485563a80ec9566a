"""Which files the expressions of a root can lead to."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.discover.literals import UnreadableText, read_json, read_text
from pytest_tfpipeline.discover.reaching import Reach, Source, reach_of


def reach(text: str, module: str = "", *, called: frozenset[str] = frozenset()) -> Reach:
    """What a root `live/app` with that text reads, that calls `modules/m` with the other one."""
    return reach_of(
        "live/app",
        [
            Source("live/app/main.tf", "live/app", read_text(text), called),
            Source("modules/m/main.tf", "modules/m", read_text(module)),
        ],
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('x = file("../../shared/policy.json")', "shared/policy.json"),
        ('x = file("${path.module}/../../shared/policy.json")', "shared/policy.json"),
        ('x = file("${path.root}/../../shared/policy.json")', "shared/policy.json"),
        ('x = file("${ path.module }/../shared/${var.name}.json")', "live/shared"),
        ('x = templatefile("../shared/pre-${var.name}.json", { a = "b" })', "live/shared"),
        ('x = filebase64("../payload.zip")', "live/payload.zip"),
        ('source_dir = "${path.module}/../../lambdas/ingest"', "lambdas/ingest"),
        ('filename = "../../build/app.zip"', "build/app.zip"),
        ('x = [for f in fileset("${path.module}/../policies", "*.json") : f]', "live/policies"),
        ('x = "a ${file("../x.json")} b"', "live/x.json"),
        ('x = <<-EOT\n  ${file("../x.json")}\nEOT\n', "live/x.json"),
        ('variable "p" {\n  default = "../../files/x"\n}', "files/x"),
        ('x = fileset(path.module, "**")', "live/app"),
        ('x = "${path.module}/.."', "live"),
        ('x = jsondecode(file("${path.module}/nested/x.tf"))', "live/app/nested/x.tf"),
    ],
)
def test_a_path_that_is_written(text: str, path: str) -> None:
    found = reach(text)

    assert found.anything == ""
    assert path in found.paths


@pytest.mark.parametrize(
    "text",
    [
        'x = "${var.base}/../x.json"',
        'x = "${path.module}/${var.a}/../../x.json"',
        'x = join("/", [path.module, "..", "x.json"])',
        'x = join("/", ["a", "../x"])',
        'x = format("%s/../x", path.module)',
        "x = dirname(path.module)",
        'locals {\n  here = path.module\n}\nx = replace(local.here, "a", "b")',
        'x = replace("${path.module}/x", "app", "net")',
        'data "external" "x" {\n  program = ["sh", "x.sh"]\n}',
        'locals {\n  up = ".."\n}',
        'locals {\n  up = "../.."\n}',
    ],
)
def test_a_path_that_cannot_be_followed_may_be_any(text: str) -> None:
    assert reach(text).anything
    assert reach("", text).anything


@pytest.mark.parametrize(
    "text",
    [
        'x = replace("${var.name}_${var.other}", "_", "-")',
        'x = join(",", ["a", "b"])',
        'x = format("arn:aws:s3:::%s/*", var.bucket)',
        '# file("../x")\nx = 1',
        '/* "../x" */\nx = 1',
        'x = "three dots... and 10.0.0.0/8"',
        'x = split("/", var.path)[0]',
        'x = "$${var.base}/x"',
    ],
)
def test_what_leads_nowhere(text: str) -> None:
    found = reach(text)

    assert found.anything == ""
    assert all(path.startswith(("live/app", "modules/m")) for path in found.paths)


def test_the_source_of_a_call_is_no_file() -> None:
    assert reach('module "m" {\n  source = "../../modules/m"\n}', called=frozenset({"../../modules/m"})).paths == {}


def test_a_value_that_goes_up_is_followed_from_every_directory_of_the_root() -> None:
    found = reach('module "m" {\n  file = "../../shared/x.json"\n}', 'x = file("${path.module}/sub/${var.file}")')

    assert {"shared/x.json", "modules/m/sub"} <= set(found.paths)
    assert "modules/shared/x.json" in found.paths  # from modules/m/sub


def test_a_module_reads_from_its_own_directory_and_from_its_roots() -> None:
    found = reach("", 'x = file("../y.json")\nz = file("${path.root}/../z.json")')

    assert {"modules/y.json", "live/y.json", "live/z.json"} <= set(found.paths)


def test_a_path_out_of_the_repository_is_none() -> None:
    assert reach('x = file("../../../elsewhere/x.json")').paths == {}


def test_a_file_that_cannot_be_read_may_read_anything() -> None:
    assert reach_of("a", [Source("a/main.tf", "a", None)]).anything == "a/main.tf could not be followed"


@pytest.mark.parametrize("text", ['x = "', "x = {", "x = <<EOT\n", "x = )", 'x = "${a"'])
def test_a_text_that_is_no_hcl_is_refused(text: str) -> None:
    with pytest.raises(UnreadableText):
        read_text(text)


def test_json_has_templates_too() -> None:
    text = read_json('{"resource": {"a": {"b": {"x": "${file(\\"../y.json\\")}", "s": "../../z.json"}}}}')

    found = reach_of("live/app", [Source("live/app/main.tf.json", "live/app", text)])

    assert {"live/y.json", "z.json"} <= set(found.paths)
