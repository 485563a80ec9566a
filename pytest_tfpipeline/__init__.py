"""A pytest plugin and policy-test suite for infrastructure: Terraform checks as test items, and a gate before apply."""

__version__ = "0.1.0"
