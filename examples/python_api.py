"""The Python API, cell by cell: layers, pre-images, witnesses, the float gap, certificates, a report.

Run it as a script (`python examples/python_api.py [FOLDER]`; files go to ./python-api) or in an editor that knows `# %%` cells.
"""

# %% [markdown]
# # The network that the package ships
# It reads 8 x 8 digits through layers of 96, 64 and 10. Which other images give exactly what an image of a digit gives? Every verdict below
# is exact.

# %%
import sys
from fractions import Fraction
from pathlib import Path

from exactrelu import Cardinality, RationalVector, check, demo, load, parse_domain, preimage, read_points, report, sample_preimage
from exactrelu.batch import Asked, Question, records
from exactrelu.float_gap import float_gap
from exactrelu.result_folder import ResultFolder
from exactrelu.results import Envelope, assumptions, describe_data, layer_records

FOLDER = Path(sys.argv[1] if __name__ == "__main__" and len(sys.argv) > 1 else "python-api")

# %% [markdown]
# ## A network and its layers
# `load` reads .onnx, .safetensors and .nnet files, and torch.nn modules. A layer is an affine operator with the activation that follows it.

# %%
network = load(demo.MODEL)
print(f"{network.inputs} inputs of shape {network.input_shape}, {network.outputs} outputs, SHA-256 {network.sources[0].sha256[:16]}..")
for layer in network.source_layers:
    print(f"  layer {layer.number} {layer.name}: {layer.inputs} -> {layer.outputs}, {layer.rectified} outputs pass a relu")

# %% [markdown]
# ## Points are rational
# A pixel k of 16 grey levels is k/16, not a float near it. The network evaluates it without rounding.

# %%
points = read_points(demo.IMAGES, shape=network.input_shape, inputs=network.inputs, scale=Fraction(1, 16), rows="0:5")
image = points.rows[0]
output = network(image)
best = max(range(network.outputs), key=output.numerators.__getitem__)
print(f"the image of row 0 is read as a {best}; that output is exactly {output.fractions()[best]}")

# %% [markdown]
# ## Pre-images on R^n and on a box
# How many inputs of layer 1 give the output that the image gave: one, or infinitely many, in a bounded set or not?

# %%
box = parse_domain("box:0,1", network.inputs)
for name, domain in (("all of R^64", None), ("pixels in [0, 1]", box)):
    for row, found in zip(points.indices, preimage(network, input=points.rows, layer=1, domain=domain), strict=True):
        facts = f"{found.active} positive outputs of rank {found.rank}, dimension {found.dimension}"
        print(f"  row {row}, {name}: {found.cardinality.sentence}; {facts}")

# %% [markdown]
# ## A witness
# An infinite pre-image comes with a second point, or with a ray: going along it never changes the output.

# %%
first = network.layer(1)
verdicts = preimage(network, input=points.rows, layer=1)
bounded = next(k for k, found in enumerate(verdicts) if found.cardinality is Cardinality.BOUNDED)
witness = verdicts[bounded].witness
assert witness is not None
assert witness.second is not None
assert first(witness.point) == first(witness.second)
other = network(witness.second)
differing = sum(a != b for a, b in zip(witness.point.fractions(), witness.second.fractions(), strict=True))
print(
    f"row {points.indices[bounded]}: a second input, other in {differing} of {network.inputs} coordinates, has the same outputs of layer 1,"
)
print(f"  so the whole network gives the same: {network(witness.point) == network(witness.second)}")
print(f"  its first coordinate is {witness.second.texts()[0][:60]}..")

unbounded = next(k for k, found in enumerate(verdicts) if found.cardinality is Cardinality.UNBOUNDED)
witness = verdicts[unbounded].witness
assert witness is not None
assert witness.ray is not None
x, ray = witness.point.fractions(), witness.ray.fractions()
far = RationalVector.from_fractions([a + 10**9 * b for a, b in zip(x, ray, strict=True)])
same = first(far) == first(witness.point)
print(f"row {points.indices[unbounded]}: a thousand million steps along a ray the outputs are the same: {same}")

# %% [markdown]
# More points of the same pre-image, drawn by an exact walk.

# %%
drawn = sample_preimage(first.stages[0], points.rows[bounded], 3, seed=1)
print(f"three more inputs with exactly that output: {[first(point) == first(points.rows[bounded]) for point in drawn]}")

# %% [markdown]
# ## What a deployed float32 program may make of it
# Verdicts speak of the real-number function. The gap to float32 is bounded, whatever the order of summation.

# %%
gap = float_gap(network, image, model=demo.MODEL)
assert gap.bound is not None
seen = f"{float(max(gap.observed)):.1e}" if gap.observed else f"not observed ({gap.not_observed})"
print(f"float32 is proved to be within {float(max(gap.bound)):.1e} of the exact outputs; onnxruntime: {seen}")
print(f"  the same class for every such program is proved: {gap.class_is_proved}")

# %% [markdown]
# ## Certificates, checked by another program
# What `exactrelu preimage --out FOLDER` does: a certificate for each verdict, and the results as JSON.

# %%
data = describe_data(demo.IMAGES, points, "input", network.input_shape)
folder = ResultFolder(FOLDER, network, demo.MODEL.stem, data)
for words in ("all", "box:0,1"):
    envelope = Envelope("preimage", domain=words)
    asked = Asked(first, parse_domain(words, first.inputs), named=folder.named(first))
    answers = list(records(Question(network, (asked,), "input"), points, folder=folder))
    about = {"layers": layer_records(network, [first]), "data": data}
    folder.results(envelope.around(demo.MODEL, network, assumptions(certified=True), **about, results=answers), f"results-{words[:3]}.json")

# %% [markdown]
# A certificate is a text file; its claim comes first. The checker needs Python's standard library alone.

# %%
checked = check([FOLDER])
for result in checked.results[:3]:
    print(f"  {'valid  ' if result.valid else 'INVALID'} {Path(result.file).name}: {result.claim}")
print(f"{sum(result.valid for result in checked.results)} of {len(checked.results)} certificates are valid")
certificate = Path(checked.results[0].file)
print("\n".join(line[:100] for line in certificate.read_text(encoding="ascii").splitlines()[:8]))

# %% [markdown]
# ## A report to hand on
# One page without scripts: verdicts, an image beside another with the same output, what is proved and what assumed.

# %%
page, _ = report(FOLDER)
print(f"report: {page}, {page.stat().st_size // 1000} KB; {len(checked.results)} certificates beside it: exactrelu check {FOLDER}")
