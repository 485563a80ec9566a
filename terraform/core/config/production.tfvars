key_deletion_window_days = 30
