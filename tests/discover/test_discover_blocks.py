"""`parse_blocks`, with the real python-hcl2."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.discover.hcl import HclError, parse_blocks

TEXT = """# a comment
resource "aws_s3_bucket" "lake" {
  bucket = "lake-${var.env}"
  count  = 2
  tags = {
    "cost centre" = "x"
    Name          = local.name
  }
  policy = <<-EOT
    }{ "
  EOT
  rule {
    id = "one"
  }
  rule {
    id = "two"
  }
  dynamic "x" {
    for_each = [1, true]
    content {}
  }
}

locals { a = "\\"q\\"" }
"""


def test_native(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(TEXT)
    bucket, local = parse_blocks(tmp_path / "main.tf", "core/main.tf")
    assert (bucket.kind, bucket.labels, bucket.file, bucket.line) == (
        "resource",
        ("aws_s3_bucket", "lake"),
        "core/main.tf",
        2,
    )
    assert bucket.body["bucket"] == "lake-${var.env}"
    assert bucket.body["count"] == 2
    assert bucket.body["tags"] == {"cost centre": "x", "Name": "${local.name}"}
    assert bucket.body["rule"] == [{"id": "one"}, {"id": "two"}]
    assert bucket.body["dynamic"] == [{"x": {"for_each": [1, True], "content": [{}]}}]
    assert (local.kind, local.labels, local.line) == ("locals", (), 24)


def test_json(tmp_path: Path) -> None:
    (tmp_path / "main.tf.json").write_text(
        '{"//": "x", "resource": {"aws_s3_bucket": {"lake": {"bucket": "b"}}}, "locals": [{"a": 1}, {"b": 2}]}'
    )
    found = parse_blocks(tmp_path / "main.tf.json", "main.tf.json")
    assert [(block.kind, block.labels, block.body) for block in found] == [
        ("resource", ("aws_s3_bucket", "lake"), {"bucket": "b"}),
        ("locals", (), {"a": 1}),
        ("locals", (), {"b": 2}),
    ]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.tf", 'locals {}\n\nresource "x" "y" {\n  a = 1 +\n}\n', 4),
        ("a.tf", "locals {\n", 1),
        ("a.tf.json", "{\n1", 2),
    ],
)
def test_errors_name_the_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(HclError) as caught:
        parse_blocks(tmp_path / name, name)
    assert caught.value.line in (line, line + 1)
