"""The words that head the columns of bills, in Czech, Slovak, German and English, and what they mean."""

from __future__ import annotations

import re
import unicodedata

FIELDS = ("number", "code", "description", "unit", "quantity", "unit_price", "total", "section", "object",
          "price_system", "note", "vat_rate")  # fmt: skip

# Normalised (lower case, no accents, no punctuation). First the names that leave no doubt, then the ones that might be.
_CERTAIN = {
    "number": "p c;pc;por c;por cislo;poradove cislo;cislo;c;poz;pozice;pozicia;pol c;cislo polozky;oz;pos;pos nr;"
              "position;positionsnummer;ordnungszahl;no;nr;item no;item number;number;ref;c r;p cislo",
    "code": "kod;kod polozky;cislo kodu;kod cenniku;code;artikelnummer;art nr;item code;catalogue code;code no",
    "description": "popis;nazev;nazev polozky;popis polozky;nazov;nazov polozky;text;text polozky;zkraceny popis;"
                   "bezeichnung;beschreibung;kurztext;leistung;leistungsbeschreibung;description;item description;"
                   "work description;item;title;name",
    "unit": "mj;m j;jednotka;merna jednotka;jedn;einheit;eh;me;mengeneinheit;unit;uom;units;unit of measure;qu",
    "quantity": "mnozstvi;mnozstvo;vymera;pocet;pocet mj;menge;anzahl;quantity;qty;amount of units;quantities",
    "unit_price": "jednotkova cena;jedn cena;j cena;jcena;cena mj;cena za mj;cena jedn;cena jednotkova;cena m j;"
                  "einheitspreis;ep;preis je einheit;unit price;unit rate;rate;price per unit;price unit",
    "total": "cena celkem;celkem;cena celkom;celkom;celkova cena;cena;celkem bez dph;cena bez dph;cena celkem bez dph;"
             "gesamtpreis;gp;gesamtbetrag;gesamt;betrag;positionspreis;total;total price;amount;"
             "line total;price total;sum",
    "section": "dil;oddil;kapitola;stavebni dil;diel;skupina;gewerk;abschnitt;titel;section;chapter;trade;group",
    "object": "objekt;stavebni objekt;so;list;bauteil;los;gebaude;building;object;lot",
    "price_system": "cenova soustava;cenova sustava;cenik;katalog;preissystem;catalogue;price system;catalog",
    "note": "poznamka;pozn;poznamky;langtext;anmerkung;bemerkung;hinweis;note;notes;remark;remarks;comment",
    "vat_rate": "dph;sazba dph;dph %;mwst;ust;mwst satz;vat;vat rate;vat %",
}  # fmt: skip
_POSSIBLE = {
    "description": ("popis", "nazev", "nazov", "bezeichnung", "beschreibung", "description", "leistung"),
    "unit_price": ("jednotkov", "jedn", "cena mj", "einheitspreis", "unit price", "unit rate"),
    "total": ("celkem", "celkom", "gesamt", "total"),
    "quantity": ("mnozstv", "vymer", "menge", "quantity", "qty"),
    "unit": ("jednotk", "einheit", "unit"),
    "code": ("kod", "code"),
    "number": ("cislo", "poradi", "position", "number"),
    "section": ("oddil", "kapitol", "section"),
}
_EXACT = {word: name for name, words in _CERTAIN.items() for word in words.split(";")}
_BRACKETS = re.compile(r"[\[(].*?[\])]")
_WORDS = re.compile(r"[^a-z0-9%]+")
_CURRENCIES = re.compile(r"\b(?:czk|eur|kc|usd)\b")


def normalise(title: str) -> str:
    """ "J. cena [CZK]" → "j cena"."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = _WORDS.sub(" ", _BRACKETS.sub(" ", plain)).strip()
    return _CURRENCIES.sub("", words).strip()


def meaning_of(title: str) -> tuple[str, float]:
    """(field, confidence 0-1) of a column's title; ("", 0) where it says nothing."""
    word = normalise(title)
    if not word or len(title) > 60:
        return "", 0.0
    if word in _EXACT:
        return _EXACT[word], 1.0
    for name, parts in _POSSIBLE.items():
        if any(part in word for part in parts):
            return name, 0.6
    return "", 0.0
