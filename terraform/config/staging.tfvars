# What every root is told in staging; a root's own values are in {root}/config/staging.tfvars.
environment = "staging"
region      = "eu-west-2"
owner       = "data-platform"
cost_centre = "4100"
