"""A root whose state and plans OpenTofu encrypts, with a passphrase that is a variable."""

from __future__ import annotations

ENCRYPTION = """terraform {
  backend "local" {}
  encryption {
    key_provider "pbkdf2" "ours" {
      passphrase = var.passphrase
      iterations = 200000
    }
    method "aes_gcm" "ours" {
      keys = key_provider.pbkdf2.ours
    }
    state {
      method   = method.aes_gcm.ours
      enforced = true
    }
    plan {
      method   = method.aes_gcm.ours
      enforced = true
    }
  }
}

variable "passphrase" {
  type      = string
  sensitive = true
}
"""
RESOURCE = """resource "terraform_data" "it" {
  input = "hello"
}

output "value" {
  value = terraform_data.it.output
}
"""
