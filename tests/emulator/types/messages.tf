resource "aws_sns_topic" "it" {
  name              = "types"
  kms_master_key_id = aws_kms_key.it.id
}

resource "aws_sns_topic_policy" "it" {
  arn = aws_sns_topic.it.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "publish"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.it.arn
    }]
  })
}

resource "aws_sns_topic_subscription" "it" {
  topic_arn = aws_sns_topic.it.arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.it.arn
}

resource "aws_sqs_queue" "it" {
  name                       = "types"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 86400
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue_policy" "it" {
  queue_url = aws_sqs_queue.it.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.it.arn
    }]
  })
}

resource "aws_cloudwatch_log_group" "it" {
  name              = "/types/it"
  retention_in_days = 14
}

resource "aws_cloudwatch_log_metric_filter" "it" {
  name           = "errors"
  log_group_name = aws_cloudwatch_log_group.it.name
  pattern        = "ERROR"
  metric_transformation {
    name      = "Errors"
    namespace = "Types"
    value     = "1"
  }
}

resource "aws_cloudwatch_log_resource_policy" "it" {
  policy_name = "types"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.it.arn}:*"
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "it" {
  alarm_name          = "types-errors"
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = 1
  metric_name         = "Errors"
  namespace           = "Types"
  period              = 300
  statistic           = "Sum"
  threshold           = 1
  alarm_actions       = [aws_sns_topic.it.arn]
}

resource "aws_cloudwatch_event_rule" "it" {
  name                = "types-nightly"
  schedule_expression = "cron(0 3 * * ? *)"
}

resource "aws_cloudwatch_event_target" "it" {
  rule = aws_cloudwatch_event_rule.it.name
  arn  = aws_lambda_function.it.arn
}
