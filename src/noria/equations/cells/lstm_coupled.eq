# Greff, Srivastava, Koutnik, Steunebrink & Schmidhuber 2017, LSTM: a search space odyssey (coupled input and forget gate)
f  = sigmoid(W_f @ x + U_f @ h + b_f)
g  = tanh(W_g @ x + U_g @ h + b_g)
o  = sigmoid(W_o @ x + U_o @ h + b_o)
c' = f * c + (1 - f) * g
h' = o * tanh(c')
init:
    b_f = 1
