variable "name" {
  description = "Name of the function, its role and (below /aws/lambda/) its log group."
  type        = string
}

variable "description" {
  description = "What the function does."
  type        = string
}

variable "package" {
  description = "Path of the zip with the function's code; `handler` in `handler.py` is called."
  type        = string
}

variable "settings" {
  description = "The function's environment variables; no secrets."
  type        = map(string)
}

variable "statements" {
  description = "IAM statements for what the function does beyond running."
  type = list(object({
    Sid      = string
    Effect   = string
    Action   = list(string)
    Resource = list(string)
  }))
}

variable "subnet_ids" {
  description = "Private subnets that it runs in."
  type        = list(string)
}

variable "security_group_id" {
  description = "Its security group."
  type        = string
}

variable "key_arn" {
  description = "The KMS key for its log and its environment variables."
  type        = string
}

variable "dead_letter_queue_arn" {
  description = "Where an event goes that it could not handle."
  type        = string
}

variable "log_retention_days" {
  description = "How long its log is kept."
  type        = number
}

variable "memory_mb" {
  description = "Memory, in MB; CPU comes in proportion."
  type        = number
  default     = 256
}

variable "timeout_seconds" {
  description = "When it is stopped."
  type        = number
  default     = 60
}

variable "concurrency" {
  description = "How many may run at once: a bound on cost, and kept free for it in the account."
  type        = number
  default     = 5
}
