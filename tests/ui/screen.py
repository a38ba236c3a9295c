"""A viewer on the screen: what its canvas shows, and a person's hands."""

#: The nth viewer's app, in JavaScript: it hangs on the element that holds the viewer.
_FIND = """number => {
  let node = document.querySelectorAll('.bk-viewer')[number];
  while (node && !node.__beamkit) node = node.parentElement;
  return node?.__beamkit ?? null;
}"""

#: What every expression of :meth:`Screen.ask` may use: colours at a position of the image
#: ([red, green, blue]) or at a point of the pane, and what the canvas is like as a whole.
_TOOLS = """
const pane = app.pane, ratio = window.devicePixelRatio || 1;
const shown = (x, y) => [...pane.context.getImageData(Math.floor(x * ratio), Math.floor(y * ratio), 1, 1).data].slice(0, 3);
const at = (x, y) => shown(...pane.toScreen(x, y));
const drawn = (canvas = pane.pixels) => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0, squares = 0, hash = 0, ink = 0;
  for (let i = 0; i < data.length; i += 4) {
    const v = data[i] + data[i + 1] + data[i + 2];
    sum += v / 3; squares += v * v / 9; hash = (hash * 31 + v) | 0; ink += data[i + 3] > 0;
  }
  const number = data.length / 4, mean = sum / number;
  return {width: canvas.width, height: canvas.height, mean, spread: Math.sqrt(Math.max(squares / number - mean * mean, 0)), hash, ink};
};
"""


class Screen:
    """One of the viewers of a notebook that is open in the browser.

    Expressions are JavaScript; they know ``app`` (the viewer), ``pane``, ``at(x, y)`` (the colour
    at a position of the image), ``drawn()`` (size, mean, spread, hash of the canvas), and ``it``.
    """

    def __init__(self, notebook, number=0, page=None):
        self.notebook, self.number, self.page = notebook, number, page or notebook.page
        self.page.wait_for_function(
            f"number => Boolean(({_FIND})(number)?.shown)", arg=number, timeout=30_000
        )
        self.box = self.page.locator(".bk-viewer").nth(number)
        self.pane = self.box.locator(".bk-pane")
        self.pane.scroll_into_view_if_needed()
        self.settle()

    def ask(self, expression, it=None):
        """Return the value of an expression."""
        return self.page.evaluate(
            f"async ([number, it]) => {{ const app = ({_FIND})(number); {_TOOLS} "
            f"return {expression}; }}",
            [self.number, it],
        )

    def wait(self, condition, it=None, seconds=45):
        """Wait until an expression is true."""
        self.page.wait_for_function(
            f"([number, it]) => {{ const app = ({_FIND})(number); if (!app) return false; "
            f"{_TOOLS} return {condition}; }}",
            arg=[self.number, it],
            timeout=seconds * 1000,
        )

    def settle(self, milliseconds=400):
        """Wait until the canvas has stayed the same for a while."""
        last, quiet = None, 0
        while quiet < milliseconds:
            now = self.ask("[drawn().hash, app.shown?.version, pane.view.scaleX]")
            quiet = quiet + 100 if now == last else 0
            last = now
            self.page.wait_for_timeout(100)

    def shows(self, frame, seconds=45):
        """Wait until the picture of a frame is drawn."""
        self.wait("app.shown.frame === it && app.frame === it", frame, seconds)

    def colour(self, x, y):
        """Return red, green and blue at a position of the image."""
        return tuple(self.ask("at(...it)", [x, y]))

    # ---- hands

    def point(self, x, y):
        """Return where a position of the image is in the window."""
        box = self.pane.bounding_box()
        a, b = self.ask("pane.toScreen(...it)", [x, y])
        edge = self.ask("pane.element.clientLeft")
        return box["x"] + edge + a, box["y"] + edge + b

    def hover(self, x, y):
        """Move the mouse to a position of the image."""
        self.page.mouse.move(*self.point(x, y))

    def wheel(self, x, y, turns, step=-120):
        """Turn the wheel over a position of the image; upwards."""
        self.hover(x, y)
        for _ in range(turns):
            self.page.mouse.wheel(0, step)
            self.page.wait_for_timeout(30)

    def drag(self, start, end, steps=6):
        """Drag the mouse from a point of the window to another."""
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=steps)
        mouse.up()

    def press(self, *keys):
        """Press keys while the image has the focus."""
        self.pane.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def cell(self, name):
        """Return the text of a cell of the cursor table."""
        return self.box.locator(f".bk-cursor [data-name={name}]").inner_text()

    def button(self, title):
        """Return a button by the beginning of its title."""
        return self.box.locator(f'button[title^="{title}"]')
