# Elman 1990, Finding structure in time; rectified as in Talathi & Vartak 2015, Improving performance of recurrent neural network with relu
h' = relu(W @ x + U @ h + b)
