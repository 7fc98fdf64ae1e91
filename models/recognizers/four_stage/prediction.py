"""Prediction of the four-stage framework by attention: one character a step, each knowing the one before it."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

GO, END = 0, 1
"""Classes before the characters': [GO] starts a text and fills a batch's shorter ones, [s] ends it."""


class AttentionDecoder(nn.Module):
    """An LSTM that looks at all columns before each step (Bahdanau et al., ICLR 2015)."""

    def __init__(self, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.hidden, self.classes = hidden, classes
        self.attention_cell = _AttentionCell(channels, hidden, classes)
        self.generator = nn.Linear(hidden, classes)

    def forward(self, columns: Float[Tensor, "b t c"], before: Int[Tensor, "b n"]) -> Float[Tensor, "b n k"]:
        """Class scores at each step, given the true class before each; [GO] before the first."""
        state, projected = self._start(columns)
        hiddens: list[Tensor] = []
        for classes in before.unbind(1):
            state = self.attention_cell(state, columns, projected, self._one_hot(classes, columns))
            hiddens.append(state[0])
        return self.generator(torch.stack(hiddens, 1))

    def greedy(self, columns: Float[Tensor, "b t c"], steps: int) -> Float[Tensor, "b _n k"]:
        """Class scores at each step, given the likeliest class before each; as many steps as the longest text needs."""
        state, projected = self._start(columns)
        classes = torch.full(columns.shape[:1], GO, device=columns.device)
        scores: list[Tensor] = []
        ended = torch.zeros_like(classes, dtype=torch.bool)
        while len(scores) < steps and not ended.all():
            state = self.attention_cell(state, columns, projected, self._one_hot(classes, columns))
            scores.append(self.generator(state[0]))
            classes = scores[-1].argmax(1)
            ended |= classes == END
        return torch.stack(scores, 1)

    def _start(self, columns: Float[Tensor, "b t c"]) -> tuple[tuple[Tensor, Tensor], Float[Tensor, "b t d"]]:
        zeros = columns.new_zeros(len(columns), self.hidden)
        return (zeros, zeros), self.attention_cell.i2h(columns)

    def _one_hot(self, classes: Int[Tensor, " b"], columns: Float[Tensor, "b t c"]) -> Float[Tensor, "b k"]:
        return F.one_hot(classes, self.classes).to(columns.dtype)


class _AttentionCell(nn.Module):
    def __init__(self, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.i2h = nn.Linear(channels, hidden, bias=False)
        self.h2h = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.rnn = nn.LSTMCell(channels + classes, hidden)

    def forward(
        self,
        state: tuple[Float[Tensor, "b d"], Float[Tensor, "b d"]],
        columns: Float[Tensor, "b t c"],
        projected: Float[Tensor, "b t d"],
        before: Float[Tensor, "b k"],
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, "b d"]]:
        energies = self.score((projected + self.h2h(state[0]).unsqueeze(1)).tanh())
        context = (energies.softmax(1) * columns).sum(1)
        return self.rnn(torch.cat([context, before], 1), state)
