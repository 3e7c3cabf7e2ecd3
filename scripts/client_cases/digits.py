"""tflearn's examples of a convolutional network, an LSTM and an autoencoder, on handwritten digits.

The networks are those of its `convnet_mnist`, `rnn_pixels` and `autoencoder`, for images of 8x8.
With tflearn's own initial weights, of a deviation of 0.02, the autoencoder stays for all epochs at
the mean image, whatever the TensorFlow: it has those of Glorot.

python digits.py FOLDER KEPT OUT [write]
"""

import sys

import numpy as np
import tensorflow.compat.v1 as tf
import tflearn
from sklearn.datasets import load_digits
from timing import rate

out = sys.argv[3]
images, classes = load_digits(return_X_y=True)
images = (images / 16).astype(np.float32)
labels = np.eye(10, dtype=np.float32)[classes]
TRAINED, EPOCHS, BATCH = 1500, 20, 50
found = {}


def trained(name, net, inputs, targets):
    """Trains a network: its outputs for what it has not seen."""
    model = tflearn.DNN(net, tensorboard_verbose=0)

    def fit(epochs):
        data = inputs[:TRAINED], targets[:TRAINED]
        model.fit(*data, n_epoch=epochs, batch_size=BATCH, run_id=name)

    fit(EPOCHS)
    outputs = np.array(model.predict(inputs[TRAINED:]))
    epochs = rate(lambda: fit(1), count=1, rounds=5, patience=0)
    found[f"{name}/rate"] = epochs * TRAINED / BATCH
    return outputs


def accuracy(outputs):
    return (outputs.argmax(1) == classes[TRAINED:]).mean()


with tf.Graph().as_default():
    tflearn.init_graph(seed=1)
    square = images.reshape(-1, 8, 8, 1)
    net = tflearn.input_data([None, 8, 8, 1])
    net = tflearn.conv_2d(net, 32, 3, activation="relu", regularizer="L2")
    net = tflearn.max_pool_2d(net, 2)
    net = tflearn.local_response_normalization(net)
    net = tflearn.fully_connected(net, 128, activation="tanh")
    net = tflearn.dropout(net, 0.8)
    net = tflearn.fully_connected(net, 10, activation="softmax")
    net = tflearn.regression(net, learning_rate=0.001, loss="categorical_crossentropy")
    found["convnet/accuracy"] = accuracy(trained("convnet", net, square, labels))
    assert found["convnet/accuracy"] > 0.9

with tf.Graph().as_default():
    tflearn.init_graph(seed=1)
    net = tflearn.input_data([None, 8, 8])
    net = tflearn.lstm(net, 64)
    net = tflearn.fully_connected(net, 10, activation="softmax")
    net = tflearn.regression(net, learning_rate=0.01, loss="categorical_crossentropy")
    found["lstm/accuracy"] = accuracy(trained("lstm", net, images.reshape(-1, 8, 8), labels))
    assert found["lstm/accuracy"] > 0.8

with tf.Graph().as_default():
    tflearn.init_graph(seed=1)
    net = tflearn.input_data([None, 64])
    for units in (32, 16, 32):
        net = tflearn.fully_connected(net, units, activation="tanh", weights_init="xavier")
    net = tflearn.fully_connected(net, 64, activation="sigmoid", weights_init="xavier")
    net = tflearn.regression(net, learning_rate=0.003, loss="mean_square", metric=None)
    apart = trained("autoencoder", net, images, images) - images[TRAINED:]
    found["autoencoder/error"] = np.square(apart).mean()
    # Half of what the mean image is off by.
    assert found["autoencoder/error"] < images[TRAINED:].var(axis=0).mean() / 2
np.savez(out, **found)
