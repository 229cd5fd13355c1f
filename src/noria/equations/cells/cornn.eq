# Rusch & Mishra 2021, Coupled oscillatory recurrent neural network (coRNN), equation 3 (their y is h)
dt = 0.042
gamma = 2.7
epsilon = 4.7
z' = z + dt * (tanh(W @ x + U_h @ h + U_z @ z + b) - gamma * h - epsilon * z)
h' = h + dt * z'
