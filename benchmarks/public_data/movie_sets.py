"""Public data sets of movies."""

from __future__ import annotations

from benchmarks.public_data.made_files import join_rows
from benchmarks.public_data.public_set import MadeFile, PublicSet, Repository, SourceFile

MOVIE_SETS = (
    PublicSet(
        name="movietweetings-10k",
        kind="movies, stars 0 to 10 from tweets",
        terms="MIT",
        rows=10_000,
        users=3_794,
        items=3_096,
        times="Unix seconds",
        notes="::, no header; IMDb ids with leading zeros; 54 % of the users rated one film, 15 days",
        repositories=(
            Repository(
                "RodolfoViana/MovieTweetings",
                "004a80f1b271e900eea5a5e4b8b7ac6111db8095",
                (
                    SourceFile("snapshots/10K/ratings.dat"),
                    SourceFile("snapshots/10K/movies.dat"),
                    SourceFile("snapshots/10K/users.dat"),
                    SourceFile("LICENSE"),
                ),
            ),
        ),
        data="movietweetings-10k",
    ),
    PublicSet(
        name="movietweetings-100k",
        kind="movies, stars 0 to 10 from tweets",
        terms="MIT",
        rows=100_000,
        users=16_554,
        items=10_506,
        times="Unix seconds",
        notes="::, no header; IMDb ids with leading zeros; 45 % of the users rated one film, six months",
        repositories=(
            Repository(
                "RodolfoViana/MovieTweetings",
                "004a80f1b271e900eea5a5e4b8b7ac6111db8095",
                (
                    SourceFile("snapshots/100K/ratings.dat"),
                    SourceFile("snapshots/100K/movies.dat"),
                    SourceFile("snapshots/100K/users.dat"),
                    SourceFile("LICENSE"),
                ),
            ),
        ),
        data="movietweetings-100k",
    ),
    PublicSet(
        name="movielens-latest-small",
        kind="movies, half stars 0.5 to 5",
        terms="GroupLens: research use, no redistribution, no commercial use without permission",
        rows=100_836,
        users=610,
        items=9_724,
        times="Unix seconds",
        notes=(
            "CSV with header; movies.csv has CRLF, ratings.csv LF; 23 % of the rows tie with one of their "
            "user; 18 movies unrated"
        ),
        repositories=(
            Repository(
                "RecoHut-Datasets/movielens_1m",
                "7418935199a7165f8a031626ffa7136f48b2aef9",
                (SourceFile("ml_ratings.csv", name="ratings.csv"),),
            ),
            Repository(
                "allegrastrippoli/recommender",
                "98f355f3a1cd744bdaf76947f31f6d8db291e1d0",
                (SourceFile("ml-latest-small/movies.csv"), SourceFile("ml-latest-small/README.txt")),
            ),
        ),
        data="movielens-latest-small",
    ),
    PublicSet(
        name="movielens-1m",
        kind="movies, stars 1 to 5",
        terms="GroupLens: research use, no redistribution, no commercial use without permission",
        rows=1_000_209,
        users=6_040,
        items=3_706,
        times="",
        notes=(
            "the five test parts of a cross-validation, joined: all ratings, their times lost; movies.dat "
            "with :: in Latin-1"
        ),
        repositories=(
            Repository(
                "RecoHut-Datasets/movielens_1m",
                "fde8b025e129e2e2cc29e268d18bd4795e9453a9",
                (
                    SourceFile("test_1m1.dat", name="parts/test_1m1.dat"),
                    SourceFile("test_1m2.dat", name="parts/test_1m2.dat"),
                    SourceFile("test_1m3.dat", name="parts/test_1m3.dat"),
                    SourceFile("test_1m4.dat", name="parts/test_1m4.dat"),
                    SourceFile("test_1m5.dat", name="parts/test_1m5.dat"),
                ),
            ),
            Repository(
                "bigdataguide/AuraSparkTraining",
                "03ebfaf1fdd7a0abd40578aa2ab72bcac51f18db",
                (SourceFile("data/ml-1m/movies.dat"), SourceFile("data/ml-1m/README")),
            ),
        ),
        data="movielens-1m",
        made=(
            MadeFile(
                "ratings.csv",
                join_rows(tuple(f"parts/test_1m{part}.dat" for part in range(1, 6)), "userId,movieId,rating"),
            ),
        ),
    ),
    PublicSet(
        name="filmtrust",
        kind="movies, half stars 0.5 to 4",
        terms="research use with citation (Guo et al. 2013)",
        rows=35_497,
        users=1_508,
        items=2_071,
        times="",
        notes="separated by spaces, no header; 3 duplicates",
        repositories=(
            Repository(
                "Coder-Yu/QRec",
                "a141bb37cb7706b2f53b2eed5843de3269f9f37f",
                (SourceFile("dataset/FilmTrust/ratings.txt"), SourceFile("dataset/FilmTrust/readme.txt")),
            ),
        ),
        data="filmtrust/ratings.txt",
    ),
    PublicSet(
        name="movielens-1m-watched",
        kind="movies watched",
        terms="GroupLens: research use, no redistribution, no commercial use without permission",
        rows=1_000_209,
        users=6_040,
        items=3_706,
        times="",
        notes="Parquet, ids as text; the user and movie columns of movielens-1m, in the published order",
        repositories=(
            Repository(
                "bigdataguide/AuraSparkTraining",
                "03ebfaf1fdd7a0abd40578aa2ab72bcac51f18db",
                (
                    SourceFile("data/ml-1m/ratings.parquet"),
                    SourceFile("data/ml-1m/movies.dat"),
                    SourceFile("data/ml-1m/README"),
                ),
            ),
        ),
        data="movielens-1m-watched",
    ),
)
