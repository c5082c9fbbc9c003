"""What to look for in sentences, as folded (`services.wording`): months, events, qualifications, risks.

For the languages whose stop words are known. A pattern is a stem: "kvalifik" finds all cases of it.
"""

from __future__ import annotations

import re

# Beginnings of the months' names; cs, sk and pl have other cases after a number.
MONTHS = {
    "en": ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    "cs": ("led", "unor", "brez", "dub", "kvet", "cervn|cerven", "cervenec|"
                      r"cervenc", "srp", "zari", "rij", "listop", "pros"),
    "sk": ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    "de": ("jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez"),
    "pl": ("stycz", "lut", "mar", "kwie", "maj", "czerw", "lip", "sierp", "wrze", "pazdz", "listop", "grud"),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep|set", "oct", "nov", "dic"),
    "pt": ("jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"),
    "fr": ("janv", "fev", "mars", "avr", "mai", "juin", "juil", "aou", "sept", "oct", "nov", "dec"),
    "it": ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"),
    "ar": ("يناير|كانون الثاني", "فبراير|شباط", "مارس|اذار", "ابريل|نيسان", "مايو|ايار", "يونيو|حزيران", "يوليو|تموز",
           "اغسطس|اب", "سبتمبر|ايلول", "اكتوبر", "نوفمبر", "ديسمبر"),
}  # fmt: skip


def _patterns(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(rf"(?:{pattern})")) for name, pattern in rows)


EVENTS = _patterns(
    (
        ("questions until", r"\bclarif|\bquestions|\bquer(?:y|ies)|dotaz|ruckfrage|bieterfrag|pytani|consultas|"
                            r"esclarecim|استفسار"),
        ("site visit", r"site visit|prohlidk|obhliadk|ortstermin|besichtigung|wizj\w lokaln|visita|sopralluogo|"
                       r"زياره الموقع"),
        ("opening of bids", r"opening of|otevir\w+ (?:nabid|obal)|otvaran|offnung der|otwarci|apertura|abertura|"
                            r"ouverture|فتح"),
        ("bids due", r"deadline|closing|submi(?:t|ss)|returned by|no later than|lhut\w+ pro podan|lehot|"
                     r"angebotsfrist|abgabe|"
                     r"termin skladan|plazo|presentacion|prazo|date limite|remise|scadenza|termine|موعد|تقديم"),
        ("start", r"\bstart|commenc|\bbegin|\bfrom\b|zahaj|zaciat|beginn|rozpocz|inicio|debut|inizio|يبدا|بدايه|بدء"),
        ("end", r"\bend(?:s|ing)?\b|complet|expir|\buntil\b|\bto\b|dokonc|ukonc|ende\b|fertig|zakoncz|\bfin\b|"
                r"termino|\bfine\b|"
                r"انتهاء|نهايه"),
    )
)  # fmt: skip

QUALIFICATIONS = _patterns(
    (
        ("certified management system", r"\biso ?(?:9001|14001|45001|27001|50001|\d{4,5})\b"),
        ("licence or authorisation", r"\blicen[cs]e|authoris|authoriz|opravnen|zulassung|uprawnien|licencia|licenca|"
                                     r"habilitac|agrement|autorizzazion|ترخيص"),
        ("certificate", r"certificat|certifik|accredit|akredit|zertifi|certyfik|شهاد"),
        ("classification of contractors", r"classification of contractor|clasificacion del contratista|\bsoa\b|"
                                          r"prakvalifi|"
                                          r"praequalifi|constructionline|تصنيف"),
        ("turnover", r"turnover|\bobrat|umsatz|obrot\w* (?:rocz|w wys)|volumen de negocio|facturacion anual|"
                     r"chiffre d.affaires|"
                     r"fatturato"),
        ("insurance", r"\binsurance|indemnity|pojisten|poisten|haftpflicht|ubezpieczen|\bseguro de|assurance|"
                      r"assicura|تامين ضد"),
        ("experience and references", r"experience (?:of|in|with)|track record|\breference(?:s)? (?:of|from|for)|"
                                      r"zkusenost|"
                                      r"skusenost|referencni|referenz|doswiadczen|experiencia|esperienza|"
                                      r"references similaires|خبر"),
        ("qualified people", r"qualified (?:person|staff|engineer)|chartered|kvalifik|fachkund|qualified to|"
                             r"personal tecnico"),
    )
)  # fmt: skip

RISKS = _patterns(
    (
        ("penalties for delay", r"penalt|liquidated damages|smluvni pokut|zmluvn\w+ pokut|vertragsstrafe|"
                                r"kar\w? umown|multa|"
                                r"penalite|penali\b|غرام"),
        ("bond or guarantee", r"\bbond\b|bank guarantee|performance guarantee|\bparent company guarantee|jistot|"
                              r"bankovni zaruk|"
                              r"burgschaft|sicherheitsleistung|wadium|garantia de|garantia provisional|caution|"
                              r"cauzione|"
                              r"fideiussion|ضمان"),
        ("retention", r"\bretention\b|pozastavk|zadrzn|einbehalt|retencion|retenue de garantie"),
        ("staff to be taken over", r"\btupe\b|transfer of undertakings|subrogacion|betriebsubergang|"
                                   r"reprise du personnel"),
        ("occupied or live site", r"live (?:environment|site|traffic|school|hospital)|"
                                  r"remain(?:s)? (?:open|operational|occupied)|"
                                  r"za provozu|im laufenden betrieb|under traffic"),
        ("asbestos or contamination", r"asbest|\bazbest|contaminat|kontamin|amianto|amiante"),
        ("no obligation to award", r"no (?:guarantee|obligation|commitment)|not (?:be )?bound to|"
                                   r"reserves? the right (?:not )?to|"
                                   r"vyhrazuje (?:si )?pravo|no guaranteed volume"),
        ("fixed price", r"fixed price|lump sum|pevn\w+ cen|festpreis|pauschal|precio cerrado|prix forfaitaire"),
    )
)  # fmt: skip
