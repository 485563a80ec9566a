output "functions" {
  description = "Name of each function."
  value       = { ingest = module.ingest.name, notify = module.notify.name }
}

output "arrivals_queue_url" {
  description = "The queue that events of the raw zone wait in."
  value       = aws_sqs_queue.arrivals.url
}

output "reports_topic_arn" {
  description = "The topic to subscribe to for the daily report."
  value       = aws_sns_topic.reports.arn
}
