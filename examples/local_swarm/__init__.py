"""A whole swarm on one host, for examples and trials: certificates, an SN, SLs and their programs as processes."""
