# An object that arrives in raw becomes a message, and the message a call of `ingest`, which writes what it could check
# to refined. Every day `notify` says what has not arrived.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "terraform_remote_state" "networking" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "networking/terraform.tfstate"
    region = var.region
  }
}

data "terraform_remote_state" "core" {
  backend = "s3"

  config = {
    bucket = var.state_bucket
    key    = "core/terraform.tfstate"
    region = var.region
  }
}

locals {
  name       = "${var.project}-${var.environment}"
  account    = data.aws_caller_identity.current.account_id
  core       = data.terraform_remote_state.core.outputs
  networking = data.terraform_remote_state.networking.outputs
  queue_name = "${local.name}-arrivals"
  queue_arn  = "arn:${data.aws_partition.current.partition}:sqs:${var.region}:${local.account}:${local.queue_name}"
  topic_name = "${local.name}-reports"
  topic_arn  = "arn:${data.aws_partition.current.partition}:sns:${var.region}:${local.account}:${local.topic_name}"
}
