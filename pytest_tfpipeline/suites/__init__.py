"""Python suites: the environment that each one gets, and its own tests, run in a process of their own."""
