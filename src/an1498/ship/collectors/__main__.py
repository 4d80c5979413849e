"""`python -m an1498.ship.collectors DIR` writes the collectors' configurations of the content in the working directory:

predicate.txt            for log(1): `log stream --predicate "$(cat predicate.txt)"`
an1498.mobileconfig      com.apple.system.logging: what must be kept on disk for the rules
splunk/inputs.conf       the logd input of the Universal Forwarder
elastic/unifiedlogs.yml  the input of Elastic Agent's integration unifiedlogs
elastic/filebeat.yml     the same for Filebeat
"""

from __future__ import annotations

import sys
from pathlib import Path

from an1498.content import load_pack
from an1498.ship.collectors.configs import config_files

if __name__ == "__main__":
    for path, content in config_files(load_pack(Path())).items():
        file = Path(sys.argv[1], path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
