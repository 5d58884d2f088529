"""The one server of all tests of feeds."""

from publisher.web.quick import QuickApp


class Site(QuickApp):
    """What stands behind the one server of all tests: the pages of whichever newsroom is shown."""

    def __init__(self) -> None:
        self.url = ""

    def show(self, web_app: QuickApp) -> None:
        self.desk, self.behind = web_app.desk, web_app.behind
