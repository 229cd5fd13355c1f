# Hochreiter & Schmidhuber 1997, Long short-term memory; forget gate of Gers, Schmidhuber & Cummins 2000
# Forget bias 1: Jozefowicz, Zaremba & Sutskever 2015
i  = sigmoid(W_i @ x + U_i @ h + b_i)
f  = sigmoid(W_f @ x + U_f @ h + b_f)
g  = tanh(W_g @ x + U_g @ h + b_g)
o  = sigmoid(W_o @ x + U_o @ h + b_o)
c' = f * c + i * g
h' = o * tanh(c')
init:
    b_f = 1
