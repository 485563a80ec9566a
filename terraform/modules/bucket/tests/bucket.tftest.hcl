mock_provider "aws" {
  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }
}

variables {
  name    = "harbour-raw"
  key_arn = "arn:aws-cn:kms:cn-north-1:123456789012:key/harbour"
}

run "closed_to_the_public" {
  command = plan

  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "a zone's bucket must not be open to the public"
  }
}

run "only_over_tls_in_any_partition" {
  command = plan

  assert {
    condition     = output.arn == "arn:aws-cn:s3:::harbour-raw"
    error_message = "the ARN must be of the partition that it is deployed in: ${output.arn}"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "requests without TLS must be denied"
  }
}
