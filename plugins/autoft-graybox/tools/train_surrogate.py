"""Learn the surrogate that this package ships, from a table of past runs; seconds on one core.

    python plugins/autoft-graybox/tools/train_surrogate.py --curves quicktune_extended.jsonl.gz

The table: Quick-Tune "extended" (Arango et al., ICLR 2024; BSD-3; github.com/rapanti/quicktune), rows of
linear_probing left out. Writes the file and, beside it, its sha256.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    for switch in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(switch, "1")  # small matrices: threads would only wait for one another
    # Numpy reads these switches when it is loaded.
    from autoft_graybox.surrogate import SHIPPED, save
    from autoft_graybox.table import read
    from autoft_graybox.training import NETWORKS, SEARCHES, learn

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--curves", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--searches", type=int, default=SEARCHES, help="made-up searches per data set")
    parser.add_argument("--networks", type=int, default=NETWORKS)
    asked = parser.parse_args(arguments)

    tables = read(asked.curves)
    surrogate = learn(tables, asked.seed, asked.searches, asked.networks)
    notes = {
        "source": asked.curves.name,
        "source_sha256": hashlib.sha256(asked.curves.read_bytes()).hexdigest(),
        "seed": str(asked.seed),
        "searches": str(asked.searches),
    }
    digest = save(surrogate, asked.out, notes)
    asked.out.with_suffix(".sha256").write_text(digest + "\n")
    print(f"{asked.out}  {asked.out.stat().st_size} bytes  sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
