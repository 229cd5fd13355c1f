"""The language model: reading text, wiring, writing, scoring, and the baseline that it has to beat."""
