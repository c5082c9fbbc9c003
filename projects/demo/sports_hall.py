"""The sports hall of the demo: a tender of a German town (GAEB X83) and one firm's bid on it (X84)."""

from __future__ import annotations

from decimal import Decimal as D

from .faults import Fault
from .gaeb import HallBill, HallItem, HallSection

HALL = HallBill(
    name="SPH-2026-07",
    label="Neubau Einfeldsporthalle Lindenau, Rohbau und Ausbau",
    client="Stadt Lindenau, Hochbauamt",
    bidder="Bauhütte Elbtal GmbH",
    sections=(
        HallSection("01", "Baustelleneinrichtung", (
            HallItem("0010", "Baustelle einrichten, vorhalten und räumen", "psch", D(1), D("38450.00"),
                     is_lump_sum=True, long_text="Einschließlich Baustrom, Bauwasser, Krananlage und Sozialcontainer."),
            HallItem("0020", "Bauzaun aus Gitterelementen, Höhe 2,00 m", "m", D("186.000"), D("14.80")),
            HallItem("0030", "Bautür im Bauzaun, abschließbar", "St", D("2.000"), D("126.50")),
        )),
        HallSection("02", "Erdarbeiten", (
            HallItem("0010", "Oberboden abtragen und seitlich lagern, Dicke 25 cm", "m2", D("1640.000"), D("3.45")),
            HallItem("0020", "Baugrubenaushub, Homogenbereich B2, Abfuhr zur Kippe", "m3", D("912.000"), D("24.60")),
            HallItem("0030", "Arbeitsräume verfüllen und lagenweise verdichten", "m3", D("214.000"), D("28.90")),
            HallItem("0040", "Planum herstellen und verdichten", "m2", D("1180.000"), D("1.95")),
        )),
        HallSection("03", "Beton- und Stahlbetonarbeiten", (
            HallItem("0010", "Sauberkeitsschicht aus Beton C12/15 X0, Dicke 5 cm", "m2", D("286.000"), D("13.70")),
            HallItem("0020", "Streifenfundamente aus Stahlbeton C25/30 XC2", "m3", D("94.500"), D("218.00")),
            HallItem("0030", "Bodenplatte aus Stahlbeton C20/25 XC4, Dicke 20 cm", "m3", D("196.000"), D("204.00")),
            HallItem("0040", "Stützen aus Stahlbeton C30/37 XC1, glatt geschalt", "m3", D("18.600"), D("642.00")),
            HallItem("0050", "Betonstahl B500B liefern, biegen und verlegen", "t", D("31.400"), D("2180.00")),
            HallItem("0060", "Fugenband innenliegend, Breite 24 cm", "m", D("118.000"), D("27.40")),
        )),
        HallSection("04", "Dachtragwerk und Abdichtung", (
            HallItem("0010", "Brettschichtholzbinder GL28c, 18,50 m, montieren", "St", D("9.000"), D("7840.00")),
            HallItem("0020", "Trapezblech-Tragschale, Höhe 135 mm, beschichtet", "m2", D("1026.000"), D("48.20")),
            HallItem("0030", "Gefälledämmung aus Mineralwolle, im Mittel 20 cm", "m2", D("1026.000"), D("0.00")),
            HallItem("0040", "Dachabdichtung aus Kunststoffbahn, mechanisch befestigt", "m2", D("1026.000"), D("39.60"),
                     stated_total=D("46029.60")),
            HallItem("0050", "Extensive Dachbegrünung statt Kunststoffbahn mit Kies", "m2", D("1026.000"), D("46.10"),
                     alternative_to="1"),
        )),
        HallSection("05", "Sporthallenausbau", (
            HallItem("0010", "Flächenelastischer Sportboden, Oberbelag Linoleum", "m2", D("968.000"), D("118.00")),
            HallItem("0020", "Spielfeldlinien für fünf Sportarten aufbringen", "m", D("1240.000"), D("6.30")),
            HallItem("0030", "Prallwandverkleidung aus Birkensperrholz, Höhe 2,50 m", "m2", D("214.000"), D("164.00")),
            HallItem("0040", "Trennvorhang, doppelschalig, elektrisch angetrieben", "St", D("1.000"), D("24680.00")),
            HallItem("0050", "Zusätzliche Bodenhülsen für Spielgeräte", "St", D("12.000"), D("186.00"),
                     is_optional=True),
        )),
    ),
)  # fmt: skip

# Found once the bid has been joined to its tender; the code of a GAEB item is its number.
HALL_FAULTS = (
    Fault("C01", "", "04.0030", "The roof insulation is not priced.", ()),
    Fault("V07", "", "04.0040", "The total of the roof covering is 5,400 too high.", ()),
    Fault("B03", "", "03.0030", "A floor slab in the open air, too weak for its exposure.", ()),
)
