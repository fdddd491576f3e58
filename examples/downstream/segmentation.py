"""A class for every pixel: a network by a formula under an UPerNet head.

The head is segmentation_models_pytorch's, as in SkipResNet's rows on ADE20k (which used another
framework's). On ADE20k, unpacked:

    python examples/downstream/segmentation.py skip_resnet --backbone resnet50 --pretrained \\
        --data ADEChallengeData2016

Any data set in its layout goes: images/training/NAME.jpg with annotations/training/NAME.png, where
0 is nothing and 1 and above are classes; images/validation likewise. Needs
`pip install "recform[downstream]"`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from pyramid import check_places, pyramid
from segmentation_models_pytorch import metrics
from segmentation_models_pytorch.base import SegmentationHead
from segmentation_models_pytorch.decoders.upernet.decoder import UPerNetDecoder
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

NOTHING = 255
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Segmenter(nn.Module):
    """Images (B, 3, H, W) to logits (B, classes, H, W)."""

    def __init__(self, states: nn.Module, num_classes: int) -> None:
        super().__init__()
        self.states = states
        # The decoder wants the image and stride 2 as well, and reads neither.
        self.decoder = UPerNetDecoder([3, 0, *states.feature_info.channels()])
        self.head = SegmentationHead(256, num_classes, kernel_size=1, upsampling=4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.decoder([images, images[:, :0], *self.states(images)]))


class Pixels(Dataset):
    """Images with a class for each pixel, 255 where there is none."""

    def __init__(self, root: Path, part: str, prepare: v2.Transform) -> None:
        self.images = sorted((root / "images" / part).glob("*.jpg"))
        if not self.images:
            raise SystemExit(f"there are no .jpg images in {root / 'images' / part}")
        self.classes = root / "annotations" / part
        self.prepare = prepare

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        path = self.images[index]
        image = tv_tensors.Image(decode_image(str(path), ImageReadMode.RGB))
        labels = decode_image(str(self.classes / f"{path.stem}.png"), ImageReadMode.GRAY)
        # 0 becomes 255 and the classes begin at 0: bytes wrap around.
        image, mask = self.prepare(image, tv_tensors.Mask(labels - 1))
        return image, mask[0].long()


def prepared(size: int, augment: bool) -> v2.Transform:
    normal = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    if not augment:
        return v2.Compose([v2.Resize((size, size)), *normal])
    fill = {tv_tensors.Mask: NOTHING, "others": 0}
    scaled = v2.ScaleJitter((size, size), (0.5, 2.0))
    crop = v2.RandomCrop(size, pad_if_needed=True, fill=fill)
    return v2.Compose([scaled, crop, v2.RandomHorizontalFlip(), *normal])


def train(model: nn.Module, loader: DataLoader, epochs: int, device: torch.device) -> None:
    loss_of = nn.CrossEntropyLoss(ignore_index=NOTHING)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, epochs * len(loader), power=0.9)
    for epoch in range(1, epochs + 1):
        model.train()
        begin, total = time.perf_counter(), torch.zeros((), device=device)
        for images, labels in loader:
            loss = loss_of(model(images.to(device)), labels.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        print(f"epoch {epoch}  loss {total.item() / len(loader):.3f}  "
              f"{time.perf_counter() - begin:.0f} s", flush=True)  # fmt: skip


@torch.no_grad()
def mean_iou(model: nn.Module, loader: DataLoader, classes: int, device: torch.device) -> float:
    """Mean intersection over union of the classes that occur."""
    counts = torch.zeros(4, classes)
    for images, labels in loader:
        answer = model.eval()(images.to(device)).argmax(1).cpu()
        stats = metrics.get_stats(answer, labels, mode="multiclass", num_classes=classes,
                                  ignore_index=NOTHING)  # fmt: skip
        counts += torch.stack([count.sum(0) for count in stats])
    tp, fp, fn, _ = counts
    occurs = tp + fn > 0
    return (tp / (tp + fp + fn))[occurs].mean().item()


def main() -> None:
    options = argparse.ArgumentParser(description="UPerNet on a network by a formula.")
    options.add_argument("formula")
    options.add_argument("--backbone", default="resnet50")
    options.add_argument("--pretrained", action="store_true")
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--classes", type=int, default=150)
    options.add_argument("--image-size", type=int, default=512, help="a multiple of 32")
    options.add_argument("--batch-size", type=int, default=16)
    options.add_argument("--epochs", type=int, default=127, help="127 are 160,000 steps on ADE20k")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("-o", "--out", type=Path, help="keep the weights here")
    asked = options.parse_args()

    check_places(asked.data, asked.data / "images" / "training")
    torch.manual_seed(asked.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    states = pyramid(asked.formula, asked.backbone, asked.pretrained, asked.image_size)
    model = Segmenter(states, asked.classes).to(device)
    data = Pixels(asked.data, "training", prepared(asked.image_size, augment=True))
    loader = DataLoader(data, asked.batch_size, shuffle=True, num_workers=asked.workers,
                        drop_last=len(data) > asked.batch_size)  # fmt: skip
    train(model, loader, asked.epochs, device)
    if asked.out:
        torch.save(model.state_dict(), asked.out)
    if (asked.data / "images" / "validation").is_dir():
        kept = Pixels(asked.data, "validation", prepared(asked.image_size, augment=False))
        iou = mean_iou(model, DataLoader(kept, asked.batch_size), asked.classes, device)
        print(f"mean IoU {100 * iou:.2f} %")


if __name__ == "__main__":
    main()
