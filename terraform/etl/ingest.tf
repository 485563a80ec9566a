resource "aws_sqs_queue" "arrivals" {
  name                       = local.queue_name
  sqs_managed_sse_enabled    = true # its messages name objects and hold no data
  message_retention_seconds  = 345600
  visibility_timeout_seconds = 360 # six times the function's timeout, as Lambda asks for

  redrive_policy = jsonencode({
    deadLetterTargetArn = local.core.dead_letter_queue_arn
    maxReceiveCount     = 5
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTheRawZone"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = local.queue_arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = local.core.bucket_arns["raw"] }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

# A bucket has one such resource: whoever else wants to hear of the raw zone adds to this one.
resource "aws_s3_bucket_notification" "raw" {
  bucket = local.core.buckets["raw"]

  queue {
    id            = "arrivals"
    queue_arn     = aws_sqs_queue.arrivals.arn
    events        = ["s3:ObjectCreated:*"]
    filter_suffix = ".jsonl"
  }
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
