"""What the pages of MLflow say in words: names of runs, descriptions of the experiment and of a sweep."""

from typing import Any

EXPERIMENT = """\
Codecs for images of text: how much an OCR network still reads (**accuracy**) at how many bits per pixel (**bpp**).

A run with the tag `kind` = `sweep` is a sweep. The runs below it are the sweep's points, one for each λ (weight of the
rate) and β (weight of the OCR loss), beside what they are compared with.

**Find points** with the search box above the table. Sort by `bpp`, and they stand in one list, not below their sweeps:

| search | shows |
|---|---|
| `tags.on_front = 'true'` | the front: what no other point of a sweep beats |
| `tags.kind = 'tfic'` | codecs trained with OCR (`base`: without, `classical`: JPEG, WebP and the like) |
| `tags.on_front = 'true' and metrics.bpp < 0.1` | the front at low rates |
| `tags.status = 'failed'` | what failed; the tag `reason` says why |

**Columns** that tell most: metrics `bpp`, `accuracy`, `psnr_db`; params `lambda`, `beta`. Mark the runs of a front and
press *Compare*: the parallel coordinates of `lambda`, `beta`, `bpp` and `accuracy` show how the weights decide.
"""
SWEEP = """\
A sweep over λ and β. **Artifacts** hold the whole result: `report.html` to read, `front.png`, `reconstructions.png`,
and `points.parquet` with a row for each point.

**Metrics** of this run: `hypervolume` (grows as the front does), beside `hypervolume_base` of codecs that never saw OCR
and `hypervolume_classical` of formats that need no training; `stage 1/*` and `stage 2/*` are the loss of training that
all points share.

**Child runs** are the points. Search `tags.on_front = 'true'` for the front.

| of a point | where |
|---|---|
| bits per pixel of the whole file, accuracy, 0 to 1, on test images | metrics `bpp`, `accuracy` |
| the figures of validation images, which the search sees | metrics `val/*` |
| the loss, by training step | metrics `train/*` |
| what was read in each test image, and its bytes | artifact `readings.json`, a table |
| test images above the reconstructions, of the front | artifacts in `images`, and the end of the chart view |
"""


def name(identity: dict[str, Any]) -> str:
    """The name of a point's run."""
    match identity["kind"]:
        case "tfic":
            return f"tfic λ={identity['lambda']:.2g} β={identity['beta']:.2g}"
        case "base":
            return f"base λ={identity['lambda']:.2g}"
        case _:
            return identity["point_id"]
