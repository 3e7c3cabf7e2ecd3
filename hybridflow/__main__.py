"""`python -m hybridflow` is the command `hybridflow`."""

from __future__ import annotations

import sys

from hybridflow._src.cli.main import main

sys.exit(main())
