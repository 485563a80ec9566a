# The ruleset that comes with tflint, all of it: nothing is downloaded.
plugin "terraform" {
  enabled = true
  preset  = "all"
}
