"""A measurement while it runs, as a person sees it: JupyterLab in Chromium."""

import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

LIVE = ".bk-live"

#: The app behind the numbers.
APP = "document.querySelector('.bk-live').parentElement.__beamkit"

#: Columns of the plot's pixels in which there is colour of a point.
DRAWN = """() => {
  const plot = document.querySelector('.bk-live').parentElement.__beamkit.plot;
  const {canvas} = plot, {left, right, top, bottom} = plot.frame(), {width, height} = canvas;
  const ratio = width / canvas.clientWidth;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  let columns = 0;
  for (let x = Math.ceil((left + 2) * ratio); x < (right - 2) * ratio; x++) {
    for (let y = Math.ceil((top + 2) * ratio); y < (bottom - 2) * ratio; y++) {
      const at = 4 * (y * width + x);
      if (data[at + 2] - data[at] > 60) { columns++; break; }
    }
  }
  return columns / ((right - left - 4) * ratio);
}"""

FRAMES = 500

MEMORY = "__import__('re').search(r'RssAnon:\\s+(\\d+)', open('/proc/self/status').read()).group(1)"


def megabytes(notebook):
    return int(notebook.value(MEMORY).strip("'")) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_all_500_frames_are_plotted_and_memory_is_flat(open_cells, tmp_path):
    folder = tmp_path / "run"
    notebook = open_cells(
        "live",
        "import beamkit as bk",
        f"live = bk.live({str(folder)!r}, frames={FRAMES}, patience=120, gap_patience=60)\nlive",
    )
    command = [
        *(sys.executable, "-c", "from beamkit.cli import main; main()", "samples", "stream"),
        *(str(folder), "--rate", "25", "--frames", str(FRAMES), "--detector", "PILATUS 100K"),
    ]
    simulator = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 240
        early = None
        while (done := int(notebook.value("live.analysed"))) < FRAMES:
            assert time.monotonic() < end, f"{done} frames are analysed"
            if early is None and done >= 100:
                early = megabytes(notebook)
            time.sleep(0.5)
        growth = megabytes(notebook) - early
        assert simulator.wait(60) == 0
    finally:
        if simulator.poll() is None:
            simulator.kill()
    notebook.expect("live.state", "'finished'", 60)
    assert notebook.value("(live.seen, live.analysed, len(live.watch.problems))") == "(500, 500, 0)"
    assert notebook.value("len(live.statistics)") == "500"
    notebook.page.wait_for_function(f"() => {APP}.plot.curves[0]?.x.length === 500", timeout=60_000)
    told = notebook.page.locator(".bk-live-counts").inner_text()
    assert "500 seen" in told
    assert "500 analysed" in told
    assert notebook.value("live.shown") == "499"
    assert notebook.page.evaluate(DRAWN) > 0.9  # points from the left edge to the right
    assert growth < 50

    plot = notebook.page.locator(f"{LIVE} .bk-plot")
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    notebook.expect("live.shown == live.frame and 150 < live.shown < 350", "True", 60)
    number = notebook.value("live.shown")
    title = notebook.page.locator(".bk-viewer .bk-title").first
    title.filter(has_text=f"frame {number}: run_{int(number) + 1:05d}.cbf").wait_for()
    same = f"bool((live.viewer.image == live.data['frames'][{number}]).all())"
    assert notebook.value(same) == "True"
    notebook.page.locator(f"{LIVE} button:text-is('Newest')").click()
    notebook.expect("live.shown", "499", 60)
    assert notebook.page_errors == []
