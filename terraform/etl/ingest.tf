resource "aws_sqs_queue" "arrivals" {
  name                       = local.queue_name
  sqs_managed_sse_enabled    = true # its messages name objects and hold no data
  message_retention_seconds  = 345600
  visibility_timeout_seconds = 360 # six times the function's timeout, as Lambda asks for

  # Managed below, by a resource of its own.
  lifecycle {
    ignore_changes = [redrive_policy]
  }
}

resource "aws_sqs_queue_redrive_policy" "arrivals" {
  queue_url = aws_sqs_queue.arrivals.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.core.dead_letter_queue_arn
    maxReceiveCount     = 5
  })
}

# Who brings data puts the object into raw, then tells the queue of it, in the form of an S3 event. Roles of this account
# need no more than this policy for that, so the queue has none of its own.
resource "aws_iam_policy" "producer" {
  name        = "${local.name}-producer"
  description = "Brings data: puts objects into the raw zone and announces them"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "PutIntoRaw"
        Effect   = "Allow"
        Action   = "s3:PutObject"
        Resource = "${local.core.bucket_arns["raw"]}/*"
      },
      {
        Sid      = "Announce"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = local.queue_arn
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = "kms:GenerateDataKey"
        Resource = local.core.key_arn
      },
    ]
  })
}

module "ingest" {
  source = "../modules/function"

  name                  = "${local.name}-ingest"
  description           = "Checks what has arrived in raw and writes it to refined, by day"
  package               = "${path.module}/build/ingest.zip"
  settings              = { REFINED_BUCKET = local.core.buckets["refined"] }
  subnet_ids            = local.networking.private_subnet_ids
  security_group_id     = local.networking.function_security_group_id
  key_arn               = local.core.key_arn
  dead_letter_queue_arn = local.core.dead_letter_queue_arn
  log_retention_days    = var.log_retention_days

  statements = [
    {
      Sid      = "ReadRaw"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${local.core.bucket_arns["raw"]}/*"]
    },
    {
      Sid      = "WriteRefined"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = ["${local.core.bucket_arns["refined"]}/*"]
    },
    {
      Sid      = "TakeMessages"
      Effect   = "Allow"
      Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource = [local.queue_arn]
    },
  ]
}

resource "aws_lambda_event_source_mapping" "ingest" {
  event_source_arn        = aws_sqs_queue.arrivals.arn
  function_name           = module.ingest.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 5
  }
}
