# The lake: raw as it came, refined when it is checked and partitioned, curated when people may build on it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name    = "${var.project}-${var.environment}"
  account = data.aws_caller_identity.current.account_id
  zones   = toset(["raw", "refined", "curated"])
}

module "key" {
  source = "../modules/encryption-key"

  name                 = "${local.name}-lake"
  description          = "Everything that the ${var.environment} data platform keeps"
  deletion_window_days = var.key_deletion_window_days
}

module "zone" {
  source   = "../modules/bucket"
  for_each = local.zones

  name    = "${local.name}-${each.key}-${local.account}"
  key_arn = module.key.arn
}

resource "aws_glue_catalog_database" "zone" {
  for_each = local.zones

  name         = replace("${local.name}_${each.key}", "-", "_")
  description  = "Tables of the ${each.key} zone"
  location_uri = "s3://${module.zone[each.key].name}/"
}

# One place for whatever the platform's queues and functions could not handle, so that there is one place to watch.
# Its messages name objects and hold no data, so SQS's own key will do.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${local.name}-dead-letters"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}
