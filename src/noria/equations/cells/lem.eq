# Rusch, Mishra, Erichson & Mahoney 2022, Long expressive memory for sequence modeling, equation 3 (their y is h)
dt = 1
d  = dt * sigmoid(W_d @ x + U_d @ h + b_d)
e  = dt * sigmoid(W_e @ x + U_e @ h + b_e)
z' = (1 - d) * z + d * tanh(W_z @ x + U_z @ h + b_z)
h' = (1 - e) * h + e * tanh(W_h @ x + U_h @ z' + b_h)
