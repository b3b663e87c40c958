"""A backend owns arrays and gradients: it trains its networks on any problem whose words it knows, for any task."""

import numpy as np

from autoft.api import EpochStats, ModelCard, TrialFailed

# A network as data: all that autoft must know of it before it is built.
LOOKS = {"modality": "image", "input_size": 32, "min_size": 8, "pretrained": False, "offline": True}
CARD = ModelCard(name="tiny/pixels", backend="tiny", summary="Softmax regression on 8 x 8 pixels", **LOOKS)


class TinyModels:
    prefix = "tiny"

    def catalogue(self):
        return (CARD,)

    def resolve(self, name):
        return CARD if name == CARD.name else None

    def reachable(self):
        return ""  # nothing has to be downloaded

    def fetch(self, card):
        return card


class TinyBackend:
    name = "tiny"
    distributions = ("numpy",)  # a model is refused where the version of these is another

    def supports(self, problem, card):
        """Name the word that is missing: `autoft plugins --matrix` shows it to the user."""
        for output in problem.outputs:
            words = (output.head, output.loss, output.post)
            if missing := [word for word in words if word not in ("pooled", "cross_entropy", "softmax")]:
                return f"knows no {', '.join(missing)}"
        fits = problem.inputs == ("image",) and len(problem.outputs) == 1
        return "" if fits else f"takes image to one output, not {problem.inputs} to {len(problem.outputs)}"

    def build(self, job):
        return TinyLearner(job)

    def load(self, job, folder):
        learner = TinyLearner(job)
        learner.weight = np.load(folder / "model.npy", allow_pickle=False)  # a pickle could run anything
        return learner

    def loss(self, output, raw, targets, label_smoothing=0.0):
        return loss_and_gradient(output, np.asarray(raw, float), targets, label_smoothing)[0]


class TinyLearner:
    """Heeds lr, batch_size, weight_decay, l1 and label_smoothing of the recipe, and none of its other words."""

    def __init__(self, job):
        self.job, self.output = job, job.problem.outputs[0]
        self.weight = np.random.default_rng(job.seed).normal(0, 0.01, (8 * 8 * 3 + 1, self.output.size))

    def blocks(self):
        return ()  # the parts that `freeze` can leave as they are; here is nothing but a head

    def arrays(self):
        return {"head": {"weight": self.weight.copy()}}

    def trainable(self):
        return self.weight.size

    def train_epoch(self, feed, epoch, stop):
        recipe, total = self.job.recipe, 0.0
        order = np.random.default_rng((self.job.seed, epoch)).permutation(len(feed))
        batches = np.array_split(order, -(-len(order) // recipe.batch_size))
        for step, rows in enumerate(batches):
            if stop():  # the search has a deadline, and it does not wait for epochs
                return EpochStats(total / max(1, step), step, False)
            batch = feed.batch(rows)
            pixels, targets = features(batch["image"]), batch[self.output.target]
            loss, slope = loss_and_gradient(self.output, pixels @ self.weight, targets, recipe.label_smoothing)
            if not np.isfinite(loss):
                raise TrialFailed(f"the loss must be finite, but it is {loss}.", "Try a lower lr.")
            penalty = recipe.l1 * np.sign(self.weight) + recipe.weight_decay * self.weight
            self.weight = self.weight - recipe.lr * (pixels.T @ slope + penalty)
            total += loss
        return EpochStats(total / max(1, len(batches)), len(batches), True)

    def predict(self, feed):
        raw = features(feed.batch(np.arange(len(feed)))["image"]) @ self.weight
        return {self.output.name: np.exp(log_softmax(raw)).astype(np.float32)}

    def save(self, folder):
        np.save(folder / "model.npy", self.weight)


def features(images):
    """uint8 images of any size as 8 x 8 pixels in [-1, 1], and a 1 for the bias."""
    rows, columns = (np.arange(8) * side // 8 for side in images.shape[1:3])
    pixels = images[:, rows][:, :, columns].reshape(len(images), 192) / 127.5 - 1
    return np.hstack([pixels, np.ones((len(images), 1))])


def log_softmax(raw):
    raw = raw - raw.max(axis=1, keepdims=True)
    return raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))


def loss_and_gradient(output, raw, targets, smoothing):
    """Cross-entropy as `autoft.testing.reference` defines it. Targets are class indices, or one chance per class."""
    chances = targets if targets.ndim == 2 else np.eye(output.size)[targets]
    weights, logs = np.asarray(output.class_weights or 1.0), log_softmax(raw)
    pull = weights * (chances * (1 - smoothing) + smoothing / output.size) / (weights * chances).sum()
    return float(-(pull * logs).sum()), pull.sum(axis=1, keepdims=True) * np.exp(logs) - pull
