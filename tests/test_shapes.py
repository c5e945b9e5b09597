"""The shapes that bench/ measures have as many parameters as the published weights."""

import sys
from pathlib import Path

import pytest

from tiny_models import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import shapes


@pytest.mark.parametrize("name", shapes.shapes())
def test_a_shape_has_the_published_number_of_parameters(name):
    config = shapes.shapes()[name]
    with torch.device("meta"):
        model = shapes.kind(config).from_config(config)
    assert model.num_parameters() == shapes.PARAMETERS[name]
