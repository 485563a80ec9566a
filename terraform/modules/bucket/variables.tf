variable "name" {
  description = "The bucket's name, unique in all of AWS."
  type        = string
}

variable "key_arn" {
  description = "The KMS key that its objects are encrypted with."
  type        = string
}
