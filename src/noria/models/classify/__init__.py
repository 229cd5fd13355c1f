"""One answer for each sequence: a label (classification) or a number (regression)."""
