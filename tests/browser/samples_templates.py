"""The page of one's own templates: some, and none."""

from types import SimpleNamespace as Row

from tests.browser.samples_desk import HOSTILE, Context

OWN_TEMPLATES: Context = {
    "templates": [
        Row(
            id=1,
            name="Condor before the RBI",
            key="own:1",
            summary="NIFTY next week MIS: buy OTM 8 CE, buy OTM 8 PE, sell OTM 4 CE, sell OTM 4 PE",
            rules=("Entered from 09:20 until 14:00 only.",),
        ),
        Row(id=2, name=HOSTILE, key="own:2", summary="NIFTY current week MIS: sell ATM CE, sell ATM PE", rules=()),
    ]
}
OWN_TEMPLATES_NONE: Context = {"templates": []}
