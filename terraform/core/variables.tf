variable "project" {
  description = "Short name of the platform; the first part of every resource's name."
  type        = string
  default     = "harbour"
}

variable "environment" {
  description = "The environment, as in the name of its var file."
  type        = string

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "The environment must be staging or production."
  }
}

variable "region" {
  description = "Where everything is made."
  type        = string
}

variable "owner" {
  description = "The team that answers for it; a tag."
  type        = string
}

variable "cost_centre" {
  description = "Who pays; a tag."
  type        = string
}

variable "key_deletion_window_days" {
  description = "How long a deleted key can still be had back, 7 to 30 days."
  type        = number
}
