"""Write the module into the site: `python -m tools.wasm`."""

from tools.wasm import build, script

module, _ = build.build()
script.write(module)
