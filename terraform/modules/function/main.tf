data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  place         = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"
  log_group     = "/aws/lambda/${var.name}"
  log_group_arn = "arn:${data.aws_partition.current.partition}:logs:${local.place}:log-group:${local.log_group}"

  # What every function needs, whatever it does.
  base_statements = [
    {
      Sid      = "WriteItsOwnLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${local.log_group_arn}:*"
    },
    {
      Sid    = "AttachToTheVpc"
      Effect = "Allow"
      Action = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
      ]
      Resource = "arn:${data.aws_partition.current.partition}:ec2:${local.place}:*/*"
    },
    {
      Sid      = "ActionsThatTakeNoResource"
      Effect   = "Allow"
      Action   = ["ec2:DescribeNetworkInterfaces", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = "*"
    },
    {
      Sid      = "GiveUpOnAnEvent"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = var.dead_letter_queue_arn
    },
    {
      Sid      = "UseTheKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.key_arn
    },
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = local.log_group
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arn
}

resource "aws_iam_role" "this" {
  name = var.name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "run"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.base_statements, var.statements)
  })
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116: a failed event goes to the destination below, which also says why; dead_letter_config cannot
  #checkov:skip=CKV_AWS_272: the zip is made from this commit, byte for byte the same everywhere, and its hash is planned

  function_name = var.name
  description   = var.description
  role          = aws_iam_role.this.arn

  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "handler.handler"
  runtime          = "python3.12"
  architectures    = ["arm64"]

  memory_size                    = var.memory_mb
  timeout                        = var.timeout_seconds
  reserved_concurrent_executions = var.concurrency
  kms_key_arn                    = var.key_arn

  environment {
    variables = var.settings
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_id]
  }

  tracing_config {
    mode = "Active"
  }

  # Lambda would make the log group itself, without retention or key, and refuses a role that may not join the VPC.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = 2

  destination_config {
    on_failure {
      destination = var.dead_letter_queue_arn
    }
  }
}
