resource "aws_vpc" "it" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "types" }
}

resource "aws_subnet" "it" {
  for_each          = { a = "10.0.1.0/24", b = "10.0.2.0/24" }
  vpc_id            = aws_vpc.it.id
  cidr_block        = each.value
  availability_zone = "eu-west-2${each.key}"
}

resource "aws_internet_gateway" "it" {
  vpc_id = aws_vpc.it.id
}

resource "aws_eip" "it" {
  domain = "vpc"
}

resource "aws_nat_gateway" "it" {
  allocation_id = aws_eip.it.id
  subnet_id     = aws_subnet.it["a"].id
  depends_on    = [aws_internet_gateway.it]
}

resource "aws_route_table" "it" {
  vpc_id = aws_vpc.it.id
}

resource "aws_route" "it" {
  route_table_id         = aws_route_table.it.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.it.id
}

resource "aws_route_table_association" "it" {
  subnet_id      = aws_subnet.it["a"].id
  route_table_id = aws_route_table.it.id
}

resource "aws_security_group" "it" {
  name        = "types"
  description = "Rules that stand in the group"
  vpc_id      = aws_vpc.it.id
  ingress {
    description = "HTTPS"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/16"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "empty" {
  name        = "types-rules"
  description = "Rules that stand apart"
  vpc_id      = aws_vpc.it.id
}

resource "aws_security_group_rule" "it" {
  security_group_id        = aws_security_group.empty.id
  type                     = "ingress"
  description              = "From the other group"
  from_port                = 5432
  to_port                  = 5432
  protocol                 = "tcp"
  source_security_group_id = aws_security_group.it.id
}

resource "aws_vpc_endpoint" "it" {
  vpc_id          = aws_vpc.it.id
  service_name    = "com.amazonaws.eu-west-2.s3"
  route_table_ids = [aws_route_table.it.id]
}

resource "aws_lb" "it" {
  name               = "types"
  load_balancer_type = "application"
  internal           = true
  subnets            = [for one in aws_subnet.it : one.id]
  security_groups    = [aws_security_group.it.id]
}

resource "aws_lb_target_group" "it" {
  name        = "types"
  port        = 80
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = aws_vpc.it.id
  health_check {
    path = "/health"
  }
}

resource "aws_lb_listener" "it" {
  load_balancer_arn = aws_lb.it.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.it.arn
  }
}

resource "aws_route53_zone" "it" {
  name = "types.example.org"
}

resource "aws_route53_record" "it" {
  zone_id = aws_route53_zone.it.zone_id
  name    = "www"
  type    = "A"
  alias {
    name                   = aws_lb.it.dns_name
    zone_id                = aws_lb.it.zone_id
    evaluate_target_health = false
  }
}

resource "aws_acm_certificate" "it" {
  domain_name       = "www.types.example.org"
  validation_method = "DNS"
}

resource "aws_route53_record" "validation" {
  zone_id = aws_route53_zone.it.zone_id
  name    = one(aws_acm_certificate.it.domain_validation_options).resource_record_name
  type    = one(aws_acm_certificate.it.domain_validation_options).resource_record_type
  records = [one(aws_acm_certificate.it.domain_validation_options).resource_record_value]
  ttl     = 60
}

resource "aws_acm_certificate_validation" "it" {
  certificate_arn         = aws_acm_certificate.it.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
  timeouts {
    create = "2m"
  }
}
