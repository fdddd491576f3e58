"""Objects and their masks: a network by a formula under torchvision's Mask R-CNN with FPN.

SkipResNet reports COCO with a Cascade Mask R-CNN, which torchvision does not have: this one stands
in for it, and its numbers are not to be set beside theirs. On COCO 2017:

    python examples/downstream/detection.py skip_resnet --backbone resnet50 --pretrained \\
        --images coco/train2017 --annotations coco/annotations/instances_train2017.json \\
        --test-images coco/val2017 --test-annotations coco/annotations/instances_val2017.json

Any data set in COCO's layout goes. Needs `pip install "recform[downstream]"`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval
from pyramid import WithFPN, check_places, freeze_batch_norms, pyramid
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import CocoDetection, wrap_dataset_for_transforms_v2
from torchvision.models.detection import MaskRCNN
from torchvision.transforms import v2

# COCO numbers its 80 categories up to 90; 0 is the background.
NUM_LABELS = 91
LEARNING_RATE_PER_IMAGE = 0.02 / 16


def detector(formula: str, backbone: str, pretrained: bool, image_size: int) -> MaskRCNN:
    states = pyramid(formula, backbone, pretrained, image_size, any_size=True)
    sizes = {"min_size": image_size, "max_size": image_size * 5 // 3}
    return MaskRCNN(WithFPN(states), num_classes=NUM_LABELS, **sizes)


def coco(images: Path, annotations: Path, flip: float) -> CocoDetection:
    """Images with their boxes, labels and masks."""
    prepare = v2.Compose([
        v2.ToImage(),
        v2.RandomHorizontalFlip(flip),
        v2.SanitizeBoundingBoxes(),
        v2.ToDtype(torch.float32, scale=True),
    ])  # fmt: skip
    data = CocoDetection(images, annotations, transforms=prepare)
    keys = ("boxes", "labels", "masks", "image_id")
    return wrap_dataset_for_transforms_v2(data, target_keys=keys)


def pairs(batch: list) -> tuple[list, list]:
    """Images of unequal size stay a list. An image without objects teaches nothing here."""
    full = [(image, target) for image, target in batch if len(target.get("boxes", ()))]
    return [image for image, _ in full], [target for _, target in full]


def train(model: nn.Module, loader: DataLoader, epochs: int, device: torch.device) -> None:
    rate = LEARNING_RATE_PER_IMAGE * (loader.batch_size or 1)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(weights, rate, momentum=0.9, weight_decay=1e-4)
    drops = [epochs * 8 // 12, epochs * 11 // 12]
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, drops)
    for epoch in range(1, epochs + 1):
        freeze_batch_norms(model.train())
        begin, total, steps = time.perf_counter(), torch.zeros((), device=device), 0
        for images, targets in loader:
            if not images:
                continue
            targets = [{k: v.to(device) for k, v in t.items() if k != "image_id"} for t in targets]
            losses = model([image.to(device) for image in images], targets)
            loss = sum(losses.values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
            steps += 1
        schedule.step()
        print(f"epoch {epoch}  loss {total.item() / max(steps, 1):.3f}  "
              f"{time.perf_counter() - begin:.0f} s", flush=True)  # fmt: skip


@torch.no_grad()
def evaluate(model: nn.Module, data: CocoDetection, device: torch.device) -> None:
    """Print COCO's average precision of boxes and of masks."""
    found = []
    for image, target in data:
        answer = model.eval()([image.to(device)])[0]
        masks = (answer["masks"][:, 0] > 0.5).byte().cpu().numpy()
        corners = answer["boxes"].cpu()
        boxes = torch.cat([corners[:, :2], corners[:, 2:] - corners[:, :2]], dim=1)
        for box, label, score, mask in zip(
            boxes, answer["labels"], answer["scores"], masks, strict=True
        ):
            encoded = coco_mask.encode(mask.copy(order="F"))
            found.append({"image_id": target["image_id"], "category_id": int(label),
                          "bbox": box.tolist(), "score": float(score),
                          "segmentation": encoded})  # fmt: skip
    if not found:
        print("nothing found")
        return
    answers = data.coco.loadRes(found)
    for kind in ("bbox", "segm"):
        evaluation = COCOeval(data.coco, answers, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()


def main() -> None:
    options = argparse.ArgumentParser(description="Mask R-CNN on a network by a formula.")
    options.add_argument("formula")
    options.add_argument("--backbone", default="resnet50")
    options.add_argument("--pretrained", action="store_true")
    options.add_argument("--images", type=Path, required=True)
    options.add_argument("--annotations", type=Path, required=True)
    options.add_argument("--test-images", type=Path)
    options.add_argument("--test-annotations", type=Path)
    options.add_argument("--image-size", type=int, default=800, help="the shorter side")
    options.add_argument("--batch-size", type=int, default=2)
    options.add_argument("--epochs", type=int, default=12)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("-o", "--out", type=Path, help="keep the weights here")
    asked = options.parse_args()

    check_places(asked.images, asked.annotations, asked.test_images, asked.test_annotations)
    torch.manual_seed(asked.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = detector(asked.formula, asked.backbone, asked.pretrained, asked.image_size).to(device)
    data = coco(asked.images, asked.annotations, flip=0.5)
    loader = DataLoader(data, asked.batch_size, shuffle=True, num_workers=asked.workers,
                        collate_fn=pairs)  # fmt: skip
    train(model, loader, asked.epochs, device)
    if asked.out:
        torch.save(model.state_dict(), asked.out)
    if asked.test_images and asked.test_annotations:
        evaluate(model, coco(asked.test_images, asked.test_annotations, flip=0.0), device)


if __name__ == "__main__":
    main()
