from policies import FindAndReplace
from tests.policies.record import Record
from tests.policies.values import options, texts

RECORD = Record(
    FindAndReplace,
    examples=(FindAndReplace(from_="a", to="b"),),
    drawn=options(FindAndReplace, from_=texts.filter(bool), to=texts),
    renders={
        "find-and-replace removes a text": (
            FindAndReplace(from_="note book", to=""),
            '<find-and-replace from="note book" to="" />',
        ),
    },
    refuses=(
        (lambda: FindAndReplace(from_="", to="a"), "find-and-replace from_ '' is empty; give the text to look for"),
    ),
)
