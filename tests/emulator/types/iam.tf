resource "aws_iam_role" "it" {
  name = "types-role"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
  tags = { Team = "data" }
}

resource "aws_iam_role_policy" "it" {
  name = "inline"
  role = aws_iam_role.it.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["logs:*"], Resource = "*" }]
  })
}

resource "aws_iam_policy" "it" {
  name = "types-policy"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "it" {
  role       = aws_iam_role.it.name
  policy_arn = aws_iam_policy.it.arn
}

resource "aws_iam_user" "it" {
  name = "types-user"
}

resource "aws_iam_user_policy_attachment" "it" {
  user       = aws_iam_user.it.name
  policy_arn = aws_iam_policy.it.arn
}

resource "aws_iam_policy" "shared" {
  name = "types-shared"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sqs:SendMessage"], Resource = "*" }]
  })
}

resource "aws_iam_policy_attachment" "it" {
  name       = "shared"
  roles      = [aws_iam_role.it.name]
  users      = [aws_iam_user.it.name]
  policy_arn = aws_iam_policy.shared.arn
}
