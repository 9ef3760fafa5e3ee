"""The edge: where the job is, which signals stop it, and which exit code says what.

0 done · 42 the job has to change, never retry · 75 try again later · 137 out of memory · 143 cancelled · 1 a fault of the trainer.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

# Before numpy is loaded: more threads would sum in another order and change the model's bytes.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"

from .params import UserError
from .report import EventLog, exit_on_cancel, write_failure

DONE, FAULT, USER_ERROR, TRANSIENT, OUT_OF_MEMORY, CANCELLED = 0, 1, 42, 75, 137, 143
DEFAULT_JOB_FOLDER = "/opt/ml"


def main() -> int:
    job = Path(os.environ.get("MILLRACE_JOB_DIR", DEFAULT_JOB_FOLDER))
    if not job.is_dir():
        print(f"the job folder {job} does not exist; set MILLRACE_JOB_DIR", file=sys.stderr)
        return USER_ERROR
    exit_on_cancel(job, CANCELLED)
    with EventLog(job) as events:
        try:
            from .job import run_job  # loads numpy, LightGBM and scikit-learn: a second in which SIGTERM must work already

            run_job(job, events)
            return DONE
        except UserError as error:
            return _failed(job, events, USER_ERROR, str(error))
        except MemoryError:
            return _failed(job, events, OUT_OF_MEMORY, "the trainer ran out of memory")
        except OSError as error:
            return _failed(job, events, TRANSIENT, f"the job folder cannot be read or written: {error}")
        except Exception as error:  # the last frame: whatever is left is reported and ends the process
            events.log(traceback.format_exc(), level="error")
            return _failed(job, events, FAULT, f"a fault of the trainer ({type(error).__name__}): {error}")


def _failed(job: Path, events: EventLog, code: int, reason: str) -> int:
    events.log(reason, level="error")
    print(reason, file=sys.stderr)
    try:
        write_failure(job, reason)
    except OSError as error:  # a full disk must not hide the exit code
        print(f"the failure file cannot be written: {error}", file=sys.stderr)
    return code


sys.exit(main())
