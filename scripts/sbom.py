"""Write the components of an installation as CycloneDX: `make sbom`.

The same source tree gives the same bytes, because the document has no time and no serial
number. It contains no address of a registry and no path. A package is identified by its
package URL and hashes.
"""

import json
import re
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from pins import Pin, parse_pins

ROOT: Final = Path(__file__).parents[1]
REQUIREMENTS: Final = ROOT / "requirements"
PAGES: Final = ROOT / "app" / "api" / "pages"
WRITTEN: Final = ROOT / "build" / "sbom.cdx.json"
BUNDLE_VERSION: Final = re.compile(rb'PACKAGE_VERSION:"([0-9.]+)"')
MARKER: Final = "safe-conduct:environment-marker"
"""The property that holds the environment marker of a component (PEP 508)."""


def main(path: Path = WRITTEN) -> None:
    """Write the document and print its path."""
    document = describe_installation()
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
    print(f"{len(document['components'])} components: {path}")


def describe_installation() -> dict[str, Any]:
    """Return the CycloneDX document of this source tree, for all platforms."""
    product = describe_product()
    pins = parse_pins((REQUIREMENTS / "run.txt").read_text("utf-8"))
    packages = {pin.name: describe_package(pin) for pin in pins}
    requirers = {product.name: product, **packages}
    built_with = [
        describe_package(pin, ComponentScope.EXCLUDED)
        for pin in parse_pins((REQUIREMENTS / "build.txt").read_text("utf-8"))
    ]
    page = describe_page()
    bom = Bom(components=[*packages.values(), *built_with, page])
    bom.metadata.component = product
    bom.register_dependency(product, [page])
    for pin in pins:
        for name in pin.required_by:
            bom.register_dependency(requirers[name], [packages[pin.name]])
    written = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
    document: dict[str, Any] = json.loads(written)
    del document["serialNumber"], document["metadata"]["timestamp"]
    return document


def describe_product() -> Component:
    """Return the component that contains all other components."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        description=project["description"],
        licenses=[DisjunctiveLicense(id=project["license"])],
    )


def describe_package(
    pin: Pin, scope: ComponentScope = ComponentScope.REQUIRED
) -> Component:
    """Return a package with the hash of each file that may be installed."""
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    markers = [Property(name=MARKER, value=pin.marker)] if pin.marker else []
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=scope,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in pin.hashes],
        properties=markers,
    )


def describe_page() -> Component:
    """Return the component for the script that renders `/docs`, which is in this tree."""
    bundle = (PAGES / "swagger-ui-bundle.js").read_bytes()
    [version] = BUNDLE_VERSION.findall(bundle)
    purl = PackageURL("npm", name="swagger-ui-dist", version=version.decode())
    content = sha256(bundle).hexdigest()
    return Component(
        name=purl.name,
        version=purl.version,
        type=ComponentType.LIBRARY,
        bom_ref=purl.to_string(),
        purl=purl,
        scope=ComponentScope.OPTIONAL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content)],
    )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
