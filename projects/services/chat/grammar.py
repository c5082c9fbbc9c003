"""The words that questions and commands are understood by, as patterns over folded text (lower case, without marks)."""

from __future__ import annotations

PRICE = (
    r"(?:unit[- ]price\w*|price\w*|rate|jednotkov\w+ cen[auy]\w*|cen(?:a|u|y|e|ach|am)|einheitspreis\w*|preis\w*|ep)\b"
)
QUANTITY = r"(?:quantit\w+|amount|mnozstvi|vymer\w*|menge\w*)\b"
FIELD = rf"(?:(?P<price>{PRICE})|(?P<quantity>{QUANTITY}))"
POSITION = r"(?:positions?|items?|lines?|polozk\w*|polozek|polozce|pozic\w*|positionen|pos\.?|posten)(?=\s|$)"
SECTION = (
    r"(?:sections?|chapters?|oddil\w*|dil(?:u|y|e|em)?|sekc\w+|kapitol\w*|kapitel\w*|abschnitt\w*|titel\w*|gewerk\w*"
    r"|objekt\w*|objects?|so(?=\s\d))(?=\s|$)"
)
OF = r"(?:of|for|at|on|in|the|von|vom|der|des|den|dem|die|das|fur|bei|im|u|pro|v|ve|z|ze)"
TO = r"(?:to|na|auf|at|=|:)"
POLITE = (
    r"(?:please|can you|could you|would you|i want to|prosim|muzes|mohl bys|mohla bys|bitte|kannst du|konnen sie"
    r"|konntest du|konnten sie)[,\s]+"
)
SET = (
    r"(?:set|change|put|make|update|adjust|nastav\w*|zmen(?!il)\w*|uprav\w*|dej|setz\w*|ander(?:e|n|t)?|stell\w*|passe)"
)
UP = r"(?:raise|increase|zvys\w*|zvedn\w*|navys\w*|zdraz\w*|erhoh\w*|heb\w*|anheb\w*)"
DOWN = r"(?:lower|reduce|decrease|cut|sniz\w*|zlevn\w*|senk\w*|reduzier\w*|verringer\w*)"
DELETE = r"(?:delete|remove|drop|smaz\w*|vymaz\w*|odstran\w*|zrus\w*|losch\w*|entfern\w*|streich\w*)"
ALL = r"(?:everything|all|vse(?:chno|chny|ch)?|cel\w+ rozpoc\w+|alle\w*|alles|whole budget|gesamt\w* budget)"
PERCENT = r"(?:%|percent|per cent|procent\w*|prozent)"
CURRENCY = r"(?:kc|czk|eur|euro?|usd|chf|gbp|pln|€|\$|,-|m2|m3|m|t|kg|ks|pcs|st|h)"

HOW_MANY = r"(?:how many|number of|count of|kolik(?! sto[ij])|pocet|wie ?viele|anzahl)"
MONEY = (
    r"(?:sum|total|costs?|how much|price|worth|soucet|celkem|celkov\w+|stoj\w+|naklad\w*|cen[auy]|hodnot\w*"
    r"|summe|kostet|kosten|gesamt\w*"
    r"|wie ?viel|wie teuer|preis|betrag)"
)
DEAREST = (
    r"(?:most expensive|dearest|costliest|highest|largest|biggest|top|nejdraz\w+|nejvyss\w+|nejvets\w+|teuerst\w*"
    r"|hochst\w*|grost\w*)"
)
FINDING = r"(?:findings?|issues?|problems?|problem\w*|nalez\w*|chyb(?:y|a|u)|zavad\w*|befund\w*|mangel|fehler\w*)"
RED = r"(?:red|cerven\w*|rot(?:e|en|er|es)?)"
AMBER = r"(?:amber|orange|yellow|oranzov\w*|zlut\w*|gelb\w*)"
GREEN = r"(?:green|zelen\w*|grun\w*)"
UNCHECKED = r"(?:not checked|unchecked|nezkontrolovan\w*|neprover\w*|ungepruft\w*|nicht gepruft\w*)"
WHY = r"(?:why|proc|warum|weshalb)"
WITHOUT = r"(?:without|no|missing|lack\w*|bez|chyb(?:i|ejici|ejicich)|ohne|fehl\w*)"
CHANGED = r"(?:chang\w+|differen\w+|zmen\w*|geandert\w*|ander\w*|unterschied\w*|rozdil\w*)"
VERSION = r"(?:versions?|verz\w+|version\w*)"
LATEST = r"(?:last|latest|current|newest|posledni\w*|aktualn\w*|letzt\w*|aktuell\w*|neuest\w*)"
CODE = r"(?:codes?|kod(?:u|em|y|ech)?|leistungsnummer\w*|artikelnummer\w*)"
DOCUMENTS = r"(?:documents?|files?|dokument\w*|soubor\w*|datei\w*)"
RULE = r"(?:rules?|pravidl\w*|regel\w*)"
FOLLOWING = r"(?:and|what about|a|co|a co|und|was ist mit|wie ist es mit)"

# Words of an understood question that say nothing more of what it is about.
KNOWN = (
    PRICE, QUANTITY, POSITION, SECTION, HOW_MANY, MONEY, DEAREST, FINDING, RED, AMBER, GREEN, UNCHECKED, WHY, WITHOUT,
    CHANGED, VERSION, LATEST, CODE, DOCUMENTS, RULE, ALL, OF,
    r"(?:grand|overall|altogether|together|much|unit|jednotkov\w*|einheit\w*|by|nach|je|per|podle|audit\w*|found|nasel"
    r"|with|mit|s|se|said|budget\w*|rozpoc\w*|bill|vykaz\w*|lv|position|wieviel|dohromady|insgesamt|currently|hoch|vysok\w*|nyni|jetzt"
    r"|number|cislo|nummer|each|kazd\w*|open|otevren\w*|offen\w*|have|has|maji|ma|haben|hat|do|it|pro|amount|graded?)",
)  # fmt: skip
