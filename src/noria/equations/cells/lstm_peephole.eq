# Gers, Schraudolph & Schmidhuber 2002, Learning precise timing with LSTM recurrent networks
i  = sigmoid(W_i @ x + U_i @ h + p_i * c + b_i)
f  = sigmoid(W_f @ x + U_f @ h + p_f * c + b_f)
g  = tanh(W_g @ x + U_g @ h + b_g)
c' = f * c + i * g
o  = sigmoid(W_o @ x + U_o @ h + p_o * c' + b_o)
h' = o * tanh(c')
init:
    b_f = 1
