# Elman 1990, Finding structure in time
h' = tanh(W @ x + U @ h + b)
