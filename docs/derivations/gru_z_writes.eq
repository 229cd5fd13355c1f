# Chung, Gulcehre, Cho & Bengio 2014, Empirical evaluation of gated recurrent neural networks on sequence modeling
# The reset gate works before the product; z writes
r  = sigmoid(W_r @ x + U_r @ h + b_r)
z  = sigmoid(W_z @ x + U_z @ h + b_z)
n  = tanh(W_n @ x + U_n @ (r * h) + b_n)
h' = (1 - z) * h + z * n
