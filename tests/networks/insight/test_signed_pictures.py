"""Numbers as colours, read back from the PNG that a browser gets."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from mnist_core.networks.insight.results import scaled
from mnist_core.networks.insight.signed_pictures import AMBER, TEAL, WHITE, colored, is_signed, sheet


def decoded(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def test_numbers_from_zero_go_from_black_to_white() -> None:
    values = np.array([[[0, 1], [2, 4]]], np.float32)
    pixels = decoded(sheet(scaled(values), 1))
    assert pixels.shape == (2, 2, 4)
    assert (pixels[..., 3] == 255).all()
    assert (pixels[..., 0] == pixels[..., 1]).all()
    assert (pixels[..., 0] == pixels[..., 2]).all()
    black, low, high, white = pixels[..., 0].ravel()
    assert (black, white) == (0, 255)
    assert 64 < low < high < 255
    assert not is_signed(scaled(values))


def test_negative_numbers_are_amber_and_positive_ones_then_teal() -> None:
    pixels = decoded(sheet(scaled(np.array([[[-3, 0, 3, -1]]], np.float32)), 1))[0, :, :3]
    assert pixels[0].tolist() == list(AMBER)
    assert pixels[1].tolist() == [0, 0, 0]
    assert pixels[2].tolist() == list(TEAL)
    assert 0 < pixels[3, 0] < AMBER[0]
    assert pixels[3] / pixels[3, 0] == pytest.approx(np.array(AMBER) / AMBER[0], abs=0.02)


def test_the_rest_of_the_last_row_is_transparent() -> None:
    maps = np.ones((5, 2, 3), np.float32)
    pixels = decoded(sheet(scaled(maps), 3))
    assert pixels.shape == (4, 9, 4)
    assert (pixels[:2, :, :3] == WHITE).all()
    assert (pixels[:2, :, 3] == 255).all()
    assert (pixels[2:, :6, 3] == 255).all()
    assert (pixels[2:, 6:, 3] == 0).all()


def test_each_map_stands_in_its_place() -> None:
    maps = np.zeros((7, 2, 2), np.float32)
    maps[5] = 1
    rows, columns = decoded(sheet(scaled(maps), 4))[..., 0].nonzero()
    assert (set(rows.tolist()), set(columns.tolist())) == ({2, 3}, {2, 3})


def test_effects_colour_a_dim_digit() -> None:
    image = np.array([[0, 255, 255, 255, 0]], np.uint8)
    effects = np.array([[0, 0, 2, -5, 1]], np.float32)
    black, grey, teal, amber, half = colored(image, effects, 2.0)[0].astype(int).tolist()
    assert black == [0, 0, 0]
    assert grey[0] == grey[1] == grey[2]
    assert 60 < grey[0] < 180
    assert (teal, amber) == (list(TEAL), list(AMBER))
    assert half == pytest.approx([channel / 2 for channel in TEAL], abs=1)


def test_scaled_numbers_come_back_to_within_half_a_step() -> None:
    values = np.random.default_rng(0).normal(0, 30, (4, 5, 6)).astype(np.float32)
    kept = scaled(values)
    assert kept.steps.dtype == np.int8
    assert kept.peak == np.abs(values).max()
    assert np.abs(kept.values - values).max() <= kept.peak / 254 * 1.001
    assert (np.sign(kept.steps) * np.sign(values) >= 0).all()


def test_nothing_but_zeros_and_what_is_no_number_are_zero() -> None:
    assert not scaled(np.zeros((2, 2), np.float32)).steps.any()
    assert scaled(np.zeros((0, 2), np.float32)).peak == 0
    odd = scaled(np.array([np.nan, np.inf, -np.inf, 2, -1], np.float32))
    assert odd.steps.tolist() == [0, 0, 0, 127, -64]
    assert odd.peak == 2
