resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]

  tags = { Name = "${local.name}-s3" }
}

resource "aws_vpc_endpoint" "sns" {
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.sns"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]

  tags = { Name = "${local.name}-sns" }
}

resource "aws_security_group" "functions" {
  #checkov:skip=CKV2_AWS_5: the functions of other roots are put in it (output function_security_group_id)

  name        = "${local.name}-functions"
  description = "Functions of the data platform: out to the endpoints, nothing in"
  vpc_id      = aws_vpc.this.id
  ingress     = []

  egress {
    description     = "S3, by the gateway endpoint"
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    prefix_list_ids = [aws_vpc_endpoint.s3.prefix_list_id]
  }

  egress {
    description = "Interface endpoints"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = [var.vpc_cidr]
  }

  tags = { Name = "${local.name}-functions" }
}

resource "aws_security_group" "endpoints" {
  name        = "${local.name}-endpoints"
  description = "Interface endpoints: in from the functions, nothing out"
  vpc_id      = aws_vpc.this.id
  egress      = []

  ingress {
    description     = "Functions of the data platform"
    protocol        = "tcp"
    from_port       = 443
    to_port         = 443
    security_groups = [aws_security_group.functions.id]
  }

  tags = { Name = "${local.name}-endpoints" }
}
