# People read what is curated; who may become an analyst is decided where people are (the account's identity centre).

resource "aws_iam_role" "analyst" {
  #checkov:skip=CKV_AWS_61: who may assume it is granted in the account's own IAM, and only with a second factor

  name                 = "${local.name}-analyst"
  description          = "Reads the curated zone and its tables"
  max_session_duration = 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root" }
      Action    = "sts:AssumeRole"
      Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
    }]
  })
}

resource "aws_iam_policy" "analyst" {
  name        = "${local.name}-analyst"
  description = "Reads the curated zone and its tables"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:ListBucket"]
        Resource = [module.zone["curated"].arn, "${module.zone["curated"].arn}/*"]
      },
      {
        Sid    = "Tables"
        Effect = "Allow"
        Action = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
        Resource = [
          "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account}:catalog",
          "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account}:database/${aws_glue_catalog_database.zone["curated"].name}",
          "arn:${data.aws_partition.current.partition}:glue:${var.region}:${local.account}:table/${aws_glue_catalog_database.zone["curated"].name}/*",
        ]
      },
      {
        # By its alias, which is known before the key is made: so the whole policy can be judged when it is planned.
        Sid       = "Key"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = "arn:${data.aws_partition.current.partition}:kms:${var.region}:${local.account}:key/*"
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.name}-lake" } }
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "analyst" {
  role       = aws_iam_role.analyst.name
  policy_arn = aws_iam_policy.analyst.arn
}
