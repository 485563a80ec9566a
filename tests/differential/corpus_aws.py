"""Roots of AWS against the emulated cloud. Each costs seconds plainly, so that one has several things in it.

All of their files are in each plan's digest: whoever changes one records the answers anew.
"""

from __future__ import annotations

import json

from case import Case

_PROVIDER = """
provider "aws" {
  region = "eu-west-2"

  default_tags {
    tags = {
      Team = "data"
    }
  }
}

"""
_ALIAS = """
provider "aws" {
  alias  = "elsewhere"
  region = "us-east-1"
}

"""
_QUEUE = {
    "queue/main.tf": """
terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.other]
    }
  }
}

resource "aws_sqs_queue" "it" {
  provider = aws.other
  name     = "it"
}

output "arn" {
  value = aws_sqs_queue.it.arn
}
"""
}
#: Each would be planned otherwise in a process that another one has configured: other tags, another region in the ARN,
#: another account.
_DIFFERING = """
provider "aws" {
  alias  = "untagged"
  region = "eu-west-2"
}

provider "aws" {
  alias  = "certificates"
  region = "us-east-1"

  default_tags {
    tags = {
      Team = "edge"
      Cost = "1"
    }
  }
}

provider "aws" {
  alias  = "audit"
  region = "eu-central-1"

  assume_role {
    role_arn = "arn:aws:iam::210987654321:role/reader"
  }
}

data "aws_region" "certificates" {
  provider = aws.certificates
}

data "aws_caller_identity" "audit" {
  provider = aws.audit
}

resource "aws_sns_topic" "ours" {
  name = "ours"
}

resource "aws_sns_topic" "untagged" {
  provider = aws.untagged
  name     = "untagged"
}

resource "aws_sns_topic" "certificates" {
  provider = aws.certificates
  name     = data.aws_region.certificates.name
}

resource "aws_sns_topic" "audit" {
  provider = aws.audit
  name     = data.aws_caller_identity.audit.account_id
}

module "counted" {
  source = "./handed"
  count  = 2
  name   = "counted-${count.index}"
  providers = {
    aws.x = aws.certificates
  }
}

module "each" {
  source   = "./handed"
  for_each = toset(["a", "b"])
  name     = each.key
  providers = {
    aws.x = aws.audit
  }
}

module "own" {
  source = "./own"
}

output "seen" {
  value = [module.counted[*].seen, values(module.each)[*].seen, module.own.seen]
}
"""
_SEEN = """
data "aws_region" "it" {%(provider)s}

data "aws_caller_identity" "it" {%(provider)s}

resource "aws_sqs_queue" "it" {%(provider)s
  name = %(name)s
}

output "seen" {
  value = [data.aws_region.it.name, data.aws_caller_identity.it.account_id, aws_sqs_queue.it.tags_all]
}
"""
_HANDED = """
terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.x]
    }
  }
}

variable "name" {
  type = string
}
"""
_MODULES = {
    "handed/main.tf": _HANDED + _SEEN % {"provider": "\n  provider = aws.x\n", "name": "var.name"},
    "own/main.tf": """
provider "aws" {
  region = "ap-southeast-2"

  default_tags {
    tags = {
      Team = "own"
    }
  }
}
"""
    + _SEEN % {"provider": "\n", "name": '"own"'},
}
_EACH = """
terraform {
  backend "local" {}
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

locals {
  regions = toset(["eu-west-2", "us-east-1", "eu-central-1"])
}

provider "aws" {
  alias    = "by"
  for_each = local.regions
  region   = each.key

  default_tags {
    tags = {
      Place = each.key
    }
  }
}

module "place" {
  source   = "./handed"
  for_each = local.regions
  name     = "it"
  providers = {
    aws.x = aws.by[each.key]
  }
}

output "seen" {
  value = values(module.place)[*].seen
}
"""
_EACH_MODULE = {"handed/main.tf": _MODULES["handed/main.tf"]}
_TOPIC = "arn:aws:sns:eu-west-2:123456789012:gone"
_GONE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 2,
    "lineage": "00000000-0000-0000-0000-000000000002",
    "outputs": {},
    "resources": [
        {
            "mode": "managed",
            "type": "aws_sns_topic",
            "name": "gone",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [
                {
                    "schema_version": 0,
                    "attributes": {
                        "arn": "arn:aws:sns:eu-west-2:123456789012:gone",
                        "id": "arn:aws:sns:eu-west-2:123456789012:gone",
                    },
                }
            ],
        }
    ],
}

AWS = (
    Case(
        "aws with resources, data sources and a module",
        _PROVIDER
        + _ALIAS
        + """
data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.data.arn}/*"]
  }
}

module "queue" {
  source = "./queue"
  providers = {
    aws.other = aws.elsewhere
  }
}

resource "aws_s3_bucket" "data" {
  bucket = "data-${data.aws_caller_identity.current.account_id}"
}

resource "aws_s3_bucket_policy" "data" {
  bucket = aws_s3_bucket.data.id
  policy = data.aws_iam_policy_document.read.json
}

resource "aws_security_group" "it" {
  name = "it"

  dynamic "ingress" {
    for_each = [80, 443]
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["10.0.0.0/8"]
    }
  }
}

output "queue" {
  value = module.queue.arn
}
""",
        ("aws",),
        _QUEUE,
    ),
    Case("aws with configurations that differ", _PROVIDER + _DIFFERING, ("aws",), _MODULES),
    Case(
        "aws with tofu and providers for each",
        _EACH,
        None,
        _EACH_MODULE,
        locked=("aws",),
        edited=("registry.terraform.io", "registry.opentofu.org"),
        tofu=True,
    ),
    Case(
        "aws with values that name aliases",
        _PROVIDER
        + """
resource "aws_cloudwatch_log_group" "it" {
  name              = "/it"
  retention_in_days = 30
}

resource "aws_sqs_queue" "it" {
  name                    = "it"
  sqs_managed_sse_enabled = true
}

resource "aws_sns_topic" "it" {
  name              = "it"
  kms_master_key_id = "alias/aws/sns"
}

resource "aws_iam_role" "it" {
  name = "it"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_route53_zone" "it" {
  name = "example.org"
}

resource "aws_route53_record" "it" {
  zone_id = aws_route53_zone.it.zone_id
  name    = "it.example.org"
  type    = "A"

  alias {
    name                   = "elsewhere.example.org"
    zone_id                = aws_route53_zone.it.zone_id
    evaluate_target_health = false
  }
}
""",
        ("aws",),
    ),
    Case(
        "aws with ephemeral, write-only and a function",
        _PROVIDER
        + """
ephemeral "aws_secretsmanager_random_password" "it" {
  password_length = 20
}

resource "aws_secretsmanager_secret" "it" {
  name = "it"
}

resource "aws_secretsmanager_secret_version" "it" {
  secret_id                = aws_secretsmanager_secret.it.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.it.random_password
  secret_string_wo_version = 1
}

output "arn" {
  value = provider::aws::arn_build("aws", "s3", "", "", "data")
}
""",
        ("aws",),
    ),
    Case(
        "aws with what is deprecated",
        _PROVIDER
        + """
resource "aws_s3_bucket" "it" {
  bucket = "deprecated"
  acl    = "private"
}

resource "aws_opsworks_stack" "it" {
  name                         = "it"
  region                       = "eu-west-2"
  service_role_arn             = "arn:aws:iam::123456789012:role/it"
  default_instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/it"
}

moved {
  from = aws_s3_bucket.before
  to   = aws_s3_bucket.it
}

check "bucket" {
  assert {
    condition     = aws_s3_bucket.it.bucket != ""
    error_message = "No name."
  }
}
""",
        ("aws",),
    ),
    Case(
        "aws with a state that has a type more",
        _PROVIDER + 'resource "aws_sqs_queue" "it" {\n  name = "it"\n}\n',
        ("aws",),
        {"terraform.tfstate": json.dumps(_GONE) + "\n"},
    ),
    Case(
        "aws in JSON",
        uses=("aws",),
        files={
            "main.tf.json": json.dumps(
                {
                    "provider": {"aws": {"region": "eu-west-2"}},
                    "resource": {"aws_sns_topic": {"it": {"name": "it"}}},
                    "data": {"aws_region": {"current": {}}},
                    "output": {"region": {"value": "${data.aws_region.current.name}"}},
                }
            )
        },
    ),
    Case(
        "aws with an s3 backend",
        'terraform {\n  backend "s3" {\n    bucket = "state"\n    key    = "it"\n    region = "eu-west-2"\n  }\n'
        '  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n    }\n  }\n}\n'
        + _PROVIDER
        + 'resource "aws_iam_role" "it" {\n  assume_role_policy = jsonencode({})\n}\n',
        None,
    ),
    Case(
        "aws with names that are wrong",
        _PROVIDER
        + """
resource "aws_s3_buckett" "a" {
  bucket = "a"
}

data "aws_iam_policy_documant" "b" {}

ephemeral "aws_ssm_parametre" "c" {
  arn = "a"
}

resource "aws_sqs_queue" "d" {
  nam  = "d"
  name = "d"
  tag  = {}
}

resource "aws_s3_bucket" "e" {
  acl   = "private"
  acll  = "private"
  lifecycel {}
}
""",
        ("aws",),
    ),
    Case(
        "aws with values that are wrong",
        _PROVIDER
        + """
resource "aws_sqs_queue" "a" {
  delay_seconds = 1000000
  fifo_queue    = "perhaps"
}

resource "aws_db_instance" "b" {
  engine = ["postgres"]
}

resource "aws_lambda_function" "c" {}

resource "aws_s3_bucket" "d" {
  arn                = "arn"
  bucket             = "d"
  bucket_prefix      = "d"
  region             = "eu-west-2"
}

data "aws_ami" "e" {
  owners = "self"
}

resource "aws_iam_role" "f" {
  assume_role_policy = "nonsense"
}
""",
        ("aws",),
    ),
    Case(
        "aws with a plan that fails",
        _PROVIDER
        + """
data "aws_vpc" "nowhere" {
  tags = {
    Name = "nowhere"
  }
}

data "aws_kms_key" "nowhere" {
  key_id = "alias/nowhere"
}
""",
        ("aws",),
    ),
)
