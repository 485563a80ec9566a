# What every root is told in production; a root's own values are in {root}/config/production.tfvars.
environment = "production"
region      = "eu-west-2"
owner       = "data-platform"
cost_centre = "4200"
