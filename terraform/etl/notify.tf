resource "aws_sns_topic" "reports" {
  name              = local.topic_name
  kms_master_key_id = local.core.key_arn
}

resource "aws_cloudwatch_event_rule" "daily" {
  name                = "${local.name}-daily-report"
  description         = "Time for the daily report"
  schedule_expression = var.report_schedule
}

resource "aws_cloudwatch_event_target" "daily" {
  rule = aws_cloudwatch_event_rule.daily.name
  arn  = module.notify.arn
}

resource "aws_lambda_permission" "daily" {
  statement_id  = "daily-report"
  action        = "lambda:InvokeFunction"
  function_name = module.notify.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.daily.arn
}

module "notify" {
  source = "../modules/function"

  name                  = "${local.name}-notify"
  description           = "Says every day which sources have sent nothing, and what was rejected"
  package               = "${path.module}/build/notify.zip"
  subnet_ids            = local.networking.private_subnet_ids
  security_group_id     = local.networking.function_security_group_id
  key_arn               = local.core.key_arn
  dead_letter_queue_arn = local.core.dead_letter_queue_arn
  log_retention_days    = var.log_retention_days
  concurrency           = 1

  settings = {
    REFINED_BUCKET = local.core.buckets["refined"]
    TOPIC_ARN      = local.topic_arn
  }

  statements = [
    {
      Sid      = "ListRefined"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [local.core.bucket_arns["refined"]]
    },
    {
      Sid      = "Publish"
      Effect   = "Allow"
      Action   = ["sns:Publish"]
      Resource = [local.topic_arn]
    },
  ]
}
