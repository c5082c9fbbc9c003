"""Countries and languages as publishers write them, as ISO codes (ISO 3166-1 alpha-2, ISO 639-1)."""

from __future__ import annotations

from functools import lru_cache

# alpha-3 of notices in the EU's form, and names seen in OCDS. What is not listed stays as it was written, if it is a
# code of two letters, and is left out otherwise: a wrong country would hide a tender from its search.
_COUNTRIES = {
    "AUT": "AT", "BEL": "BE", "BGR": "BG", "HRV": "HR", "CYP": "CY", "CZE": "CZ", "DNK": "DK", "EST": "EE",
    "FIN": "FI", "FRA": "FR", "DEU": "DE", "GRC": "GR", "HUN": "HU", "IRL": "IE", "ITA": "IT", "LVA": "LV",
    "LTU": "LT", "LUX": "LU", "MLT": "MT", "NLD": "NL", "POL": "PL", "PRT": "PT", "ROU": "RO", "SVK": "SK",
    "SVN": "SI", "ESP": "ES", "SWE": "SE", "NOR": "NO", "ISL": "IS", "LIE": "LI", "CHE": "CH", "GBR": "GB",
    "ALB": "AL", "AND": "AD", "ARM": "AM", "BIH": "BA", "GEO": "GE", "MDA": "MD", "MKD": "MK", "MNE": "ME",
    "SRB": "RS", "XKX": "XK", "1A0": "XK", "TUR": "TR", "UKR": "UA", "USA": "US", "CAN": "CA", "PRY": "PY",
    "SAU": "SA", "ARE": "AE", "QAT": "QA", "KWT": "KW", "OMN": "OM", "BHR": "BH", "EGY": "EG", "JOR": "JO",
    "MAR": "MA", "TUN": "TN", "DZA": "DZ", "MEX": "MX", "COL": "CO", "CHL": "CL", "ARG": "AR", "BRA": "BR",
    "PER": "PE", "URY": "UY", "NGA": "NG", "KEN": "KE", "ZAF": "ZA", "IND": "IN", "AUS": "AU", "NZL": "NZ",
    "UNITED KINGDOM": "GB", "ENGLAND": "GB", "SCOTLAND": "GB", "WALES": "GB", "NORTHERN IRELAND": "GB", "UK": "GB",
    "GREAT BRITAIN": "GB", "EL": "GR", "PORTUGAL": "PT", "PARAGUAY": "PY", "SPAIN": "ES", "ESPAÑA": "ES",
    "GERMANY": "DE", "DEUTSCHLAND": "DE", "FRANCE": "FR", "ITALY": "IT", "ITALIA": "IT", "IRELAND": "IE",
    "CZECHIA": "CZ", "CZECH REPUBLIC": "CZ", "ČESKO": "CZ", "ČESKÁ REPUBLIKA": "CZ", "SLOVAKIA": "SK",
    "POLAND": "PL", "AUSTRIA": "AT", "NETHERLANDS": "NL", "BELGIUM": "BE", "SAUDI ARABIA": "SA", "NIGERIA": "NG",
    "MEXICO": "MX", "MÉXICO": "MX", "COLOMBIA": "CO", "CHILE": "CL", "UKRAINE": "UA", "MOLDOVA": "MD",
}  # fmt: skip
LONGEST_KEPT = 40  # what has been looked up is kept: always the same few
_LANGUAGES = {
    "BUL": "bg", "CES": "cs", "DAN": "da", "DEU": "de", "ELL": "el", "ENG": "en", "EST": "et", "FIN": "fi",
    "FRA": "fr", "GLE": "ga", "HRV": "hr", "HUN": "hu", "ITA": "it", "LAV": "lv", "LIT": "lt", "MLT": "mt",
    "NLD": "nl", "POL": "pl", "POR": "pt", "RON": "ro", "SLK": "sk", "SLV": "sl", "SPA": "es", "SWE": "sv",
    "NOR": "no", "ISL": "is", "ARA": "ar", "CAT": "ca", "SRP": "sr", "MKD": "mk", "UKR": "uk",
}  # fmt: skip


def country_of(written: str) -> str:
    """ "GB" for "United Kingdom", "GBR" or "GB"; "" for what is not known."""
    return (_country if len(written) <= LONGEST_KEPT else _country.__wrapped__)(written)


def language_of(written: str) -> str:
    """ "en" for "en", "en-GB", "EN" or "ENG"; "" for what is not known."""
    return (_language if len(written) <= LONGEST_KEPT else _language.__wrapped__)(written)


@lru_cache(maxsize=1000)
def _country(written: str) -> str:
    key = written.strip().upper()
    found = _COUNTRIES.get(key)
    if found:
        return found
    return key if len(key) == 2 and key.isascii() and key.isalpha() else ""


@lru_cache(maxsize=1000)
def _language(written: str) -> str:
    key = written.strip()
    found = _LANGUAGES.get(key.upper())
    if found:
        return found
    primary = key.replace("_", "-").partition("-")[0].lower()
    return primary if len(primary) == 2 and primary.isascii() and primary.isalpha() else ""
