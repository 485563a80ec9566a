state_bucket       = "harbour-staging-terraform-state"
log_retention_days = 365
report_schedule    = "cron(0 6 ? * MON-FRI *)"
