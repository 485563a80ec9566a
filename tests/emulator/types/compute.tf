resource "aws_kms_key" "it" {
  description             = "types"
  enable_key_rotation     = true
  deletion_window_in_days = 7
  policy                  = local.anyone
}

resource "aws_kms_alias" "it" {
  name          = "alias/types"
  target_key_id = aws_kms_key.it.key_id
}

resource "aws_secretsmanager_secret" "it" {
  name                    = "types"
  kms_key_id              = aws_kms_key.it.arn
  recovery_window_in_days = 0
}

resource "aws_secretsmanager_secret_version" "it" {
  secret_id     = aws_secretsmanager_secret.it.id
  secret_string = jsonencode({ user = "types" })
}

resource "aws_ssm_parameter" "it" {
  name  = "/types/it"
  type  = "SecureString"
  value = "types"
}

resource "aws_lambda_function" "it" {
  function_name = "types"
  role          = aws_iam_role.it.arn
  runtime       = "python3.12"
  handler       = "main.handler"
  s3_bucket     = aws_s3_object.it.bucket
  s3_key        = aws_s3_object.it.key
  timeout       = 30
  environment {
    variables = { STAGE = "types" }
  }
}

resource "aws_lambda_permission" "it" {
  statement_id  = "bucket"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.it.function_name
  principal     = "s3.amazonaws.com"
  source_arn    = aws_s3_bucket.it.arn
}

resource "aws_ecr_repository" "it" {
  name                 = "types"
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_repository_policy" "it" {
  repository = aws_ecr_repository.it.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "pull"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_ecs_cluster" "it" {
  name = "types"
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "it" {
  family                   = "types"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  execution_role_arn       = aws_iam_role.it.arn
  container_definitions = jsonencode([{
    name         = "web"
    image        = "${aws_ecr_repository.it.repository_url}:1"
    essential    = true
    portMappings = [{ containerPort = 80, hostPort = 80, protocol = "tcp" }]
  }])
}

resource "aws_ecs_service" "it" {
  name            = "types"
  cluster         = aws_ecs_cluster.it.id
  task_definition = aws_ecs_task_definition.it.arn
  desired_count   = 1
  launch_type     = "FARGATE"
  network_configuration {
    subnets         = [for one in aws_subnet.it : one.id]
    security_groups = [aws_security_group.it.id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.it.arn
    container_name   = "web"
    container_port   = 80
  }
  wait_for_steady_state = true
  depends_on            = [aws_lb_listener.it]
}
