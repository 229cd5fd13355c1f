# Melis, Kocisky & Blunsom 2020, Mogrifier LSTM: of its rounds the one in which the input gates the state
# Forget bias 1: Jozefowicz, Zaremba & Sutskever 2015
s  = 2 * sigmoid(W_s @ x + b_s)
m  = s * h
i  = sigmoid(W_i @ x + U_i @ m + b_i)
f  = sigmoid(W_f @ x + U_f @ m + b_f)
g  = tanh(W_g @ x + U_g @ m + b_g)
o  = sigmoid(W_o @ x + U_o @ m + b_o)
c' = f * c + i * g
h' = o * tanh(c')
init:
    b_f = 1
