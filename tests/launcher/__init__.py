"""Starts swarmd and looks at it from outside: for tests, benchmarks and examples. See README.md."""
