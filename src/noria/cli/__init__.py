"""The command line, one file per verb: results to standard output, talk to standard error."""
