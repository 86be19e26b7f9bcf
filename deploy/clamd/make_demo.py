"""Writes the demo signatures, dated today: python deploy/clamd/make_demo.py FOLDER.

FOLDER must exist. They know EICAR and two markers and no malware; production refuses them.
"""

import sys
from pathlib import Path

from amana.clock import SystemClock, today
from worker.demo_signatures import write_demo

if __name__ == "__main__":
    write_demo(Path(sys.argv[1]), today(SystemClock()))
