"""Small data of every task, for tests that go through all of them."""

import numpy as np


def data_of(task):
    """Give what the model of a task is fitted with: data, and answers where it takes them apart."""
    rng = np.random.default_rng(5)
    words = ["good fine day", "bad poor cold night", "fine and warm", "cold and grey"]
    texts = [f"{words[k % 4]} {k}" for k in range(40)]
    if task == "text":
        return ("".join(f"{text}\n" for text in texts * 3),)
    if task == "classify":
        return texts, ["up" if k % 2 else "down" for k in range(40)]
    if task == "regress":
        return [rng.normal(size=(3 + k % 4, 2)) for k in range(40)], rng.normal(size=40)
    if task == "tag":
        sentences = [text.split() for text in texts]
        return sentences, [["n" if len(word) > 3 else "x" for word in words] for words in sentences]
    if task == "forecast":
        return (np.sin(np.arange(90) / 3.0) + 0.1 * rng.normal(size=90),)
    return texts * 2, [text[::-1] for text in texts * 2]
