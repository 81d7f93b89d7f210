"""The package's addresses, and its README as others show it, outside the repository.

The addresses are known only where the package is published, so they come from the
environment, as those of the site do: BOOK_REPOSITORY and BOOK_URL. Without them no
address is named, and what the README links to in the repository is named only.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

# An image has an exclamation mark before its link.
LINK = re.compile(r"(!?)\[([^]]*)\]\((?!\w+:)([^)]*)\)")


def readme(text, repository, version):
    """Return the README with absolute links, or without those that have no address."""

    def absolute(match):
        image, words, path = match.groups()
        if not repository:
            return "" if image else words
        kind = "raw" if image else "blob"
        return f"{image}[{words}]({repository}/{kind}/v{version}/{path})"

    return re.sub(r"\n{3,}", "\n\n", LINK.sub(absolute, text))


def urls(repository, site):
    """Return the package's addresses, as far as they are known."""
    found = {"Documentation": site} if site else {}
    if repository:
        found["Source"] = repository
        found["Issues"] = f"{repository}/issues"
        found["Changelog"] = f"{repository}/blob/main/CHANGELOG.md"
    return found


class Metadata(MetadataHookInterface):
    """What is known only when the package is built."""

    def update(self, metadata):
        """Add the README and the addresses."""
        repository = os.environ.get("BOOK_REPOSITORY", "").rstrip("/")
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = readme(text, repository, metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = urls(repository, os.environ.get("BOOK_URL"))
