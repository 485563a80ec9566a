variable "name" {
  description = "The key's alias, without `alias/`."
  type        = string
}

variable "description" {
  description = "What the key protects."
  type        = string
}

variable "deletion_window_days" {
  description = "How long a deleted key can still be had back, 7 to 30 days."
  type        = number
}
