"""Writes expected.json from what ansible-core says of the inventories in this folder.

Run it after changing a case, in a virtual environment with ansible-core:  python3 expect.py
The tests of the crate read expected.json and do not need Ansible.
"""

import json
import pathlib
import subprocess
import sys

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

HERE = pathlib.Path(__file__).parent


def expected(case):
    sources = [str(HERE / source) for source in case["sources"]]
    command = [str(pathlib.Path(sys.executable).parent / "ansible-inventory"), "--list"]
    for source in sources:
        command += ["-i", source]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    variables = listed["_meta"]["hostvars"]
    manager = InventoryManager(loader=DataLoader(), sources=sources)
    hosts = {}
    for name, host in manager.hosts.items():
        groups = sorted({group.name for group in host.get_groups()} - {"all", "ungrouped"})
        hosts[name] = {"groups": groups, "vars": variables.get(name, {})}
    patterns = {}
    for pattern in case["patterns"]:
        patterns[pattern] = sorted(host.name for host in manager.get_hosts(pattern))
    return {"hosts": hosts, "patterns": patterns}


cases = json.loads((HERE / "cases.json").read_text())
result = {name: expected(case) for name, case in cases.items()}
(HERE / "expected.json").write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
