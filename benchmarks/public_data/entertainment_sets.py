"""Public data sets of music, jokes, anime, games and apps."""

from __future__ import annotations

from benchmarks.public_data.made_files import write_jester_jokes, write_jester_ratings
from benchmarks.public_data.public_set import MadeFile, PublicSet, Repository, SourceFile

ENTERTAINMENT_SETS = (
    PublicSet(
        name="jester-5k",
        kind="jokes, -10 to 10 continuous",
        terms="free for research with citation (Goldberg et al. 2001); package GPL-2",
        rows=363_209,
        users=5_000,
        items=100,
        times="",
        notes="dense: 73 of 100 jokes a user; negative ratings; made from recommenderlab's R file",
        repositories=(
            Repository(
                "mhahsler/recommenderlab",
                "c737fca94bc58652e750b03a3737ac7d9952f71b",
                (SourceFile("data/Jester5k.rda", name="parts/Jester5k.rda"),),
            ),
        ),
        data="jester-5k",
        made=(MadeFile("ratings.csv", write_jester_ratings), MadeFile("jokes.csv", write_jester_jokes)),
    ),
    PublicSet(
        name="anime-ratings",
        kind="anime, stars 1 to 10",
        terms="CC0 (Kaggle, CooperUnion)",
        rows=419_943,
        users=4_714,
        items=7_157,
        times="",
        notes="tab-separated, rating column named Feedback; genres by comma; items with a mean rating column",
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/anime_ratings.dat"),
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/anime_info.dat"),
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/README"),
                ),
            ),
        ),
        data="anime-ratings",
        options="--columns user=User_ID,item=Anime_ID,rating=Feedback",
    ),
    PublicSet(
        name="lastfm-2k",
        kind="artists, number of plays",
        terms="GroupLens HetRec 2011: research use with citation, no redistribution for profit",
        rows=92_834,
        users=1_892,
        items=17_632,
        times="",
        notes=(
            "tab-separated; weights from 1 to 352,698 plays; every user has up to 50 artists, so their "
            "number says nothing"
        ),
        repositories=(
            Repository(
                "RecoHut-Datasets/lastfm",
                "1096c64847c9b38388461da9f5344adef931bb94",
                (SourceFile("user_artists.dat"), SourceFile("artists.dat"), SourceFile("readme.md")),
            ),
        ),
        data="lastfm-2k",
        options="--columns user=userID,item=artistID,rating=weight --rating-transform log",
    ),
    PublicSet(
        name="anime-history",
        kind="anime finished or being watched",
        terms="CC0 (Kaggle, CooperUnion)",
        rows=520_609,
        users=5_000,
        items=7_390,
        times="",
        notes="tab-separated; column Feedback is 1 in all rows",
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/anime_history.dat"),
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/anime_info.dat"),
                    SourceFile("Processed Datasets/Anime/anime.zip", member="anime/README"),
                ),
            ),
        ),
        data="anime-history",
        options="--columns user=User_ID,item=Anime_ID",
    ),
    PublicSet(
        name="steam-hours",
        kind="games, hours played",
        terms="public Steam data (Kaggle, tamber: no licence named)",
        rows=70_489,
        users=11_350,
        items=3_600,
        times="",
        notes="tab-separated; hours 0.1 to 11,754; 58 % of the users played one game",
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/game_play.dat"),
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/item_info.dat"),
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/README"),
                ),
            ),
        ),
        data="steam-hours",
        options="--columns user=User_ID,item=Game_ID,rating=Hours --rating-transform log",
    ),
    PublicSet(
        name="steam-purchases",
        kind="games bought",
        terms="public Steam data (Kaggle, tamber: no licence named)",
        rows=129_511,
        users=12_393,
        items=5_155,
        times="",
        notes="tab-separated; column Purchase is 1.0 in all rows; 707 duplicates",
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/game_purchase.dat"),
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/item_info.dat"),
                    SourceFile("Processed Datasets/Steam/steam.zip", member="steam/README"),
                ),
            ),
        ),
        data="steam-purchases",
        options="--columns user=User_ID,item=Game_ID",
    ),
    PublicSet(
        name="frappe",
        kind="apps, number of uses by context",
        terms="research use with citation, no redistribution (Baltrunas et al. 2015)",
        rows=96_203,
        users=957,
        items=4_082,
        times="",
        notes=(
            "tab-separated; 96,203 rows of 18,842 pairs, one for each context; 1 to 28,752 uses; apps with "
            "category, developer, a mean rating"
        ),
        repositories=(
            Repository(
                "irecsys/CARSKit",
                "0a1789fb0804b067cabd223c4b8fd8b4d2f6e881",
                (
                    SourceFile(
                        "context-aware_data_sets/Mobile_Frappe.zip", member="Mobile_Frappe/frappe/frappe.csv"
                    ),
                    SourceFile(
                        "context-aware_data_sets/Mobile_Frappe.zip", member="Mobile_Frappe/frappe/meta.csv"
                    ),
                    SourceFile(
                        "context-aware_data_sets/Mobile_Frappe.zip", member="Mobile_Frappe/README.txt"
                    ),
                ),
            ),
        ),
        data="frappe",
        options=(
            "--columns user=user,item=item,rating=cnt --rating-transform log --item-features "
            "category,developer"
        ),
    ),
)
