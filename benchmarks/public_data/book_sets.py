"""Public data sets of books, all from the crawl of Book-Crossing in 2004."""

from __future__ import annotations

from benchmarks.public_data.public_set import PublicSet, Repository, SourceFile

BOOK_SETS = (
    PublicSet(
        name="bookcrossing-ratings",
        kind="books, stars 1 to 10",
        terms="research use with citation (Ziegler et al. 2005)",
        rows=62_656,
        users=1_295,
        items=14_684,
        times="",
        notes=(
            "tab-separated; ratings as 7.000000; 974 of the 17,385 rows of books have other numbers of tabs "
            "than the header; HTML entities"
        ),
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip",
                        member="book_crossing/book_ratings.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip",
                        member="book_crossing/items_info.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip", member="book_crossing/README"
                    ),
                ),
            ),
        ),
        data="bookcrossing-ratings",
        options="--item-features Book-Author,Publisher",
    ),
    PublicSet(
        name="bookcrossing-popular",
        kind="books, stars 1 to 10",
        terms="research use with citation (Ziegler et al. 2005)",
        rows=118_689,
        users=34_237,
        items=5_000,
        times="",
        notes="5,000 books; ISBN without their leading zeros; 60 % of the users rated one book; 3 duplicates",
        repositories=(
            Repository(
                "dortearibka/book-crossing",
                "e2f85d03dff8f6ba5421fb335418e72305db69ad",
                (SourceFile("dataset/Clean_Ratings.csv"), SourceFile("dataset/Clean_Books.csv")),
            ),
        ),
        data="bookcrossing-popular",
        options="--item-features Book-Author,Publisher",
    ),
    PublicSet(
        name="bookcrossing-dump",
        kind="books, stars 1 to 10, 0 = not rated",
        terms="research use with citation (Ziegler et al. 2005)",
        rows=9_000,
        users=727,
        items=8_520,
        times="",
        notes=(
            '6,908 of the 9,000 rows are 0; saved by Excel: lines end in CR alone, ids as """034545104X""", '
            "899,726 empty rows and 5 torn ones; one user has half of the rows"
        ),
        repositories=(
            Repository(
                "cyadusha/BX-CSV-Dump",
                "511b79655ff00b6337cd3b6c3980e055cd911187",
                (SourceFile("BX-Book-Ratings.csv"),),
            ),
        ),
        data="bookcrossing-dump/BX-Book-Ratings.csv",
        options="--not-rated 0 --skip-bad-rows",
    ),
    PublicSet(
        name="bookcrossing-history",
        kind="books read or marked",
        terms="research use with citation (Ziegler et al. 2005)",
        rows=272_678,
        users=2_946,
        items=17_384,
        times="",
        notes="tab-separated; column accessed is 1 in all rows",
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip",
                        member="book_crossing/book_history.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip",
                        member="book_crossing/items_info.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/BookCrossing/book_crossing.zip", member="book_crossing/README"
                    ),
                ),
            ),
        ),
        data="bookcrossing-history",
        options="--columns user=user,item=item --item-features Book-Author,Publisher",
    ),
)
