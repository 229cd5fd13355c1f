# Sak, Senior & Beaufays 2014, Long short-term memory recurrent neural network architectures for large scale acoustic modeling
i  = sigmoid(W_i @ x + U_i @ h + b_i)
f  = sigmoid(W_f @ x + U_f @ h + b_f)
g  = tanh(W_g @ x + U_g @ h + b_g)
o  = sigmoid(W_o @ x + U_o @ h + b_o)
c' = f * c + i * g
h' = P @ (o * tanh(c'))
init:
    b_f = 1
