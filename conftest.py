"""This repository needs no fixtures of its own: the policy tests live on what the plugin gives them."""
