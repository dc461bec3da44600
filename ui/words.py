"""Words: what a learner may not know, explained where it comes up, with a small live figure where that helps."""

from __future__ import annotations

import streamlit as st

from ui.lessons import LESSONS

TERMS: dict[str, str] = {
    "convolution": "A small window, 3 × 3 pixels say, slides over the image. At each place its nine weights are "
    "multiplied "
    "with the nine pixels below and summed up: the sum is high where the image looks like the weights. One such "
    "window is a "
    "filter, and its result a feature map. A layer has many filters, each looking for something else, the same all "
    "over the "
    "image: an edge is an edge, wherever it is.",
    "padding and stride": "At the border a window of 3 × 3 has no room, so the result is two pixels smaller: that is "
    "called "
    "valid padding. With same padding the image gets a frame of zeros and keeps its size. The stride is how far the "
    "window "
    "moves each time; with a stride of 2 the result has half the size.",
    "pooling": "Pooling makes feature maps smaller: of each window of 2 × 2 only the largest value is kept, or the "
    "mean. "
    "What was found is kept, where exactly is given up. That saves work, and a digit that is moved by a pixel looks "
    "the same.",
    "activation": "After its sum, each neuron applies a simple bent function. Without it, many layers could do no "
    "more than "
    "one. ReLU is the most usual: what is negative becomes zero, the rest stays as it is.",
    "dropout": "While training, a share of the values is set to zero, others at each step. No neuron can rely on a "
    "single "
    "other one, so what is learned is spread out and holds for new digits. When the network is used, all values are "
    "there.",
    "normalization": "Networks learn best from numbers around zero of similar size. Pixels are therefore divided by "
    "255. "
    "Batch normalization does the like between layers: it shifts and scales each feature map by the mean and the "
    "spread of "
    "the batch, so that the next layer always gets numbers of a familiar size.",
    "softmax": "The last layer computes a number for each digit, a logit: any number, high or low. Softmax turns the "
    "ten of "
    "them into probabilities: all positive, sum 1, and the highest number gets the most.",
    "one-hot": "A label such as 3 is written as ten numbers: a 1 at the place of the 3, and 0 everywhere else. It is "
    "the "
    "answer that a perfect network would give, so its answer can be compared with it number by number.",
    "cross-entropy": "The loss: one number for how wrong an answer is, which training makes small. It is minus the "
    "logarithm "
    "of the probability that the right digit got. Right and sure costs nothing, right but unsure a little, wrong and "
    "sure a "
    "lot. Accuracy only counts right and wrong; the loss also sees how sure.",
    "back-propagation": "After each batch the network asks, for every weight: if it were a little larger, would the "
    "loss grow "
    "or fall, and how much? That slope is the gradient. It is computed from the last layer back to the first, each "
    "layer "
    "using what the one after it found out. Then every weight moves a little downhill.",
    "learning rate": "How far the weights move at each step. Imagine walking down into a valley with closed eyes: "
    "short steps "
    "take for ever, long ones leap over the lowest place, even up the other side.",
    "optimizer": "The rule for the steps. SGD goes straight down the slope. Momentum keeps rolling like a ball. Adam "
    "finds a "
    "step length of its own for every weight, from how its slope was lately, and so needs less trying.",
    "schedule": "The learning rate need not stay the same. Large steps first come near a good place quickly, small "
    "ones at "
    "the end settle in it. One cycle also begins gently, while the weights are still random.",
    "batch": "So many images are looked at together before the weights change once. Their mean slope is steadier than "
    "that "
    "of one image, and computing them together is faster.",
    "epoch": "One pass over all training images, in random order, batch by batch. After each epoch the network is "
    "checked on "
    "images that it does not train on.",
    "validation": "Some images are kept apart, never trained on, to see how the network does on digits that it does "
    "not "
    "know. Whatever is chosen, such as when to stop, is chosen by them. The 10,000 test images are for the very end: "
    "whoever "
    "chooses by those as well no longer knows how good the network is on new digits.",
    "overfitting": "A network can learn its training images by heart, noise and all. Its training loss then falls on, "
    "while "
    "the validation loss rises again. More images, augmentation, dropout, L2 or an earlier end help.",
    "augmentation": "Each training image is turned, moved or bent a little, differently in every epoch, as if others "
    "had "
    "written the same digit. The network never sees the same image twice, so it cannot learn any by heart.",
    "L2": "The squares of the weights, times a small number, are added to the loss. Large weights then have to be "
    "worth their "
    "cost, and the network stays simpler. Weight decay, as in AdamW, pulls weights towards zero in much the same way.",
    "label smoothing": "Instead of 1 for the right digit and 0 for all others, the target is a little less and a "
    "little "
    "more. The network is not pushed to be surer than it has reason to be; some digits can be read in two ways.",
    "gradient norm": "All slopes of a step taken together as one arrow: the norm is its length. It is large while "
    "there is "
    "much to learn, falls later, and shoots up when training goes astray.",
    "parameters": "All numbers that training may change: the weights of filters and dense layers, and one offset for "
    "each "
    "output, the bias. A filter of 3 × 3 over 32 feature maps has 3 × 3 × 32 weights and one bias.",
    "seed": "Computers make random numbers by a recipe that begins with a number, the seed. The same seed gives the "
    "same "
    "first weights, the same order of images, the same dropout: a run can be repeated exactly. Other seeds show how "
    "much was "
    "luck.",
}


def explain(*terms: str) -> None:
    """Show an unobtrusive control that opens into what the terms mean. Contents are made only while it is open."""
    st.fragment(_explain)(terms)


def glossary() -> None:
    """Show all terms, to read through or to search."""
    wanted = st.text_input(
        "Search", placeholder="Search the words", label_visibility="collapsed", key="words-search", max_chars=40
    )
    found = [term for term, text in TERMS.items() if wanted.strip().lower() in f"{term} {text}".lower()]
    if not found:
        st.info("None of the words mentions that.", icon=":material/search_off:")
    for columns in (found[start : start + 2] for start in range(0, len(found), 2)):
        for column, term in zip(st.columns(2, gap="medium"), columns, strict=False):
            with column, st.container(border=True, height="stretch"):
                st.fragment(_entry)(term)


def _explain(terms: tuple[str, ...]) -> None:
    label = (
        terms[0].capitalize() if len(terms) == 1 else f"Words: {', '.join(terms[:3])}{' …' if len(terms) > 3 else ''}"
    )
    key = "words-" + "-".join(terms)
    popover = st.popover(label, icon=":material/school:", type="tertiary", key=key, on_change="rerun")
    if not popover.open:
        return
    with popover:
        term = terms[0]
        if len(terms) > 1:
            term = st.pills(
                "Word", terms, default=terms[0], required=True, label_visibility="collapsed", key=f"{key}-word"
            )
        st.markdown(f"**{term.capitalize()}**")
        st.markdown(TERMS[term])
        if term in LESSONS:
            LESSONS[term](f"{key}-{term}")


def _entry(term: str) -> None:
    st.markdown(f"**{term.capitalize()}**")
    st.markdown(TERMS[term])
    if term in LESSONS and st.toggle("Try it", key=f"glossary-{term}"):
        LESSONS[term](f"glossary-{term}")
