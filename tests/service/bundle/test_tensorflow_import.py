"""Each in a process of its own: what reaches its standard error."""

import subprocess
import sys
from pathlib import Path

from service_process import REPOSITORY

BEGIN = """
import os, sys
from pathlib import Path
Path(sys.argv[1], "tensorflow.py").write_text('''
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\\\n")
os.write(2, b"I0000 00:00:1795645838.208061   14598 port.cc:153] oneDNN custom operations are on.\\\\n")
os.write(2, b"E0000 00:00:1795645838.208061   14598 x.cc:1] an error\\\\n")
__END__
''')
sys.path.insert(0, sys.argv[1])
from service.bundle.tensorflow_import import import_tensorflow
"""


def run(code: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, str(directory)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def test_what_the_libraries_greet_with_is_not_written_and_what_follows_is(tmp_path: Path) -> None:
    code = (
        "from service.bundle.tensorflow_import import import_tensorflow\n"
        "import os, sys; tensorflow = import_tensorflow(); print(tensorflow.__version__)\n"
        "os.write(2, b'I0000 of this process\\n'); print('and this', file=sys.stderr)"
    )
    ended = run(code, tmp_path)
    assert ended.stdout.startswith("2.")
    assert ended.stderr == "I0000 of this process\nand this\n"


def test_an_error_is_written_and_the_exception_raised(tmp_path: Path) -> None:
    ended = run(
        BEGIN.replace("__END__", "raise ImportError('no such library')") + "import_tensorflow()", tmp_path
    )
    assert ended.stderr.startswith("E0000 00:00:1795645838.208061   14598 x.cc:1] an error\nTraceback")
    assert ended.stderr.endswith("ImportError: no such library\n")


def test_what_is_written_before_an_abort_is_written(tmp_path: Path) -> None:
    """As of a CPU that lacks an instruction."""
    abort = "os.write(2, b'F0000 compiled to use AVX instructions'); os.abort()"
    ended = run(BEGIN.replace("__END__", abort) + "import_tensorflow()", tmp_path)
    assert ended.returncode < 0
    assert ended.stderr.splitlines()[-1] == "F0000 compiled to use AVX instructions"
