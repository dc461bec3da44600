"""Words: what a learner may not know, in text, with a small live figure where that helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui.glossary import examples


@dataclass(frozen=True)
class Term:
    """A word: what the code calls it, its heading, the question on its control, its text, and its example if any.

    `figure` shows the example: controls, a figure and a line that reads it. Its argument is a prefix for widget keys.
    """

    name: str
    title: str
    question: str
    text: str
    figure: Callable[[str], None] | None = None
    height: int = 0  # of the example, in pixels


# In the order in which one would tell them: the network, its training, its evaluation.
TERMS: tuple[Term, ...] = (
    Term(
        "convolution",
        "Convolution",
        "What is convolution?",
        "The network slides a window of 3 × 3 pixels over the image. At each place it multiplies the nine pixels by "
        "nine weights, the *kernel* or *filter*, and adds the products up. The sums make a new image, the *feature "
        "map*: it is strong where the image looks like the kernel. The same kernel is used everywhere, so an edge "
        "is found wherever it is. Here you choose the kernel; a network learns dozens of its own.",
        examples.convolution,
        height=400,
    ),
    Term(
        "padding and stride",
        "Padding and stride",
        "What are padding and stride?",
        "The *stride* is how many pixels the window moves at a time: at 2 it skips every other place, and the "
        "result is half as wide. *Padding* is about the edge. With “valid” the window stays inside the image, so 3 "
        "× 3 turns 28 × 28 into 26 × 26. With “same” a frame of zeros is put around the image, so that at stride 1 "
        "the size stays the same.",
        examples.padding_and_stride,
        height=435,
    ),
    Term(
        "pooling",
        "Pooling",
        "What is pooling?",
        "Pooling makes a feature map smaller: of each square of 2 × 2 values, one is kept. *Max pooling* takes the "
        "largest (was the edge anywhere in here?), *average pooling* the mean. Three quarters of the work for the "
        "next layer is saved, and a digit that is shifted by a pixel looks nearly the same.",
        examples.pooling,
        height=370,
    ),
    Term(
        "activation",
        "Activation",
        "What is an activation?",
        "A layer multiplies and adds. Many such layers in a row could do no more than a single one, so between them "
        "every value passes through a function that is not a straight line: the *activation*. *ReLU* is the "
        "simplest and the most used: what is negative becomes 0, the rest stays. A unit then says “my pattern is "
        "not here” (0), or how clearly it is.",
        examples.activation,
        height=400,
    ),
    Term(
        "dense layer",
        "Dense layer",
        "What is a dense layer?",
        "In a dense layer, every *unit* looks at all values of the layer before, each with a weight of its own, and "
        "adds them up: a bar at the top, a slanted stroke below, so probably a 7. The feature maps are laid out in "
        "one long row for it (*flattened*). The last layer is always dense, with ten units: one for each digit.",
    ),
    Term(
        "dropout",
        "Dropout",
        "What is dropout?",
        "During training, dropout sets a random part of the values to 0, a different part at every step. No unit can "
        "rely on one other unit, so the network learns several signs of each digit instead of a single one, and is "
        "less likely to learn images by heart. When the network is used, nothing is dropped.",
        examples.dropout,
        height=370,
    ),
    Term(
        "normalization",
        "Normalization",
        "What is normalization?",
        "Learning is easier with numbers near 0 than with pixels from 0 to 255, so pixels are first divided by 255. "
        "*Batch normalization* does something similar between layers: it takes the outputs of a unit for all digits "
        "of a batch, subtracts their mean and divides by their standard deviation. Whatever the earlier layers do, "
        "the next one gets numbers of a familiar size.",
        examples.normalization,
        height=370,
    ),
    Term(
        "softmax",
        "Softmax",
        "What is softmax?",
        "The last layer gives ten scores, one for each digit, which can be any numbers. Softmax turns them into "
        "probabilities: it raises e = 2.718… to each score, so that all become positive, and divides by their sum, so "
        r"that they add up to 1: $p_k = e^{z_k} / (e^{z_0} + \dots + e^{z_9})$ for the score $z_k$ of digit $k$. The "
        "highest score gets the largest probability.",
        examples.softmax,
        height=370,
    ),
    Term(
        "parameters",
        "Parameters",
        "What are parameters?",
        "The parameters are the numbers that a network is made of; training sets them. Most are weights; each "
        "filter and each unit also has one number to add, the *bias*. 32 filters of 3 × 3 on one image have 32 × (9 "
        "+ 1) = 320. A dense layer has a weight for each pair of input and unit and easily gets hundreds of "
        "thousands. More parameters can learn more, but also more by heart.",
    ),
    Term(
        "one-hot",
        "One-hot",
        "What is one-hot?",
        "A network does not answer with a digit but with ten numbers. To compare them with the label, the label is "
        "written as ten numbers too: a 1 in the place of the right digit, 0 in all others. Of ten lamps, one is "
        "lit, which is why this is called *one-hot*.",
        examples.one_hot,
        height=210,
    ),
    Term(
        "cross-entropy",
        "Cross-entropy, the loss",
        "What is cross-entropy?",
        "The *loss* says in one number how wrong a prediction is; training makes it small. Cross-entropy looks at the "
        r"probability $p$ that the right digit got, and takes minus its natural logarithm: $-\ln p$. Being sure and "
        "right costs nearly nothing, ten equal guesses cost 2.30, being sure and wrong costs a lot. The loss curve "
        "shows the mean over many digits. Accuracy only counts right and wrong; the loss also sees the confidence.",
        examples.cross_entropy,
        height=370,
    ),
    Term(
        "back-propagation",
        "Backpropagation",
        "What is backpropagation?",
        "For each weight the network must know: if it grew a little, would the loss rise or fall, and how steeply? "
        "That slope is the *gradient*. Backpropagation finds the slopes of all weights in one go, from the loss "
        "back to the first layer: along the way, the slopes in between are multiplied. Then each weight takes a "
        "small step downhill. Here is a network of a single weight that asks “is it a 7?”.",
        examples.back_propagation,
        height=370,
    ),
    Term(
        "gradient norm",
        "Gradient norm",
        "What is the gradient norm?",
        "Each weight has its slope; all slopes together are the gradient, an arrow with as many entries as there "
        "are weights. Its *norm* is its length: square all slopes, add them up, take the root. A large norm means "
        "that the loss reacts strongly to the weights; a small one that nothing nearby is much "
        "better. Sudden peaks are often a sign that the learning rate is too high.",
    ),
    Term(
        "optimizer",
        "Optimizer",
        "What is an optimizer?",
        "The optimizer turns slopes into steps. *SGD* goes straight downhill: slope times learning rate. *Momentum* "
        "keeps part of the last step, like a ball that rolls, and gets along a gentle valley sooner. *Adam* gives "
        "each weight a step size of its own, from how large its slopes have been. Each needs its own learning rate, "
        "as you can see here: a long valley from above, with two weights to learn.",
        examples.optimizer,
        height=410,
    ),
    Term(
        "learning rate",
        "Learning rate",
        "What is the learning rate?",
        "The learning rate says how far one step goes. Too low, and learning crawls; too high, and each step leaps "
        "over the valley to a place higher up on the other side: the loss grows instead of falling. There is no "
        "best rate for all; 0.001 is a good first try for Adam, 0.01 to 0.1 for SGD.",
        examples.learning_rate,
        height=370,
    ),
    Term(
        "schedule",
        "Learning-rate schedule",
        "What is a schedule?",
        "A schedule changes the learning rate while training goes on. Large steps first come near a good place "
        "quickly, small ones at the end settle in it. Some schedules begin gently too, while the weights are still "
        "random: that is the *warm-up*.",
        examples.schedule,
        height=370,
    ),
    Term(
        "batch",
        "Batch",
        "What is a batch?",
        "The network does not look at all 60,000 digits before it changes anything. It takes some, a *batch*, finds "
        "the mean slope for these, and makes one step. A small batch gives many quick steps in somewhat wrong "
        "directions, since a few digits are a poor sample; a large one gives few, steadier steps.",
        examples.batch,
        height=370,
    ),
    Term(
        "epoch",
        "Epoch",
        "What is an epoch?",
        "An epoch is one pass through all training digits, batch after batch, in a new random order. Networks need "
        "several, just as you read a textbook more than once. With too many, they begin to learn the digits by "
        "heart.",
        examples.epoch,
        height=175,
    ),
    Term(
        "seed",
        "Seed",
        "What is a seed?",
        "Chance plays a part in training: the first weights are random, digits are shuffled, dropout picks at random. "
        "Computers make random numbers by a fixed rule that starts from a number, the *seed*. The same seed and "
        "settings give the same network again on the same machine; other seeds show how much of a result was luck.",
    ),
    Term(
        "validation",
        "Validation",
        "What is validation?",
        "How a network does on digits that it has learned from says little: it may know them by heart. So some "
        "training digits are held out: the network never learns from them, but is checked on them after each epoch. "
        "They are there to choose by: which settings, and when to stop. The 10,000 test images are for the very end: "
        "if you choose by them as well, you no longer know how well new digits will be read.",
        examples.validation,
        height=250,
    ),
    Term(
        "overfitting",
        "Overfitting",
        "What is overfitting?",
        "A network overfits when it learns its training digits by heart, slips of the pen included, and reads new "
        "ones no better or even worse. In the curves, the training loss keeps falling while the validation loss "
        "turns up again. The same happens to a curve that is fitted to twelve noisy points and may bend too often. "
        "More digits, augmentation, dropout, L2 or early stopping help against it.",
        examples.overfitting,
        height=370,
    ),
    Term(
        "augmentation",
        "Augmentation",
        "What is augmentation?",
        "A 7 that is turned a little, shifted by two pixels or written with a thicker pen is still a 7. "
        "Augmentation changes the training digits in such ways, at random and anew in every epoch, so that the "
        "network never sees quite the same image twice and cannot learn it by heart. Validation and test images "
        "stay as they are.",
    ),
    Term(
        "L2",
        "L2 regularization",
        "What is L2?",
        "L2 adds a penalty for large weights to the loss: the sum of their squares, times a small number, the "
        "strength. A weight stays large only if that improves the predictions enough. The network becomes smoother "
        "and overfits less; with too much of it, it learns less. *Weight decay*, as in AdamW, pulls weights towards "
        "0 in much the same way.",
        examples.l2,
        height=370,
    ),
    Term(
        "label smoothing",
        "Label smoothing",
        "What is label smoothing?",
        "A one-hot label asks for 100% on one digit, which takes ever higher scores to come near. Label smoothing "
        "asks for a little less, and spreads the rest over all ten digits. The network is not pushed to be more "
        "confident than it has reason to be: some digits can honestly be read in two ways. Its loss can then no "
        "longer reach 0.",
        examples.label_smoothing,
        height=210,
    ),
)
