vpc_cidr                 = "10.40.0.0/16"
log_retention_days       = 365
key_deletion_window_days = 7
