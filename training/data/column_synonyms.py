"""What columns of other people's files are called."""

from __future__ import annotations

RATING_ROLES = {
    "user": (
        "userid",
        "user uid usr customerid memberid reviewerid visitorid profileid accountid raterid readerid "
        "listenerid personid buyerid clientid shopperid viewerid subscriberid playerid steamid userhash "
        "useridentifier usersha1 useruuid idusuario idutilisateur kundenid kundenr kundennr kundennummer "
        "benutzerid nutzerid",
        "customer reviewer visitor profile account rater reader listener person member client buyer viewer "
        "username nickname login userlogin useremail email msno usuario utilisateur kunde benutzer nutzer",
        "profilename reviewername sessionid session deviceid",
    ),
    "item": (
        "itemid",
        "movieid filmid bookid productid businessid animeid mangaid gameid appid songid trackid "
        "artistid jokeid articleid newsid recipeid courseid contentid videoid listingid hotelid restaurantid "
        "placeid venueid beerid wineid postid showid programid podcastid albumid offerid adid "
        "iid idpelicula idlibro idproducto idfilm idproduit artikelid artikelnr artikelnummer produktid "
        "buchid",
        "isbn asin sku itemsku",
        "item movie film book product business anime manga game app song track artist joke article news "
        "recipe course content video listing hotel restaurant place venue beer wine post show program "
        "podcast album artikel produkt buch produit livre pelicula libro producto",
        "parentasin imdbid tmdbid tconst const goodreadsbookid isbn13 stockcode gmapid",
        "title name movietitle booktitle itemtitle producttitle gametitle animetitle productname itemname "
        "moviename filmname bookname gamename artistname trackname songname",
        "id",
    ),
    "rating": (
        "rating",
        "ratings stars star score overall bookrating userrating starrating movierating itemrating "
        "animescore userscore yourrating myrating reviewscore reviewrating ratingvalue ratingscore "
        "overallrating givenrating myscore usersrating bewertung wertung sterne puntuacion calificacion "
        "valoracion",
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
        "time datetime date when endtime datum fecha zeit zeitstempel",
        "createdat created submissiondate submitted dateadded addedat",
        "reviewedat readat updatedat dateupdated modifiedat added day",
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
        "viewcount clicks clickcount scrobbles msplayed secondsplayed purchases purchase visits strength "
        "watchratio",
    ),
}
"""Names of the columns of ratings, by role: in lines from the surest to the last resort, as `folded`."""

_ITEM_LINES = RATING_ROLES["item"]

ITEM_ROLES = {
    # An id goes before a title here, and 'id' is the item's own.
    "item": (*_ITEM_LINES[:3], *_ITEM_LINES[4:5], "id", _ITEM_LINES[3], _ITEM_LINES[5]),
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
        "originalpublicationyear originalyear originalreleaseyear",
        "releaseyear yearofrelease yearreleased startyear movieyear releasedyear yearofpublication "
        "publicationyear publishyear publishedyear yearpublished pubyear",
        "releasedate publicationdate publishdate publisheddate datepublished published released airdate "
        "aired datereleased firstpublishdate premiered",
    ),
    "genres": (
        "genres",
        "genre moviegenres moviegenre bookgenres maingenre",
        "categories category categoryname productcategory maincategory subjects subject cuisines cuisine",
        "class categorycode",
        "tags styles style themes",
    ),
}
"""The same of the items' file."""
