"""The product's gunicorn.conf.py for desks that tests start: as it is, and templates are not compiled anew for each."""

import importlib.util

from tests.compiled_once import share_templates
from tools.steps import ROOT

_spec = importlib.util.spec_from_file_location("gunicorn_conf", ROOT / "gunicorn.conf.py")
assert _spec is not None
assert _spec.loader is not None
_product = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_product)
globals().update({name: told for name, told in vars(_product).items() if not name.startswith("_")})
share_templates()  # in the master: workers are forks of it
