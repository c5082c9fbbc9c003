"""SO 02 (plumbing and heating), SO 03 (paved areas) and VRN (site costs) of the residential building."""

from __future__ import annotations

from .sheet import OWN, ObjectSheet, czech


def services() -> ObjectSheet:
    s = ObjectSheet("SO 02", "Zdravotechnika a vytápění")
    s.group("PSV", "Práce a dodávky PSV")
    _sanitary(s)
    _heating(s)
    return s


def _sanitary(s: ObjectSheet) -> None:
    s.section("721", "Zdravotechnika – vnitřní kanalizace")
    s.work("721174042", "Potrubí kanalizační z PP připojovací DN 40", "m", "386.00", "12*4,50")
    s.work("721174043", "Potrubí kanalizační z PP připojovací DN 50", "m", "428.00", "12*6,20")
    s.work("721174025", "Potrubí kanalizační z PP odpadní DN 110", "m", "612.00", "6*13,50")
    s.work("721273153", "Hlavice ventilační z PP DN 110", "kus", "1642.00", "6")
    s.work("721290111", "Zkouška těsnosti kanalizace vodou do DN 125", "m", "34.60", "12*4,50+12*6,20+6*13,50")
    s.work("998721103", "Přesun hmot pro vnitřní kanalizaci, objekty výšky do 24 m", "t", "1184.00", "0,847")
    s.section("722", "Zdravotechnika – vnitřní vodovod")
    s.work("722174022", "Potrubí vodovodní z PPR svařované, D 20 mm", "m", "352.00", "12*18,40")
    s.work("722174024", "Potrubí vodovodní z PPR svařované, D 32 mm", "m", "497.00", "6*13,20")
    s.work(
        "722181241",
        "Izolace potrubí návleková z pěnového polyetylenu, tloušťka do 20 mm",
        "m",
        "98.40",
        "12*18,40+6*13,20",
    )
    s.work("722220111", "Nástěnka pro výtokový ventil G 1/2", "kus", "418.00", "60")
    s.work("722262226", "Vodoměr bytový pro studenou i teplou vodu", "kus", "1376.00", "24")
    s.work("998722103", "Přesun hmot pro vnitřní vodovod, objekty výšky do 24 m", "t", "1346.00", "0,694")
    s.section("725", "Zdravotechnika – zařizovací předměty")
    s.work("725112022", "Klozet závěsný s podomítkovou nádrží", "soubor", "11480.00", "12")
    s.work("725211602", "Umyvadlo keramické bílé na šrouby, šířka 550 mm", "soubor", "4260.00", "12")
    s.work("725222116", "Vana akrylátová 1700 x 700 mm včetně podpor", "soubor", "10960.00", "12")
    s.work("725822611", "Baterie umyvadlová stojánková páková", "soubor", "2318.00", "12")
    s.work("998725103", "Přesun hmot pro zařizovací předměty, objekty výšky do 24 m", "t", "968.00", "1,152")


def _heating(s: ObjectSheet) -> None:
    s.section("733", "Ústřední vytápění – rozvodné potrubí")
    s.work("733223302", "Potrubí z mědi tvrdé spojované lisováním, D 18 mm", "m", "418.00", "12*32,50")
    s.work("733223304", "Potrubí z mědi tvrdé spojované lisováním, D 28 mm", "m", "706.00", "4*24,60")
    s.work("733291101", "Zkouška těsnosti potrubí z mědi do D 35 mm", "m", "28.90", "12*32,50+4*24,60")
    s.work("998733103", "Přesun hmot pro rozvody potrubí, objekty výšky do 24 m", "t", "2120.00", "0,412")
    s.section("735", "Ústřední vytápění – otopná tělesa")
    s.work("735152577", "Otopné těleso deskové typ 22, výška 600 mm, délka 1000 mm", "kus", "6420.00", "36")
    s.work("735164511", "Otopné těleso trubkové koupelnové, výška 1500 mm", "kus", "7180.00", "12")
    s.work("998735103", "Přesun hmot pro otopná tělesa, objekty výšky do 24 m", "t", "1680.00", "1,563")


def paved_areas() -> ObjectSheet:
    s = ObjectSheet("SO 03", "Zpevněné plochy a přípojky")
    s.group("HSV", "Práce a dodávky HSV")
    s.section("1", "Zemní práce")
    dug = s.work(
        "122251101", "Odkop pro zpevněné plochy v zemině třídy I, strojně, do 100 m3", "m3", "268.00", "38,00*5,50*0,42"
    )
    s.work("162651112", "Odvoz výkopku na skládku do 5 km, zemina třídy I", "m3", "236.00", czech(dug))
    s.work("171251202", "Uložení výkopku na skládce, sypanina z odkopů", "m3", "26.10", czech(dug))
    s.work("171201221", "Skládkovné za zeminu z odkopů", "t", "378.00", f"{czech(dug)}*1,75")
    s.section("5", "Komunikace pozemní")
    s.work("564851111", "Podklad ze štěrkodrti 0-63 mm, tloušťka po zhutnění 150 mm", "m2", "214.00", "38,00*5,50")
    s.work("564730011", "Podklad z drceného kameniva 8-16 mm, tloušťka 100 mm", "m2", "168.00", "38,00*5,50")
    paving = s.work(
        "596211112",
        "Kladení zámkové dlažby komunikací pro pěší, tloušťka 60 mm, do 300 m2",
        "m2",
        "386.00",
        "38,00*5,50",
    )
    s.material(
        "59245015", "dlažba zámková betonová přírodní, 200 x 100 x 60 mm", "m2", "298.00", f"{czech(paving)}*1,03"
    )
    s.section("8", "Trubní vedení")
    s.work("871315221", "Kanalizační přípojka z trub PVC SN 8, DN 160", "m", "684.00", "22,50")
    s.work("894812201", "Šachta revizní plastová DN 425, hloubka do 1,5 m", "kus", "9870.00", "2")
    s.section("9", "Ostatní konstrukce a práce, bourání")
    s.work("916331112", "Osazení zahradního obrubníku betonového do lože s opěrou", "m", "292.00", "2*(38,00+5,50)")
    s.material("59217017", "obrubník betonový parkový 1000 x 50 x 200 mm", "m", "118.00", "2*(38,00+5,50)*1,02")
    s.section("998", "Přesun hmot")
    s.work("998223011", "Přesun hmot pro pozemní komunikace s dlážděným krytem", "t", "486.00", "196,45")
    return s


def site_costs() -> ObjectSheet:
    s = ObjectSheet("VRN", "Vedlejší rozpočtové náklady")
    s.group("VRN", "Vedlejší rozpočtové náklady")
    s.section("VRN1", "Průzkumné, geodetické a projektové práce")
    s.work("012203000", "Geodetické vytyčení a zaměření skutečného stavu", "soubor", "34850.00", "1",
           note="Vytyčení objektů, kontrolní měření po podlažích a zaměření skutečného provedení.")  # fmt: skip
    s.work("013254000", "Dokumentace skutečného provedení stavby", "soubor", "46200.00", "1",
           note="Tři tištěná vyhotovení a data ve formátech PDF a DWG.")  # fmt: skip
    s.section("VRN3", "Zařízení staveniště")
    s.work("R030001", "Zařízení staveniště, zřízení, provoz a odstranění", "měsíc", "41600.00", "14", system=OWN)
    s.section("VRN4", "Inženýrská činnost")
    s.work("R040001", "Zkoušky a revize před uvedením do užívání", "soubor", "58400.00", "1", system=OWN,
           note="Revize elektro, hromosvodu, výtahu, tlakové zkoušky a měření hluku.")  # fmt: skip
    return s
