# Beck et al. 2024, xLSTM: Extended long short-term memory, section 2.2 (sLSTM with scalar memory)
# i and f are logarithms of the gates; m keeps their exponentials in range, and begins so low that it says nothing
log_sigmoid(a) = -softplus(-a)
i  = W_i @ x + U_i @ h + b_i
f  = log_sigmoid(W_f @ x + U_f @ h + b_f)
z  = tanh(W_z @ x + U_z @ h + b_z)
o  = sigmoid(W_o @ x + U_o @ h + b_o)
m' = max(f + m, i)
c' = exp(f + m - m') * c + exp(i - m') * z
n' = exp(f + m - m') * n + exp(i - m')
h' = o * c' / n'
init:
    b_f = 1
    m = -100
