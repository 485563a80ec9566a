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

variable "state_bucket" {
  description = "The bucket that the state of networking and core is read from."
  type        = string
}

variable "log_retention_days" {
  description = "How long the functions' logs are kept."
  type        = number
}

variable "report_schedule" {
  description = "When the daily report is made, as an EventBridge schedule expression."
  type        = string
}
