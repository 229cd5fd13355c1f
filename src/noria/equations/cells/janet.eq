# van der Westhuizen & Lasenby 2018, The unreasonable effectiveness of the forget gate
# Chrono initialisation: Tallec & Ollivier 2018, Can recurrent neural networks warp time?
beta = 1
s  = W_s @ x + U_s @ h + b_s
g  = tanh(W_g @ x + U_g @ h + b_g)
h' = sigmoid(s) * h + (1 - sigmoid(s - beta)) * g
init:
    b_s = chrono(100)
