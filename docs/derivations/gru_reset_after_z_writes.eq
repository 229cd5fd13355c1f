# Chung, Gulcehre, Cho & Bengio 2014, Empirical evaluation of gated recurrent neural networks on sequence modeling
# The reset gate works after the product, as in cuDNN (Appleyard, Kocisky & Blunsom 2016); z writes
r  = sigmoid(W_r @ x + U_r @ h + b_r)
z  = sigmoid(W_z @ x + U_z @ h + b_z)
n  = tanh(W_n @ x + b_n + r * (U_n @ h + b_hn))
h' = (1 - z) * h + z * n
