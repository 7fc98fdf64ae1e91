"""The tables of Gaussians, and the prior that differs from image to image."""

import pytest
import torch
from compressai.entropy_models import GaussianConditional
from compressai.models.base import get_scale_table

from models.codecs.base import LARGEST_SCALE
from models.codecs.entropy_models import Bottleneck, Gaussian, Prior


def test_a_scale_has_the_table_that_compressai_gives_it() -> None:
    gaussian = Gaussian()
    gaussian.update_scale_table(get_scale_table(max=LARGEST_SCALE))
    table = gaussian.scale_table
    scales = torch.cat([table, table * 1.0001, table * 0.9999, torch.tensor([0.0, -1.0, 1e9])]).reshape(1, 1, 1, -1)
    assert torch.equal(gaussian.build_indexes(scales), GaussianConditional.build_indexes(gaussian, scales).long())


@pytest.mark.parametrize("scale", [0.02, 1.0, 500.0])
def test_a_folded_prior_is_the_prior_of_its_image(scale: float) -> None:
    torch.manual_seed(0)
    bottleneck = Bottleneck(3).eval()
    prior = Prior(torch.full((1, 3), scale), torch.tensor([[-0.3, 0.0, 0.3]]))
    z = torch.zeros(1, 3, 2, 2)
    with torch.no_grad():
        expected = bottleneck(z, prior)[1]
        bottleneck.fold(Prior(*(value[0] for value in prior)))
        found = bottleneck(z)[1]
    assert found.isfinite().all()
    assert torch.allclose(found, expected, rtol=1e-3)
