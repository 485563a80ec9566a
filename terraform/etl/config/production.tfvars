state_bucket       = "harbour-production-terraform-state"
log_retention_days = 731
report_schedule    = "cron(0 5 * * ? *)"
