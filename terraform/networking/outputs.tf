output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets for functions, one per availability zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "function_security_group_id" {
  description = "The security group that functions are put in."
  value       = aws_security_group.functions.id
}
