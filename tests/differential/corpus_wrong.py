"""What terraform refuses, in every way that a schema, a provider or a plan can refuse it."""

from __future__ import annotations

from case import Case

_STATIC = """
resource "time_static" "it" {
  rfc3339 = "2024-01-01T00:00:00Z"
}
"""

WRONG = (
    Case("not a configuration", 'resource "time_static" "it" {\n  rfc3339 = \n'),
    Case("not JSON", files={"main.tf.json": '{"resource": {"terraform_data": }}\n'}),
    Case("a block that there is not", 'resourse "time_static" "it" {}\n', ("time",)),
    Case("unknown type with a near name", 'resource "time_statik" "it" {}\n', ("time",)),
    Case("unknown type with no near name", 'resource "time_machine_of_wells" "it" {}\n', ("time",)),
    Case(
        "a type of a data source as a resource", 'resource "local_command" "it" {\n  command = "true"\n}\n', ("local",)
    ),
    Case("a type of a resource as a data source", 'data "time_static" "it" {}\n', ("time",)),
    Case("an ephemeral resource of another type", 'ephemeral "local_file" "it" {\n  filename = "a"\n}\n', ("local",)),
    Case("unknown argument with a near name", 'resource "time_static" "it" {\n  rfc3338 = "a"\n}\n', ("time",)),
    Case("unknown argument", 'resource "time_static" "it" {\n  nonsense = 1\n}\n', ("time",)),
    Case("unknown block in a resource", 'resource "time_static" "it" {\n  nonsense {}\n}\n', ("time",)),
    Case("an argument as a block", 'resource "time_static" "it" {\n  triggers {\n    a = 1\n  }\n}\n', ("time",)),
    Case("computed argument", 'resource "time_static" "it" {\n  year = 2024\n}\n', ("time",)),
    Case("missing argument", 'resource "local_file" "it" {\n  content = "a"\n}\n', ("local",)),
    Case("wrong type of an argument", 'resource "time_offset" "it" {\n  offset_days = "many"\n}\n', ("time",)),
    Case("a list for a string", 'resource "time_static" "it" {\n  rfc3339 = ["a"]\n}\n', ("time",)),
    Case("a value that the provider refuses", 'resource "time_static" "it" {\n  rfc3339 = "yesterday"\n}\n', ("time",)),
    Case(
        "arguments that exclude each other",
        'resource "local_file" "it" {\n  filename = "a"\n  content = "a"\n  source = "b"\n}\n',
        ("local",),
    ),
    Case("an argument that another one needs", 'resource "time_offset" "it" {}\n', ("time",)),
    Case("a data source that is not there", 'data "local_file" "it" {\n  filename = "nowhere"\n}\n', ("local",)),
    Case(
        "two errors and a warning",
        'resource "local_file" "it" {\n  filename          = "a"\n  sensitive_content = "a"\n}\n'
        '\nresource "local_file" "two" {\n  filename = 1\n  nonsense = 1\n}\n\nresource "local_fil" "three" {}\n',
        ("local",),
    ),
    Case("reference to an undeclared resource", 'output "a" {\n  value = time_static.it.id\n}\n', ("time",)),
    Case("reference to a missing attribute", _STATIC + '\noutput "a" {\n  value = time_static.it.yaer\n}\n', ("time",)),
    Case("reference to an undeclared variable", 'output "a" {\n  value = var.nowhere\n}\n'),
    Case("reference to an undeclared module", 'output "a" {\n  value = module.nowhere.a\n}\n'),
    Case("a cycle", "locals {\n  a = local.b\n  b = local.a\n}\n"),
    Case(
        "a cycle of resources",
        'resource "time_static" "a" {\n  rfc3339 = time_static.b.rfc3339\n}\n'
        '\nresource "time_static" "b" {\n  rfc3339 = time_static.a.rfc3339\n}\n',
        ("time",),
    ),
    Case("a function that there is not", 'output "a" {\n  value = uper("a")\n}\n'),
    Case("a function that the provider has not", 'output "a" {\n  value = provider::time::parse("1h")\n}\n', ("time",)),
    Case(
        "a function of a provider that is not required",
        'output "a" {\n  value = provider::time::duration_parse("1h")\n}\n',
    ),
    Case(
        "a function that the provider refuses",
        'output "a" {\n  value = provider::time::duration_parse("soon")\n}\n',
        ("time",),
    ),
    Case(
        "too many arguments for a function of a provider",
        'output "a" {\n  value = provider::time::duration_parse("1h", 2)\n}\n',
        ("time",),
    ),
    Case("an alias that there is not", 'resource "time_static" "it" {\n  provider = time.nowhere\n}\n', ("time",)),
    Case("an argument that the provider has not", 'provider "time" {\n  nonsense = 1\n}\n' + _STATIC, ("time",)),
    Case(
        "two providers with one alias",
        'provider "time" {\n  alias = "a"\n}\n\nprovider "time" {\n  alias = "a"\n}\n',
        ("time",),
    ),
    Case(
        "a module that lacks its alias",
        'module "clock" {\n  source = "./clock"\n}\n',
        ("time",),
        {
            "clock/main.tf": "terraform {\n  required_providers {\n    time = {\n      source                = "
            '"hashicorp/time"\n      configuration_aliases = [time.other]\n    }\n  }\n}\n\n'
            'resource "time_static" "it" {\n  provider = time.other\n}\n'
        },
    ),
    Case("a module that is not there", 'module "it" {\n  source = "./nowhere"\n}\n'),
    Case(
        "a module with an argument that it has not",
        'module "it" {\n  source   = "./it"\n  nonsense = 1\n}\n',
        files={"it/main.tf": 'resource "terraform_data" "it" {}\n'},
    ),
    Case(
        "a module without an argument that it needs",
        'module "it" {\n  source = "./it"\n}\n',
        files={"it/main.tf": 'variable "a" {\n  type = string\n}\n'},
    ),
    Case(
        "an error in a module",
        'module "it" {\n  source = "./it"\n}\n',
        ("time",),
        {"it/main.tf": 'resource "time_static" "it" {\n  nonsense = 1\n}\n'},
    ),
    Case(
        "an error in JSON",
        uses=("time",),
        files={
            "main.tf.json": '{\n  "resource": {\n    "time_static": {\n      "it": {\n'
            '        "nonsense": 1\n      }\n    }\n  }\n}\n'
        },
    ),
    Case("moved to where nothing is", "moved {\n  from = time_static.a\n  to   = time_static.b\n}\n", ("time",)),
    Case(
        "moved and still there",
        "moved {\n  from = time_static.it\n  to   = time_static.other\n}\n" + _STATIC,
        ("time",),
    ),
    Case(
        "moved to another type", "moved {\n  from = time_offset.it\n  to   = time_static.it\n}\n" + _STATIC, ("time",)
    ),
    Case("import to where nothing is", 'import {\n  to = time_static.nowhere\n  id = "a"\n}\n', ("time",)),
    Case(
        "import with an id that the provider refuses",
        'import {\n  to = time_static.it\n  id = "a"\n}\n' + _STATIC,
        ("time",),
    ),
    Case(
        "import that the provider cannot do",
        'import {\n  to = local_file.it\n  id = "a"\n}\n'
        '\nresource "local_file" "it" {\n  filename = "a"\n  content  = "a"\n}\n',
        ("local",),
    ),
    Case("removed and still there", "removed {\n  from = time_static.it\n}\n" + _STATIC, ("time",)),
    Case(
        "a variable with a validation that does not hold",
        'variable "size" {\n  default = 1\n\n  validation {\n'
        '    condition     = var.size > 2\n    error_message = "Too small."\n  }\n}\n',
    ),
    Case(
        "a condition of a lifecycle that does not hold",
        'resource "terraform_data" "it" {\n  lifecycle {\n    precondition {\n'
        '      condition     = 1 == 2\n      error_message = "Never."\n    }\n  }\n}\n',
    ),
    Case(
        "a condition about a resource that does not hold",
        _STATIC + '\noutput "year" {\n  value = time_static.it.id\n\n'
        '  precondition {\n    condition     = provider::time::duration_parse("1h").hours == 2\n'
        '    error_message = "Another."\n  }\n}\n',
        ("time",),
    ),
    Case(
        "for_each over what is not known",
        'resource "terraform_data" "it" {}\n\nresource "time_static" "it" {\n'
        "  for_each = toset([terraform_data.it.id])\n}\n",
        ("time",),
    ),
    Case("a sensitive for_each", 'resource "time_static" "it" {\n  for_each = toset([sensitive("a")])\n}\n', ("time",)),
    Case(
        "a sensitive output that is not marked",
        'resource "local_sensitive_file" "it" {\n  filename = "a"\n  content  = "a"\n}\n'
        '\noutput "a" {\n  value = local_sensitive_file.it.content\n}\n',
        ("local",),
    ),
    Case(
        "an ephemeral value in an argument",
        'ephemeral "local_command" "it" {\n  command = "true"\n}\n'
        '\nresource "local_file" "it" {\n  filename = "a"\n  content  = ephemeral.local_command.it.stdout\n}\n',
        ("local",),
    ),
    Case(
        "an ephemeral resource that fails",
        'ephemeral "local_command" "it" {\n  command = "false"\n}\n'
        '\nresource "terraform_data" "it" {\n  provisioner "local-exec" {\n    command = "true"\n'
        "    environment = {\n      A = ephemeral.local_command.it.stdout\n    }\n  }\n}\n",
        ("local",),
    ),
    Case(
        "depends_on an attribute of nothing", _STATIC.replace("}", "  depends_on = [time_static.nowhere]\n}"), ("time",)
    ),
    Case(
        "ignore_changes of an argument that there is not",
        'resource "time_static" "it" {\n  lifecycle {\n    ignore_changes = [nonsense]\n  }\n}\n',
        ("time",),
    ),
    Case(
        "ignore_changes of what is computed",
        'resource "time_static" "it" {\n  rfc3339 = "2024-01-01T00:00:00Z"\n\n'
        "  lifecycle {\n    ignore_changes = [year]\n  }\n}\n",
        ("time",),
    ),
    Case("a version of terraform that is not here", 'terraform {\n  required_version = "< 1.0"\n}\n'),
    Case(
        "a version of a provider that is not here",
        "terraform {\n  required_providers {\n    time = {\n"
        '      source  = "hashicorp/time"\n      version = "~> 99.0"\n    }\n  }\n}\n' + _STATIC,
        None,
    ),
    Case("a lock file with another version", _STATIC, ("time",), edited=('"0.14.2"', '"0.14.1"')),
    Case(
        "a lock file with a version that is not asked for",
        "terraform {\n  required_providers {\n    time = {\n"
        '      source  = "hashicorp/time"\n      version = "!= 0.14.2"\n    }\n  }\n}\n' + _STATIC,
        uses=None,
        locked=("time",),
    ),
    Case(
        "a lock file with a version that a module does not ask for",
        'module "it" {\n  source = "./it"\n}\n',
        ("time",),
        {
            "it/versions.tf": 'terraform {\n  required_providers {\n    time = {\n      source  = "hashicorp/time"\n'
            '      version = "< 0.14"\n    }\n  }\n}\n',
            "it/main.tf": _STATIC,
        },
    ),
    Case("a lock file with another hash", _STATIC, ("time",), edited=("h1:", "h1:AAAA")),
    Case("a lock file without a hash", _STATIC, ("time",), edited=("h1:", "zh:")),
    Case("a lock file that lacks a provider", _STATIC, ("local", "time"), locked=("time",)),
    Case("a lock file that has a provider too many", _STATIC, ("time",), locked=("local", "time")),
    Case("a lock file that is none", _STATIC, ("time",), edited=("provider", "{")),
    Case("a backend that there is not", 'terraform {\n  backend "nowhere" {}\n}\noutput "a" {\n  value = 1\n}\n', None),
    Case(
        "a backend with an argument that it has not",
        'terraform {\n  backend "local" {\n    nonsense = 1\n  }\n}\noutput "a" {\n  value = 1\n}\n',
        None,
    ),
    Case("two resources of one name", _STATIC + _STATIC, ("time",)),
    Case("a name that is none", 'resource "time_static" "1" {}\n', ("time",)),
    Case("a provisioner that there is not", 'resource "terraform_data" "it" {\n  provisioner "nonsense" {}\n}\n'),
    Case(
        "a dynamic block that there is not",
        'resource "time_static" "it" {\n  dynamic "nonsense" {\n    for_each = [1]\n    content {}\n  }\n}\n',
        ("time",),
    ),
    Case(
        "an index that there is not",
        'resource "time_static" "it" {\n  count = 1\n}\n\noutput "a" {\n  value = time_static.it[5].id\n}\n',
        ("time",),
    ),
    Case(
        "a missing variable",
        'variable "a" {\n  type = string\n}\n\nvariable "b" {}\n\n'
        'resource "time_static" "it" {\n  rfc3339 = var.a\n}\n',
        ("time",),
    ),
    Case("a variable of another type", 'variable "a" {\n  type    = number\n  default = "many"\n}\n'),
)
