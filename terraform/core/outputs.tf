output "buckets" {
  description = "Name of each zone's bucket."
  value       = { for zone, bucket in module.zone : zone => bucket.name }
}

output "bucket_arns" {
  description = "ARN of each zone's bucket."
  value       = { for zone, bucket in module.zone : zone => bucket.arn }
}

output "databases" {
  description = "Name of each zone's Glue database."
  value       = { for zone, database in aws_glue_catalog_database.zone : zone => database.name }
}

output "key_arn" {
  description = "The key that everything in the platform is encrypted with."
  value       = module.key.arn
}

output "dead_letter_queue_arn" {
  description = "Where queues and functions put what they could not handle."
  value       = aws_sqs_queue.dead_letters.arn
}
