"""The translator: pairs of sequences, encoder and decoder, search, and what a translation is measured by."""
