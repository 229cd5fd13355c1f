# Le, Jaitly & Hinton 2015, A simple way to initialize recurrent networks of rectified linear units
h' = relu(W @ x + U @ h + b)
init:
    W = normal(0.001)
    U = identity
