provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Project     = var.project
      Environment = var.environment
      Owner       = var.owner
      CostCentre  = var.cost_centre
      ManagedBy   = "terraform/networking"
    }
  }
}
