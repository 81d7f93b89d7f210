"""Write the module into the site: `python -m tools.wasm`."""

from tools.wasm import build, script

script.write(*build.build())
