# The next twenty after the sixty most used.

resource "aws_iam_instance_profile" "it" {
  name = "types"
  role = aws_iam_role.it.name
}

resource "aws_lb_listener_rule" "it" {
  listener_arn = aws_lb_listener.it.arn
  priority     = 10
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.it.arn
  }
  condition {
    path_pattern {
      values = ["/api/*"]
    }
  }
}

resource "aws_lb_target_group_attachment" "it" {
  target_group_arn = aws_lb_target_group.it.arn
  target_id        = "10.0.1.10"
  port             = 80
}

resource "aws_glue_catalog_database" "it" {
  name = "types"
}

resource "aws_glue_crawler" "it" {
  name          = "types"
  database_name = aws_glue_catalog_database.it.name
  role          = aws_iam_role.it.arn
  s3_target {
    path = "s3://${aws_s3_bucket.it.bucket}/raw"
  }
}

resource "aws_wafv2_ip_set" "it" {
  name               = "types"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = ["192.0.2.0/24"]
}

resource "aws_wafv2_web_acl" "it" {
  name  = "types"
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  rule {
    name     = "blocked"
    priority = 1
    action {
      block {}
    }
    statement {
      ip_set_reference_statement {
        arn = aws_wafv2_ip_set.it.arn
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = false
      metric_name                = "blocked"
      sampled_requests_enabled   = false
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = false
    metric_name                = "types"
    sampled_requests_enabled   = false
  }
}

resource "aws_cloudwatch_log_group" "waf" {
  name = "aws-waf-logs-types"
}

resource "aws_wafv2_web_acl_logging_configuration" "it" {
  resource_arn            = aws_wafv2_web_acl.it.arn
  log_destination_configs = [aws_cloudwatch_log_group.waf.arn]
}

resource "aws_s3_bucket_acl" "it" {
  bucket     = aws_s3_bucket.logs.id
  acl        = "log-delivery-write"
  depends_on = [aws_s3_bucket_ownership_controls.logs]
}

resource "aws_s3_bucket_versioning" "logs" {
  bucket = aws_s3_bucket.logs.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_replication_configuration" "it" {
  bucket = aws_s3_bucket.it.id
  role   = aws_iam_role.it.arn
  rule {
    id     = "raw"
    status = "Enabled"
    filter {
      prefix = "raw/"
    }
    delete_marker_replication {
      status = "Disabled"
    }
    destination {
      bucket = aws_s3_bucket.logs.arn
    }
  }
  depends_on = [aws_s3_bucket_versioning.it, aws_s3_bucket_versioning.logs]
}

resource "aws_key_pair" "it" {
  key_name   = "types"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8f6nHyuT9Yd0zD3pPqj7sYQq0x6rF8s8o3Pq9yQ0fL types"
}

resource "aws_db_subnet_group" "it" {
  name       = "types"
  subnet_ids = [for one in aws_subnet.it : one.id]
}

resource "aws_cloudwatch_log_subscription_filter" "it" {
  name            = "types"
  log_group_name  = aws_cloudwatch_log_group.it.name
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.it.arn
}

resource "aws_lambda_event_source_mapping" "it" {
  event_source_arn = aws_sqs_queue.it.arn
  function_name    = aws_lambda_function.it.arn
  batch_size       = 5
}

resource "aws_flow_log" "it" {
  vpc_id               = aws_vpc.it.id
  traffic_type         = "ALL"
  log_destination_type = "s3"
  log_destination      = aws_s3_bucket.logs.arn
}

resource "aws_ecr_lifecycle_policy" "it" {
  repository = aws_ecr_repository.it.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep ten"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 10 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_kinesis_firehose_delivery_stream" "it" {
  name        = "types"
  destination = "extended_s3"
  extended_s3_configuration {
    role_arn   = aws_iam_role.it.arn
    bucket_arn = aws_s3_bucket.it.arn
  }
}

resource "aws_vpc_security_group_ingress_rule" "it" {
  security_group_id = aws_security_group.empty.id
  description       = "HTTPS"
  from_port         = 443
  to_port           = 443
  ip_protocol       = "tcp"
  cidr_ipv4         = "10.0.0.0/16"
}

data "aws_ami" "it" {
  most_recent = true
  owners      = ["amazon"]
}

resource "aws_instance" "it" {
  ami                  = data.aws_ami.it.id
  instance_type        = "t3.micro"
  subnet_id            = aws_subnet.it["a"].id
  iam_instance_profile = aws_iam_instance_profile.it.name
  key_name             = aws_key_pair.it.key_name
  metadata_options {
    http_tokens = "required"
  }
}

resource "aws_kms_key_policy" "it" {
  key_id = aws_kms_key.other.id
  policy = local.anyone
}

resource "aws_kms_key" "other" {
  description = "types, policy apart"
}
