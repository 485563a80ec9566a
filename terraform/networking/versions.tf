terraform {
  required_version = ">= 1.10, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The bucket and its region differ by environment: ../backends/{environment}.tfbackend
  backend "s3" {
    key          = "networking/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
