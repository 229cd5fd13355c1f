# Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine translation
# The reset gate works before the product; z keeps
r  = sigmoid(W_r @ x + U_r @ h + b_r)
z  = sigmoid(W_z @ x + U_z @ h + b_z)
n  = tanh(W_n @ x + U_n @ (r * h) + b_n)
h' = (1 - z) * n + z * h
