vpc_cidr                 = "10.50.0.0/16"
log_retention_days       = 731
key_deletion_window_days = 30
