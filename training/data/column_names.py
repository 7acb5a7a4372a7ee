"""What columns of other people's files are called, and which of a file's columns has which role."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.errors import DataError

RATING_ROLES = {
    "user": (
        "userid",
        "user uid usr customerid memberid reviewerid visitorid profileid accountid raterid readerid "
        "listenerid personid buyerid clientid shopperid viewerid subscriberid playerid steamid userhash "
        "useridentifier usersha1 useruuid",
        "customer reviewer visitor profile account rater reader listener person member client buyer viewer "
        "username nickname login userlogin useremail email msno",
        "profilename reviewername sessionid session deviceid",
    ),
    "item": (
        "itemid",
        "movieid filmid bookid isbn asin productid businessid animeid mangaid gameid appid songid trackid "
        "artistid jokeid articleid newsid recipeid courseid contentid videoid listingid hotelid restaurantid "
        "placeid venueid beerid wineid postid showid sku programid podcastid albumid offerid adid itemsku",
        "item movie film book product business anime manga game app song track artist joke article news "
        "recipe course content video listing hotel restaurant place venue beer wine post show program "
        "podcast album",
        "parentasin imdbid tmdbid tconst const goodreadsbookid isbn13 stockcode gmapid",
        "title name movietitle booktitle itemtitle producttitle gametitle animetitle productname itemname "
        "moviename filmname bookname gamename artistname trackname songname",
        "id",
    ),
    "rating": (
        "rating",
        "ratings stars star score overall bookrating userrating starrating movierating itemrating "
        "animescore userscore yourrating myrating reviewscore reviewrating ratingvalue ratingscore "
        "overallrating givenrating myscore usersrating",
        "rate grade mark vote evaluation preference note points feedback",
        "liked like recommended isrecommended recommend label value",
    ),
    "time": (
        "timestamp",
        "unixreviewtime unixtime unixtimestamp ratingtimestamp eventtime eventtimestamp reviewtimestamp "
        "epoch ts tstamp timestampms",
        "ratedat reviewtime reviewdate ratingdate daterated rateddate watchedat watcheddate watchdate "
        "datewatched viewedat playedat listenedat purchasedate orderdate invoicedate transactiondate "
        "eventdate interactiontime interactiondate visittime",
        "time datetime date",
        "createdat created submissiondate submitted reviewedat dateadded readat addedat",
        "updatedat dateupdated modifiedat added day",
    ),
    "event": (
        "event eventtype eventname action actiontype behavior behaviour behaviortype behaviourtype "
        "behaviorname interaction interactiontype activity activitytype feedbacktype",
        "type",
    ),
    "weight": (
        "weight",
        "playcount plays listencount listens numplays totalplays count counts cnt frequency quantity qty "
        "minutes watchtime watchminutes playtime playtimeforever hours hoursplayed timespent dwelltime views "
        "viewcount clicks clickcount scrobbles purchases purchase visits strength watchratio",
    ),
}
"""Names of the columns of ratings, by role: in lines from the surest to the last resort, as `folded`."""

_ITEM_LINES = RATING_ROLES["item"]

ITEM_ROLES = {
    # An id goes before a title here, and 'id' is the item's own.
    "item": (*_ITEM_LINES[:2], *_ITEM_LINES[3:4], "id", _ITEM_LINES[2], _ITEM_LINES[4]),
    "title": (
        "title",
        "movietitle booktitle itemtitle filmtitle animetitle gametitle producttitle songtitle tracktitle "
        "productname itemname moviename filmname bookname gamename animename artistname songname trackname "
        "businessname restaurantname beername winename hotelname appname showname recipename displayname "
        "primarytitle coursetitle coursename",
        "name originaltitle titleenglish englishtitle englishname",
        "description headline label",
    ),
    "year": (
        "year",
        "releaseyear yearofrelease yearreleased startyear movieyear releasedyear yearofpublication "
        "publicationyear originalpublicationyear publishyear publishedyear yearpublished pubyear",
        "releasedate publicationdate publishdate publisheddate datepublished published released airdate "
        "aired datereleased firstpublishdate premiered",
    ),
    "genres": (
        "genres",
        "genre moviegenres moviegenre bookgenres maingenre",
        "categories category categoryname productcategory maincategory subjects subject cuisines cuisine",
        "class",
        "tags styles style themes",
    ),
}
"""The same of the items' file."""

ROLES = tuple(dict.fromkeys((*RATING_ROLES, *ITEM_ROLES)))

_RECBOLE_TYPE = re.compile(r":(?:token|float)(?:_seq)?$")
# 'category_id' is no item, 'user_name' no title.
_TOO_GENERAL = {"id", "name", "title", "type", "label", "value", "day", "like", "count"}
_IDS = re.compile("ids$")
_WORD = re.compile(r"[^\W_]+")


def folded(name: str) -> str:
    """Return a name in lower case without punctuation, so that 'User-ID' and 'user_id' are 'userid'."""
    text = unicodedata.normalize("NFKC", _RECBOLE_TYPE.sub("", name.strip())).casefold()
    return _IDS.sub("id", "".join(_WORD.findall(text)))


@dataclass(frozen=True)
class Found:
    """The columns of one file.

    Attributes:
        of_role: The column of each role that was found.
        several: Columns of equal right by role, none of which is in `of_role`.
    """

    of_role: Mapping[str, str]
    several: Mapping[str, tuple[str, ...]]


def find_columns(
    names: Sequence[str], roles: Mapping[str, Sequence[str]], given: Mapping[str, str] | None = None
) -> Found:
    """Find the column of each role by its name; a column has one role.

    Args:
        names: The columns of a file.
        roles: Names by role, as `RATING_ROLES`.
        given: What was said with `--columns`, which goes before what names say.

    Raises:
        KeyError: A column that was given is not there; its argument is the column.
    """
    of_role: dict[str, str] = {}
    several: dict[str, tuple[str, ...]] = {}
    closed = set()
    for role, wanted in (given or {}).items():
        if role in roles:
            closed.add(role)
            if wanted:
                of_role[role] = named(names, wanted)
    for role, lines in roles.items():
        if role in closed:
            continue
        free = [name for name in names if name not in of_role.values()]
        matches = _first_match(free, lines)
        if len(matches) == 1:
            of_role[role] = matches[0]
        elif matches:
            several[role] = tuple(matches)
    return Found(of_role, several)


def named(names: Sequence[str], wanted: str) -> str:
    """Return the column of a name, spelt exactly or not, or of a number from 1.

    Raises:
        KeyError: There is none, or several.
    """
    if names.count(wanted) == 1:
        return wanted
    alike = [name for name in names if folded(name) == folded(wanted)]
    if len(alike) == 1:
        return alike[0]
    if not alike and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise KeyError(wanted)


def known(names: Iterable[str]) -> int:
    """Count the names that have a role."""
    return sum(1 for name in names if folded(name) in _EVERY)


def proposal(names: Sequence[str], missing: Sequence[str], samples: Mapping[str, Sequence[str]]) -> str:
    """Say what is there, with values, and how to name what is missing."""
    there = "; ".join(f"{name or '(no name)'} ({_examples(samples.get(name, ()))})" for name in names)
    how = ",".join(f"{role}=..." for role in missing)
    return f"got the columns {there}; name them with --columns {how}"


def require(found: Found, roles: Sequence[str], message: str) -> None:
    """Refuse columns that are ambiguous, or lack one of `roles`.

    Args:
        found: What `find_columns` returned.
        roles: The roles that are needed.
        message: What is there, and how to say which is which.

    Raises:
        DataError: In one line.
    """
    doubts = [f"{' or '.join(columns)} as {role}" for role, columns in found.several.items()]
    missing = [role for role in roles if role not in found.of_role and role not in found.several]
    if missing or doubts:
        expected = " and ".join(
            ([f"a column for {' and '.join(missing)}"] if missing else [])
            + ([f"one column each: {', '.join(doubts)}"] if doubts else [])
        )
        raise DataError(f"expected {expected}, {message}")


def _first_match(names: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the columns of the first line that has any; whole names before their ends ('review/score')."""
    for spellings in (lambda name: {folded(name)}, _ends):
        for line in lines:
            wanted = set(line.split())
            matches = [name for name in names if spellings(name) & wanted]
            if matches:
                return matches
    return []


def _ends(name: str) -> set[str]:
    """Return a compound name without its first words: 'score' of 'review/score'."""
    words = [folded(word) for word in re.split(r"[^0-9A-Za-z]+", _RECBOLE_TYPE.sub("", name)) if word]
    return {"".join(words[start:]) for start in range(1, len(words))} - _TOO_GENERAL


def _examples(values: Sequence[str]) -> str:
    shown = [value[:24] + ("…" if len(value) > 24 else "") for value in list(dict.fromkeys(values))[:2]]
    return ", ".join(repr(value) for value in shown) or "empty"


_EVERY = {
    name
    for lines in (*RATING_ROLES.values(), *ITEM_ROLES.values())
    for line in lines
    for name in line.split()
}
