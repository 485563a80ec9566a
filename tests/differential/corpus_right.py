"""What terraform accepts: every kind of block, small providers, several of them, aliases, modules, both syntaxes."""

from __future__ import annotations

from case import Case

_CLOCK = """
terraform {
  required_providers {
    time = {
      source                = "hashicorp/time"
      configuration_aliases = [time.other]
    }
  }
}

variable "at" {
  type = string
}

resource "time_static" "start" {
  provider = time.other
  rfc3339  = var.at
}

output "year" {
  value = time_static.start.year
}
"""
_STATIC = """
resource "time_static" "it" {
  rfc3339 = "2024-01-01T00:00:00Z"
}
"""

RIGHT = (
    Case("nothing but a builtin resource", 'resource "terraform_data" "it" {\n  input = "a"\n}\n'),
    Case("resource", _STATIC, ("time",)),
    Case("data source", 'data "local_file" "it" {\n  filename = "${path.module}/main.tf"\n}\n', ("local",)),
    Case(
        "data source that is read during the apply",
        """
resource "local_file" "it" {
  filename = "${path.module}/made"
  content  = "a"
}

data "local_file" "it" {
  filename = local_file.it.filename
}

output "content" {
  value = data.local_file.it.content
}
""",
        ("local",),
    ),
    Case(
        "ephemeral resource",
        """
ephemeral "local_command" "token" {
  command   = "printf"
  arguments = ["secret"]
}

locals {
  token = ephemeral.local_command.token.stdout
}

resource "terraform_data" "it" {
  provisioner "local-exec" {
    command = "true"
    environment = {
      TOKEN = local.token
    }
  }
}
""",
        ("local",),
    ),
    Case(
        "ephemeral variable and output",
        """
variable "token" {
  type      = string
  ephemeral = true
  default   = "a"
}

module "inner" {
  source = "./inner"
  token  = var.token
}
""",
        files={
            "inner/main.tf": """
variable "token" {
  type      = string
  ephemeral = true
}

output "token" {
  value     = var.token
  ephemeral = true
}
"""
        },
    ),
    Case(
        "functions of providers",
        """
output "seconds" {
  value = provider::time::duration_parse("1h").seconds
}

output "here" {
  value = provider::local::direxists(path.module)
}
""",
        ("local", "time"),
    ),
    Case(
        "functions of providers and resources",
        """
resource "time_offset" "it" {
  base_rfc3339 = "2024-01-01T00:00:00Z"
  offset_hours = provider::time::duration_parse("5h").hours
}
""",
        ("time",),
    ),
    Case(
        "moved",
        """
moved {
  from = time_static.before
  to   = time_static.it
}
"""
        + _STATIC,
        ("time",),
    ),
    Case(
        "moved into a module",
        """
moved {
  from = terraform_data.it
  to   = module.inner.terraform_data.it
}

module "inner" {
  source = "./inner"
}
""",
        files={"inner/main.tf": 'resource "terraform_data" "it" {}\n'},
    ),
    Case("import", 'import {\n  to = time_static.it\n  id = "2024-01-01T00:00:00Z"\n}\n' + _STATIC, ("time",)),
    Case(
        "import with for_each",
        """
locals {
  all = {
    a = "2024-01-01T00:00:00Z"
    b = "2025-01-01T00:00:00Z"
  }
}

import {
  for_each = local.all
  to       = time_static.it[each.key]
  id       = each.value
}

resource "time_static" "it" {
  for_each = local.all
  rfc3339  = each.value
}
""",
        ("time",),
    ),
    Case(
        "removed",
        "removed {\n  from = time_static.gone\n\n  lifecycle {\n    destroy = false\n  }\n}\n" + _STATIC,
        ("time",),
    ),
    Case(
        "check that holds",
        _STATIC
        + """
check "year" {
  assert {
    condition     = time_static.it.year == 2024
    error_message = "Another year."
  }
}
""",
        ("time",),
    ),
    Case(
        "check with a data source that fails",
        """
check "file" {
  data "local_file" "it" {
    filename = "${path.module}/nowhere"
  }

  assert {
    condition     = data.local_file.it.content == "a"
    error_message = "Another content."
  }
}
""",
        ("local",),
    ),
    Case(
        "check that does not hold",
        'check "never" {\n  assert {\n    condition     = 1 == 2\n    error_message = "Never."\n  }\n}\n',
    ),
    Case(
        "conditions of a lifecycle",
        """
resource "local_file" "it" {
  filename = "${path.module}/made"
  content  = "a"

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [content]
    replace_triggered_by  = [terraform_data.it]

    precondition {
      condition     = provider::local::direxists(path.module)
      error_message = "No directory."
    }

    postcondition {
      condition     = self.content == "a"
      error_message = "Another content."
    }
  }
}

resource "terraform_data" "it" {}
""",
        ("local",),
    ),
    Case(
        "dynamic blocks and iterators",
        """
resource "terraform_data" "it" {
  dynamic "timeouts" {
    for_each = []
    content {}
  }
}
""",
    ),
    Case(
        "count and for_each",
        """
resource "time_static" "counted" {
  count   = 3
  rfc3339 = "202${count.index}-01-01T00:00:00Z"
}

resource "time_offset" "each" {
  for_each     = toset(["1", "2"])
  base_rfc3339 = time_static.counted[each.key].rfc3339
  offset_days  = each.value
}

output "days" {
  value = [for each in time_offset.each : each.day]
}
""",
        ("time",),
    ),
    Case(
        "nested modules",
        'module "one" {\n  source = "./one"\n  count  = 2\n}\n\noutput "years" {\n  value = module.one[*].year\n}\n',
        ("time",),
        {
            "one/main.tf": 'module "two" {\n  source = "./two"\n}\n\noutput "year" {\n  value = module.two.year\n}\n',
            "one/two/main.tf": _STATIC + '\noutput "year" {\n  value = time_static.it.year\n}\n',
        },
    ),
    Case(
        "configuration_aliases",
        """
provider "time" {
  alias = "second"
}

module "clock" {
  source = "./clock"
  at     = "2024-01-01T00:00:00Z"
  providers = {
    time.other = time.second
  }
}

resource "time_static" "ours" {
  rfc3339 = format("%d-01-01T00:00:00Z", module.clock.year)
}
""",
        ("time",),
        {"clock/main.tf": _CLOCK},
    ),
    Case(
        "several providers and aliases",
        """
provider "local" {}

provider "local" {
  alias = "second"
}

provider "time" {
  alias = "only"
}

resource "local_file" "it" {
  provider = local.second
  filename = "${path.module}/made"
  content  = time_static.it.rfc3339
}

resource "time_static" "it" {
  provider = time.only
  rfc3339  = "2024-01-01T00:00:00Z"
}
""",
        ("local", "time"),
    ),
    Case(
        "a provider block in a module, and aliases of two handed on",
        """
provider "local" {
  alias = "second"
}

provider "time" {
  alias = "second"
}

module "own" {
  source = "./own"
}

module "handed" {
  source = "./handed"
  count  = 3
  providers = {
    local.x = local.second
    time.y  = time.second
  }
}

output "years" {
  value = [module.own.year, module.handed[*].year]
}
""",
        ("local", "time"),
        {
            "own/main.tf": 'provider "time" {}\n'
            + _STATIC
            + '\noutput "year" {\n  value = provider::time::rfc3339_parse(time_static.it.rfc3339).year\n}\n',
            "handed/main.tf": """
terraform {
  required_providers {
    local = {
      source                = "hashicorp/local"
      configuration_aliases = [local.x]
    }
    time = {
      source                = "hashicorp/time"
      configuration_aliases = [time.y]
    }
  }
}

data "local_file" "it" {
  provider = local.x
  filename = "${path.module}/main.tf"
}

resource "time_static" "it" {
  provider = time.y
  rfc3339  = "2024-01-01T00:00:00Z"
  triggers = {
    text = data.local_file.it.content_md5
  }
}

output "year" {
  value = time_static.it.year
}
""",
        },
    ),
    Case(
        "a provider by another name",
        """
terraform {
  required_providers {
    clock = {
      source = "hashicorp/time"
    }
  }
}

resource "time_static" "it" {
  provider = clock
  rfc3339  = "2024-01-01T00:00:00Z"
}
""",
        None,
    ),
    Case("a provider that nobody requires", _STATIC),
    Case("no lock file", _STATIC, ("time",), locked=()),
    Case("a lock file for a provider that nobody requires", _STATIC, (), locked=("time",)),
    Case("a provider that is required and not used", 'output "a" {\n  value = 1\n}\n', ("local", "time")),
    Case(
        "sensitive values",
        """
variable "secret" {
  type      = string
  sensitive = true
  default   = "secret"
}

resource "local_sensitive_file" "it" {
  filename = "${path.module}/made"
  content  = var.secret
}

resource "local_file" "it" {
  filename = "${path.module}/also"
  content  = sensitive("secret")
}

output "secret" {
  value     = local_sensitive_file.it.content
  sensitive = true
}
""",
        ("local",),
    ),
    Case(
        "deprecated argument",
        'resource "local_file" "it" {\n  filename          = "${path.module}/made"\n  sensitive_content = "a"\n}\n',
        ("local",),
    ),
    Case(
        "variables with a validation that holds",
        """
variable "size" {
  type    = number
  default = 3

  validation {
    condition     = var.size > 2
    error_message = "Too small."
  }
}

resource "time_sleep" "it" {
  create_duration = "${var.size}s"
}
""",
        ("time",),
    ),
    Case(
        "JSON",
        uses=("time",),
        files={
            "main.tf.json": """
{
  "resource": {"time_static": {"it": {"rfc3339": "2024-01-01T00:00:00Z"}}},
  "output": {"year": {"value": "${time_static.it.year}"}}
}
"""
        },
    ),
    Case(
        "a type that only an escape in JSON spells",
        uses=("time",),
        files={
            "main.tf.json": r"""
{"resource": {"time_st\u0061tic": {"it": {"rfc3339": "2024-01-01T00:00:00Z"}}}}
"""
        },
        again=("validate", "plan", "show"),
    ),
    Case(
        "override files",
        'resource "local_file" "it" {\n  filename = "${path.module}/made"\n}\n',
        ("local",),
        {"main_override.tf": 'resource "local_file" "it" {\n  content = "overridden"\n}\n'},
    ),
    Case(
        "a provisioner and a connection",
        """
resource "terraform_data" "it" {
  connection {
    host = "127.0.0.1"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "true"
  }
}
""",
    ),
    Case(
        "expressions",
        """
locals {
  list   = [for number in range(3) : number if number != 1]
  object = { for name in ["a", "b"] : name => upper(name)... }
  text   = <<-EOT
    %{for each in local.list}
    ${each}
    %{endfor}
  EOT
  tried  = try(time_static.it.nothing, "fallen back")
  can    = can(time_static.it.year)
}

output "all" {
  value = [local.text, local.object, local.tried, local.can, merge({}, time_static.it)]
}
"""
        + _STATIC,
        ("time",),
    ),
    Case(
        "a resource that waits for another",
        _STATIC + '\nresource "time_sleep" "it" {\n  create_duration = "1s"\n  depends_on      = [time_static.it]\n}\n',
        ("time",),
    ),
    Case(
        "version constraints that hold",
        """
terraform {
  required_version = ">= 1.5, < 2.0"
  required_providers {
    time = {
      source  = "hashicorp/time"
      version = "~> 0.14.0, != 0.14.1"
    }
  }
}
"""
        + _STATIC,
        None,
    ),
    Case(
        "the state of another root",
        """
data "terraform_remote_state" "other" {
  backend = "local"
  config = {
    path = "${path.module}/other.tfstate"
  }
  defaults = {
    value = "a"
  }
}

output "value" {
  value = data.terraform_remote_state.other.outputs.value
}
""",
        files={
            "other.tfstate": '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "a", '
            '"outputs": {"value": {"value": "b", "type": "string"}}, "resources": []}\n'
        },
    ),
    Case("another text than ASCII", '# äöü \u2028 𝄞\n\nresource "terraform_data" "ünit" {\n  input = "日本語"\n}\n'),
)
