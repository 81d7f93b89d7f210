"""Worker processes, and arrays on disk: what is lost there costs time, and no digit."""

import os
import signal
import time
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from distributed import Client, LocalCluster

import softmax_lib as sl
import softmax_lib.dask as sd

CHUNKS = 16, 256
rng = np.random.default_rng(time.time_ns() % 2**32)
X = rng.normal(0, 5, (48, 1000)).astype(np.float32)
Y = rng.integers(0, 1000, 48)


@pytest.fixture(scope="module")
def client():
    settings = {
        "distributed.worker.daemon": True,
        "distributed.admin.system-monitor.gil.enabled": False,
    }
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            threads_per_worker=2,
            memory_limit="1GiB",
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def stored(tmp_path):
    """Write the scores to disk, in chunks along both axes; return the folder."""
    place = tmp_path / "scores"
    array = zarr.create_array(
        place, shape=X.shape, chunks=CHUNKS, dtype=X.dtype, fill_value=np.nan
    )
    array[:] = X
    return place


def chunk_file(place, i, j):
    """Return the file of a chunk of an array on disk."""
    path = Path(place) / "c" / str(i) / str(j)
    assert path.is_file()
    return path


def test_from_disk_to_disk(client, stored, tmp_path):
    x = da.from_zarr(stored)
    assert x.chunksize == CHUNKS
    sd.softmax(x).to_zarr(tmp_path / "shares")
    shares = zarr.open_array(tmp_path / "shares", mode="r")
    assert shares.chunks == CHUNKS
    assert np.array_equal(shares[:], sl.softmax(X))
    assert np.array_equal(sd.logsumexp(x, 0).compute(), sl.logsumexp(X, 0))
    loss, gradient = dask.compute(*sd.cross_entropy_and_grad(x, Y))
    expected = sl.cross_entropy_and_grad(X, Y)
    np.testing.assert_array_max_ulp(loss, expected[0], 1)
    assert np.array_equal(gradient, expected[1])


def test_a_worker_that_is_killed_costs_no_digit(client, stored):
    def slowly(block):
        time.sleep(0.1)
        return block

    x = da.from_zarr(stored).map_blocks(slowly, meta=np.empty((0, 0), X.dtype))
    pids = client.run(os.getpid)
    result = client.compute(sd.softmax(x))
    deadline = time.monotonic() + 60
    # In the middle: some of it has been computed, and is lost.
    while not sum(map(len, client.has_what().values())) > 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not result.done()
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    assert np.array_equal(result.result(timeout=120), sl.softmax(X))
    client.wait_for_workers(2, timeout=60)
    assert set(client.run(os.getpid).values()) != set(pids.values())


def test_a_missing_chunk_is_nan_in_its_slices(client, stored):
    chunk_file(stored, 1, 2).unlink()
    shares = sd.softmax(da.from_zarr(stored)).compute()
    spoiled = slice(16, 32)
    assert np.isnan(shares[spoiled]).all()
    others = [i for i in range(48) if not 16 <= i < 32]
    assert np.array_equal(shares[others], sl.softmax(X)[others])


def test_nan_spoils_its_slices_alone(client, stored):
    zarr.open_array(stored)[3, 999] = np.nan
    x, others = da.from_zarr(stored), np.arange(48) != 3
    found = dask.compute(sd.logsumexp(x), *sd.cross_entropy_and_grad(x, Y))
    assert np.isnan(found[0][3]) and np.isnan(found[1])
    assert np.array_equal(found[0][others], sl.logsumexp(X)[others])
    assert np.isnan(found[2][3]).all()
    expected = sl.cross_entropy_and_grad(X, Y)[1]
    assert np.array_equal(found[2][others], expected[others])
    loss = sd.cross_entropy(x, np.where(others, Y, -1), ignore_index=-1)
    assert np.isfinite(loss.compute())


def test_a_corrupt_chunk_is_an_error(client, stored):
    path = chunk_file(stored, 0, 1)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RuntimeError, match="decompress"):
        sd.softmax(da.from_zarr(stored)).compute()
