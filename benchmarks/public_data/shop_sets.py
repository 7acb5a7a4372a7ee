"""Public data sets of shops and of articles shared in a company: events, purchases and reviews."""

from __future__ import annotations

from benchmarks.public_data.made_files import join_events
from benchmarks.public_data.public_set import MadeFile, PublicSet, Repository, SourceFile

_RETAILROCKET = {
    "parts/view_ecommerce.dat": "view",
    "parts/add_to_cart_ecommerce.dat": "addtocart",
    "parts/purchase_ecommerce.dat": "transaction",
}

SHOP_SETS = (
    PublicSet(
        name="amazon-beauty",
        kind="shop reviews, stars 1 to 5",
        terms="research use with citation (Ni et al. 2019)",
        rows=5_269,
        users=991,
        items=85,
        times="Unix seconds of days",
        notes=(
            "NDJSON, gzip, texts and nested objects; 96 % of the rows tie with one of their user, 1,177 "
            "rate a product again"
        ),
        repositories=(
            Repository(
                "sowrabharavishankar/Sentiment-Analysis-on-Amazon-Product-Reviews-",
                "e0445cbc17002b8584c073f2eaeab5b95841af8e",
                (SourceFile("All_Beauty_5.json.gz"),),
            ),
        ),
        data="amazon-beauty/All_Beauty_5.json.gz",
        options="--columns user=reviewerID,item=asin,rating=overall,time=unixReviewTime",
    ),
    PublicSet(
        name="retailrocket",
        kind="shop events: view, addtocart, transaction",
        terms="CC BY-NC-SA 4.0 (Kaggle, retailrocket)",
        rows=92_487,
        users=3_431,
        items=8_885,
        times="",
        notes=(
            "three files of one event each, joined; users with ten events or more; 78,371 views, 9,028 to "
            "cart, 5,088 bought"
        ),
        repositories=(
            Repository(
                "caserec/Datasets-for-Recommender-Systems",
                "4180b4dc4103452c591a1718560d29bdf1f48540",
                (
                    SourceFile(
                        "Processed Datasets/RetailrocketEcommerce/Retailrocket_Ecommerce.zip",
                        member="RetailRocket_Ecommerce/view_ecommerce.dat",
                        name="parts/view_ecommerce.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/RetailrocketEcommerce/Retailrocket_Ecommerce.zip",
                        member="RetailRocket_Ecommerce/add_to_cart_ecommerce.dat",
                        name="parts/add_to_cart_ecommerce.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/RetailrocketEcommerce/Retailrocket_Ecommerce.zip",
                        member="RetailRocket_Ecommerce/purchase_ecommerce.dat",
                        name="parts/purchase_ecommerce.dat",
                    ),
                    SourceFile(
                        "Processed Datasets/RetailrocketEcommerce/Retailrocket_Ecommerce.zip",
                        member="RetailRocket_Ecommerce/README",
                        name="parts/README",
                    ),
                ),
            ),
        ),
        data="retailrocket/events.tsv",
        options="--event-weights view=1,addtocart=3,transaction=5",
        made=(MadeFile("events.tsv", join_events(_RETAILROCKET, "visitorid\titemid\tevent")),),
    ),
    PublicSet(
        name="yoochoose-100k",
        kind="shop clicks in anonymous sessions",
        terms="RecSys Challenge 2015: CC BY-NC-ND 4.0",
        rows=70_278,
        users=17_794,
        items=2_933,
        times="Unix seconds with fractions",
        notes="tab-separated; sessions of minutes as users, six days",
        repositories=(
            Repository(
                "rn5l/session-rec",
                "5dcd583cbd8d44703a5248b9a308945f24b91390",
                (SourceFile("data/rsc15/prepared/yoochoose-clicks-100k_train_full.txt"),),
            ),
        ),
        data="yoochoose-100k/yoochoose-clicks-100k_train_full.txt",
        options="--columns user=SessionId,item=ItemId,time=Time",
    ),
    PublicSet(
        name="diginetica-purchases",
        kind="shop purchases in sessions",
        terms="CIKM Cup 2016: research use",
        rows=18_025,
        users=12_630,
        items=11_244,
        times="ISO dates, without time of day",
        notes=(
            "semicolons; user id NA in 63 % of the rows, so sessions as users; 43 % of the rows tie; 76 % "
            "of the sessions one row"
        ),
        repositories=(
            Repository(
                "RecoHut-Datasets/diginetica",
                "2672053d53bf74e6e8eec77e684e4e7b6bc5da8c",
                (SourceFile("train-purchases.csv"),),
            ),
        ),
        data="diginetica-purchases/train-purchases.csv",
        options="--columns user=sessionId,item=itemId,time=eventdate",
    ),
    PublicSet(
        name="deskdrop",
        kind="articles: VIEW, LIKE, BOOKMARK, COMMENT CREATED, FOLLOW",
        terms="ODbL 1.0 (Kaggle, gspmoreira)",
        rows=72_312,
        users=1_895,
        items=2_987,
        times="Unix seconds",
        notes=(
            "CSV in a zip; ids are signed 64-bit numbers; quoted user agents with commas; an event type "
            "with a space; 40,710 pairs"
        ),
        repositories=(
            Repository(
                "NarjesKar/Recommender-article",
                "247c368cbd3ee2a8fba7016dd6b3cebbd25a19ce",
                (SourceFile("users_interactions.zip"),),
            ),
        ),
        data="deskdrop/users_interactions.zip",
        options=(
            "--columns user=personId,item=contentId,time=timestamp --event-weights "
            '"VIEW=1,LIKE=2,BOOKMARK=2.5,FOLLOW=3,COMMENT CREATED=4"'
        ),
    ),
    PublicSet(
        name="amazon-games",
        kind="shop reviews, products by user",
        terms="research use with citation (He and McAuley 2016)",
        rows=287_107,
        users=31_013,
        items=23_715,
        times="",
        notes=(
            "separated by a space, no header, two columns; a user's rows in the order of time, which is "
            "lost; more than 20,000 items"
        ),
        repositories=(
            Repository(
                "kang205/SASRec", "e3738967fddab206d6eeb4fda433e7a7034dd8b1", (SourceFile("data/Video.txt"),)
            ),
        ),
        data="amazon-games/Video.txt",
    ),
)
