# Zhou, Wu, Zhang & Zhou 2016, Minimal gated unit for recurrent neural networks
f  = sigmoid(W_f @ x + U_f @ h + b_f)
n  = tanh(W_n @ x + U_n @ (f * h) + b_n)
h' = (1 - f) * h + f * n
