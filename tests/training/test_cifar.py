import hashlib
import os
import pickle
import tarfile
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10

from recform.errors import UserError
from recform.training import load_data
from recform.training.cifar import CIFAR_10, CIFAR_100

RECORDS = 6


def records(seed, num_classes):
    """Six images and labels, the last class among them."""
    chance = np.random.default_rng(seed)
    pixels = chance.integers(0, 256, (RECORDS, 3072), dtype=np.uint8)
    labels = chance.integers(0, num_classes, RECORDS)
    labels[0] = num_classes - 1
    return pixels, labels


def write_binary(path, pixels, labels, num_label_bytes=1):
    # CIFAR-100 writes the coarse label first; 99 would be out of range if it were taken.
    coarse = [np.full((len(labels), 1), 99, np.uint8)] * (num_label_bytes - 1)
    fine = labels[:, None].astype(np.uint8)
    np.concatenate([*coarse, fine, pixels], axis=1).tofile(path)


def write_pickle(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol=protocol))


def write_cifar10(folder, layout):
    folder.mkdir(parents=True)
    for seed, name in enumerate(layout.train + layout.test):
        pixels, labels = records(seed, 10)
        if name.endswith(".bin"):
            write_binary(folder / name, pixels, labels)
        else:
            write_pickle(folder / name, {b"data": pixels, b"labels": labels.tolist()})
    return folder


@pytest.fixture(params=CIFAR_10.layouts, ids=lambda layout: layout.folder)
def layout(request):
    return request.param


def refusal(folder, name="cifar10"):
    with pytest.raises(UserError) as caught:
        load_data(name, folder)
    return caught.value


def test_both_layouts_hold_the_same_images(tmp_path):
    parts = []
    for layout in CIFAR_10.layouts:
        write_cifar10(tmp_path / layout.folder, layout)
        parts.append(load_data("cifar10", tmp_path / layout.folder))
    binary, pickled = parts
    assert torch.equal(binary.train.pixels, pickled.train.pixels)
    assert torch.equal(binary.train.labels, pickled.train.labels)
    assert torch.equal(binary.test.pixels, pickled.test.pixels)


def test_images_are_red_green_and_blue_planes_in_the_order_of_the_files(tmp_path, layout):
    data = load_data("cifar10", write_cifar10(tmp_path / "here", layout))
    pixels, labels = records(1, 10)
    assert data.train.pixels[RECORDS : 2 * RECORDS].flatten(1).tolist() == pixels.tolist()
    assert data.train.labels[RECORDS : 2 * RECORDS].tolist() == labels.tolist()
    assert data.train.pixels[0, 0, 0, 1] == records(0, 10)[0][0, 1]
    assert (data.num_train, data.num_test, data.num_classes) == (30, 6, 10)


def test_the_folder_around_a_layout_will_do(tmp_path, layout):
    folder = write_cifar10(tmp_path / layout.folder, layout)
    assert load_data("cifar10", tmp_path).directory == folder


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol_are_read(tmp_path, protocol):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[1])
    pixels, labels = records(0, 10)
    write_pickle(folder / "data_batch_1", {"data": pixels, "labels": labels}, protocol)
    data = load_data("cifar10", folder)
    assert data.train.pixels[:RECORDS].flatten(1).tolist() == pixels.tolist()
    assert data.train.labels[:RECORDS].tolist() == labels.tolist()


def test_pickles_of_python_2_are_read(tmp_path):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[1])
    (folder / "test_batch").write_bytes(python_2_pickle(bytes(3072), label=7))
    assert load_data("cifar10", folder).test.labels.tolist() == [7]


def python_2_pickle(pixels, label):
    """What Python 2 and numpy 1 wrote for {'data': one image, 'labels': [label]}."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + len(pixels).to_bytes(4, "little") + pixels + b"tb"
    )
    labels = b"](K" + bytes([label]) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + labels + b"u."


def test_cifar100_takes_the_fine_labels(tmp_path):
    binary, pickled = CIFAR_100.layouts
    for folder in (tmp_path / binary.folder, tmp_path / pickled.folder):
        folder.mkdir()
    pixels, labels = records(0, 100)
    for name in ("train", "test"):
        write_binary(tmp_path / binary.folder / f"{name}.bin", pixels, labels, num_label_bytes=2)
        content = {b"data": pixels, b"coarse_labels": [0] * 6, b"fine_labels": labels.tolist()}
        write_pickle(tmp_path / pickled.folder / name, content)
    for layout in CIFAR_100.layouts:
        data = load_data("cifar100", tmp_path / layout.folder)
        assert (data.train.labels.tolist(), data.num_classes) == (labels.tolist(), 100)
        assert data.test.pixels.flatten(1).tolist() == pixels.tolist()


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[1])
    write_pickle(folder / "data_batch_2", {b"data": Evil(tmp_path / "harm"), b"labels": []})
    error = refusal(folder)
    assert error.code == "damaged-data"
    assert f"data_batch_2 is damaged: it asks for {os.mkdir.__module__}.mkdir" in str(error)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80",
        b"not a pickle",
        b"cnumpy\nndarray\n(tR.",
        b"cnumpy\ndtype\n(U\x01OtR.",
        b"]q\x00.",
        pickle.dumps({b"data": np.zeros((2, 3072), np.float32), b"labels": [0, 0]}),
        pickle.dumps({b"data": np.zeros((2, 3071), np.uint8), b"labels": [0, 0]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, "a"]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 10]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [-1, 0]}),
        pickle.dumps({b"labels": [0, 0]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8)}),
    ],
)
def test_a_damaged_pickle_is_named(tmp_path, content):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[1])
    (folder / "data_batch_4").write_bytes(content)
    error = refusal(folder)
    assert error.code == "damaged-data"
    assert "data_batch_4 is damaged: " in str(error)


def test_text_in_a_pickle_becomes_bytes_in_one_way_only(tmp_path):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[1])
    (folder / "data_batch_4").write_bytes(b"c_codecs\nencode\n(VA\nVrot13\ntR.")
    assert "it asks for the encoding rot13" in str(refusal(folder))


def cut(content):
    return content[:-100]


def cut_between_images(content):
    return content[: 3073 * 3]


def with_label_200(content):
    return content[:3073] + b"\xc8" + content[3074:]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "its 18,338 bytes are no whole number of 3,073-byte images"),
        (lambda _: b"", "its 0 bytes are no whole number of 3,073-byte images"),
        (with_label_200, "image 1 has label 200, of 10 classes"),
        (cut_between_images, "it holds 3 images and data_batch_1.bin 6"),
    ],
)
def test_a_damaged_binary_file_is_named_with_the_reason(tmp_path, damage, message):
    folder = write_cifar10(tmp_path / "here", CIFAR_10.layouts[0])
    path = folder / "data_batch_3.bin"
    path.write_bytes(damage(path.read_bytes()))
    error = refusal(folder)
    assert error.code == "damaged-data"
    assert str(path) in str(error)
    assert message in str(error)


def test_a_part_cut_short_is_noticed_beside_one_of_official_size(tmp_path):
    folder = tmp_path / "cifar-10-batches-bin"
    write_cifar10(folder, CIFAR_10.layouts[0])
    (folder / "test_batch.bin").write_bytes(bytes(3073 * 10_000))
    assert "holds 30 training and 10,000 test images, not 50,000 and 10,000" in str(refusal(folder))


def test_a_missing_file_is_named(tmp_path, layout):
    folder = write_cifar10(tmp_path / layout.folder, layout)
    (folder / layout.train[2]).unlink()
    assert f"{folder} lacks {layout.train[2]}" in str(refusal(tmp_path))


def test_a_failed_download_says_where_it_looked_and_what_to_do(tmp_path, monkeypatch):
    # Port 9 of this machine answers nothing.
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    error = refusal(tmp_path / "empty")
    assert error.code == "no-data"
    assert f"{tmp_path}/empty holds neither cifar-10-batches-bin nor cifar-10-batches-py" in str(
        error
    )
    assert "--data-dir" in error.diagnostics[0].hint


def test_what_is_not_there_is_downloaded(tmp_path, monkeypatch):
    layout = CIFAR_10.layouts[1]
    write_cifar10(tmp_path / "web" / layout.folder, layout)
    archive = tmp_path / "web" / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(tmp_path / "web" / layout.folder, layout.folder)
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    with served(tmp_path / "web") as address:
        monkeypatch.setattr(CIFAR10, "url", f"{address}/{archive.name}")
        assert load_data("cifar10", tmp_path / "home").num_train == 30


@contextmanager
def served(folder):
    """The address at which the files of the folder can be had."""
    answer = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
