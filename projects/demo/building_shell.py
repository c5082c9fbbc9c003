"""SO 01, the residential building: earthworks to scaffolding. 24.60 × 13.80 m, four storeys, no cellar."""

from __future__ import annotations

from .sheet import ObjectSheet, czech


def add_shell(sheet: ObjectSheet) -> None:
    sheet.group("HSV", "Práce a dodávky HSV")
    _earthworks(sheet)
    _foundations(sheet)
    _walls(sheet)
    _slabs(sheet)
    _plasters(sheet)
    _scaffolds(sheet)


def _earthworks(s: ObjectSheet) -> None:
    s.section("1", "Zemní práce")
    s.work(
        "121151123",
        "Sejmutí ornice strojně, vrstva do 200 mm, souvislá plocha přes 500 m2",
        "m2",
        "41.60",
        "30,60*19,80",
    )
    pit = s.work(
        "131251104", "Výkop jámy bez pažení v zemině třídy I, strojně, nad 500 m3", "m3", "187.00", "27,60*16,80*1,15"
    )
    trench = s.work(
        "132251102", "Výkop rýh šířky do 800 mm v zemině třídy I, strojně, do 50 m3", "m3", "642.00",
        "2*24,60*0,60*0,55", "3*12,60*0,60*0,55",
    )  # fmt: skip
    back = s.work(
        "174151101", "Zpětný zásyp kolem základů se zhutněním po vrstvách", "m3", "173.00",
        "2*(27,60+13,80)*1,50*1,15", "2*13,80*0,35",
    )  # fmt: skip
    moved = s.work(
        "162751117", "Odvoz výkopku na skládku do 10 km, zemina třídy I", "m3", "318.00",
        f"{czech(pit)}+{czech(trench)}-{czech(back)}",
    )  # fmt: skip
    s.work("171251201", "Uložení výkopku na skládce s hrubým urovnáním", "m3", "24.70", czech(moved))
    s.work("171201231", "Skládkovné za zeminu a kamení", "t", "389.00", f"{czech(moved)}*1,80")
    s.work("181951112", "Úprava a zhutnění základové pláně", "m2", "29.30", "25,80*15,00")


def _foundations(s: ObjectSheet) -> None:
    s.section("2", "Zakládání")
    s.work("271532212", "Podsyp pod desku z drceného kameniva 16-32 mm", "m3", "1348.00", "24,60*13,80*0,20")
    strips = s.work(
        "274321511", "Základové pasy z betonu železového C 25/30 XC2", "m3", "4284.00",
        "2*24,60*0,60*0,85", "3*12,60*0,60*0,85",
    )  # fmt: skip
    s.work("274351121", "Zřízení bednění základových pasů", "m2", "518.00", "2*(2*24,60+3*12,60)*0,45")
    s.work("274351122", "Odstranění bednění základových pasů", "m2", "118.00", "2*(2*24,60+3*12,60)*0,45")
    s.work("274361821", "Výztuž základových pasů z oceli B500B", "t", "43850.00", f"{czech(strips)}*0,078")
    plate = s.work("273321511", "Základová deska z betonu železového C 25/30 XC2", "m3", "4196.00", "24,60*13,80*0,20")
    s.work("273351121", "Zřízení bednění základové desky", "m2", "472.00", "2*(24,60+13,80)*0,20", "12*2,20*0,20*4")
    s.work("273351122", "Odstranění bednění základové desky", "m2", "109.00", "2*(24,60+13,80)*0,20", "12*2,20*0,20*4")
    s.work("273361821", "Výztuž základové desky z oceli B500B", "t", "42700.00", f"{czech(plate)}*0,092")


def _walls(s: ObjectSheet) -> None:
    s.section("3", "Svislé a kompletní konstrukce")
    s.work(
        "311235181", "Zdivo nosné z broušených cihel P10, tloušťka 300 mm, na tenkovrstvou maltu", "m2", "2168.00",
        '"obvod" 4*2*(24,60+13,20)*2,75', '"okna" -48*1,50*1,50', '"dveře" -4*1,80*2,30',
    )  # fmt: skip
    s.work(
        "311235141", "Zdivo nosné z broušených cihel P15, tloušťka 240 mm, na tenkovrstvou maltu", "m2", "1842.00",
        "4*(24,00+2*5,40)*2,75", "-24*0,90*2,02",
    )  # fmt: skip
    shaft = s.work(
        "311321411", "Stěny výtahové šachty z betonu železového C 25/30 XC1", "m3", "4610.00",
        "2*(1,90+2,10)*0,20*12,80",
    )  # fmt: skip
    s.work("311351121", "Zřízení bednění stěn nosných oboustranné", "m2", "596.00", "2*2*(1,90+2,10)*12,80")
    s.work("311351122", "Odstranění bednění stěn nosných oboustranné", "m2", "131.00", "2*2*(1,90+2,10)*12,80")
    s.work("311361821", "Výztuž stěn nosných z oceli B500B", "t", "44200.00", f"{czech(shaft)}*0,108")
    columns = s.work(
        "330321411", "Sloupy a pilíře z betonu železového C 30/37 XC1", "m3", "5240.00", "8*0,35*0,35*2,75*4"
    )
    s.work("330351111", "Zřízení bednění sloupů a pilířů", "m2", "742.00", "8*4*0,35*2,75*4")
    s.work("330351112", "Odstranění bednění sloupů a pilířů", "m2", "164.00", "8*4*0,35*2,75*4")
    s.work("330361821", "Výztuž sloupů a pilířů z oceli B500B", "t", "45900.00", f"{czech(columns)}*0,262")
    s.work("317168012", "Překlad keramický plochý šířky 115 mm, délka 1250 mm", "kus", "436.00", "96")
    s.work("317168054", "Překlad keramický vysoký 238 mm, délka 1750 mm", "kus", "1184.00", "144")
    s.work(
        "342244121", "Příčky z keramických tvárnic, tloušťka 115 mm", "m2", "836.00",
        '"byty" 12*(8,40+3,60+2*2,75)*2,65', '"dveře" -60*0,80*2,00',
    )  # fmt: skip


def _slabs(s: ObjectSheet) -> None:
    s.section("4", "Vodorovné konstrukce")
    slab = s.work(
        "411321515", "Stropní desky z betonu železového C 25/30 XC1", "m3", "4238.00",
        "4*24,60*13,80*0,20", '"schodiště, výtah" -4*(5,40*2,60+1,90*2,10)*0,20',
    )  # fmt: skip
    area = ("4*24,60*13,80", "-4*(5,40*2,60+1,90*2,10)")
    s.work("411351011", "Zřízení bednění stropních desek tloušťky do 250 mm", "m2", "538.00", *area)
    s.work("411351012", "Odstranění bednění stropních desek tloušťky do 250 mm", "m2", "142.00", *area)
    s.work("411361821", "Výztuž stropních desek z oceli B500B", "t", "43300.00", f"{czech(slab)}*0,103")
    beams = s.work(
        "413321414", "Průvlaky a nosníky z betonu železového C 30/37 XC1", "m3", "4870.00", "4*3*5,40*0,30*0,45"
    )
    s.work("413351111", "Zřízení bednění průvlaků a nosníků", "m2", "684.00", "4*3*5,40*(0,30+2*0,45)")
    s.work("413351112", "Odstranění bednění průvlaků a nosníků", "m2", "158.00", "4*3*5,40*(0,30+2*0,45)")
    s.work("413361821", "Výztuž průvlaků a nosníků z oceli B500B", "t", "44900.00", f"{czech(beams)}*0,178")
    ties = s.work(
        "417321414", "Ztužující věnce z betonu železového C 25/30 XC1", "m3", "4390.00", "4*2*(24,60+13,20)*0,30*0,25"
    )
    s.work("417351115", "Zřízení bednění ztužujících věnců", "m2", "402.00", "4*2*(24,60+13,20)*0,25*2")
    s.work("417351116", "Odstranění bednění ztužujících věnců", "m2", "98.00", "4*2*(24,60+13,20)*0,25*2")
    s.work("417361821", "Výztuž ztužujících věnců z oceli B500B", "t", "44600.00", f"{czech(ties)}*0,087")
    s.work("435124111", "Osazení železobetonových schodišťových ramen a podest jeřábem", "kus", "3260.00", "6")
    s.material("59373412", "rameno schodišťové prefabrikované, devět stupňů, pohledový povrch", "kus", "24350.00", "6")


def _plasters(s: ObjectSheet) -> None:
    s.section("6", "Úpravy povrchů, podlahy a osazování výplní")
    s.work(
        "611321141", "Omítka stropů vápenocementová dvouvrstvá štuková, strojně nanášená", "m2", "446.00",
        "12*(72,40-6,20)", '"chodby" 4*24,60*1,80',
    )  # fmt: skip
    s.work(
        "612321141", "Omítka stěn uvnitř vápenocementová dvouvrstvá štuková, strojně nanášená", "m2", "398.00",
        '"byty" 12*2*(8,40+3,60+11,20)*2,65', '"chodby" 4*2*(24,60+1,80)*2,65',
    )  # fmt: skip
    s.work("612131121", "Penetrace vnitřních stěn před omítáním", "m2", "38.40", "12*2*(8,40+3,60+11,20)*2,65")
    facade = s.work(
        "622211031", "Montáž kontaktního zateplení stěn deskami z polystyrenu tloušťky do 160 mm", "m2", "894.00",
        "2*(25,24+14,44)*12,40", "-48*1,50*1,50", "-4*1,80*2,30",
    )  # fmt: skip
    s.material(
        "28375938",
        "deska fasádní z pěnového polystyrenu EPS 70 F, tloušťka 160 mm",
        "m2",
        "298.00",
        f"{czech(facade)}*1,05",
    )
    s.work("622531022", "Omítka fasády tenkovrstvá silikonová zatíraná, zrno 2,0 mm", "m2", "412.00", czech(facade))
    s.work(
        "631311115", "Mazanina z prostého betonu C 20/25 X0, tloušťka do 80 mm", "m3", "5380.00",
        '"chodby a sklepní kóje" (4*24,60*1,80+12*4,80)*0,06',
    )  # fmt: skip
    s.work("632451214", "Potěr cementový litý, tloušťka 50 mm", "m2", "327.00", "12*66,20", "4*24,60*1,80")
    s.work("642942611", "Osazování ocelových zárubní do příček, křídlo do 2,5 m2", "kus", "1246.00", "60")
    s.material("55331437", "zárubeň ocelová pro zdění, tloušťka stěny 125 mm, šířka 800 mm", "kus", "1685.00", "60")


def _scaffolds(s: ObjectSheet) -> None:
    s.section("9", "Ostatní konstrukce a práce, bourání")
    area = "2*(27,00+16,20)*13,20"
    s.work(
        "941111131", "Montáž řadového trubkového lešení s podlahami šířky do 1,5 m, výška do 25 m", "m2", "98.60", area
    )
    s.work("941111231", "Nájem řadového trubkového lešení za každý den použití", "m2", "1.94", f"({area})*90")
    s.work(
        "941111831",
        "Demontáž řadového trubkového lešení s podlahami šířky do 1,5 m, výška do 25 m",
        "m2",
        "61.20",
        area,
    )
    s.work("949101111", "Lešení pomocné pro práce uvnitř, podlaha do výšky 1,9 m", "m2", "67.80", "4*24,00*13,20")
    s.work("952901111", "Vyčištění bytového domu před předáním, výška podlaží do 4 m", "m2", "74.50", "4*24,00*13,20")
    s.work("953943211", "Osazení hasicího přístroje na stěnu", "kus", "286.00", "8")
    s.material("44932114", "přístroj hasicí práškový, náplň 6 kg, hasicí schopnost 21A", "kus", "1090.00", "8")
    s.section("998", "Přesun hmot")
    s.work("998011003", "Přesun hmot pro zděné budovy, výška do 24 m", "t", "634.00", "1846,35")
