"""Public data sets of restaurants and hotels."""

from __future__ import annotations

from benchmarks.public_data.public_set import PublicSet, Repository, SourceFile

PLACE_SETS = (
    PublicSet(
        name="restaurants-uci",
        kind="restaurants, 0 to 2",
        terms="CC BY 4.0 (UCI 232)",
        rows=1_161,
        users=138,
        items=130,
        times="",
        notes=(
            "semicolons; 0 is a rating here, the lowest; three rating columns; last line without a line end"
        ),
        repositories=(
            Repository(
                "Mircella/restaurants_training",
                "903858a7b099eb79582f5b78a187aaf744805aab",
                (SourceFile("data/rating_final.csv"), SourceFile("data/geoplaces.csv")),
            ),
        ),
        data="restaurants-uci",
        options="--columns user=userID,item=placeID,rating=rating",
    ),
    PublicSet(
        name="tripadvisor-hotels",
        kind="hotels, stars 1 to 5",
        terms="research use with citation (Zheng et al. 2014)",
        rows=14_175,
        users=2_371,
        items=2_269,
        times="",
        notes="hexadecimal user ids; hotels' columns repeated in each row; 478 rows rate a hotel again",
        repositories=(
            Repository(
                "irecsys/CARSKit",
                "0a1789fb0804b067cabd223c4b8fd8b4d2f6e881",
                (
                    SourceFile(
                        "context-aware_data_sets/Travel_TripAdvisor_v2.zip",
                        member="Travel_TripAdvisor_v2/Data_TripAdvisor_v2.csv",
                    ),
                ),
            ),
        ),
        data="tripadvisor-hotels/Data_TripAdvisor_v2.csv",
    ),
)
