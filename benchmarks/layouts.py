"""What a GPU needs before it trains: planning of convolutions by layout in memory and precision.

    python -m benchmarks.layouts mobilenetv2_100 resnet50 --size 160 --batch 32

For each network of timm (no weights are needed), each layout and each precision, in a process of its own: seconds of
the first training step, of the first step with a batch that is smaller by one, and the median of 20 further ones.
cuDNN plans each convolution for each size (docs/adr/0039-one-size-on-a-gpu.md). Needs an NVIDIA GPU; prints JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from typing import Any

LAYOUTS = {"channels_last": "channels_last", "channels_first": "contiguous_format"}
PRECISIONS = ("bf16", "fp32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="+", help="names of timm")
    parser.add_argument("--size", type=int, default=160, help="side in pixels (default: 160)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--one", nargs=2, metavar=("LAYOUT", "PRECISION"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    import torch

    if not torch.cuda.is_available():
        sys.exit("benchmarks.layouts measures NVIDIA GPUs, but torch sees none here.")
    if options.one:
        print(json.dumps(measure(options.networks[0], *options.one, options.size, options.batch)))
        return
    rows = [
        alone(network, layout, precision, options)
        for network in options.networks
        for layout in LAYOUTS
        for precision in PRECISIONS
    ]
    machine = {"gpu": torch.cuda.get_device_name(), "torch": torch.__version__, "cudnn": torch.backends.cudnn.version()}
    print(json.dumps({"benchmark": "layouts", "machine": machine, "rows": rows}, indent=2))


def alone(network: str, layout: str, precision: str, options: argparse.Namespace) -> dict[str, Any]:
    """Plans are kept as long as a process lives."""
    words = [network, "--one", layout, precision, "--size", str(options.size), "--batch", str(options.batch)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.layouts", *words], stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    return {"network": network, "layout": layout, "precision": precision, **found}


def measure(network: str, layout: str, precision: str, size: int, batch: int) -> dict[str, float]:
    import timm
    import torch

    form = getattr(torch, LAYOUTS[layout])
    net = timm.create_model(network).cuda().to(memory_format=form)
    optimizer = torch.optim.AdamW(net.parameters())

    def step(samples: int) -> float:
        images = torch.randn(samples, 3, size, size, device="cuda").contiguous(memory_format=form)
        torch.cuda.synchronize()
        began = time.perf_counter()
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
            loss = net(images).float().square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        torch.cuda.synchronize()
        return time.perf_counter() - began

    first, other = step(batch), step(batch - 1)
    usual = statistics.median(step(batch) for _ in range(20))
    return {"first_s": round(first, 3), "other_size_s": round(other, 3), "step_s": round(usual, 4)}


if __name__ == "__main__":
    main()
