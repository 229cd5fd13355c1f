"""Every regulariser that a network has by option, for tests that want all of them at once."""

EVERYTHING = {
    "embedding_size": 5,
    "dropout": 0.2,
    "locked_dropout": True,
    "input_dropout": 0.1,
    "embedding_dropout": 0.2,
    "recurrent_dropout": 0.2,
    "zoneout": 0.1,
    "drop_connect": 0.3,
    "batch_norm": True,
    "layer_norm": True,
    "tie_weights": True,
    "label_smoothing": 0.1,
}
