# Li, Li, Cook, Zhu & Gao 2018, Independently recurrent neural network (IndRNN), equation 2
h' = relu(W @ x + u * h + b)
init:
    u = uniform(0, 1)
